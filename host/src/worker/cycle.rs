//! THE LOOP: read → project → fold → commit.
//!
//! The three stages overlap, on blocking threads that are held only while there
//! is work: while one page is projected and folded, the next is read, and what
//! was gathered before is written. The loop owns all state; a stage gets what it
//! needs and gives it back. It is described in `docs/design/cycle.md`.
//!
//! Nothing here is trusted after trouble with a database: the loop ends, and a
//! new one begins with a new claim, which tells what is really stored.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::commit::Writing;
use super::failure::{self, Backoff, End, Trouble};
use super::falter::Retries;
use super::order::{Order, Task, Turn};
use super::pace::{Careful, Pace, Then};
use super::quarantine::{Condemned, Quarantine};
use super::rows::Ledger;
use super::schedule::Rounds;
use super::settle::Settling;
use super::status::{Phase, StatusBoard};
use super::{Assignment, Goal};
use crate::model::{Checkpoint, DeadLetterChoice, Envelope, FailureClass, Position};
use crate::read_store::{Claimed, Writer};
use crate::source::{EventReader, Page, SourceError};
use crate::telemetry::{happened, in_one_line};
use crate::unit_of_work::UnitOfWork;

/// How long a worker at the head waits before it looks again although there was
/// no news: news are a hint, looking is what correctness rests on.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Works on an assignment until it is done, stopped, fenced off or failed.
pub(super) async fn work(
    assignment: &Assignment,
    status: &StatusBoard,
    mut stopped: watch::Receiver<bool>,
) -> End {
    let mut backoff = Backoff::new(&assignment.pacing);
    let mut known = Known::default();
    loop {
        let before = status.read().checkpoint;
        let trouble = match Cycle::begin(assignment, status, &mut known).await {
            Ok(cycle) => match cycle.run(&mut stopped).await {
                Ok(end) => return end,
                Err(trouble) => trouble,
            },
            Err(trouble) => trouble,
        };
        let error = match trouble {
            Trouble::Fenced(how) => return End::Fenced(how),
            Trouble::Held { by } => return End::Held { by },
            Trouble::Stuck(failure) => return End::Failed(*failure),
            Trouble::Source(cause) => return failed(assignment, FailureClass::Source, cause),
            Trouble::Lasting(cause) => return failed(assignment, FailureClass::Host, cause),
            Trouble::Batch(blame) => return failed(assignment, FailureClass::Host, blame.cause),
            Trouble::Rows {
                reached, events, ..
            } => {
                known.careful = Some(match events {
                    Some(events) => Careful::after(reached, events, None),
                    None => Careful {
                        until: reached,
                        lot: assignment.pacing.batch_events,
                        then: Then::Same,
                    },
                });
                continue;
            }
            Trouble::Condemned(condemned) => {
                known.condemned.insert(condemned.position, condemned);
                continue;
            }
            Trouble::Passing(error) => error,
        };
        if status.read().checkpoint != before {
            backoff = Backoff::new(&assignment.pacing);
        }
        let pause = backoff.pause();
        happened::retrying(
            assignment.projector.description().name.as_str(),
            &*error,
            pause,
        );
        status.trouble(Some(in_one_line(&*error)));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stop| *stop) => return End::Stopped,
        }
    }
}

fn failed(assignment: &Assignment, class: FailureClass, cause: String) -> End {
    let digest = assignment.projector.digest();
    End::Failed(failure::without_event(class, cause, digest))
}

/// What one claim learns for the next.
#[derive(Default)]
pub(super) struct Known {
    careful: Option<Careful>,
    /// Events that failed, until they are stored as dead letters. What cannot be
    /// committed takes theirs along, and they need not be found again.
    pub(super) condemned: BTreeMap<Position, Condemned>,
}

/// One claim's worth of rounds.
pub(super) struct Cycle<'a> {
    pub(super) assignment: &'a Assignment,
    pub(super) status: &'a StatusBoard,
    pub(super) known: &'a mut Known,
    pub(super) ledger: Ledger,
    pub(super) quarantine: Quarantine,
    /// Where the projector asks for strict order.
    pub(super) order: Option<Order>,
    /// What was asked of dead letters before this claim began, and is not done yet.
    pub(super) settling: Settling,
    pub(super) retries: Retries,
    pub(super) pace: Pace,
    pub(super) rounds: Option<Rounds>,
    reader: Option<Box<dyn EventReader>>,
    pub(super) writer: Option<Box<dyn Writer>>,
    /// What is read of every event.
    pub(super) needs: Envelope,
    /// How far the unit of work goes.
    pub(super) folded: Checkpoint,
    /// How far what was handed to the writer goes.
    pub(super) handed_over: Checkpoint,
    reading: Option<Reading>,
    pub(super) writing: Option<Writing>,
    /// The page that was folded last, while going carefully: to blame when its rows
    /// cannot be committed.
    pub(super) suspect: Option<Page>,
}

/// A page on its way; it brings the reader back.
type Reading = JoinHandle<(Box<dyn EventReader>, Result<Page, SourceError>)>;

impl<'a> Cycle<'a> {
    async fn begin(
        assignment: &'a Assignment,
        status: &'a StatusBoard,
        known: &'a mut Known,
    ) -> Result<Cycle<'a>, Trouble> {
        let Assignment {
            projector,
            store,
            source,
            pacing,
            failing,
            ..
        } = assignment;
        let about = projector.description();
        let claim = match store
            .claim(assignment.generation, &assignment.owner)
            .await?
        {
            Claimed::Taken(claim) => claim,
            Claimed::Held { by } => return Err(Trouble::Held { by }),
        };
        let letters = store
            .dead_letters(assignment.generation, &DeadLetterChoice::All, usize::MAX)
            .await?;
        let quarantine = Quarantine::new(*failing, &letters, known.condemned.clone());
        let needs = Envelope {
            streams: about.needs.streams
                || about.is_stream_keyed()
                || quarantine.needs_streams()
                || about.order.is_some()
                || about.looks_up_by_stream(),
            ..about.needs
        };
        let tables = about.stored_tables();
        let unit = UnitOfWork::new(&tables, pacing.cache_bytes, claim.is_empty)
            .with_own(about.tables.len());
        let rows = store.row_reader(assignment.generation, &tables)?;
        status.committed(&claim.checkpoint);
        Ok(Self {
            ledger: Ledger::new(unit, rows, &tables),
            order: Order::of(assignment, needs).await?,
            pace: Pace::new(pacing.clone(), known.careful.take()),
            quarantine,
            settling: Settling::of(letters),
            retries: Retries::new(failing.retries, pacing),
            rounds: Rounds::of(assignment).await?,
            reader: Some(source.reader(&about.wants, needs)?),
            writer: Some(store.writer(&claim, &tables)?),
            needs,
            folded: claim.checkpoint.clone(),
            handed_over: claim.checkpoint,
            reading: None,
            writing: None,
            suspect: None,
            known,
            assignment,
            status,
        })
    }

    async fn run(mut self, stopped: &mut watch::Receiver<bool>) -> Result<End, Trouble> {
        let mut news = self.assignment.source.news();
        loop {
            if let Some(end) = self.settle(stopped).await? {
                return Ok(end);
            }
            if let Some(end) = self.follow_on(stopped).await? {
                return Ok(end);
            }
            if self.is_between_rounds() && !self.settling.is_empty() && !*stopped.borrow() {
                continue;
            }
            self.sleep(&mut news, stopped).await;
            if *stopped.borrow() {
                self.commit_all().await?;
                return Ok(End::Stopped);
            }
            let page = match self.read().await {
                // What lies before the trouble is sound.
                Err(Trouble::Source(cause)) => {
                    self.commit_all().await?;
                    return Err(Trouble::Source(cause));
                }
                read => read?,
            };
            let (at_head, reaches) = (page.at_head, page.checkpoint.clone());
            if !at_head && !self.pace.is_careful() {
                self.read_ahead(&page.checkpoint);
            }
            self.round_begins(&page);
            if let Some(end) = self.project_and_fold(page).await? {
                return Ok(end);
            }
            if let Some(end) = self.commit(at_head).await? {
                return Ok(end);
            }
            self.pause(stopped).await;
            // A page with an event at fault comes again.
            let is_behind = self.follows_on() || !self.settling.is_empty();
            let is_done = self.folded == reaches && !is_behind;
            if at_head && is_done && !self.pace.is_careful() {
                if self.assignment.goal == Goal::CatchUp {
                    self.commit_all().await?;
                    return Ok(End::CaughtUp);
                }
                if !self.end_round().await? {
                    self.wait_for_news(&mut news, stopped).await;
                }
            }
        }
    }

    /// Waits until an event is to be tried again.
    pub(super) async fn pause(&mut self, stopped: &mut watch::Receiver<bool>) {
        if let Some(pause) = self.retries.pause.take() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Brings the next page: the one being read ahead, if there is one.
    async fn read(&mut self) -> Result<Page, Trouble> {
        if self.reading.is_none() {
            let after = self.folded.clone();
            self.read_ahead(&after);
        }
        let Some(reading) = self.reading.take() else {
            return Err(Trouble::Lasting("nothing is being read".into()));
        };
        let (reader, page) = reading.await.map_err(died)?;
        self.reader = Some(reader);
        Ok(page?)
    }

    fn read_ahead(&mut self, after: &Checkpoint) {
        let Some(mut reader) = self.reader.take() else {
            return;
        };
        let (after, limit) = (after.clone(), self.pace.page_limit());
        self.reading = Some(spawn_blocking(move || {
            let page = reader.read(&after, limit);
            (reader, page)
        }));
    }

    /// Forgets what was read ahead, so that reading goes on after `folded`.
    pub(super) async fn read_again(&mut self) -> Result<(), Trouble> {
        if let Some(reading) = self.reading.take() {
            let (reader, _page) = reading.await.map_err(died)?;
            self.reader = Some(reader);
        }
        Ok(())
    }

    fn round_begins(&self, page: &Page) {
        let phase = if page.at_head {
            Phase::Live
        } else {
            Phase::CatchingUp
        };
        self.status.cycle(phase, page.events.len());
    }

    /// Takes a page through the sandbox into the unit of work, but for what must
    /// wait behind dead letters. A page that cannot be projected leaves no trace,
    /// and is read again carefully; a single event that cannot be is tried again,
    /// then set aside, or ends the work.
    async fn project_and_fold(&mut self, mut page: Page) -> Result<Option<End>, Trouble> {
        let mut parted = self.quarantine.part(&page.events).unwrap_or_default();
        if !parted.waits.is_empty() {
            page.events = page.events.pick(&parted.flows);
        }
        let projected = match self.turn(&page, parted.waits.len()) {
            Ok(turn) => {
                let (events, projected) = self.project(page.events, turn).await?;
                page.events = events;
                projected
            }
            Err(trouble) => Err(trouble),
        };
        match projected {
            Ok(letters) => {
                parted.waits.extend(letters);
                self.tell_of(&parted.waits);
                self.settling.join(&parted.waits);
                self.quarantine.set_aside(parted.waits);
                self.folded = page.checkpoint.clone();
                let is_suspect = self.pace.is_careful() && !page.events.is_empty();
                self.pace.folded(&page.checkpoint);
                self.suspect = is_suspect.then_some(page);
                Ok(None)
            }
            Err(Trouble::Batch(blame)) => self.fail_at(page, blame).await,
            Err(Trouble::Stuck(failure)) => {
                self.read_again().await?;
                self.commit_all().await?;
                Ok(Some(End::Failed(*failure)))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Has an event set aside when it comes again, in this claim or a later one.
    pub(super) fn condemn(&mut self, condemned: Condemned) {
        let position = condemned.position;
        self.known.condemned.insert(position, condemned.clone());
        self.quarantine.condemn(condemned);
    }

    /// How a page is to be taken, of which so many events are set aside.
    fn turn(&self, page: &Page, waits: usize) -> Result<Turn, Trouble> {
        let digest = self.assignment.projector.digest();
        Ok(Turn {
            held: self.quarantine.held(),
            room: self.quarantine.room().less(waits, digest)?,
            lot: self.pace.full_page(),
            // One that is taken by itself is committed by itself.
            task: match self.pace.is_careful() && page.events.len() == 1 {
                true => Task::ProjectAlone,
                false => Task::Project,
            },
        })
    }

    async fn wait_for_news(
        &mut self,
        news: &mut watch::Receiver<Checkpoint>,
        stopped: &mut watch::Receiver<bool>,
    ) {
        if !self.folded.reaches(&news.borrow_and_update()) {
            return;
        }
        // Events that made no rows still move the checkpoint, but not at once.
        let pause = if self.folded == self.handed_over {
            LOOK_AGAIN
        } else {
            self.assignment.pacing.commit_interval.min(LOOK_AGAIN)
        };
        tokio::select! {
            _ = news.changed() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }
}

pub(super) fn died(error: tokio::task::JoinError) -> Trouble {
    Trouble::Lasting(format!("a stage of the worker died: {error}"))
}
