"""Computes the rows that the events end in, on its own and by other means.

Usage: python3 compute.py < ../events.jsonl
Writes service_calls.json and service_call_details.json beside itself.
"""

import json
import sys
from pathlib import Path


def all_calls(events):
    """For each call of a tenant, what was told of it, each thing once."""
    calls = {}
    for event in events:
        told = calls.setdefault((event["tenant"], event["data"]["service_call_id"]), {})
        once = told.setdefault(event["type"], {})
        once[json.dumps(event["data"], sort_keys=True)] = event["data"]
    return {key: {kind: list(once.values()) for kind, once in calls[key].items()}
            for key in sorted(calls)}


def contents(told, *names):
    """As JSON text: what decides between events of the same time."""
    return json.dumps([told.get(name) for name in names], sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False)


def detail(tenant, call_id, told):
    submitted = min(
        told.get("ServiceCallSubmitted", [{}]),
        key=lambda d: (d.get("submitted_at"), contents(d, "name", "request", "tags")),
    )
    dates = [(d["scheduled_at"], d["due_at"]) for d in told.get("ServiceCallScheduled", [])]
    scheduled_at, due_at = max(dates, default=(None, None))
    started_at = min((d["started_at"] for d in told.get("ExecutionStarted", [])), default=None)
    ends = sorted(
        told.get("ExecutionSucceeded", []) + told.get("ExecutionFailed", []),
        key=lambda d: (d["finished_at"], "error_meta" in d, contents(d, "response_meta", "error_meta")),
    )
    end = ends[0] if ends else {}
    if end:
        status = "Failed" if "error_meta" in end else "Succeeded"
    else:
        status = "Running" if started_at else "Scheduled"
    return {
        "tenant": tenant,
        "service_call_id": call_id,
        "name": submitted.get("name"),
        "status": status,
        "scheduled_at": scheduled_at,
        "due_at": due_at,
        "submitted_at": submitted.get("submitted_at"),
        "started_at": started_at,
        "finished_at": end.get("finished_at"),
        "tags": submitted.get("tags"),
        "request": submitted.get("request"),
        "response_meta": end.get("response_meta"),
        "error_meta": end.get("error_meta"),
    }


def write(table, rows):
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    (Path(__file__).parent / f"{table}.json").write_text(text)


LISTED = ["tenant", "service_call_id", "name", "status", "due_at", "submitted_at", "started_at",
          "finished_at", "tags"]

details = [detail(*key, told) for key, told in all_calls(map(json.loads, sys.stdin)).items()]
write("service_call_details", details)
write("service_calls", [{column: row[column] for column in LISTED}
                        for row in details if row["submitted_at"]])
