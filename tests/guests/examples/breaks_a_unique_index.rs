//! Makes two rows that its own unique index forbids, when it is asked to after the index has
//! been made. Stopped there: "which a unique index forbids".
use misbehaving::{
    Add, Commands, Index, IndexColumn, IndexKind, Op, Value, column, misbehave, no_commands,
};

misbehave!(
    describes: |mut usual| {
        let amount = IndexColumn { column: "amount".into(), path: None, descending: false };
        usual.tables[0].indexes = vec![Index { columns: vec![amount], kind: IndexKind::Unique }];
        usual
    },
    projects: |batch| {
        let mut rows = no_commands();
        for (event, &position) in (0..).zip(&batch.positions) {
            let event_type = &batch.type_names[batch.types[event as usize] as usize];
            let count = if event_type == "probe.late" { 2 } else { 1 };
            (0..count).for_each(|n| note(&mut rows, event, position as i64 * (1 - 2 * n), position as i64));
        }
        Ok(rows)
    }
);

fn note(rows: &mut Commands, event: u32, position: i64, amount: i64) {
    let set = [
        (column::NOTE, Value::Text("seen")),
        (column::AMOUNT, Value::Integer(amount)),
    ];
    rows.add(Op::Upsert, event, &[Value::Integer(position)], &set);
}
