//! Counted reads, with hints and without.

use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{Cell, Cells, ColumnType, Commands, RawDescription, RawTable, Row, Value};
use crate::read_store::{RowReader, StoreError};
use crate::sandbox::Rows;
use crate::unit_of_work::UnitOfWork;

/// Answers every key but those that begin with `no`, and writes the questions
/// down.
#[derive(Clone, Default)]
struct CountingReader(Arc<Mutex<Vec<Question>>>);

/// A table and the ids that were asked for.
type Question = (usize, Vec<String>);

impl RowReader for CountingReader {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let ids: Vec<String> = keys.iter().map(|key| id_of(key)).collect();
        if ids.iter().any(|id| id == "refused") {
            return Err(StoreError::Refused {
                table: "customers".into(),
                reason: "no such letter".into(),
            });
        }
        if ids.iter().any(|id| id == "away") {
            return Err(StoreError::Unavailable("the server is away".into()));
        }
        let row = |(id, key): (&String, &Vec<Value>)| Row {
            values: key
                .iter()
                .cloned()
                .chain([Value::Text(format!("name of {id}").into())])
                .collect(),
            ..Row::default()
        };
        let rows = ids.iter().zip(keys);
        let rows = rows.map(|(id, key)| (!id.starts_with("no")).then(|| row((id, key))));
        let rows = rows.collect();
        self.0.lock().unwrap().push((table, ids));
        Ok(rows)
    }
}

fn id_of(key: &[Value]) -> String {
    match key.last() {
        Some(Value::Text(id)) => id.to_string(),
        other => panic!("{other:?} is not an id"),
    }
}

struct Bench {
    about: Description,
    ledger: Ledger,
    asked: CountingReader,
}

impl Bench {
    fn new(starts_empty: bool) -> Self {
        let table = |name: &str, tenant_keyed| RawTable {
            name: name.into(),
            columns: vec![
                ("id".into(), ColumnType::Text, false),
                ("name".into(), ColumnType::Text, false),
            ],
            key: vec!["id".into()],
            tenant_keyed,
            ..RawTable::default()
        };
        let lookup = |table: &str, types: &[&str], key: &str| {
            let types = types.iter().map(|name| (*name).to_owned()).collect();
            (table.to_owned(), types, vec![key.to_owned()])
        };
        let raw = RawDescription {
            name: "shop".into(),
            version: "1.0.0".into(),
            tables: vec![table("customers", false), table("products", true)],
            lookups: vec![
                lookup("products", &["order.*"], "$.lines[*].product"),
                lookup("customers", &["order.*"], "$.customer"),
                lookup("customers", &["order.*"], "$.payer"),
            ],
            ..RawDescription::default()
        };
        let about = raw.check().unwrap();
        let asked = CountingReader::default();
        let unit = UnitOfWork::new(&about.tables, 1 << 20, starts_empty);
        let ledger = Ledger::new(unit, Box::new(asked.clone()), &about.tables);
        Self {
            about,
            ledger,
            asked,
        }
    }

    fn look_ahead(&self, events: &[(&str, &str)]) -> Result<(), StoreError> {
        let keys = keys(&self.about, &batch(events), &self.ledger);
        self.ledger.look_ahead(&keys)
    }

    /// The questions that were put to the database since the last call.
    fn asked(&self) -> Vec<Question> {
        std::mem::take(&mut self.asked.0.lock().unwrap())
    }

    /// Reads rows as a projector would; says which there are.
    fn get(&self, table: usize, ids: &[&str]) -> Vec<u8> {
        let mut cells = Cells::default();
        ids.iter().for_each(|id| cells.push(Cell::Text(id)));
        let found = self.ledger.clone().get(table, ids.len(), &cells);
        found.unwrap().present
    }
}

/// Events of one tenant, by type and payload.
fn batch(events: &[(&str, &str)]) -> EventBatch {
    let mut batch = EventBatch {
        tenant_names: vec!["acme".into()],
        ..EventBatch::default()
    };
    for (i, (event_type, payload)) in events.iter().enumerate() {
        batch.positions.push(i as u64 + 1);
        batch.types.push(i as u32);
        batch.type_names.push((*event_type).into());
        batch.tenants.push(0);
        batch.data += payload;
        batch.data_ends.push(batch.data.len() as u32);
    }
    batch
}

const FIRST: (&str, &str) = (
    "order.placed",
    r#"{"customer": "a", "lines": [{"product": "x"}, {"product": "none"}]}"#,
);
const SECOND: (&str, &str) = (
    "order.paid",
    r#"{"customer": "b", "payer": "a", "lines": [{"product": "x"}, {"product": "y"}]}"#,
);

#[test]
fn the_rows_of_a_page_come_in_one_question_for_each_table() {
    let bench = Bench::new(false);
    let others = ("customer.changed", r#"{"customer": "never", "lines": []}"#);
    let broken = ("order.placed", "{");
    bench.look_ahead(&[FIRST, others, SECOND, broken]).unwrap();
    let expected = [
        (0, vec!["a".to_owned(), "b".into()]),
        (1, vec!["x".to_owned(), "none".into(), "y".into()]),
    ];
    assert_eq!(bench.asked(), expected);

    // What the projector reads then costs nothing, known misses included.
    bench.ledger.serve(of("acme"));
    assert_eq!(bench.get(1, &["x", "none", "y"]), [1, 0, 1]);
    assert_eq!(bench.get(0, &["b", "a"]), [1, 1]);
    assert_eq!(bench.get(1, &["none"]), [0]);
    assert_eq!(bench.asked(), []);

    // Another page asks for what is new, and of the same page nothing is.
    bench.look_ahead(&[FIRST, SECOND]).unwrap();
    assert_eq!(bench.asked(), []);
    let third = (
        "order.placed",
        r#"{"customer": "a", "lines": [{"product": "z"}]}"#,
    );
    bench.look_ahead(&[FIRST, third]).unwrap();
    assert_eq!(bench.asked(), [(1, vec!["z".to_owned()])]);
}

#[test]
fn without_hints_each_read_asks_once_and_a_miss_is_remembered() {
    let bench = Bench::new(false);
    bench.ledger.serve(of("acme"));
    for _ in 0..3 {
        assert_eq!(bench.get(1, &["none"]), [0]);
        assert_eq!(bench.get(1, &["x"]), [1]);
    }
    let expected = [(1, vec!["none".to_owned()]), (1, vec!["x".to_owned()])];
    assert_eq!(bench.asked(), expected);
    // Another tenant's row of the same key is another row.
    bench.ledger.serve(of("rival"));
    assert_eq!(bench.get(1, &["x"]), [1]);
    assert_eq!(bench.asked().len(), 1);
}

#[test]
fn what_a_batch_has_changed_is_newer_than_what_is_looked_up() {
    let bench = Bench::new(false);
    bench.ledger.serve(of("acme"));
    let gone = Commands {
        ops: vec![3],
        tables: vec![1],
        events: vec![0],
        widths: vec![0],
        cells: {
            let mut key = Cells::default();
            key.push(Cell::Text("x"));
            key
        },
        ..Commands::default()
    };
    bench.ledger.fold(&gone).unwrap();
    bench.asked();
    bench.look_ahead(&[FIRST]).unwrap();
    assert_eq!(bench.get(1, &["x"]), [0]);
    let expected = [(0, vec!["a".to_owned()]), (1, vec!["none".to_owned()])];
    assert_eq!(bench.asked(), expected);
}

#[test]
fn an_empty_table_is_not_asked() {
    let bench = Bench::new(true);
    bench.look_ahead(&[FIRST, SECOND]).unwrap();
    assert_eq!(bench.asked(), []);
}

#[test]
fn a_hint_is_no_reason_to_fail_unless_the_database_is_away() {
    let bench = Bench::new(false);
    bench
        .look_ahead(&[("order.placed", r#"{"customer": "refused"}"#)])
        .unwrap();
    let error = bench
        .look_ahead(&[("order.placed", r#"{"customer": "away"}"#)])
        .unwrap_err();
    assert!(error.is_transient());
}

#[test]
fn events_without_end_are_looked_up_up_to_a_limit() {
    let bench = Bench::new(false);
    let lines: Vec<String> = (0..MOST_KEYS + 100)
        .map(|n| format!(r#"{{"product": "p{n}"}}"#))
        .collect();
    let payload = format!(r#"{{"lines": [{}]}}"#, lines.join(","));
    bench.look_ahead(&[("order.placed", &payload)]).unwrap();
    let asked = bench.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].1.len(), MOST_KEYS);
}

/// Tables are declared in another order than lookups, so this cannot be by luck.
#[test]
fn keys_of_one_table_stand_in_a_row() {
    let bench = Bench::new(false);
    let keys = keys(&bench.about, &batch(&[SECOND, FIRST]), &bench.ledger);
    let tables: Vec<usize> = keys.iter().map(|key| key.table).collect();
    assert_eq!(tables, [0, 0, 1, 1, 1]);
}

fn of(tenant: &str) -> crate::unit_of_work::Whose<'_> {
    crate::unit_of_work::Whose { tenant, stream: "" }
}
