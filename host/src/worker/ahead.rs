//! Looks ahead: which rows a page of events will need, as its projector has
//! declared.
//!
//! A projector that looks a row up for each event waits for the database once an
//! event. With the keys known beforehand, the rows of a whole page come in one
//! query for each table, and the projector's own reads are answered from memory.
//! Nothing rests on it: keys that are not named here are read when they are asked
//! for, and rows that nobody asks for do no harm.

use super::rows::Ledger;
use crate::model::{Description, EventBatch, Lookup};
use crate::unit_of_work::RowKey;

/// The most keys of a page that are looked up ahead. With events of many lines it
/// bounds the rows that are held; a page of 2,000 orders with ten lines is below.
const MOST_KEYS: usize = 32_768;

/// The keys that the events name and about which nothing is known, those of one
/// table in a row, each once.
pub(super) fn keys(about: &Description, events: &EventBatch, ledger: &Ledger) -> Vec<RowKey> {
    let mut lookups: Vec<&Lookup> = ledger.with_unit(|unit| {
        let unknown = about.lookups.iter();
        unknown
            .filter(|lookup| !unit.knows_all_of(lookup.table))
            .collect()
    });
    if lookups.is_empty() {
        return Vec::new();
    }
    lookups.sort_by_key(|lookup| lookup.table);
    let named = named_by(about, &lookups, events);
    ledger.with_unit(|unit| unit.unknown_of(named, MOST_KEYS))
}

/// All keys that the events name, in the order of the lookups.
fn named_by(about: &Description, lookups: &[&Lookup], events: &EventBatch) -> Vec<RowKey> {
    let mut named: Vec<Vec<RowKey>> = vec![Vec::new(); lookups.len()];
    let of_type: Vec<Vec<usize>> = events
        .type_names
        .iter()
        .map(|name| wanted_by(lookups, name))
        .collect();
    for event in 0..events.len() {
        let wanted = &of_type[events.types[event] as usize];
        if wanted.is_empty() {
            continue;
        }
        // One that is no JSON may still name its stream.
        let payload = serde_json::from_str(events.text(event)).unwrap_or_default();
        for &at in wanted {
            let (lookup, table) = (lookups[at], &about.tables[lookups[at].table]);
            lookup.keys(table, events, event, &payload, |values| {
                named[at].push(RowKey {
                    table: lookup.table,
                    values,
                });
            });
        }
    }
    named.into_iter().flatten().collect()
}

fn wanted_by(lookups: &[&Lookup], event_type: &str) -> Vec<usize> {
    let wants = |lookup: &Lookup| {
        let types = &lookup.types;
        types.is_empty() || types.iter().any(|pattern| pattern.matches(event_type))
    };
    (0..lookups.len())
        .filter(|&at| wants(lookups[at]))
        .collect()
}

#[cfg(test)]
#[path = "ahead_tests.rs"]
mod tests;
