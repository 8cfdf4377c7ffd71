//! Types and tenants as a reader meets them: small numbers for names.

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension};

use crate::model::Pattern;

/// Names remembered at most. There are few types, but a log may have any number
/// of tenants, and every projector has a reader.
const MOST_REMEMBERED: usize = 50_000;

/// The most numbers that are written into a query; with more, SQLite would
/// spend longer on the list than it saves.
const MOST_IN_QUERY: usize = 200;

/// The names in one table, and which of them are wanted.
pub(super) struct Names {
    table: &'static str,
    patterns: Vec<Pattern>,
    /// The numbers of wanted names among those up to `looked_up_to`. Kept only
    /// when there are patterns.
    wanted: Vec<i64>,
    looked_up_to: i64,
    met: HashMap<i64, Name>,
    page: u64,
}

struct Name {
    text: String,
    is_wanted: bool,
    /// The page that last used the name, and as which entry of its list.
    page: u64,
    slot: u32,
}

impl Names {
    pub(super) fn new(table: &'static str, patterns: &[Pattern]) -> Self {
        Self {
            table,
            patterns: patterns.to_vec(),
            wanted: Vec::new(),
            looked_up_to: 0,
            met: HashMap::new(),
            page: 0,
        }
    }

    /// Begins a page: looks at the names that are new, and forgets the slots.
    pub(super) fn begin_page(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.page += 1;
        if self.met.len() > MOST_REMEMBERED {
            self.met.clear();
        }
        if self.patterns.is_empty() {
            return Ok(());
        }
        let newer = format!(
            "SELECT id, name FROM {} WHERE id > ?1 ORDER BY id",
            self.table
        );
        let mut list = conn.prepare_cached(&newer)?;
        let mut rows = list.query([self.looked_up_to])?;
        while let Some(row) = rows.next()? {
            let (number, name): (i64, String) = (row.get(0)?, row.get(1)?);
            if self.wants(&name) {
                self.wanted.push(number);
            }
            self.looked_up_to = number;
        }
        Ok(())
    }

    /// How many numbers are known to be wanted. They only ever become more.
    pub(super) fn count_wanted(&self) -> usize {
        self.wanted.len()
    }

    /// Whether no event so far can have a wanted name.
    pub(super) fn wants_none(&self) -> bool {
        !self.patterns.is_empty() && self.wanted.is_empty()
    }

    /// The condition that lets only wanted numbers through, where there is one
    /// and it is short.
    pub(super) fn condition(&self, column: &str) -> Option<String> {
        if self.patterns.is_empty() || self.wanted.len() > MOST_IN_QUERY {
            return None;
        }
        let numbers: Vec<String> = self.wanted.iter().map(i64::to_string).collect();
        Some(format!(" AND {column} IN ({})", numbers.join(",")))
    }

    /// The entry of a name in the page's list, put there if it is new to it.
    /// `None` when the name is not wanted.
    #[inline]
    pub(super) fn slot(
        &mut self,
        conn: &Connection,
        number: i64,
        list: &mut Vec<String>,
    ) -> rusqlite::Result<Option<u32>> {
        let page = self.page;
        let name = match self.met.get_mut(&number) {
            Some(name) => name,
            None => self.meet(conn, number)?,
        };
        if !name.is_wanted {
            return Ok(None);
        }
        if name.page != page {
            name.page = page;
            name.slot = list.len() as u32;
            list.push(name.text.clone());
        }
        Ok(Some(name.slot))
    }

    #[cold]
    fn meet(&mut self, conn: &Connection, number: i64) -> rusqlite::Result<&mut Name> {
        let find = format!("SELECT name FROM {} WHERE id = ?1", self.table);
        let text: String = conn
            .prepare_cached(&find)?
            .query_row([number], |row| row.get(0))
            .optional()?
            .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let name = Name {
            is_wanted: self.wants(&text),
            text,
            page: 0,
            slot: 0,
        };
        Ok(self.met.entry(number).insert(name).into_mut())
    }

    fn wants(&self, name: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(name))
    }
}
