"""Makes events.jsonl: the processes of four tenants over two months.

Usage: python3 generate.py > ../events.jsonl

Always the same events. Each stream is in order, as a stream is; some events come
again later under another id. Some processes run from one month into the next,
some fail, some never end, and some are only rehearsed, in streams of their own.
"""

import json
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=timezone.utc)
TURN = datetime(2026, 4, 1, tzinfo=timezone.utc)
# Of each tenant: its currency, its number of processes, and its prices per hour.
TENANTS = {
    "acme": ("EUR", 30, {"invoice-scan": 540, "contract-review": 4800, "payroll-run": 1990}),
    "brightline": ("USD", 21, {"invoice-scan": 600, "photo-tagging": 275}),
    "kestrel": ("EUR", 18, {"contract-review": 4500, "photo-tagging": 255}),
    "osprey": ("GBP", 12, {"payroll-run": 1750, "invoice-scan": 515}),
}
chance = random.Random(202603)
arrivals = []


def stamp(time, offset_hours=0):
    local = time.astimezone(timezone(timedelta(hours=offset_hours)))
    text = local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{local.microsecond // 1000:03d}"
    return text + (f"+{offset_hours:02d}:00" if offset_hours else "Z")


def seconds(least, most):
    return timedelta(milliseconds=chance.randrange(least * 1000, most * 1000))


def deliver(stream, tenant, kind, at, data):
    """Has an event arrive, and now and then once more."""
    # One of the tenants' systems writes its local time.
    written = stamp(at, 2 if tenant == "osprey" else 0)
    event = {
        "specversion": "1.0",
        "id": None,
        "source": "/processes",
        "type": "process." + kind,
        "subject": stream,
        "time": written,
        "datacontenttype": "application/json",
        "data": data,
        "tenant": tenant,
    }
    arrivals.append((at, event))
    if chance.random() < 0.07:
        arrivals.append((at + seconds(30, 90000), event))


def process(tenant, number):
    currency, count, prices = TENANTS[tenant]
    kind = chance.choice(sorted(prices))
    stream = f"process/{tenant}/p-{number:04d}"
    # What becomes of it depends on its number, so that each fate is met with.
    fate = number % 13
    if fate == 7:
        stream = f"rehearsal/{tenant}/p-{number:04d}"
    at = BEGIN + timedelta(days=49) * (number / count) + seconds(0, 40000)
    durations = [chance.randrange(400, 3_000_000) for _ in range(chance.randrange(1, 4))]
    if fate == 5:
        # It ends in the last moment of the month, or in the first of the next.
        end = TURN - timedelta(milliseconds=number % 2)
        at = end - timedelta(milliseconds=sum(durations))
    elif fate == 9:
        at = TURN - timedelta(seconds=900)
    data = {"type": kind, "rate_cents_per_hour": prices[kind], "currency": currency}
    if number % 4 == 0:
        # A field that is of no interest here.
        data["requested_by"] = f"user-{chance.randrange(1, 9)}"
    deliver(stream, tenant, "started", at, data)
    for index, duration in enumerate(durations):
        at += timedelta(milliseconds=duration)
        # With fate 3 the second step was left out.
        step = index + 1 + (fate == 3 and index > 0)
        deliver(stream, tenant, "step_completed", at, {"step": step, "duration_ms": duration})
    if fate == 2:
        return
    if fate in (4, 8):
        deliver(stream, tenant, "failed", at, {"reason": "the worker gave up"})
        return
    deliver(stream, tenant, "completed", at, {})
    # A refund may come in the month after the bill.
    if fate == 6:
        data = {"refund_id": "r-1", "amount_cents": chance.randrange(1, 4)}
        deliver(stream, tenant, "refunded", at + timedelta(days=5), data)
    if fate in (6, 10):
        deliver(stream, tenant, "refunded", at + timedelta(days=8), {"refund_id": "r-2"})


for tenant, (_, count, _) in TENANTS.items():
    for number in range(1, count + 1):
        process(tenant, number)
# Another system's events, of no concern to billing.
for day in range(0, 56, 6):
    at = BEGIN + timedelta(days=day)
    deliver("schedule/nightly", "acme", "started", at, {"trigger": "cron"})

for _, event in sorted(arrivals, key=lambda arrival: arrival[0]):
    event = {**event, "id": str(uuid.UUID(int=chance.getrandbits(128), version=4))}
    sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
