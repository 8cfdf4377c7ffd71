//! The fold against a model that does one command at a time on plain maps.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Cell, ColumnType, RawDescription, RawTable};

#[test]
fn folding_gives_the_rows_that_single_commands_would() {
    for seed in 1..=60 {
        let mut random = Random(seed);
        let guarded = seed % 3 == 0;
        let budget = if seed % 2 == 0 { 2_000 } else { 1 << 20 };
        let table = table(guarded);
        let mut unit = UnitOfWork::new(std::slice::from_ref(&table), budget, seed % 4 < 2);
        let mut database = Database::default();
        let mut naive = Naive::default();
        let mut on_its_way: Option<(Changes, Group)> = None;
        for _ in 0..40 {
            let mut block = Block::default();
            for _ in 0..random.below(30) {
                let command = random.command(guarded);
                naive.apply(&command);
                block.push(&command);
            }
            unit.begin_batch();
            fold(&mut unit, &database, &block.0);
            if random.below(4) == 0 {
                // Undone and done again, as after a failure and a retry.
                unit.undo_batch();
                fold(&mut unit, &database, &block.0);
            }
            if random.below(3) == 0 {
                // As in the worker: the next group gathers while one is written.
                if let Some((changes, group)) = on_its_way.take() {
                    database.write(&table, &changes);
                    unit.committed(group);
                }
                on_its_way = Some(unit.take_changes());
            }
        }
        for pending in [on_its_way, Some(unit.take_changes())]
            .into_iter()
            .flatten()
        {
            database.write(&table, &pending.0);
        }
        assert_eq!(database.visible(), naive.visible(), "seed {seed}");
    }
}

#[test]
fn an_undone_batch_leaves_no_trace() {
    let table = table(false);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
    let mut database = Database::default();
    fold(&mut unit, &database, &block(&[upsert(1, 10)]));
    let (changes, group) = unit.take_changes();
    database.write(&table, &changes);
    unit.committed(group);

    fold(&mut unit, &database, &block(&[increment(1, 2)]));
    unit.begin_batch();
    fold(
        &mut unit,
        &database,
        &block(&[increment(1, 5), upsert(2, 1)]),
    );
    unit.undo_batch();
    assert_eq!(unit.gathered_rows(), 1);
    fold(&mut unit, &database, &block(&[increment(1, 1)]));
    database.write(&table, &unit.take_changes().0);
    assert_eq!(database.visible(), BTreeMap::from([(1, (Some(13), None))]));
}

#[test]
fn a_wrong_command_is_named_and_teaches_nothing() {
    let table = table(false);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, false);
    let mut wrong = block(&[upsert(1, 1)]);
    wrong.columns[0] = 9;
    let error = unit.apply(&wrong, NOBODY).unwrap_err();
    assert_eq!(error.event, Some(0));
    assert!(
        error.problem.to_string().contains("does not declare"),
        "{}",
        error.problem
    );
    unit.undo_batch();
    // The row must still be asked for: the failed upsert says nothing of it.
    assert_eq!(
        unit.unknown_rows(&block(&[increment(1, 1)]), NOBODY)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn commands_that_break_the_declaration_are_refused() {
    let refused = |change: &dyn Fn(&mut Commands)| {
        let table = table(false);
        let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
        let mut commands = block(&[upsert(1, 1)]);
        change(&mut commands);
        let error = unit.apply(&commands, NOBODY).unwrap_err();
        error.problem.to_string()
    };
    assert!(refused(&|c| c.tables[0] = 7).contains("table 7"));
    assert!(refused(&|c| c.columns[0] = 0).contains("part of the key"));
    assert!(refused(&|c| c.ops[0] = 4).contains("not an operation"));
    assert!(refused(&|c| c.widths[0] = 2).contains("different lengths"));
    assert!(refused(&|c| c.guards = vec![3]).contains("not declared as guarded"));
    assert!(refused(&|c| c.ops[0] = 3).contains("a delete"));
    assert!(refused(&|c| c.cells.integers.truncate(1)).contains("more integers"));
    assert!(refused(&|c| c.cells.push(Cell::Null)).contains("more columns or values"));

    let guarded = table(true);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&guarded), 1 << 20, true);
    let error = unit.apply(&block(&[upsert(1, 1)]), NOBODY).unwrap_err();
    assert_eq!(error.problem, CommandProblem::MissingGuard(guarded.name));
}

#[test]
fn a_table_of_the_hosts_is_out_of_reach_and_undone_with_its_batch() {
    let tables = [table(false), table(false)];
    let mut unit = UnitOfWork::new(&tables, 1 << 20, true).with_own(1);
    let mut commands = block(&[upsert(1, 1)]);
    commands.tables[0] = 1;
    let error = unit.apply(&commands, Whose::default()).unwrap_err();
    assert_eq!(error.problem, CommandProblem::NoTable(1));
    let mut key = Cells::default();
    key.push(Cell::Integer(1));
    let error = unit.lookup(1, 1, &key, Whose::default()).unwrap_err();
    assert_eq!(error, CommandProblem::NoTable(1));
    unit.undo_batch();

    let row = |amount| Row {
        values: vec![Value::Integer(1), Value::Integer(amount), Value::Null],
        ..Row::default()
    };
    let key = RowKey {
        table: 1,
        values: vec![Value::Integer(1)],
    };
    unit.begin_batch();
    unit.put(1, row(5));
    unit.begin_batch();
    unit.put(1, row(6));
    unit.undo_batch();
    assert_eq!(unit.find(&key), Lookup::Row(row(5).into()));
    let (changes, _) = unit.take_changes();
    assert_eq!(changes.tables[0].table, 1);
    assert_eq!(*changes.tables[0].puts[0], row(5));
}

#[test]
fn an_event_may_make_several_guarded_commands_on_one_row() {
    let table = table(true);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
    let guarded = |made: Made| Made { guard: 7, ..made };
    let mut commands = block(&[guarded(upsert(1, 10)), guarded(increment(1, 5))]);
    commands.events = vec![0, 0];
    unit.apply(&commands, NOBODY).unwrap();
    // The same event once more, as a repeated delivery: all of it is ignored.
    let mut again = commands.clone();
    again.events = vec![1, 1];
    unit.apply(&again, NOBODY).unwrap();
    let (changes, group) = unit.take_changes();
    assert_eq!(group.ignored, 2);
    let row = changes.tables[0].puts[0].clone();
    assert_eq!(row.values[1], Value::Integer(15));
}

#[test]
fn an_event_of_another_part_is_another_event() {
    let table = table(true);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
    unit.begin_batch();
    // A page is cut by tenants, and each part counts its events from 0.
    for _ in 0..2 {
        unit.begin_part();
        let made = Made {
            guard: 7,
            ..increment(1, 5)
        };
        unit.apply(&block(&[made]), NOBODY).unwrap();
    }
    let (changes, group) = unit.take_changes();
    assert_eq!(group.ignored, 1);
    assert_eq!(changes.tables[0].puts[0].values[1], Value::Integer(5));
}

#[test]
fn ignored_commands_are_counted_once_for_each_group() {
    let table = table(true);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
    let stale = |id| Made {
        guard: 7,
        ..upsert(id, 10)
    };
    unit.apply(&block(&[stale(1)]), NOBODY).unwrap();
    unit.begin_batch();
    unit.apply(&block(&[stale(1)]), NOBODY).unwrap();
    // Undone, as after a failure; it comes again.
    unit.undo_batch();
    unit.begin_batch();
    unit.apply(&block(&[stale(1)]), NOBODY).unwrap();
    assert_eq!(unit.take_changes().1.ignored, 1);
    assert_eq!(unit.take_changes().1.ignored, 0);
}

#[test]
fn a_tenant_is_part_of_the_key_whatever_the_command_says() {
    let mut raw = raw_table(false);
    raw.tenant_keyed = true;
    let table = checked(raw);
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
    unit.apply(&block(&[upsert(1, 10)]), tenant("a")).unwrap();
    unit.apply(&block(&[upsert(1, 20)]), tenant("b")).unwrap();
    let mut keys = Cells::default();
    keys.push(Cell::Integer(1));
    let Lookup::Row(row) = unit.lookup(0, 1, &keys, tenant("a")).unwrap().remove(0) else {
        panic!("the row of tenant a is known");
    };
    assert_eq!(row.values[2], Value::Integer(10));
    assert_eq!(
        unit.lookup(0, 1, &keys, tenant("c")).unwrap(),
        [Lookup::Absent]
    );
}

#[test]
fn a_stream_is_part_of_the_key_after_the_tenant() {
    for tenant_keyed in [false, true] {
        let mut raw = raw_table(false);
        (raw.tenant_keyed, raw.stream_keyed) = (tenant_keyed, true);
        let table = checked(raw);
        let host_columns = 1 + usize::from(tenant_keyed);
        assert_eq!(table.columns[host_columns - 1].name, "stream");
        assert_eq!(table.key, (0..=host_columns).collect::<Vec<_>>());
        let mut unit = UnitOfWork::new(std::slice::from_ref(&table), 1 << 20, true);
        let of = |tenant, stream| Whose { tenant, stream };
        unit.apply(&block(&[upsert(1, 10)]), of("t", "a")).unwrap();
        unit.apply(&block(&[increment(1, 5)]), of("t", "b"))
            .unwrap();
        unit.apply(&block(&[increment(1, 1)]), of("u", "a"))
            .unwrap();
        let mut keys = Cells::default();
        keys.push(Cell::Integer(1));
        let Lookup::Row(row) = unit.lookup(0, 1, &keys, of("t", "a")).unwrap().remove(0) else {
            panic!("the row of stream a is known");
        };
        // Streams of two tenants share rows where the tenant is no part of the key.
        let amount = if tenant_keyed { 10 } else { 11 };
        assert_eq!(row.values[host_columns + 1], Value::Integer(amount));
        assert_eq!(
            unit.lookup(0, 1, &keys, of("t", "c")).unwrap(),
            [Lookup::Absent]
        );
    }
}

/// Where no table is keyed by the host.
const NOBODY: Whose<'static> = Whose {
    tenant: "",
    stream: "",
};

fn tenant(tenant: &str) -> Whose<'_> {
    Whose { tenant, stream: "" }
}

// ---- a table (id, amount, note) and commands on it ---------------------------

fn raw_table(guarded: bool) -> RawTable {
    RawTable {
        name: "things".into(),
        columns: vec![
            ("id".into(), ColumnType::Integer, false),
            ("amount".into(), ColumnType::Integer, true),
            ("note".into(), ColumnType::Text, true),
        ],
        key: vec!["id".into()],
        guarded,
        ..RawTable::default()
    }
}

fn checked(table: RawTable) -> Table {
    let raw = RawDescription {
        name: "p".into(),
        version: "1.0.0".into(),
        tables: vec![table],
        ..RawDescription::default()
    };
    raw.check().unwrap().tables.remove(0)
}

pub(super) fn table(guarded: bool) -> Table {
    checked(raw_table(guarded))
}

#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) op: u8,
    pub(super) id: i64,
    pub(super) guard: u64,
    pub(super) values: Vec<(u16, Option<i64>)>,
}

fn upsert(id: i64, amount: i64) -> Made {
    Made {
        op: 0,
        id,
        guard: 0,
        values: vec![(1, Some(amount))],
    }
}

fn increment(id: i64, amount: i64) -> Made {
    Made {
        op: 2,
        id,
        guard: 0,
        values: vec![(1, Some(amount))],
    }
}

fn block(all: &[Made]) -> Commands {
    let mut block = Block::default();
    all.iter().for_each(|command| block.push(command));
    block.0
}

#[derive(Default)]
pub(super) struct Block(pub(super) Commands);

impl Block {
    pub(super) fn push(&mut self, made: &Made) {
        let c = &mut self.0;
        c.ops.push(made.op);
        c.tables.push(0);
        c.events.push(c.events.len() as u32);
        if made.guard > 0 {
            c.guards.push(made.guard);
        }
        c.widths.push(made.values.len() as u16);
        c.cells.push(Cell::Integer(made.id));
        for (column, value) in &made.values {
            c.columns.push(*column);
            match (column, value) {
                (_, None) => c.cells.push(Cell::Null),
                (1, Some(n)) => c.cells.push(Cell::Integer(*n)),
                (_, Some(n)) => c.cells.push(Cell::Text(&n.to_string())),
            }
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn command(&mut self, guarded: bool) -> Made {
        let op = self.below(4) as u8;
        let amount = (self.below(9) > 0).then(|| self.below(100) as i64);
        let note = (self.below(3) == 0).then(|| (2, Some(self.below(50) as i64)));
        let mut values = vec![(1, amount)];
        values.extend(note.filter(|_| op < 2));
        if op == 3 {
            values.clear();
        }
        Made {
            op,
            id: self.below(25) as i64,
            guard: if guarded { 1 + self.below(200) } else { 0 },
            values,
        }
    }
}

// ---- the database and the model ---------------------------------------------

pub(super) type Visible = BTreeMap<i64, (Option<i64>, Option<i64>)>;

#[derive(Default)]
pub(super) struct Database(BTreeMap<i64, Row>);

impl Database {
    pub(super) fn write(&mut self, table: &Table, changes: &Changes) {
        for change in &changes.tables {
            for row in &change.puts {
                let Value::Integer(id) = row.values[table.key[0]] else {
                    panic!("no id")
                };
                self.0.insert(id, Row::clone(row));
            }
            for key in &change.removes {
                let Value::Integer(id) = key[0] else {
                    panic!("no id")
                };
                self.0.remove(&id);
            }
        }
    }

    fn get(&self, key: &RowKey) -> Option<Row> {
        let Value::Integer(id) = key.values[0] else {
            panic!("no id")
        };
        self.0.get(&id).cloned()
    }

    pub(super) fn visible(&self) -> Visible {
        let alive = self.0.iter().filter(|(_, row)| !row.deleted);
        alive
            .map(|(id, row)| (*id, (number(&row.values[1]), number(&row.values[2]))))
            .collect()
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Null => None,
        Value::Integer(n) => Some(*n),
        Value::Text(t) => t.parse().ok(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn fold(unit: &mut UnitOfWork, database: &Database, commands: &Commands) {
    for key in unit.unknown_rows(commands, NOBODY).unwrap() {
        unit.learn(&key, database.get(&key));
    }
    unit.apply(commands, NOBODY).unwrap();
}

#[derive(Default)]
struct Naive {
    rows: Visible,
    versions: BTreeMap<i64, u64>,
}

impl Naive {
    fn apply(&mut self, made: &Made) {
        if made.guard > 0 {
            let version = self.versions.entry(made.id).or_default();
            if made.guard <= *version {
                return;
            }
            *version = made.guard;
        }
        match made.op {
            3 => {
                self.rows.remove(&made.id);
                return;
            }
            0 => {
                self.rows.insert(made.id, (None, None));
            }
            _ => {}
        }
        let row = self.rows.entry(made.id).or_default();
        for (column, value) in &made.values {
            match (made.op, column) {
                (2, _) => row.0 = value.map(|by| row.0.unwrap_or(0) + by).or(row.0),
                (_, 1) => row.0 = *value,
                _ => row.1 = *value,
            }
        }
    }

    fn visible(&self) -> Visible {
        self.rows.clone()
    }
}
