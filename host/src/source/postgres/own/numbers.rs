//! Names as numbers, on the way in.
//!
//! Numbers are given out in a short transaction of their own, ahead of the
//! append: so the entry of a new name is never part of a long transaction that
//! others would have to wait for. A name that no event uses in the end does no
//! harm. They never change once committed, so they are remembered.

use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use sqlx::{AssertSqlSafe, PgConnection};

use super::error::failed;
use super::options::Schema;
use crate::model::Event;
use crate::source::SourceError;

/// Names of one kind remembered at most; then the memory starts anew. Bounds it
/// to a few MiB, however many tenants there are.
const MOST_REMEMBERED: usize = 50_000;

/// The numbers of names, shared by all appends of a store.
pub(super) struct Numbers {
    ask: String,
    /// How long to wait for a transaction that brings the same source, in
    /// milliseconds.
    patience: i32,
    known: Mutex<[HashMap<String, i32>; 3]>,
}

/// The numbers of the names of some events, in their order.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    pub(super) types: Vec<i32>,
    pub(super) tenants: Vec<i32>,
    pub(super) sources: Vec<i32>,
}

impl Numbers {
    pub(super) fn new(schema: &Schema, patience: i32) -> Self {
        let numbers = schema.of("lantern_numbers");
        Self {
            ask: format!("SELECT type_ids, tenant_ids, source_ids FROM {numbers}($1, $2, $3, $4)"),
            patience,
            known: Mutex::default(),
        }
    }

    /// The numbers of all names of the events. New ones are given out on `conn`,
    /// which must not be within a transaction.
    pub(super) async fn of(
        &self,
        conn: &mut PgConnection,
        events: &[Event],
    ) -> Result<Numbered, SourceError> {
        let mut columns = [
            Column::new(events.iter().map(|event| event.event_type.as_str())),
            Column::new(events.iter().map(|event| event.tenant.as_str())),
            Column::new(events.iter().map(|event| event.source.as_str())),
        ];
        self.look_up(&mut columns);
        if columns.iter().any(|column| !column.missing.is_empty()) {
            let given: (Vec<i32>, Vec<i32>, Vec<i32>) =
                sqlx::query_as(AssertSqlSafe(self.ask.clone()))
                    .bind(self.patience)
                    .bind(&columns[0].missing)
                    .bind(&columns[1].missing)
                    .bind(&columns[2].missing)
                    .fetch_one(conn)
                    .await
                    .map_err(failed)?;
            for (column, given) in columns.iter_mut().zip([given.0, given.1, given.2]) {
                column.fill(&given);
            }
            self.remember(&columns);
        }
        let [types, tenants, sources] = columns.map(|column| column.numbers);
        Ok(Numbered {
            types,
            tenants,
            sources,
        })
    }

    fn look_up(&self, columns: &mut [Column<'_>; 3]) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (column, known) in columns.iter_mut().zip(known.iter()) {
            column.look_up(known);
        }
    }

    fn remember(&self, columns: &[Column<'_>; 3]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (column, known) in columns.iter().zip(known.iter_mut()) {
            if known.len() + column.given.len() > MOST_REMEMBERED {
                known.clear();
            }
            let given = column.given.iter().take(MOST_REMEMBERED);
            known.extend(given.map(|(name, number)| ((*name).to_owned(), *number)));
        }
    }
}

/// The names of one kind, and their numbers as far as they are known.
struct Column<'a> {
    names: Vec<&'a str>,
    /// 0 for what is missing: the first number is 1.
    numbers: Vec<i32>,
    /// Names without a number, each once,
    missing: Vec<&'a str>,
    /// and which numbers they got.
    given: HashMap<&'a str, i32>,
}

impl<'a> Column<'a> {
    fn new(names: impl Iterator<Item = &'a str>) -> Self {
        Self {
            names: names.collect(),
            numbers: Vec::new(),
            missing: Vec::new(),
            given: HashMap::new(),
        }
    }

    fn look_up(&mut self, known: &HashMap<String, i32>) {
        let mut before: Option<(&str, i32)> = None;
        for name in &self.names {
            // Neighbours mostly have the same name.
            let number = match before {
                Some((same, number)) if same == *name => number,
                _ => known.get(*name).copied().unwrap_or(0),
            };
            if number == 0 && self.given.insert(name, 0).is_none() {
                self.missing.push(name);
            }
            self.numbers.push(number);
            before = Some((name, number));
        }
    }

    fn fill(&mut self, given: &[i32]) {
        self.given = self
            .missing
            .iter()
            .copied()
            .zip(given.iter().copied())
            .collect();
        for (name, number) in self.names.iter().zip(&mut self.numbers) {
            if *number == 0 {
                *number = self.given.get(name).copied().unwrap_or(0);
            }
        }
    }
}
