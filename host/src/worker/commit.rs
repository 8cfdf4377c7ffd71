//! How the loop hands what was gathered to the database, and what became of it.

use tokio::task::{JoinHandle, spawn_blocking};

use super::cycle::{Cycle, died};
use super::failure::{End, Trouble};
use super::order::Order;
use super::pace::Gathered;
use crate::model::{Checkpoint, Position};
use crate::read_store::{Committed, StoreError, Writer};
use crate::telemetry::in_one_line;
use crate::unit_of_work::{Group, UnitOfWork};

/// A commit on its way.
pub(super) struct Writing {
    task: JoinHandle<(Box<dyn Writer>, Result<Committed, StoreError>)>,
    group: Group,
    /// Events that were left out since the commit before.
    repeated: u64,
    /// The events that become dead letters, or are tried again in vain.
    set_aside: Vec<Position>,
    reaches: Checkpoint,
}

impl Cycle<'_> {
    /// Hands what was gathered to the database, when the time has come.
    pub(super) async fn commit(&mut self, at_head: bool) -> Result<Option<End>, Trouble> {
        let gathered = self.gathered();
        let shows = at_head && gathered.rows > 0 || self.suspect.is_some();
        if self.is_writing() && !self.pace.must_commit(gathered, shows) {
            return Ok(None);
        }
        self.finish_writing().await?;
        if self.folded == self.handed_over || !self.pace.is_worth_a_commit(gathered, shows) {
            return Ok(None);
        }
        self.hand_over();
        if !shows {
            return Ok(None);
        }
        match (self.finish_writing().await, self.suspect.take()) {
            (Err(Trouble::Rows { cause, .. }), Some(page)) => {
                self.page_refused(cause, page).await.map(Some)
            }
            (written, _) => written.map(|()| None),
        }
    }

    fn is_writing(&self) -> bool {
        self.writing
            .as_ref()
            .is_some_and(|writing| !writing.task.is_finished())
    }

    pub(super) async fn commit_all(&mut self) -> Result<(), Trouble> {
        self.finish_writing().await?;
        let waits = self.order.as_ref().is_some_and(Order::has_changes);
        let gathered = self.gathered().rows > 0 || self.quarantine.has_changes() || waits;
        if gathered || self.folded != self.handed_over {
            self.hand_over();
            self.finish_writing().await?;
        }
        Ok(())
    }

    fn gathered(&self) -> Gathered {
        self.ledger.with_unit(|unit| Gathered {
            rows: unit.gathered_rows(),
            bytes: unit.gathered_bytes(),
        })
    }

    fn hand_over(&mut self) {
        let Some(mut writer) = self.writer.take() else {
            return;
        };
        let (mut changes, group) = self.ledger.with_unit(UnitOfWork::take_changes);
        changes.dead_letters = self.quarantine.take_changes();
        let puts = &changes.dead_letters.puts;
        let set_aside = puts.iter().map(|letter| letter.position).collect();
        let order = self.order.as_mut();
        let repeated = order.map_or(0, |order| {
            changes.waiting = order.take_changes();
            order.take_repeated()
        });
        let from = std::mem::replace(&mut self.handed_over, self.folded.clone());
        let to = self.folded.clone();
        self.pace.handed_over();
        self.writing = Some(Writing {
            reaches: to.clone(),
            group,
            repeated,
            set_aside,
            task: spawn_blocking(move || {
                let committed = writer.commit(&changes, &from, &to);
                (writer, committed)
            }),
        });
    }

    async fn finish_writing(&mut self) -> Result<(), Trouble> {
        let Some(writing) = self.writing.take() else {
            return Ok(());
        };
        let (writer, committed) = writing.task.await.map_err(died)?;
        self.writer = Some(writer);
        match committed {
            Ok(Committed::Stored) => {
                self.ledger.with_unit(|unit| unit.committed(writing.group));
                for position in &writing.set_aside {
                    self.known.condemned.remove(position);
                }
                self.status.committed(&writing.reaches);
                self.status.ignored(writing.group.ignored, writing.repeated);
                self.status.trouble(None);
                Ok(())
            }
            Ok(Committed::Fenced(how)) => Err(Trouble::Fenced(how)),
            Err(error @ (StoreError::NotUnique { .. } | StoreError::Refused { .. })) => {
                Err(Trouble::Rows {
                    cause: in_one_line(&error),
                    reached: writing.reaches,
                    events: None,
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}
