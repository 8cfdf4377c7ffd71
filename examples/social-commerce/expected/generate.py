"""Invents the events: always the same ones.

Usage: python3 generate.py > ../events.jsonl

First each entity lives its life, in order. Then the queue between does what
queues do: some events come late, some come twice under another id, and a few
never come.
"""

import json
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

SEED = 20260501
COPIED = 0.15  # of all events come a second time
LATE = 0.20  # come after events that happened later
LOST = 0.03  # never come
MOST_LATE = timedelta(days=4)

START = datetime(2026, 5, 1, 8, tzinfo=timezone.utc)
TENANTS = {"nordic-crafts": "EUR", "alpine-market": "CHF"}
PRODUCTS = {"mug-oak": 2490, "scarf-merino": 5900, "knife-carving": 7450, "bowl-birch": 3200}
SUPPLIERS = ["u-105", "u-106"]
COMMUNITIES = ["woodwork", "knitting"]

rng = random.Random(SEED)


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


class Life:
    """An entity that changes, and tells after each change all that it is."""

    def __init__(self, tenant, kind, entity, name, day):
        self.tenant, self.kind, self.entity, self.name = tenant, kind, entity, name
        self.time = START + timedelta(days=day, seconds=rng.randrange(36_000))
        self.version, self.state, self.events = 0, {}, []

    def now(self):
        return stamp(self.time)

    def tell(self, what, data=None, **changes):
        """One change. What is None is left out, as owners leave it out."""
        self.version += 1
        self.state |= changes
        held = {k: v for k, v in self.state.items() if v is not None}
        data = data or {self.name: json.loads(json.dumps(held))}
        data = {"entity_version": self.version} | data
        self.events.append((self.time, self.tenant, self.kind, what, self.entity, data))
        self.time += timedelta(seconds=rng.randrange(1_800, 100_000), milliseconds=rng.randrange(1000))


def user(tenant, number, role):
    name = rng.choice(["Aino", "Björn", "Clara", "Dario", "Elif", "Finn"])
    life = Life(tenant, "user", f"u-{number}", "user", 0)
    life.tell("created", user_id=f"u-{number}", handle=f"{name.lower()}{number}", display_name=name,
              role="member", status="active", created_at=life.now())
    if rng.random() < 0.7:
        life.tell("profile_updated", bio=f"Hello, I'm {name} – nice to \"meet\" you", avatar_url=f"/avatars/{number}.png")
    if role != "member":
        life.tell("verified", verified_at=life.now())
        life.tell("role_changed", role=role)
    for _ in range(rng.randrange(1, 4)):
        followers = life.state.get("follower_count", 0) + rng.randrange(-3, 120)
        life.tell("stats_changed", follower_count=max(0, followers), following_count=rng.randrange(60),
                  post_count=life.state.get("post_count", 0) + rng.randrange(3))
    if number in (103, 107):
        life.tell("suspended", status="suspended", suspended_at=life.now(), suspension_reason="spam")
    if number == 103:
        life.tell("reactivated", status="active", suspended_at=None, suspension_reason=None)
        life.tell("profile_updated", display_name=f"{name} (again)")
    return life


def post(tenant, number, author):
    life = Life(tenant, "post", f"{number}", "post", 2)
    community = rng.choice([*COMMUNITIES, None])
    life.tell("drafted", post_id=f"{number}", author_id=author, status="draft", community_id=community,
              title=rng.choice(["Spoons", "Dye lots", None]), body="What I made this week")
    if number % 8 == 0:
        return life  # forgotten as a draft
    life.tell("published", status="published", published_at=life.now(),
              product_ids=rng.sample(sorted(PRODUCTS), rng.randrange(3)) or None)
    if number % 2:
        life.tell("pinned", pinned=True)
    for _ in range(rng.randrange(3)):
        life.tell("stats_changed", reaction_count=rng.randrange(200), comment_count=rng.randrange(30))
    if number % 3 == 0:
        life.tell("edited", body="What I made this week (now with the pattern)")
    if number % 4 == 3:
        life.tell("unpinned", pinned=False)
    if number % 4 in (0, 1):
        life.tell("hidden", status="hidden")
    if number % 4 == 1:
        life.tell("restored", status="published")
    if number % 6 == 1:
        life.tell("deleted", {"post_id": f"{number}"})
    return life


def promotion(tenant, number):
    life = Life(tenant, "promotion", f"{number}", "promotion", 3)
    starts = life.time + timedelta(days=1)
    life.tell("scheduled", promotion_id=f"{number}", supplier_id=rng.choice(SUPPLIERS), status="scheduled",
              title="Spring sale", product_ids=rng.sample(sorted(PRODUCTS), 2), discount_percent=10,
              starts_at=stamp(starts), ends_at=stamp(starts + timedelta(days=7)))
    if number % 4 == 3:
        life.tell("cancelled", status="cancelled")
        return life
    life.time = max(life.time, starts)
    life.tell("started", status="running", pinned=number % 2 == 0)
    if number % 3 == 0:
        life.tell("changed", discount_percent=25, community_id=COMMUNITIES[0])
    if number % 4 == 1:
        life.tell("ended", status="ended")
    return life


def items(life, status, *numbers):
    """The lines, with a new status for some, or for all."""
    chosen = lambda line: not numbers or line["line_no"] in numbers
    alive = lambda line: line["status"] != "cancelled"
    return [line | {"status": status} if chosen(line) and alive(line) else line for line in life.state["items"]]


def line(number):
    product = rng.choice(sorted(PRODUCTS))
    return {"line_no": number, "product_id": product, "supplier_id": rng.choice(SUPPLIERS),
            "quantity": rng.randrange(1, 5), "unit_price_cents": PRODUCTS[product], "status": "pending"}


def order(tenant, number, customer):
    life = Life(tenant, "commerce_order", f"o-{number}", "order", 6)
    seen = {"source_id": "2002", "item_type": rng.choice(["post", "promotion"]), "author_id": SUPPLIERS[0],
            "campaign": "spring"}
    life.tell("placed", order_id=f"o-{number}", customer_id=customer, status="placed", payment_status="pending",
              currency=TENANTS[tenant], items=[line(n + 1) for n in range(rng.randrange(1, 4))],
              attribution=seen if number % 3 == 0 else None, created_at=life.now())
    if number % 5 == 1:
        life.tell("payment_changed", payment_status="failed")
    if number % 5 == 2:
        # The owner of orders does not always get round to the lines.
        lines = items(life, "cancelled") if number < 505 else life.state["items"]
        life.tell("cancelled", status="cancelled", items=lines, cancelled_at=life.now())
        return life
    life.tell("payment_changed", payment_status="paid", paid_at=life.now())
    if number % 2:
        life.tell("lines_changed", items=items(life, "cancelled", 1) + [line(len(life.state["items"]) + 1)])
    if number == 508:
        life.tell("refunded", status="refunded", payment_status="refunded", refunded_at=life.now())
        return life
    if number % 4 == 0:
        life.tell("lines_changed", items=items(life, "confirmed", 1))
        return life
    life.tell("confirmed", status="confirmed", items=items(life, "confirmed"), confirmed_at=life.now())
    if number % 3 == 1:
        life.tell("lines_changed", items=items(life, "packed", 2))
        return life
    life.tell("shipped", status="shipped", items=items(life, "shipped"), shipped_at=life.now())
    life.tell("delivered", status="delivered", items=items(life, "delivered"), delivered_at=life.now())
    if number % 6 == 3:
        life.tell("refunded", status="refunded", payment_status="refunded", items=items(life, "returned"),
                  refunded_at=life.now())
    return life


def lives():
    roles = ["member", "creator", "member", "moderator", "supplier", "supplier", "member"]
    for tenant in TENANTS:
        # Both tenants have a u-101, a post 2002 and a promotion 2002.
        yield from (user(tenant, 101 + n, role) for n, role in enumerate(roles))
        yield from (post(tenant, 2001 + n, f"u-{101 + n % 4}") for n in range(8))
        yield from (promotion(tenant, 2001 + n) for n in range(3))
        yield from (order(tenant, 501 + n, f"u-{101 + n % 3}") for n in range(9))


def delivered(events):
    """What comes out of the queue, in the order in which it does."""
    arrivals = []
    for event in events:
        delay = lambda: rng.random() * MOST_LATE
        if rng.random() >= LOST:
            arrivals.append((event[0] + (delay() if rng.random() < LATE else timedelta()), event))
        if rng.random() < COPIED:
            arrivals.append((event[0] + delay(), event))
    return [event for _, event in sorted(arrivals, key=lambda arrival: arrival[0])]


everything = sorted((event for life in lives() for event in life.events), key=lambda event: event[0])
for time, tenant, kind, what, entity, data in delivered(everything):
    cloud_event = {
        "specversion": "1.0",
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "source": "/marketplace",
        "type": f"{kind}.{what}",
        "subject": f"{kind}-{entity}",
        "time": stamp(time),
        "datacontenttype": "application/json",
        "data": data,
        "tenant": tenant,
    }
    json.dump(cloud_event, sys.stdout, separators=(",", ":"), ensure_ascii=False)
    print()
