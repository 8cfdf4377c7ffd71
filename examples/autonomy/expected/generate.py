"""Invents the events: always the same ones.

Usage: python3 generate.py > ../events.jsonl

They are in the order in which they happened, as whoever runs in the
transaction that appends gets them. But now and then the answer to an append is
lost, and it is made again: the same event under another id, before anything
else is told of that thing.
"""

import json
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

SEED = 20260601
COPIED = 0.12  # of all events are appended twice

START = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)
TENANTS = {"acme": ["atlas", "briar"], "globex": ["atlas"]}

rng = random.Random(SEED)
appended = []


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


class Thing:
    """Something of which events tell."""

    def __init__(self, tenant, kind, name, **named):
        self.tenant, self.kind, self.subject, self.named = tenant, kind, f"{kind}-{name}", named
        self.time = START + timedelta(seconds=rng.randrange(7_200))

    def passes(self, least=20, most=5_400):
        self.time += timedelta(seconds=rng.randrange(least, most), milliseconds=rng.randrange(1000))

    def in_minutes(self, minutes):
        return stamp(self.time + timedelta(minutes=minutes))

    def tell(self, what, **data):
        held = {k: v for k, v in (self.named | data).items() if v is not None}
        self.happens(self.subject, f"{self.kind}.{what}", held)

    def audit(self, action, **data):
        """Somebody does something to it by hand."""
        data = {"actor": rng.choice(["kim", "lee"]), "action": action} | self.named | data
        self.happens("audit", "audit.recorded", data)

    def happens(self, subject, event_type, data):
        event, at = (self.time, self.tenant, subject, event_type, data), self.time
        self.passes()
        appended.append((at, event))
        if rng.random() < COPIED:
            again = at + (self.time - at) * rng.random()
            appended.append((again, event))


def task(tenant, number, agent):
    life = Thing(tenant, "task", number, task_id=f"t-{number}")
    life.tell("started", agent_id=agent, name=rng.choice(["invoices", "triage", "weekly report"]),
              step="plan" if number % 2 else None)
    for step in rng.sample(["fetch", "compare", "write"], number % 4):
        life.tell("step_started", step=step)
    if number % 3 == 0:
        life.tell("paused", reason=rng.choice(["rate limit", "approval"]),
                  next_wake_time=life.in_minutes(90) if number % 2 else None)
        if number % 6 == 0:
            return
        life.tell("resumed")
    if number % 4 == 1:
        return
    life.tell(["completed", "failed", "cancelled"][number % 3])


def schedule(tenant, number):
    life = Thing(tenant, "schedule", number, schedule_id=f"s-{number}")
    life.tell("created", name="digest", cron="0 7 * * *", time_zone="Europe/Vienna" if number % 2 else None,
              next_run_at=life.in_minutes(60))
    if number == 1:
        return  # it has never run
    for _ in range(3):
        if rng.random() < 0.4:
            life.tell("missed", due_at=life.in_minutes(-5), next_run_at=life.in_minutes(60), reason="no worker")
        else:
            life.tell("ran", next_run_at=life.in_minutes(60))
    if number == 2:
        # After a standstill, the newest first.
        for ago in (5, 65, 125):
            life.tell("missed", due_at=life.in_minutes(-ago), next_run_at=life.in_minutes(60))
    if number == 3:
        life.tell("changed", cron="0 9 * * MON")
    if number == 4:
        life.tell("deleted")


def watcher(tenant, number):
    life = Thing(tenant, "watcher", number, watcher_id=f"w-{number}")
    life.tell("registered", name=rng.choice(["inbox", "ledger", "status page"]), enabled=False if number == 2 else None)
    if number == 2:
        life.audit("watcher.switch", enabled=True)
    for tick in range(1, number + 2):
        if rng.random() < 0.35:
            life.tell("suppressed", tick=tick, reason="quiet hours")
        else:
            life.tell("ticked", tick=tick, outcome=rng.choice(["nothing new", "found 2", "failed"]))
    if number == 3:
        life.tell("disabled")
    if number == 4:
        life.tell("removed")


def rule(tenant, number):
    life = Thing(tenant, "rule", number, rule_id=f"r-{number}")
    life.tell("created", name=rng.choice(["refunds below 50", "answer praise"]), enabled=number % 2 == 0)
    if number % 2:
        life.tell("enabled")
    for evaluation in range(1, number + 2):
        if rng.random() < 0.3:
            life.tell("suppressed", evaluation=evaluation, reason=rng.choice(["quiet hours", "level too low"]))
        else:
            life.tell("hit", evaluation=evaluation, matched={"order": f"o-{evaluation}"})
    if number == 2:
        life.audit("rule.switch", enabled=False)
    if number == 3:
        life.tell("deleted")


def integration(tenant, name):
    life = Thing(tenant, "integration", name, integration_id=name)
    life.tell("connected", name=name.title(), auth_status="valid")
    for _ in range(3):
        if rng.random() < 0.3:
            life.tell("call_failed", error=rng.choice(["503 unavailable", "timeout after 30 s"]), attempt=1)
            life.tell("health_changed", health="degraded")
        else:
            life.tell("call_succeeded", latency_ms=rng.randrange(40, 900))
    if name == "mail":
        life.tell("rate_limit_changed", remaining=12, resets_at=life.in_minutes(60))
        life.tell("rate_limit_changed", remaining=0, resets_at=life.in_minutes(60))
        life.tell("health_changed", health="down")
    if name == "ledger":
        life.tell("auth_changed", auth_status="expired")
        life.audit("integration.reauthorize")
        life.tell("health_changed", health="healthy")
    if name == "wiki":
        life.tell("auth_changed", auth_status="revoked")
        life.tell("disconnected")


def approval(tenant, number, agent):
    life = Thing(tenant, "approval", number, approval_id=f"q-{number}")
    life.tell("requested", agent_id=agent, task_id=f"t-{number}" if number % 2 else None, action="refund",
              context={"amount_cents": rng.randrange(100, 90_000), "note": "customer says \"broken\" – twice"},
              expires_at=life.in_minutes(600) if number % 3 else None)
    if number % 3 == 2:
        life.tell(["granted", "denied", "expired", "withdrawn"][number % 4])
    elif number == 4:
        life.audit("approval.dismiss", reason="asked twice")


def pool(tenant, name):
    life = Thing(tenant, "queue", name, pool=name)
    for _ in range(4):
        depths = {d: rng.randrange(40) for d in ("runnable_tasks", "schedule_backlog", "tool_queue_depth")}
        life.tell("depth_changed", **dict(rng.sample(sorted(depths.items()), rng.randrange(1, 4))))


def agent(tenant, name):
    life = Thing(tenant, "autonomy", name, agent_id=name)
    life.tell("level_changed", change_no=1, level="supervised", reason="first day")
    life.tell("level_changed", change_no=2, level="conditional")
    if name == "atlas":
        life.audit("autonomy.override", change_no=3, level="manual", reason="refunds look wrong")
        life.tell("level_changed", change_no=4, level="supervised", reason="reviewed")
    life.audit("login")  # of no interest to any table


def alarm(tenant, number):
    life = Thing(tenant, "alarm", number, alarm_id=f"a-{number}")
    life.tell("raised", severity=["info", "warning", "critical"][number % 3], message="mail is down",
              raised_from=f"w-{number}" if number % 2 else None)
    if number % 4 == 1:
        life.tell("acked", by="kim")
    if number % 4 == 2:
        life.audit("alarm.ack")
    if number % 5 == 4:
        life.tell("raised", severity="critical", message="mail is still down")
    if number % 3 == 1:
        life.tell("resolved")  # acked or not
    if number == 1:
        life.tell("raised", severity="warning", message="mail is down again")
    if number == 7:
        life.tell("archived")


for tenant, agents in TENANTS.items():
    for number in range(1, 14):
        task(tenant, number, rng.choice(agents))
    for number in range(1, 5):
        schedule(tenant, number)
        watcher(tenant, number)
        rule(tenant, number)
    for name in ("mail", "ledger", "wiki"):
        integration(tenant, name)
    for number in range(1, 7):
        approval(tenant, number, rng.choice(agents))
    for name in ("default", "gpu"):
        pool(tenant, name)
    for name in agents:
        agent(tenant, name)
    for number in range(1, 8):
        alarm(tenant, number)

for _, (time, tenant, subject, event_type, data) in sorted(appended, key=lambda append: append[0]):
    cloud_event = {
        "specversion": "1.0",
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "source": "/agents",
        "type": event_type,
        "subject": subject,
        "time": stamp(time),
        "datacontenttype": "application/json",
        "data": data,
        "tenant": tenant,
    }
    json.dump(cloud_event, sys.stdout, separators=(",", ":"), ensure_ascii=False)
    print()
