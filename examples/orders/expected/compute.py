"""Computes the rows that the events end in, on its own and by other means.

Usage: python3 compute.py < ../events.jsonl > order_summaries.json
"""

import json
import sys
from datetime import datetime, timezone


def millis(text):
    """The same time in UTC with milliseconds, as rows are written out."""
    time = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def last(events, *types):
    """The last of the events of these types, or None."""
    return next((e for e in reversed(events) if e["type"] in types), None)


def lines(events):
    """The lines that were added and not removed later."""
    kept = []
    for index, event in enumerate(events):
        if event["type"] != "order.item_added":
            continue
        data = event["data"]
        removed_later = any(
            later["type"] == "order.item_removed"
            and later["data"]["product_id"] == data["product_id"]
            for later in events[index:]
        )
        if not removed_later:
            kept.append({k: data[k] for k in ("product_id", "quantity", "unit_price_cents")})
    return kept


def status(events):
    step = last(events, "order.status_changed", "order.completed", "order.cancelled")
    if step is None:
        return "open"
    if step["type"] == "order.status_changed":
        return step["data"]["status"]
    return step["type"].removeprefix("order.")


def payment_status(events):
    payment = last(events, "order.payment_succeeded", "order.payment_failed")
    if payment is None:
        return "pending"
    return {"order.payment_succeeded": "paid", "order.payment_failed": "failed"}[payment["type"]]


def summary(events):
    created = events[0]
    completed = last(events, "order.completed")
    items = lines(events)
    return {
        "order_id": created["data"]["order_id"],
        "customer_id": created["data"]["customer_id"],
        "status": status(events),
        "payment_status": payment_status(events),
        "item_count": sum(item["quantity"] for item in items),
        "total_cents": sum(item["quantity"] * item["unit_price_cents"] for item in items),
        "currency": created["data"]["currency"],
        "items": items,
        "shipping_address": created["data"].get("shipping_address"),
        "created_at": millis(created["time"]),
        "completed_at": completed and millis(completed["data"]["completed_at"]),
        "updated_at": millis(events[-1]["time"]),
        "entity_version": len(events),
    }


streams = {}
for line in sys.stdin:
    event = json.loads(line)
    streams.setdefault(event["data"]["order_id"], []).append(event)
rows = [summary(streams[order]) for order in sorted(streams)]
json.dump(rows, sys.stdout, indent=2, ensure_ascii=False)
print()
