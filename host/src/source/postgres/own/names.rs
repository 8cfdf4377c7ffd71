//! Numbers as names, on the way out: the types and tenants of a page.

use hashbrown::HashMap;
use sqlx::{AssertSqlSafe, PgConnection};

use super::error::failed;
use crate::source::SourceError;

/// Names remembered at most. There are few types, but a log may have any number
/// of tenants, and every projector has a reader.
const MOST_REMEMBERED: usize = 50_000;

/// The names in one table, as far as they have been met.
pub(super) struct Names {
    ask: String,
    /// Numbers, and which of `names` they mean. Two may mean the same one.
    met: HashMap<u32, usize>,
    names: Vec<Name>,
    by_name: HashMap<String, usize>,
    page: u64,
}

struct Name {
    text: String,
    /// The page that last used the name, and as which entry of its list.
    page: u64,
    slot: u32,
}

impl Names {
    /// The names of `table`, as it stands in SQL.
    pub(super) fn of(table: &str) -> Self {
        Self {
            ask: format!("SELECT id, name FROM {table} WHERE id = ANY ($1)"),
            met: HashMap::new(),
            names: Vec::new(),
            by_name: HashMap::new(),
            page: 0,
        }
    }

    /// Turns the numbers of a page into places in `list`, which gets each name
    /// that occurs once.
    pub(super) async fn resolve(
        &mut self,
        conn: &mut PgConnection,
        numbers: &mut [u32],
        list: &mut Vec<String>,
    ) -> Result<(), SourceError> {
        self.page += 1;
        self.learn(conn, numbers).await?;
        let mut before = None;
        for number in numbers {
            let slot = match before {
                Some((same, slot)) if same == *number => slot,
                _ => self.slot(*number, list)?,
            };
            before = Some((*number, slot));
            *number = slot;
        }
        Ok(())
    }

    /// Asks for the names that are new.
    async fn learn(&mut self, conn: &mut PgConnection, numbers: &[u32]) -> Result<(), SourceError> {
        if self.names.len() > MOST_REMEMBERED {
            self.met.clear();
            self.names.clear();
            self.by_name.clear();
        }
        let mut new: Vec<i32> = Vec::new();
        let mut before = None;
        for number in numbers {
            if before != Some(number) && !self.met.contains_key(number) {
                new.push(*number as i32);
            }
            before = Some(number);
        }
        if new.is_empty() {
            return Ok(());
        }
        new.sort_unstable();
        new.dedup();
        let found: Vec<(i32, String)> = sqlx::query_as(AssertSqlSafe(self.ask.clone()))
            .bind(new)
            .fetch_all(conn)
            .await
            .map_err(failed)?;
        for (number, text) in found {
            self.meet(number as u32, text);
        }
        Ok(())
    }

    fn meet(&mut self, number: u32, text: String) {
        let next = self.names.len();
        let place = *self.by_name.entry(text.clone()).or_insert(next);
        if place == next {
            self.names.push(Name {
                text,
                page: 0,
                slot: 0,
            });
        }
        self.met.insert(number, place);
    }

    fn slot(&mut self, number: u32, list: &mut Vec<String>) -> Result<u32, SourceError> {
        let name = self
            .met
            .get(&number)
            .and_then(|place| self.names.get_mut(*place));
        let Some(name) = name else {
            return Err(SourceError::Broken(
                format!(
                    "an event has a type or a tenant with the number {number}, which has no name"
                )
                .into(),
            ));
        };
        if name.page != self.page {
            name.page = self.page;
            name.slot = list.len() as u32;
            list.push(name.text.clone());
        }
        Ok(name.slot)
    }
}
