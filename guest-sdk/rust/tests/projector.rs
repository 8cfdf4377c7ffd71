//! A projector that uses all of the interface, from its macros to its rows.

use lantern_sdk::__private::IndexKind;
use lantern_sdk::Projector;
use lantern_sdk::prelude::*;
use lantern_sdk::testing::{event, events_from_json_lines, given, json};
use serde::{Deserialize, Serialize};

#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "orders",
    index(status),
    index(customer_id, created_at desc),
    index(items -> "$.supplier_id" desc),
    unique(number),
    text(customer_id, status)
)]
struct Order {
    #[key]
    order_id: String,
    number: i64,
    customer_id: Option<String>,
    status: String,
    total: Decimal,
    weight: f64,
    paid: bool,
    items: Json<Vec<Item>>,
    signature: Option<Vec<u8>>,
    created_at: Timestamp,
    reference: Option<Uuid>,
    #[column(name = "type")]
    kind: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Item {
    sku: String,
    supplier_id: u32,
}

#[derive(Table, Debug, PartialEq)]
struct LineCount<'a> {
    #[key]
    order_id: Cow<'a, str>,
    #[key]
    day: i32,
    lines: Option<i64>,
    last: Option<Cow<'a, str>>,
}

#[derive(Events)]
enum OrderEvent<'a> {
    #[event("order.created")]
    Created {
        order_id: Cow<'a, str>,
        customer_id: Option<Cow<'a, str>>,
        number: i64,
        #[serde(rename = "placedAt")]
        placed_at: Timestamp,
    },
    #[event("order.item_added")]
    ItemAdded(ItemAdded<'a>),
    #[event("order.paid", "order.payment_succeeded")]
    Paid { order_id: String, amount: Decimal },
    #[event("order.unassigned")]
    Unassigned { order_id: String },
    #[event("order.deleted")]
    Deleted { order_id: &'a str },
    #[event("order.tick*")]
    Tick,
}

#[derive(Deserialize)]
struct ItemAdded<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    sku: String,
    supplier_id: u32,
    weight: f64,
}

/// Documented as any item.
#[projector(name = "orders", version = "1.2.3", tables(Order, LineCount<'_>), needs(streams))]
fn orders(event: Event<OrderEvent<'_>>, rows: &mut Rows) -> Result<()> {
    match event.data {
        OrderEvent::Created {
            order_id,
            customer_id,
            number,
            placed_at,
        } => {
            assert_eq!(&*event.stream, format!("order-{order_id}"));
            rows.upsert(&Order {
                order_id: order_id.into_owned(),
                number,
                customer_id: customer_id.map(Cow::into_owned),
                status: "open".into(),
                total: Decimal::default(),
                weight: 0.0,
                paid: false,
                items: Json(Vec::new()),
                signature: None,
                created_at: placed_at,
                reference: Some(Uuid(7)),
                kind: None,
            });
        }
        OrderEvent::ItemAdded(added) => {
            let key = Order::key(&added.order_id);
            let Some(mut order) = rows.get(key)? else {
                bail!("there is no order `{}`", added.order_id);
            };
            order.items.push(Item {
                sku: added.sku.clone(),
                supplier_id: added.supplier_id,
            });
            rows.patch(key)
                .set(Order::items, &order.items)
                .set(Order::kind, "with items");
            rows.increment(key).by(Order::weight, added.weight);
            let line = LineCount::key(&added.order_id, 1);
            rows.increment(line).by(LineCount::lines, 1);
            rows.patch(line).set(LineCount::last, added.sku.as_str());
        }
        OrderEvent::Paid { order_id, amount } => {
            rows.increment(Order::key(&order_id))
                .by(Order::total, amount);
            rows.patch(Order::key(&order_id))
                .set(Order::paid, true)
                .set(Order::status, Cow::Borrowed("paid"))
                .set(Order::signature, Some(&[1_u8, 2][..]));
        }
        OrderEvent::Unassigned { order_id } => {
            rows.patch(Order::key(&order_id)).clear(Order::customer_id);
        }
        OrderEvent::Deleted { order_id } => {
            rows.delete(Order::key(order_id));
            let lines = [LineCount::key(order_id, 1), LineCount::key(order_id, 2)];
            let counts = rows.get_many(lines)?;
            assert!(counts[1].is_none());
            for count in counts.into_iter().flatten() {
                rows.delete(count.to_key());
            }
        }
        OrderEvent::Tick => log::info!("tick at {}", event.time),
    }
    Ok(())
}

fn created(id: &str) -> lantern_sdk::testing::GivenEvent {
    event("order.created")
        .stream(format!("order-{id}"))
        .data(json!({
            "order_id": id,
            "customer_id": "c\"1",
            "number": id.len(),
            "placedAt": "2026-03-01T12:00:00+01:00",
        }))
}

fn item(id: &str, sku: &str) -> lantern_sdk::testing::GivenEvent {
    event("order.item_added")
        .data(json!({ "order_id": id, "sku": sku, "supplier_id": 3, "weight": 0.5 }))
}

fn fresh(id: &str) -> Order {
    Order {
        order_id: id.into(),
        number: id.len() as i64,
        customer_id: Some("c\"1".into()),
        status: "open".into(),
        total: Decimal::default(),
        weight: 0.0,
        paid: false,
        items: Json(Vec::new()),
        signature: None,
        created_at: "2026-03-01T11:00:00Z".parse().unwrap(),
        reference: Some(Uuid(7)),
        kind: None,
    }
}

#[test]
fn commands_and_reads_end_in_the_rows_they_say() {
    let projected = given([
        created("a"),
        item("a", "one"),
        item("a", "two"),
        event("order.paid").data(json!({ "order_id": "a", "amount": "1.50" })),
        event("order.payment_succeeded").data(json!({ "order_id": "a", "amount": 2 })),
        created("bb"),
        event("order.unassigned").data(json!({ "order_id": "bb" })),
        event("order.ticked").raw("no json"),
        event("something.else").raw("no json"),
    ])
    .when(orders);

    let item = |sku: &str| Item {
        sku: sku.into(),
        supplier_id: 3,
    };
    projected
        .clone()
        .then([
            Order {
                customer_id: None,
                ..fresh("bb")
            },
            Order {
                status: "paid".into(),
                paid: true,
                total: "3.50".parse().unwrap(),
                weight: 1.0,
                items: Json(vec![item("one"), item("two")]),
                signature: Some(vec![1, 2]),
                kind: Some("with items".into()),
                ..fresh("a")
            },
        ])
        .then([LineCount {
            order_id: "a".into(),
            day: 1,
            lines: Some(2),
            last: Some("two".into()),
        }]);
    assert_eq!(
        projected.row(LineCount::key("a", 1)).unwrap().lines,
        Some(2)
    );
    assert_eq!(projected.row(LineCount::key("a", 2)), None);
    let orders = projected.json("orders");
    assert_eq!(
        orders[0]["items"][1],
        json!({ "sku": "two", "supplier_id": 3 })
    );
    assert_eq!(orders[0]["total"], "3.50");
    assert_eq!(orders[0]["signature"], "0102");
    assert_eq!(orders[0]["created_at"], "2026-03-01T11:00:00.000Z");
    assert_eq!(orders[0]["type"], "with items");
}

#[test]
fn a_deleted_row_is_gone() {
    given([
        created("a"),
        item("a", "one"),
        event("order.deleted").data(json!({ "order_id": "a" })),
    ])
    .when(orders)
    .then::<Order>([])
    .then::<LineCount>([]);
}

#[test]
fn a_failure_names_the_event_and_what_is_wrong_with_it() {
    given([
        created("a"),
        event("order.paid").data(json!({ "order_id": "a" })),
    ])
    .when(orders)
    .then_failure(
        1,
        "the payload of `order.paid` does not fit: missing field `amount`",
    );
    given([
        event("other"),
        created("a"),
        event("order.paid").binary([1, 2]),
    ])
    .when(orders)
    .then_failure(2, "2 bytes that are no text");
    given([item("nowhere", "one")])
        .when(orders)
        .then_failure(0, "there is no order `nowhere`");
    given([event("order.paid").data(json!({ "order_id": "nowhere", "amount": 1 }))])
        .when(orders)
        .then_failure(0, "table `orders`: column `number` would be null");
}

#[test]
fn the_description_is_what_the_source_says() {
    let description = orders.describe();
    assert_eq!(
        (&*description.name, &*description.version),
        ("orders", "1.2.3")
    );
    assert_eq!(description.wants.types.len(), 7);
    assert!(description.wants.types.contains(&"order.tick*".to_owned()));
    assert!(description.needs.streams && !description.needs.ids);
    let [table, lines] = &description.tables[..] else {
        panic!("two tables")
    };
    assert_eq!((&*table.name, &*lines.name), ("orders", "line_count"));
    assert_eq!(lines.key, ["order_id", "day"]);
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|c| {
            format!(
                "{} {:?}{}",
                c.name,
                c.type_,
                if c.nullable { "?" } else { "" }
            )
        })
        .collect();
    assert_eq!(
        columns.join(", "),
        "order_id ColumnType::Text, number ColumnType::Integer, customer_id ColumnType::Text?, \
         status ColumnType::Text, total ColumnType::Decimal, weight ColumnType::Float, \
         paid ColumnType::Boolean, items ColumnType::Json, signature ColumnType::Bytes?, \
         created_at ColumnType::Timestamp, reference ColumnType::Uuid?, type ColumnType::Text?"
    );
    let indexes: Vec<_> = table
        .indexes
        .iter()
        .map(|index| {
            let columns = index.columns.iter().map(|c| {
                let path = c.path.as_deref().unwrap_or("");
                format!("{}{path}{}", c.column, if c.descending { "↓" } else { "" })
            });
            format!(
                "{}{}",
                columns.collect::<Vec<_>>().join("+"),
                match index.kind {
                    IndexKind::Ordered => "",
                    IndexKind::Unique => "!",
                    IndexKind::Text => "?",
                }
            )
        })
        .collect();
    assert_eq!(
        indexes,
        [
            "status",
            "customer_id+created_at↓",
            "items$.supplier_id↓",
            "number!",
            "customer_id+status?"
        ]
    );
}

#[test]
fn events_are_read_from_cloud_events() {
    let events = events_from_json_lines(concat!(
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"order.created","subject":"order-a","#,
        r#""time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","#,
        r#""data":{"order_id":"a","number":1,"placedAt":"2026-03-01T11:00:00Z"}}"#,
        "\n\n"
    ));
    given(events).when(orders).then([Order {
        customer_id: None,
        ..fresh("a")
    }]);
}

mod guarded {
    use super::*;

    #[derive(Table, Debug, PartialEq)]
    #[table(guarded)]
    struct Stock {
        #[key]
        sku: String,
        level: i64,
    }

    #[derive(Events)]
    enum StockEvent {
        #[event("counted")]
        Counted {
            sku: String,
            level: i64,
            counted: Option<u64>,
        },
        #[event("moved")]
        Moved { sku: String, by: i64 },
        #[event("gone")]
        Gone { sku: String },
        #[event("twice")]
        Twice { sku: String },
    }

    #[projector(tables(Stock))]
    fn stock(event: Event<StockEvent>, rows: &mut Rows) {
        match event.data {
            StockEvent::Counted {
                sku,
                level,
                counted,
            } => {
                rows.upsert(&Stock { sku, level })
                    .guard(counted.unwrap_or(event.version));
            }
            StockEvent::Moved { sku, by } => {
                rows.increment(Stock::key(&sku)).by(Stock::level, by);
            }
            StockEvent::Gone { sku } => {
                rows.delete(Stock::key(&sku));
            }
            StockEvent::Twice { sku } => {
                rows.increment(Stock::key(&sku)).by(Stock::level, 1);
                rows.patch(Stock::key(&sku)).set(Stock::level, 5);
            }
        }
    }

    fn counted(level: i64) -> lantern_sdk::testing::GivenEvent {
        event("counted").data(json!({ "sku": "s", "level": level }))
    }

    fn moved(by: i64) -> lantern_sdk::testing::GivenEvent {
        event("moved").data(json!({ "sku": "s", "by": by }))
    }

    #[test]
    fn what_is_not_newer_is_ignored() {
        given([
            counted(10).version(1),
            moved(5).version(2),
            moved(5).version(2),
            counted(0).version(1),
        ])
        .when(stock)
        .then([Stock {
            sku: "s".into(),
            level: 15,
        }]);
        let late = event("counted").data(json!({ "sku": "s", "level": 1, "counted": 9 }));
        given([late, moved(5)]).when(stock).then([Stock {
            sku: "s".into(),
            level: 1,
        }]);
    }

    #[test]
    fn a_deleted_row_does_not_come_back_by_an_older_command() {
        let gone = event("gone").data(json!({ "sku": "s" }));
        given([
            counted(1).version(3),
            gone.version(5),
            counted(2).version(4),
        ])
        .when(stock)
        .then::<Stock>([]);
    }

    #[test]
    fn an_event_may_make_several_commands_on_one_row_but_only_once() {
        let twice = || event("twice").data(json!({ "sku": "s" })).version(2);
        given([counted(1).version(1), twice(), moved(7).version(3), twice()])
            .when(stock)
            .then([Stock {
                sku: "s".into(),
                level: 12,
            }]);
    }
}
