"""Computes the rows that the events end in, on its own and by other means.

Usage: python3 compute.py < ../events.jsonl
Writes incident_summaries.json and product_load.json beside itself.
"""

import json
import sys
from collections import Counter
from pathlib import Path

streams = {}
for line in sys.stdin:
    event = json.loads(line)
    streams.setdefault(event["subject"], []).append(event)


def summary(stream):
    events = streams[stream]
    data = [event["data"] for event in events]
    groups = [d["org_group"] for d in data]
    return {
        "incident_id": stream,
        "tenant": events[0].get("tenant"),
        "status": data[-1]["concept_name"],
        "substatus": data[-1]["lifecycle_transition"],
        "event_count": len(events),
        "handoffs": sum(a != b for a, b in zip(groups, groups[1:])),
        "org_group": groups[-1],
        "product": data[0]["product"],
        "impact": data[-1]["impact"],
        "opened_at": events[0]["time"],
        "updated_at": events[-1]["time"],
    }


def write(name, rows):
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    (Path(__file__).parent / name).write_text(text)


write("incident_summaries.json", [summary(stream) for stream in sorted(streams)])
loads = Counter(events[0]["data"]["product"] for events in streams.values())
write("product_load.json", [{"product": p, "incidents": loads[p]} for p in sorted(loads)])
