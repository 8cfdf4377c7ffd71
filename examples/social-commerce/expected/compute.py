"""Computes the rows that the events end in, on its own and by other means: the
newest state of each entity is picked from all events at once, and only then
becomes rows.

Usage: python3 compute.py < ../events.jsonl
Writes a file per table beside itself.
"""

import json
import sys
from pathlib import Path

events = [json.loads(line) for line in sys.stdin]


def newest(kind):
    """The newest event of each entity of a kind, as (tenant, event)."""
    of_kind = [e for e in events if e["type"].split(".")[0] == kind]
    entities = sorted({(e["tenant"], e["subject"]) for e in of_kind})
    for tenant, subject in entities:
        its = [e for e in of_kind if (e["tenant"], e["subject"]) == (tenant, subject)]
        yield tenant, max(its, key=lambda e: e["data"]["entity_version"])


def row(tenant, event, **columns):
    last = {"updated_at": event["time"], "entity_version": event["data"]["entity_version"]}
    return {"tenant": tenant} | columns | last


def taken(state, *names):
    return {name: state.get(name) for name in names}


def counted(state, *names):
    return {name: state.get(name, 0) for name in names}


def user_card(tenant, event):
    user = event["data"]["user"]
    return row(
        tenant,
        event,
        **taken(user, "user_id", "handle", "display_name", "avatar_url", "bio", "role", "status"),
        **taken(user, "verified_at", "suspended_at", "suspension_reason"),
        **counted(user, "follower_count", "following_count", "post_count"),
        created_at=user["created_at"],
    )


def feed_item(tenant, event, kind, status, author, since):
    state = event["data"].get(kind)
    if state is None or state["status"] != status:
        return None
    only_promotions = ("discount_percent", "ends_at")
    return row(
        tenant,
        event,
        source_id=state[f"{kind}_id"],
        item_type=kind,
        author_id=state[author],
        **taken(state, "community_id", "title", "body"),
        product_ids=state.get("product_ids", []),
        pinned=state.get("pinned", False),
        **counted(state, "reaction_count", "comment_count"),
        **taken(state if kind == "promotion" else {}, *only_promotions),
        published_at=state[since],
    )


def order(tenant, event):
    state = event["data"]["order"]
    bought = [item for item in state["items"] if item["status"] != "cancelled"]
    stages = ("created", "paid", "confirmed", "shipped", "delivered", "cancelled", "refunded")
    return row(
        tenant,
        event,
        **taken(state, "order_id", "customer_id", "status", "payment_status"),
        item_count=sum(item["quantity"] for item in bought),
        total_cents=sum(item["quantity"] * item["unit_price_cents"] for item in bought),
        **taken(state, "currency", "items", "attribution"),
        **taken(state, *(f"{stage}_at" for stage in stages)),
    )


def queued(tenant, event):
    state = event["data"]["order"]
    if state["status"] in ("cancelled", "refunded"):
        return
    for item in state["items"]:
        if item["status"] not in ("shipped", "delivered", "returned", "cancelled"):
            yield {
                "tenant": tenant,
                **taken(state, "order_id"),
                **taken(item, "line_no", "supplier_id", "status", "product_id", "quantity"),
                **taken(state, "payment_status", "created_at"),
                "entity_version": event["data"]["entity_version"],
            }


def write(table, key, rows):
    rows = sorted(rows, key=lambda row: [row[column] for column in ("tenant", *key)])
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    (Path(__file__).parent / f"{table}.json").write_text(text)


posts = [feed_item(t, e, "post", "published", "author_id", "published_at") for t, e in newest("post")]
promotions = [feed_item(t, e, "promotion", "running", "supplier_id", "starts_at") for t, e in newest("promotion")]
orders = list(newest("commerce_order"))
write("user_cards", ["user_id"], [user_card(t, e) for t, e in newest("user")])
write("feed_items", ["source_id", "item_type"], [item for item in posts + promotions if item])
write("commerce_orders", ["order_id"], [order(t, e) for t, e in orders])
write("supplier_queue", ["order_id", "line_no"], [line for t, e in orders for line in queued(t, e)])
