//! An append of any number of events, all or none.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use super::append::{Appender, weight};
use super::error::failed;
use super::inline::Inline;
use super::options::{PostgresOptions, Schema};
use super::schema::connect;
use super::store::{Heard, Log};
use super::turns;
use crate::model::Event;
use crate::postgres::Database;
use crate::source::{Appended, Durability, EventImport, SourceError};

/// Events in one statement, at most: enough that the statement's own cost does
/// not show, few enough that neither side holds much of it.
const MOST_EVENTS: usize = 5_000;

/// Bytes in one statement, about.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Holds a transaction open on a connection of its own until it is finished or
/// dropped.
///
/// Other writers are locked out all the while, of the table of streams or, with
/// inline projectors, of appending. Imports touch streams in any order over many
/// statements; side by side with appends, they would block each other crosswise.
pub(super) struct PostgresImport {
    database: Database,
    appender: Arc<Appender>,
    heard: Heard,
    /// Without a transaction; for names that are new.
    names: PgConnection,
    /// `None` after a failure: closed, which takes everything back.
    open: Option<PgConnection>,
    inline: Arc<Inline>,
    /// The inline projectors that are to follow.
    projectors: Vec<String>,
    done: Appended,
}

impl PostgresImport {
    /// Begins, as soon as no append is in flight.
    pub(super) async fn begin(
        Log {
            database, schema, ..
        }: &Log,
        options: &PostgresOptions,
        appender: Arc<Appender>,
        inline: Arc<Inline>,
        heard: Heard,
    ) -> Result<Self, SourceError> {
        let mut open = connect(database).await?;
        let patience = options.busy_timeout;
        begin_beside(&mut open, schema, patience).await?;
        let mut projectors = inline.list(&mut open).await?;
        if !projectors.is_empty() {
            if inline.work().is_none() {
                return Err(SourceError::NotInline(projectors));
            }
            sqlx::query("ROLLBACK")
                .execute(&mut open)
                .await
                .map_err(failed)?;
            // Should the list be empty by now, the turn is more than is needed.
            projectors = inline.begin_import(&mut open).await?;
        }
        if options.durability == Durability::Normal {
            sqlx::query("SET LOCAL synchronous_commit = off")
                .execute(&mut open)
                .await
                .map_err(failed)?;
        }
        Ok(Self {
            names: connect(database).await?,
            database: database.clone(),
            appender,
            heard,
            open: Some(open),
            inline,
            projectors,
            done: Appended::default(),
        })
    }

    async fn add(&mut self, events: &[Event]) -> Result<(), SourceError> {
        let Some(open) = &mut self.open else {
            return Err(taken_back());
        };
        for events in portions(events) {
            let numbered = self.appender.number(&mut self.names, events).await?;
            let added = self.appender.add(open, events, &numbered).await?;
            self.done.appended += added.appended;
            self.done.duplicates += added.duplicates;
            self.done.last_position = self.done.last_position.max(added.last_position);
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SourceError> {
        let mut open = self.open.take().ok_or_else(taken_back)?;
        if !self.projectors.is_empty()
            && let Some(work) = self.inline.work()
        {
            let projectors = std::mem::take(&mut self.projectors);
            let finished = self.inline.finish(open, work.clone(), projectors).await?;
            drop(finished);
            return Ok(());
        }
        sqlx::query("COMMIT")
            .execute(&mut open)
            .await
            .map_err(failed)?;
        // It is committed whatever becomes of the connection.
        let _ = open.close().await;
        Ok(())
    }
}

impl EventImport for PostgresImport {
    fn push(&mut self, events: Vec<Event>) -> Result<(), SourceError> {
        let database = self.database.clone();
        let pushed = database.block_on(self.add(&events));
        if pushed.is_err() {
            // The server takes back what a closed connection leaves open.
            self.open = None;
        }
        pushed
    }

    fn finish(mut self: Box<Self>) -> Result<Appended, SourceError> {
        let database = self.database.clone();
        database.block_on(self.commit())?;
        self.heard.appended();
        Ok(self.done)
    }
}

fn taken_back() -> SourceError {
    SourceError::Broken("the import has failed and was taken back".into())
}

/// Begins a transaction that is in nobody's way crosswise, and keeps the list of
/// inline projectors as it is.
async fn begin_beside(
    conn: &mut PgConnection,
    schema: &Schema,
    patience: Duration,
) -> Result<(), SourceError> {
    let lock = format!(
        "{}; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
        schema.turn(false),
        schema.of("lantern_streams")
    );
    turns::begin(conn, "BEGIN", &lock, patience).await
}

/// Events in portions, each for one statement.
fn portions(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    let mut rest = events;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |event: &&Event| {
            bytes += weight(event);
            bytes <= MOST_BYTES
        };
        let count = rest.iter().take(MOST_EVENTS).take_while(fits).count();
        // One event is taken even if larger.
        let (portion, after) = rest.split_at(count.max(1).min(rest.len()));
        rest = after;
        (!portion.is_empty()).then_some(portion)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Payload, Timestamp};

    #[test]
    fn portions_hold_every_event_once() {
        let event = |bytes: usize| Event {
            id: "1".into(),
            source: "s".into(),
            event_type: "t".into(),
            stream: "x".into(),
            tenant: String::new(),
            time: Timestamp(0),
            data: Payload::Binary(vec![0; bytes]),
            metadata: None,
        };
        let sizes = |events: &[Event]| portions(events).map(<[Event]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&vec![event(1); MOST_EVENTS + 1]), [MOST_EVENTS, 1]);
        let large = [
            event(1),
            event(MOST_BYTES),
            event(MOST_BYTES),
            event(1),
            event(1),
        ];
        assert_eq!(sizes(&large), [1, 1, 1, 2]);
    }
}
