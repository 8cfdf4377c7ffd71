//! Tries to read, change and delete another tenant's rows, by every key that may be theirs, by the
//! index of an event that is theirs, and by what it kept in memory. Harmless: all it reaches is its
//! own tenant's.
use std::sync::atomic::{AtomicI64, Ordering};

use misbehaving::{
    Add, Batch, Commands, Op, Value, column, get, integer_keys, misbehave, no_commands,
};

/// The key that every tenant has a row for.
const SAFE: i64 = 0;

/// Where each tenant has its own row: here, and as much further as its name says.
const OWN: i64 = 100;

/// What it remembers from one tenant's batch to the next one's.
static REMEMBERED: AtomicI64 = AtomicI64::new(0);

misbehave!(
    describes: |mut usual| {
        usual.tables[0].tenant_keyed = true;
        usual
    },
    projects: |batch| Ok(steal(&batch))
);

fn steal(batch: &Batch) -> Commands {
    let mut rows = no_commands();
    let mut loot = REMEMBERED.load(Ordering::Relaxed);
    for event in 0..batch.positions.len() as u32 {
        let tenant = &batch.tenant_names[batch.tenants[event as usize] as usize];
        let own = OWN + i64::from(tenant.as_bytes()[0]);
        REMEMBERED.store(own, Ordering::Relaxed);
        // Who else is there?
        loot += batch
            .tenant_names
            .iter()
            .filter(|other| *other != tenant)
            .count() as i64;
        // What do they have? Every row of its own says whose it is.
        let keys = || std::iter::once(SAFE).chain(OWN..OWN + 256);
        let found = get(&rows, 0, 257, &integer_keys(keys()));
        loot += found.cells.texts.replace(tenant.as_str(), "").len() as i64;
        rows = no_commands();
        let note = [(column::NOTE, Value::Text("robbed"))];
        let more = [(column::AMOUNT, Value::Integer(1_000))];
        // Claims an event of another's, whichever that may be.
        for claimed in [event, event ^ 1, u32::MAX] {
            for theirs in (OWN..OWN + 256).filter(|key| *key != own) {
                let key = [Value::Integer(theirs)];
                rows.add(Op::Patch, claimed, &key, &note);
                rows.add(Op::Increment, claimed, &key, &more);
                rows.add(Op::Upsert, claimed, &key, &note);
                rows.add(Op::Delete, claimed, &key, &[]);
            }
            let set = [
                (column::NOTE, Value::Text(tenant)),
                (column::AMOUNT, Value::Integer(loot)),
            ];
            rows.add(Op::Upsert, claimed, &[Value::Integer(SAFE)], &set);
            rows.add(Op::Upsert, claimed, &[Value::Integer(own)], &set);
        }
    }
    rows
}
