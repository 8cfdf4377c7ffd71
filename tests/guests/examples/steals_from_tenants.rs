//! Tries to read and write another tenant's rows: by a key that is theirs, and by the index of
//! an event that is theirs. Harmless: all it reaches is its own tenant's.
use misbehaving::{
    Add, Batch, Commands, Op, Value, column, get, integer_keys, misbehave, no_commands,
};

/// The key that every tenant has a row for.
const SAFE: i64 = 0;

misbehave!(
    describes: |mut usual| {
        usual.tables[0].tenant_keyed = true;
        usual
    },
    projects: |batch| Ok(steal(&batch))
);

fn steal(batch: &Batch) -> Commands {
    let mut rows = no_commands();
    for event in 0..batch.positions.len() as u32 {
        let tenant = &batch.tenant_names[batch.tenants[event as usize] as usize];
        let others = batch.tenant_names.iter().filter(|other| *other != tenant);
        let found = get(&rows, 0, 1, &integer_keys([SAFE]));
        rows = no_commands();
        let note = match (&*found.cells.texts, found.present[0]) {
            (_, 0) => "first".to_owned(),
            (note, _) => {
                note.split(',').next().unwrap_or_default().to_owned() + ", mine: " + tenant
            }
        };
        // As many tenants as it is told of besides the event's own.
        let told = others.count() as i64;
        let set = [
            (column::NOTE, Value::Text(&note)),
            (column::AMOUNT, Value::Integer(told)),
        ];
        // Claims an event of another's, whichever that may be.
        for claimed in [event, event ^ 1, u32::MAX] {
            rows.add(Op::Upsert, claimed, &[Value::Integer(SAFE)], &set);
        }
    }
    rows
}
