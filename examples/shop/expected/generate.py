"""Makes events.jsonl: three shops over a week.

Usage: python3 generate.py > ../events.jsonl

Always the same events. Customers and products are renamed after they were sold
to and sold; some become known only after their first order; some events come
twice under another id, some after newer ones; one customer is erased, and an
older event of theirs comes after that.
"""

import json
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

BEGIN = datetime(2026, 5, 4, 7, 0, tzinfo=timezone.utc)
SHOPS = {"lamp-house": ("EUR", 16), "paper-mill": ("GBP", 13), "tea-room": ("EUR", 14)}
PEOPLE = ["Ada Okafor", "Bruno Keller", "Chiara Neri", "Dagny Holm", "Emil Novak", "Fatma Aydin"]
GOODS = {
    "lamp-house": [("Desk lamp", "lamps", 5999), ("Floor lamp", "lamps", 12900),
                   ("Bulb E27", "bulbs", 349), ("Dimmer", None, 2450), ("Cable 3 m", None, 899)],
    "paper-mill": [("Notebook A5", "paper", 650), ("Sketch pad", "paper", 1120),
                   ("Fountain pen", "pens", 4800), ("Ink, blue", "pens", 790)],
    "tea-room": [("Assam 250 g", "tea", 1190), ("Sencha 100 g", "tea", 1450),
                 ("Teapot", "ware", 3900), ("Honey", None, 720), ("Cups, six", "ware", 4400)],
}
# What people add to an order, by its number.
NOTES = {1: "Please ring twice", 2: "A gift: no invoice, please", 4: "Für Jürgen – it's for the café",
         7: "Leave it with Mrs. Keller, 3rd floor", 9: "ASAP!", 11: "Ring at the back door"}
chance = random.Random(20260504)
arrivals = []


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def hours(least, most):
    return timedelta(milliseconds=chance.randrange(int(least * 3_600_000), int(most * 3_600_000)))


def deliver(shop, stream, kind, at, data, late=timedelta()):
    """Has an event arrive, and now and then once more."""
    event = {
        "specversion": "1.0",
        "id": None,
        "source": "/shop",
        "type": kind,
        "subject": stream,
        "time": stamp(at),
        "datacontenttype": "application/json",
        "data": data,
        "tenant": shop,
    }
    arrivals.append((at + late, event))
    if chance.random() < 0.09:
        arrivals.append((at + late + hours(0.1, 20), event))


def thing(shop, kind, thing_id, at, states, first, then):
    """A customer or a product: its states, one event each."""
    for version, (after, state) in enumerate(states, start=1):
        data = {f"{kind}_id": thing_id, "event_version": version, **state}
        name = f"{kind}.{first if version == 1 else then}"
        deliver(shop, f"{kind}/{thing_id}", name, at + after, data)


def without_nulls(state):
    return {name: value for name, value in state.items() if value is not None}


def order(shop, currency, number):
    order_id = f"o-{number:03d}"
    customers, goods = len(PEOPLE), GOODS[shop]
    # What becomes of it depends on its number, so that each fate is met with.
    fate = number % 8
    placed = BEGIN + timedelta(hours=10 * number) + hours(0, 8)
    lines = []
    for line_no in range(1, chance.randrange(2, 5)):
        good = chance.randrange(len(goods))
        lines.append({"line_no": line_no, "product_id": f"p-{good + 1}",
                      "quantity": chance.randrange(1, 6), "unit_price_cents": goods[good][2]})
    versions = [("placed", lines)]
    if fate in (2, 5, 6):
        # The first line is removed, and with fate 6 taken up again.
        lines = [{**lines[0], "quantity": 0}, *lines[1:]]
        versions.append(("placed", lines))
        if fate == 6:
            versions.append(("placed", [{**lines[0], "quantity": 2}, *lines[1:]]))
            lines = versions[-1][1]
    if fate in (3, 7):
        versions.append(("cancelled", lines))
    elif fate != 4:
        versions += [("paid", lines), ("shipped", lines)]
        if fate != 1:
            versions.append(("delivered", lines))
    customer = f"c-{chance.randrange(customers) + 1}"
    at = placed
    for version, (status, lines) in enumerate(versions, start=1):
        data = {"order_id": order_id, "event_version": version, "customer_id": customer,
                "status": status, "currency": currency, "placed_at": stamp(placed),
                "updated_at": stamp(at), "lines": lines}
        if version == 1 and number == 9:
            # Written down in another currency, and soon put right; with the next
            # one, in another year.
            data["currency"] = "USD"
        if version == 1 and number == 1:
            data["placed_at"] = stamp(placed.replace(year=2025))
        if number in NOTES:
            data["note"] = NOTES[number]
        if number % 5 == 0:
            # A field that is of no interest here.
            data["channel"] = "phone"
        # With these fates a version arrives after the next one, or the one after that.
        late = {(2, 2): hours(7, 8), (5, 1): hours(7, 14), (7, 1): hours(20, 30)}
        deliver(shop, f"order/{order_id}", "order.placed" if version == 1 else "order.updated",
                at, data, late.get((fate, version), timedelta()))
        at += hours(1, 6)


for shop, (currency, orders) in SHOPS.items():
    for index, (name, category, _) in enumerate(GOODS[shop]):
        # The last product becomes known after its first orders.
        at = BEGIN + (hours(60, 61) if index == len(GOODS[shop]) - 1 else -hours(20, 40))
        states = [(timedelta(), {"name": name, "category": category})]
        if index in (0, 1):
            states.append((hours(100, 110), {"name": f"{name} (2026)", "category": category}))
        thing(shop, "product", f"p-{index + 1}", at,
              [(after, without_nulls(state)) for after, state in states], "listed", "changed")
    for index, name in enumerate(PEOPLE):
        # The last customer becomes known late as well.
        at = BEGIN + (hours(50, 90) if index == len(PEOPLE) - 1 else -hours(1, 20))
        email = name.split()[0].lower() + "@example.org" if index != 2 else None
        states = [(timedelta(), {"name": name, "email": email})]
        if index in (1, 3):
            states.append((hours(70, 80), {"name": name.split()[0] + " Lindqvist", "email": email}))
        thing(shop, "customer", f"c-{index + 1}", at,
              [(after, without_nulls(state)) for after, state in states], "registered", "changed")
    for number in range(1, orders + 1):
        order(shop, currency, number)

# Chiara wants to be forgotten; a change of hers is still under way.
gone = BEGIN + timedelta(hours=80)
change = {"customer_id": "c-3", "event_version": 2, "name": "Chiara N."}
erased = {"customer_id": "c-3", "event_version": 3}
deliver("tea-room", "customer/c-3", "customer.changed", gone, change, late=timedelta(hours=2))
deliver("tea-room", "customer/c-3", "customer.erased", gone + timedelta(minutes=5), erased)

for _, event in sorted(arrivals, key=lambda arrival: arrival[0]):
    event = {**event, "id": str(uuid.UUID(int=chance.getrandbits(128), version=4))}
    sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
