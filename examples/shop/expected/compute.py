"""Computes the rows that the events end in, on its own and by other means.

Usage: python3 compute.py < ../events.jsonl
Writes a file per table beside itself.
"""

import json
import sys
from collections import Counter
from pathlib import Path

LOG = [json.loads(line) for line in sys.stdin]


def history(kind):
    """Of each thing of this kind, its events as (place in the log, type, data)."""
    things = {}
    for at, event in enumerate(LOG):
        if event["type"].startswith(kind + "."):
            key = (event["tenant"], event["data"][f"{kind}_id"])
            things.setdefault(key, []).append((at, event["type"], event["data"]))
    return {key: things[key] for key in sorted(things)}


def newest(events):
    """The state of the highest version; none when that one erased the thing."""
    _, kind, data = max(events, key=lambda e: e[2]["event_version"], default=(0, "none.erased", {}))
    return None if kind.endswith(".erased") else data


def as_of(things, key, at):
    """What was known of a thing when the log had come to this place."""
    return newest([event for event in things.get(key, []) if event[0] < at])


def seen(events):
    """The events that told something new when they came."""
    return [
        (at, data) for index, (at, _, data) in enumerate(events)
        if all(data["event_version"] > earlier["event_version"] for _, _, earlier in events[:index])
    ]


def ordered(data):
    return [line for line in data["lines"] if line["quantity"] > 0]


def cents(lines):
    return sum(line["quantity"] * line["unit_price_cents"] for line in lines)


def summary(tenant, order_id, events):
    data = newest(events)
    names = [as_of(CUSTOMERS, (tenant, data["customer_id"]), at) for at, _ in seen(events)]
    lines = ordered(data)
    return {
        "tenant": tenant,
        "order_id": order_id,
        "customer_id": data["customer_id"],
        "customer_name": next((customer["name"] for customer in names if customer), None),
        "status": data["status"],
        "line_count": len(lines),
        "item_count": sum(line["quantity"] for line in lines),
        "total_cents": cents(lines),
        "currency": data["currency"],
        "placed_at": data["placed_at"],
        "updated_at": data["updated_at"],
        "event_version": data["event_version"],
    }


def item(tenant, order_id, events, line):
    # From when on the line has been there without a break.
    states = seen(events)
    breaks = [index for index, (_, data) in enumerate(states)
              if line["line_no"] not in [l["line_no"] for l in ordered(data)]]
    places = [at for at, _ in states[max(breaks, default=-1) + 1:]]
    products = [as_of(PRODUCTS, (tenant, line["product_id"]), at) for at in places]
    product = next((product for product in products if product), {})
    return {
        "tenant": tenant,
        "order_id": order_id,
        "line_no": line["line_no"],
        "product_id": line["product_id"],
        "product_name": product.get("name"),
        "product_category": product.get("category"),
        "quantity": line["quantity"],
        "unit_price_cents": line["unit_price_cents"],
        "total_cents": cents([line]),
        "currency": newest(events)["currency"],
    }


def contribution(tenant, order_id, events):
    data = newest(events)
    cancelled = data["status"] == "cancelled"
    return {
        "tenant": tenant,
        "order_id": order_id,
        "day": data["placed_at"][:10],
        "currency": data["currency"],
        "cancelled": cancelled,
        "revenue_cents": 0 if cancelled else cents(ordered(data)),
        "event_version": data["event_version"],
    }


def found_by(tenant, order_id, events):
    # The newest state, with the names of when it came.
    at, data = seen(events)[-1]
    customer = as_of(CUSTOMERS, (tenant, data["customer_id"]), at)
    products = [as_of(PRODUCTS, (tenant, line["product_id"]), at) for line in ordered(data)]
    return {
        "tenant": tenant,
        "order_id": order_id,
        "customer_name": customer["name"] if customer else None,
        "product_names": ", ".join(product["name"] for product in products if product),
        "note": data.get("note"),
        "status": data["status"],
        "placed_at": data["placed_at"],
    }


def words(text):
    return set("".join(c if c.isalnum() else " " for c in text.lower()).split())


def search(orders, question):
    texts = ("order_id", "customer_name", "product_names", "note")
    return [
        f"{order['tenant']} {order['order_id']}" for order in orders
        if words(question) <= set().union(*(words(order[text] or "") for text in texts))
    ]


def days(contributions):
    orders, cancelled, revenue = Counter(), Counter(), Counter()
    for order in contributions:
        day = (order["tenant"], order["day"], order["currency"])
        orders[day] += 1
        cancelled[day] += order["cancelled"]
        revenue[day] += order["revenue_cents"]
    return [
        {"tenant": tenant, "day": day, "currency": currency,
         "orders": orders[tenant, day, currency],
         "cancelled": cancelled[tenant, day, currency],
         "revenue_cents": revenue[tenant, day, currency]}
        for tenant, day, currency in sorted(orders)
    ]


def things(kind, known, columns):
    rows = [(tenant, thing_id, newest(events)) for (tenant, thing_id), events in known.items()]
    return [
        {"tenant": tenant, f"{kind}_id": thing_id, **{c: state.get(c) for c in columns}}
        for tenant, thing_id, state in rows if state
    ]


def write(table, rows):
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    (Path(__file__).parent / f"{table}.json").write_text(text)


QUESTIONS = ["lamp", "LAMP desk", "o-004", "ada", "Ada lamp", "lindqvist", "keller", "jürgen",
             "café", "cafe", "ring twice", "ring", "ink blue", "notebook a5", "lam", "gift!",
             "it's", "teapot honey cups"]


CUSTOMERS, PRODUCTS, ORDERS = history("customer"), history("product"), history("order")

write("customers", things("customer", CUSTOMERS, ["name", "email"]))
write("products", things("product", PRODUCTS, ["name", "category"]))
write("order_summary", [summary(*key, events) for key, events in ORDERS.items()])
write("order_items", [
    item(*key, events, line)
    for key, events in ORDERS.items()
    for line in sorted(ordered(newest(events)), key=lambda line: line["line_no"])
])
contributions = [contribution(*key, events) for key, events in ORDERS.items()]
write("order_contributions", contributions)
write("order_analytics", days(contributions))
searched = [found_by(*key, events) for key, events in ORDERS.items()]
write("order_search", searched)
names = [("customer", CUSTOMERS), ("product", PRODUCTS)]
for kind, known in names:
    write(f"search_{kind}s", things(kind, known, ["name"]))
write("searches/order_search", {question: search(searched, question) for question in QUESTIONS})
