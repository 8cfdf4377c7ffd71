"""Computes the rows that the events end in, on its own and by other means: all
that was told of a thing is gathered first, and each column is looked up in it.

Usage: python3 compute.py < ../events.jsonl
Writes a file per table beside itself.
"""

import json
import sys
from pathlib import Path

# An append that was made again is the same in all but its id.
told = []
for line in sys.stdin:
    event = json.loads(line)
    del event["id"]
    if event not in told:
        told.append(event)


class History:
    """All that was told of one thing, in order."""

    def __init__(self, tenant, thing, events):
        self.tenant, self.thing, self.events = tenant, thing, events

    def of(self, *types):
        """Those of these types; an audit entry goes by what was done."""
        return [e for e in self.events if kind(e) in types]

    def last(self, *types):
        found = self.of(*types)
        return found[-1] if found else None

    def after(self, event):
        """What was told after an event."""
        later = self.events[self.events.index(event) + 1 :]
        return History(self.tenant, self.thing, later)

    def updated_at(self):
        return self.events[-1]["time"]


def kind(event):
    return event["data"]["action"] if event["type"] == "audit.recorded" else event["type"]


def histories(column, *without):
    """The history of each thing of a kind that is not over, by tenant and id."""
    about = [e for e in told if column in e["data"] and related(column, e)]
    for tenant, thing in sorted({(e["tenant"], e["data"][column]) for e in about}):
        its = [e for e in about if (e["tenant"], e["data"][column]) == (tenant, thing)]
        if kind(its[-1]) not in without:
            yield History(tenant, thing, its)


def related(column, event):
    """A task's id also stands in what is asked for its sake, an agent's in all
    that it does."""
    owner = {"task_id": "task", "agent_id": "autonomy"}.get(column)
    return owner is None or kind(event).split(".")[0] == owner


def said(event, name, default=None):
    return default if event is None else event["data"].get(name, default)


def time(event):
    return event and event["time"]


def tasks():
    for h in histories("task_id", "task.completed", "task.failed", "task.cancelled"):
        start, turn = h.of("task.started")[0], h.last("task.started", "task.paused", "task.resumed")
        yield {
            "tenant": h.tenant,
            "task_id": h.thing,
            "agent_id": said(start, "agent_id"),
            "name": said(start, "name"),
            "status": "paused" if turn["type"] == "task.paused" else "running",
            "step": said(h.last("task.step_started") or start, "step"),
            "pause_reason": said(turn, "reason"),
            "next_wake_time": said(turn, "next_wake_time"),
            "started_at": start["time"],
            "updated_at": h.updated_at(),
        }


def schedules():
    for h in histories("schedule_id", "schedule.deleted"):
        created, missed = h.of("schedule.created")[0], h.of("schedule.missed")
        latest = lambda name: [e for e in h.of("schedule.created", "schedule.changed") if name in e["data"]]
        next_run = [e for e in h.events if e["type"] != "schedule.changed" or "next_run_at" in e["data"]]
        yield {
            "tenant": h.tenant,
            "schedule_id": h.thing,
            "name": said(created, "name"),
            "cron": said(latest("cron")[-1], "cron"),
            "time_zone": said((latest("time_zone") or [created])[-1], "time_zone"),
            "next_run_at": said(next_run[-1], "next_run_at"),
            "last_run_at": time(h.last("schedule.ran")),
            "missed_runs": len(missed),
            "last_missed_due_at": max((e["data"]["due_at"] for e in missed), default=None),
            "last_told_due_at": said(h.last("schedule.missed"), "due_at"),
            "updated_at": h.updated_at(),
        }


def enabled(h, begun, by_default, thing):
    """Whether the thing is on, and who said so."""
    switch = h.last(begun, f"{thing}.enabled", f"{thing}.disabled", f"{thing}.switch")
    words = {f"{thing}.enabled": True, f"{thing}.disabled": False}
    return {
        "enabled": words.get(switch["type"], said(switch, "enabled", by_default)),
        "switched_by": said(switch, "actor"),
    }


def watchers():
    for h in histories("watcher_id", "watcher.removed"):
        tick = h.last("watcher.ticked", "watcher.suppressed")
        yield {
            "tenant": h.tenant,
            "watcher_id": h.thing,
            "name": said(h.events[0], "name"),
            **enabled(h, "watcher.registered", True, "watcher"),
            "last_tick": said(tick, "tick", 0),
            "last_tick_at": time(tick),
            "last_outcome": said(tick, "outcome", "suppressed" if tick else None),
            "suppression_count": len({e["data"]["tick"] for e in h.of("watcher.suppressed")}),
            "updated_at": h.updated_at(),
        }


def rules():
    for h in histories("rule_id", "rule.deleted"):
        yield {
            "tenant": h.tenant,
            "rule_id": h.thing,
            "name": said(h.events[0], "name"),
            **enabled(h, "rule.created", False, "rule"),
            "last_evaluation": said(h.last("rule.hit", "rule.suppressed"), "evaluation", 0),
            "hit_count": len({e["data"]["evaluation"] for e in h.of("rule.hit")}),
            "last_hit_at": time(h.last("rule.hit")),
            "last_suppression_reason": said(h.last("rule.suppressed"), "reason"),
            "last_suppressed_at": time(h.last("rule.suppressed")),
            "updated_at": h.updated_at(),
        }


def integrations():
    for h in histories("integration_id", "integration.disconnected"):
        failed, limit = h.last("integration.call_failed"), h.last("integration.rate_limit_changed")
        auth = h.last("integration.connected", "integration.auth_changed", "integration.reauthorize")
        yield {
            "tenant": h.tenant,
            "integration_id": h.thing,
            "name": said(h.events[0], "name"),
            "health": said(h.last("integration.health_changed"), "health", "healthy"),
            "auth_status": said(auth, "auth_status", "valid"),
            "last_success_at": time(h.last("integration.call_succeeded")),
            "last_error": said(failed, "error"),
            "last_error_at": time(failed),
            "rate_limit_state": "limited" if said(limit, "remaining") == 0 else "open",
            "rate_limit_remaining": said(limit, "remaining"),
            "rate_limit_resets_at": said(limit, "resets_at"),
            "updated_at": h.updated_at(),
        }


def approvals():
    ends = [f"approval.{word}" for word in ("granted", "denied", "expired", "withdrawn", "dismiss")]
    for h in histories("approval_id", *ends):
        names = ("agent_id", "task_id", "action", "context")
        asked = h.events[-1]
        yield {
            "tenant": h.tenant,
            "approval_id": h.thing,
            **{name: said(asked, name) for name in names},
            "requested_at": asked["time"],
            "expires_at": said(asked, "expires_at"),
        }


def queues():
    for h in histories("pool"):
        measured = lambda name: [e["data"][name] for e in h.events if name in e["data"]]
        depths = ("runnable_tasks", "schedule_backlog", "tool_queue_depth")
        yield {
            "tenant": h.tenant,
            "pool": h.thing,
            **{name: (measured(name) or [0])[-1] for name in depths},
            "measured_at": h.updated_at(),
        }


def levels():
    for h in histories("agent_id"):
        changes = sorted(h.events, key=lambda e: e["data"]["change_no"])
        for before, change, after in zip([None, *changes], changes, [*changes[1:], None]):
            yield {
                "tenant": h.tenant,
                "agent_id": h.thing,
                "change_no": said(change, "change_no"),
                "level": said(change, "level"),
                "previous_level": said(before, "level"),
                "reason": said(change, "reason"),
                "changed_by": said(change, "actor"),
                "changed_at": change["time"],
                "ended_at": time(after),
            }


def alarms():
    for h in histories("alarm_id", "alarm.archived"):
        # What came before it was last over and raised anew is of no interest.
        ends = [e for e in h.of("alarm.resolved") if h.after(e).of("alarm.raised")]
        now = h.after(ends[-1]) if ends else h
        first, raised, over = now.events[0], now.last("alarm.raised"), now.last("alarm.resolved")
        ack = (now.of("alarm.acked", "alarm.ack") or [None])[0]
        yield {
            "tenant": h.tenant,
            "alarm_id": h.thing,
            "status": "resolved" if over else "acked" if ack else "open",
            "severity": said(raised, "severity"),
            "message": said(raised, "message"),
            "raised_from": said(first, "raised_from"),
            "raised_at": first["time"],
            "acked_at": time(ack),
            "acked_by": said(ack, "by", said(ack, "actor")),
            "resolved_at": time(over),
            "updated_at": now.updated_at(),
        }


def write(table, rows):
    text = json.dumps(list(rows), indent=2, ensure_ascii=False) + "\n"
    (Path(__file__).parent / f"{table}.json").write_text(text)


write("active_tasks", tasks())
write("schedules", schedules())
write("watchers", watchers())
write("rules", rules())
write("integrations", integrations())
write("pending_approvals", approvals())
write("queue_depth", queues())
write("autonomy_history", levels())
write("alarms", alarms())
