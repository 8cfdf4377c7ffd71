//! An append of any number of events, all or none.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::append::Writer;
use super::news::Announcer;
use crate::model::Event;
use crate::source::{Appended, EventImport, InlineWork, SourceError};

/// Holds the writer, and a transaction open, until it is finished or dropped.
///
/// What does not fit into the writer's page cache goes to the write-ahead log
/// ahead of the commit, so memory stays bounded whatever the size.
pub(super) struct SqliteImport {
    writer: OwnedMutexGuard<Writer>,
    announcer: Announcer,
    inline: Option<Arc<dyn InlineWork>>,
    done: Appended,
    is_open: bool,
}

impl SqliteImport {
    pub(super) fn begin(
        mut writer: OwnedMutexGuard<Writer>,
        announcer: Announcer,
        inline: Option<Arc<dyn InlineWork>>,
    ) -> Result<Self, SourceError> {
        writer.begin()?;
        Ok(Self {
            writer,
            announcer,
            inline,
            done: Appended::default(),
            is_open: true,
        })
    }

    fn take_back(&mut self) {
        if self.is_open {
            self.is_open = false;
            self.writer.rollback();
        }
    }

    fn check_open(&self) -> Result<(), SourceError> {
        match self.is_open {
            true => Ok(()),
            false => Err(SourceError::Broken(
                "the import has failed and was taken back".into(),
            )),
        }
    }
}

impl EventImport for SqliteImport {
    fn push(&mut self, events: Vec<Event>) -> Result<(), SourceError> {
        self.check_open()?;
        let pushed = self.writer.put(&events, &mut self.done);
        if pushed.is_err() {
            self.take_back();
        }
        pushed
    }

    fn finish(mut self: Box<Self>) -> Result<Appended, SourceError> {
        self.check_open()?;
        self.writer.commit(self.inline.as_deref())?;
        self.is_open = false;
        self.announcer.announce(self.done.last_position);
        Ok(self.done)
    }
}

impl Drop for SqliteImport {
    fn drop(&mut self) {
        self.take_back();
    }
}
