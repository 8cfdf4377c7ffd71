"""Makes events.jsonl: service calls of three tenants, as a bus delivers them.

Usage: python3 generate.py > ../events.jsonl

Always the same events. Most come in order; some come twice under another id,
some late, some never, and two calls are reported to have ended twice.
"""

import json
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

CALLS_PER_TENANT = 16
BEGIN = datetime(2026, 6, 1, 6, 0, tzinfo=timezone.utc)
JOBS = [
    ("Capture payment", "POST", "https://api.payments.example/v1/charges/{n}/capture", ["payments"]),
    ("Sync contact", "PUT", "https://crm.example/contacts/{n}", ["crm", "nightly"]),
    ("Fetch exchange rates", "GET", "https://rates.example/latest?base=EUR", None),
    ("Announce delivery", "POST", "https://hooks.example/parcels/{n}", ["parcels"]),
    ("Remove old exports", "DELETE", "https://files.example/exports/{n}", ["housekeeping"]),
]
ERRORS = [
    {"kind": "timeout", "message": "no answer within 30 s", "latency_ms": 30000},
    {"kind": "http_status", "message": "the server answered 503", "latency_ms": 212,
     "details": {"status": 503, "retry_after_s": 120}},
    {"kind": "dns"},
]
chance = random.Random(20260601)
arrivals = []


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def later(time, least, most):
    """A time between so many seconds after it."""
    return time + timedelta(milliseconds=chance.randrange(least * 1000, most * 1000))


def deliver(tenant, kind, at, data, late=0):
    """Has an event arrive after it happened, and now and then once more."""
    event = {
        "specversion": "1.0",
        "id": None,
        "source": "/service-calls",
        "type": kind,
        "subject": "service-call/" + data["service_call_id"],
        "time": stamp(at),
        "datacontenttype": "application/json",
        "data": data,
        "tenant": tenant,
    }
    arrivals.append((later(at, 0, 1) + timedelta(seconds=late), event))
    if chance.random() < 0.12:
        again = {**event, "time": stamp(later(at, 60, 5000))}
        arrivals.append((datetime.fromisoformat(again["time"]), again))


def request(method, url, n):
    body = {"reference": f"R-{n:05d}", "amount_cents": chance.randrange(100, 90000)}
    asked = {"method": method, "url": url.format(n=n)}
    if method in ("POST", "PUT"):
        asked["headers"] = {"content-type": "application/json", "idempotency-key": f"k-{n}"}
        asked["body_snippet"] = json.dumps(body)
    return asked


def response(method):
    answered = {"status": {"POST": 201, "DELETE": 204}.get(method, 200)}
    if method != "DELETE":
        answered["headers"] = {"content-type": "application/json"}
        answered["body_snippet"] = '{"ok":true}'
    if chance.random() < 0.8:
        answered["latency_ms"] = chance.randrange(20, 2500)
    return answered


def call(tenant, number):
    name, method, url, tags = chance.choice(JOBS)
    call_id = f"sc-{number:04d}"
    submitted = later(BEGIN, 0, 40000)
    scheduled = later(submitted, 1, 3)
    due = (scheduled + timedelta(minutes=chance.choice([0, 5, 60]), seconds=1)).replace(microsecond=0)
    dates = [(scheduled, due)]
    # What becomes of it depends on its number, so that each fate is met with.
    fate = number % 16
    if fate in (5, 9):
        # It was put off.
        dates.append((scheduled + timedelta(milliseconds=700), due + timedelta(minutes=15)))
    started = later(dates[-1][1], 1, 20)
    finished = later(started, 1, 31)

    data = {"service_call_id": call_id, "name": name, "submitted_at": stamp(submitted),
            "request": request(method, url, number)}
    if tags:
        data["tags"] = tags
    if number % 5 == 0:
        # A field that a later version of the producer added.
        data["priority"] = "low"
    if not (fate == 15 and tenant == "kestrel"):
        deliver(tenant, "ServiceCallSubmitted", submitted, data, late=90 if fate == 3 else 0)
    if fate == 4:
        return
    for at, date in dates:
        data = {"service_call_id": call_id, "scheduled_at": stamp(at), "due_at": stamp(date)}
        # With fate 9 the older date arrives after the newer.
        late = 200 if fate == 9 and date == due else 0
        deliver(tenant, "ServiceCallScheduled", at, data, late=late)
    if fate == 5:
        return
    if fate != 8:
        data = {"service_call_id": call_id, "started_at": stamp(started)}
        deliver(tenant, "ExecutionStarted", started, data, late=120 if fate in (6, 7) else 0)
    if fate == 10:
        return
    error = {"service_call_id": call_id, "finished_at": stamp(finished),
             "error_meta": chance.choice(ERRORS)}
    success = {"service_call_id": call_id, "finished_at": stamp(finished),
               "response_meta": response(method)}
    if fate == 11:
        # The watchdog gave up, and then the worker came back.
        error["error_meta"] = ERRORS[0]
        success["finished_at"] = stamp(finished + timedelta(seconds=4))
    if fate in (1, 7, 8, 11):
        deliver(tenant, "ExecutionFailed", finished, error, late=60 if fate == 11 else 0)
    if fate not in (1, 7, 8):
        deliver(tenant, "ExecutionSucceeded", finished, success)


for tenant in ("acme", "brightline", "kestrel"):
    for number in range(1, CALLS_PER_TENANT + 1):
        call(tenant, number)


def told_otherwise(kind, call_id, **changed):
    """An event of acme's is told again, of the same moment and with other words."""
    arrived, event = next((at, event) for at, event in arrivals if (event["tenant"], event["type"],
                          event["data"]["service_call_id"]) == ("acme", kind, call_id))
    arrivals.append((arrived + timedelta(hours=3), event | {"data": event["data"] | changed}))


told_otherwise("ServiceCallSubmitted", "sc-0012", name="A better name")
told_otherwise("ExecutionFailed", "sc-0001", error_meta={"kind": "aborted", "details": {"by": "hand"}})
told_otherwise("ExecutionFailed", "sc-0007", error_meta={"kind": "unknown"})

for _, event in sorted(arrivals, key=lambda arrival: arrival[0]):
    event["id"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
