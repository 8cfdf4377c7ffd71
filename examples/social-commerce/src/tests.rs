//! Given these events, then these rows.

use lantern_sdk::testing::{GivenEvent, event, events_from_json_lines, given, json};
use serde_json::Value;

use super::*;

mod any_order;

const DAY: &str = "2026-05-01T00:00:00Z";

#[test]
fn a_card_shows_the_newest_version_of_its_user() {
    given([
        user("user.created", 1, json!({})),
        user(
            "user.verified",
            2,
            json!({ "verified_at": "2026-05-02T00:00:00Z" }),
        ),
        user(
            "user.stats_changed",
            4,
            json!({ "verified_at": "2026-05-02T00:00:00Z", "follower_count": 7 }),
        ),
    ])
    .when(social_commerce)
    .then([UserCard {
        verified_at: Some("2026-05-02T00:00:00Z".parse().unwrap()),
        follower_count: 7,
        entity_version: 4,
        ..card()
    }]);
}

#[test]
fn an_event_that_comes_twice_or_late_changes_nothing() {
    given([
        user("user.role_changed", 3, json!({ "role": "creator" })),
        user("user.role_changed", 3, json!({ "role": "creator" })),
        user("user.created", 1, json!({})),
        user("user.profile_updated", 2, json!({ "bio": "old" })),
    ])
    .when(social_commerce)
    .then([UserCard {
        role: "creator".into(),
        entity_version: 3,
        ..card()
    }]);
}

#[test]
fn unknown_fields_are_passed_over() {
    let created = event("user.created").time(DAY).data(json!({
        "entity_version": 1,
        "changed_by": "import",
        "user": {
            "user_id": "u1", "handle": "aino", "display_name": "Aino", "role": "member",
            "status": "active", "created_at": DAY, "shoe_size": 38,
        },
    }));
    given([created]).when(social_commerce).then([card()]);
}

#[test]
fn tenants_may_use_the_same_ids() {
    let cards = given([
        user("user.created", 1, json!({})).tenant("nordic"),
        user("user.suspended", 2, json!({ "status": "suspended" })).tenant("alpine"),
    ])
    .when(social_commerce)
    .json("user_cards");
    let shown = |i: usize| (cards[i]["tenant"].clone(), cards[i]["status"].clone());
    assert_eq!(shown(0), (json!("alpine"), json!("suspended")));
    assert_eq!(shown(1), (json!("nordic"), json!("active")));
}

#[test]
fn a_post_and_a_promotion_of_one_id_are_two_items() {
    let projected = given([
        post("post.published", 1, "published"),
        promotion("promotion.started", 1, "running"),
    ])
    .when(social_commerce);
    let types: Vec<_> = projected
        .rows::<FeedItem>()
        .into_iter()
        .map(|item| item.item_type)
        .collect();
    assert_eq!(types, ["post", "promotion"]);
}

#[test]
fn what_is_not_public_is_not_in_the_feed() {
    given([
        post("post.published", 2, "published"),
        post("post.hidden", 3, "hidden"),
        promotion("promotion.started", 2, "running"),
        promotion("promotion.ended", 3, "ended"),
    ])
    .when(social_commerce)
    .then::<FeedItem>([]);
}

#[test]
fn a_deleted_post_is_not_brought_back_by_what_is_older() {
    let deleted = event("post.deleted").data(json!({ "entity_version": 5, "post_id": "7" }));
    let late = post("post.published", 4, "published");
    given([deleted.clone(), late.clone()])
        .when(social_commerce)
        .then::<FeedItem>([]);
    let restored = post("post.restored", 6, "published");
    let versions: Vec<_> = given([deleted, restored, late])
        .when(social_commerce)
        .rows::<FeedItem>()
        .into_iter()
        .map(|item| item.entity_version)
        .collect();
    assert_eq!(versions, [6]);
}

#[test]
fn a_published_post_must_say_since_when() {
    let post = json!({ "post_id": "7", "author_id": "u1", "status": "published" });
    given([event("post.published").data(json!({ "entity_version": 1, "post": post }))])
        .when(social_commerce)
        .then_failure(0, "post `7` is published, but has no `published_at`");
}

#[test]
fn a_line_leaves_the_queue_when_its_supplier_is_done() {
    let projected = given([
        order(1, json!([line(1, 2, "pending"), line(2, 1, "pending")])),
        order(2, json!([line(1, 2, "shipped"), line(2, 1, "packed")])),
        order(1, json!([line(1, 2, "pending"), line(2, 1, "pending")])),
    ])
    .when(social_commerce);
    let queue: Vec<_> = projected
        .rows::<QueuedLine>()
        .into_iter()
        .map(|line| (line.line_no, line.status, line.entity_version))
        .collect();
    assert_eq!(queue, [(2, "packed".to_owned(), 2)]);
}

#[test]
fn an_order_that_is_called_off_leaves_the_queue_whatever_its_lines_say() {
    for called_off in ["cancelled", "refunded"] {
        let lines = json!([line(1, 2, "pending"), line(2, 1, "confirmed")]);
        let placed = order(1, lines.clone());
        let over = order_that_is(called_off, 2, lines);
        for events in [[placed.clone(), over.clone()], [over, placed]] {
            given(events).when(social_commerce).then::<QueuedLine>([]);
        }
    }
}

#[test]
fn cancelled_lines_stay_in_the_order_and_cost_nothing() {
    let lines = json!([line(1, 2, "cancelled"), line(2, 3, "pending")]);
    let projected = given([order(1, lines)]).when(social_commerce);
    let order = projected.row(CommerceOrder::key("o1")).unwrap();
    assert_eq!(order.items.len(), 2);
    assert_eq!((order.item_count, order.total_cents), (3, 750));
    assert_eq!(order.attribution, None);
}

#[test]
fn two_lines_of_one_number_are_a_failure() {
    given([order(
        1,
        json!([line(1, 1, "pending"), line(1, 2, "pending")]),
    )])
    .when(social_commerce)
    .then_failure(0, "order `o1` has two lines of number 1");
}

#[test]
fn a_total_out_of_range_is_a_failure() {
    let mut dear = line(1, 2, "pending");
    dear["unit_price_cents"] = json!(i64::MAX);
    given([order(1, json!([dear]))])
        .when(social_commerce)
        .then_failure(0, "the total of order `o1` is out of range");
}

#[test]
fn a_version_is_required_and_counted_from_one() {
    given([user("user.created", 0, json!({}))])
        .when(social_commerce)
        .then_failure(0, "expected a nonzero u64");
    given([event("user.created").data(json!({ "user": {} }))])
        .when(social_commerce)
        .then_failure(0, "the payload of `user.created` does not fit");
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let projected = given(events).when(social_commerce);
    for (table, expected) in [
        ("user_cards", include_str!("../expected/user_cards.json")),
        ("feed_items", include_str!("../expected/feed_items.json")),
        (
            "commerce_orders",
            include_str!("../expected/commerce_orders.json"),
        ),
        (
            "supplier_queue",
            include_str!("../expected/supplier_queue.json"),
        ),
    ] {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(projected.json(table), expected, "{table}");
    }
}

fn user(event_type: &str, version: u64, changed: Value) -> GivenEvent {
    let mut user = json!({
        "user_id": "u1", "handle": "aino", "display_name": "Aino", "role": "member",
        "status": "active", "created_at": DAY,
    });
    let changes = changed.as_object().unwrap().clone();
    user.as_object_mut().unwrap().extend(changes);
    event(event_type)
        .time(DAY)
        .data(json!({ "entity_version": version, "user": user }))
}

fn card() -> UserCard {
    let day = DAY.parse().unwrap();
    UserCard {
        user_id: "u1".into(),
        handle: "aino".into(),
        display_name: "Aino".into(),
        avatar_url: None,
        bio: None,
        role: "member".into(),
        status: "active".into(),
        verified_at: None,
        suspended_at: None,
        suspension_reason: None,
        follower_count: 0,
        following_count: 0,
        post_count: 0,
        created_at: day,
        updated_at: day,
        entity_version: 1,
    }
}

fn post(event_type: &str, version: u64, status: &str) -> GivenEvent {
    let post = json!({ "post_id": "7", "author_id": "u1", "status": status, "published_at": DAY });
    event(event_type).data(json!({ "entity_version": version, "post": post }))
}

fn promotion(event_type: &str, version: u64, status: &str) -> GivenEvent {
    let promotion =
        json!({ "promotion_id": "7", "supplier_id": "s1", "status": status, "starts_at": DAY });
    event(event_type).data(json!({ "entity_version": version, "promotion": promotion }))
}

fn order(version: u64, items: Value) -> GivenEvent {
    order_that_is("placed", version, items)
}

fn order_that_is(status: &str, version: u64, items: Value) -> GivenEvent {
    event("commerce_order.lines_changed").data(json!({
        "entity_version": version,
        "order": {
            "order_id": "o1", "customer_id": "u1", "status": status, "payment_status": "paid",
            "currency": "EUR", "items": items, "created_at": DAY,
        },
    }))
}

fn line(line_no: u32, quantity: u32, status: &str) -> Value {
    json!({
        "line_no": line_no, "product_id": "mug", "supplier_id": "s1", "quantity": quantity,
        "unit_price_cents": 250, "status": status,
    })
}
