"""Computes the rows that the events end in, on its own and by other means.

Usage: python3 compute.py < ../events.jsonl
Writes a file per table beside itself.
"""

import json
import sys
from collections import defaultdict
from datetime import datetime, timezone
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from pathlib import Path


def utc(event):
    time = datetime.fromisoformat(event["time"].replace("Z", "+00:00")).astimezone(timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def rounded(number, how):
    return int(number.quantize(Decimal(1), rounding=how))


def firsts(events, kind, name=lambda data: None):
    """The first event of this type for each name."""
    found = {}
    for event in events:
        if event["type"] == "process." + kind:
            found.setdefault(name(event["data"]), event)
    return found


def process(stream, events):
    """A process's row, and the rows of its refunds."""
    start = firsts(events, "started")[None]["data"]
    ends = [firsts(events, kind).get(None) for kind in ("completed", "failed")]
    end = next((end for end in ends if end), None)
    state = end["type"].removeprefix("process.") if end else "running"
    steps = firsts(events, "step_completed", lambda data: data["step"])
    worked = sum(event["data"]["duration_ms"] for event in steps.values())
    cents = 0
    if state == "completed":
        cents = rounded(
            Decimal(seconds(worked)) * start["rate_cents_per_hour"] / 3600, ROUND_HALF_UP)
    refunds, left = [], cents
    for refund_id, event in firsts(events, "refunded", lambda data: data["refund_id"]).items():
        if end is None or events.index(event) < events.index(end):
            sys.exit(f"{stream}: a refund before the end is no bill; the projector would stop")
        back = event["data"].get("amount_cents", left)
        left -= back
        refunds.append({
            "tenant": events[0]["tenant"],
            "process_id": stream.split("/")[2],
            "refund_id": refund_id,
            "period": utc(event)[:7],
            "amount_cents": back,
            "refunded_at": utc(event),
        })
    row = {
        "tenant": events[0]["tenant"],
        "process_id": stream.split("/")[2],
        "process_type": start["type"],
        "rate_cents_per_hour": start["rate_cents_per_hour"],
        "currency": start["currency"],
        "state": state,
        "last_step": max(steps, default=0),
        "worked_ms": worked,
        "started_at": utc(firsts(events, "started")[None]),
        "finished_at": end and utc(end),
        "period": utc(end)[:7] if state == "completed" else None,
        "amount_cents": cents,
        "refunded_cents": cents - left,
    }
    return row, refunds


def seconds(millis):
    return rounded(Decimal(millis) / 1000, ROUND_CEILING)


def lines(processes):
    """Of each tenant, period, type and currency: what the processes come to."""
    sums = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
    for row, refunds in processes:
        def line(period):
            return sums[row["tenant"], period, row["process_type"], row["currency"]]
        line(row["started_at"][:7])["started"] += 1
        if row["finished_at"]:
            line(row["finished_at"][:7])[row["state"]] += 1
        if row["period"]:
            line(row["period"])["billable_seconds"] += seconds(row["worked_ms"])
            line(row["period"])["amount_cents"] += row["amount_cents"]
        for refund in refunds:
            line(refund["period"])["refunds"] += 1
            line(refund["period"])["refunded_cents"] += refund["amount_cents"]
    names = ("tenant", "period", "process_type", "currency")
    return [{**dict(zip(names, key)), **sums[key]} for key in sorted(sums)]


def total(key, of_lines):
    sums = {name: sum(line[name] for line in of_lines) for name in COUNTED if name != "refunds"}
    due = {"due_cents": sums["amount_cents"] - sums["refunded_cents"]}
    return {**dict(zip(("tenant", "period", "currency"), key)), **sums, **due}


def write(table, rows):
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    (Path(__file__).parent / f"{table}.json").write_text(text)


COUNTED = ["started", "completed", "failed", "billable_seconds", "amount_cents", "refunds",
           "refunded_cents"]

streams = defaultdict(list)
for event in map(json.loads, sys.stdin):
    if event["subject"].startswith("process/"):
        streams[event["subject"]].append(event)
processes = [process(stream, streams[stream]) for stream in sorted(streams)]
bill = lines(processes)
totals = defaultdict(list)
for line in bill:
    totals[line["tenant"], line["period"], line["currency"]].append(line)

write("billing_processes", [row for row, _ in processes])
refunds = [refund for _, refunds in processes for refund in refunds]
write("billing_refunds", sorted(refunds, key=lambda r: (r["tenant"], r["process_id"], r["refund_id"])))
write("billing_lines", bill)
write("billing_totals", [total(key, totals[key]) for key in sorted(totals)])
