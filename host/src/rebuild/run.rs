//! Fills a generation and hands it to the readers.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::part::fill_part;
use crate::model::{
    Failure, FailureClass, Fill, Generation, GenerationId, GenerationState, Position,
    ProjectorRecord, Scope,
};
use crate::read_store::{StoreError, Swap};
use crate::telemetry::{happened, in_one_line};
use crate::worker::{Assignment, End, Goal, Narrow, Phase, StatusBoard, without_event, work};

/// The pause after a swap that was not had. Readers are free to come and go
/// meanwhile, so that swaps tried in a row do not shut them out.
const BETWEEN_SWAPS: Duration = Duration::from_secs(1);

/// How a rebuild ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebuildEnd {
    /// Readers see the new generation.
    Live,
    /// It was asked to stop; it can be resumed.
    Stopped,
    /// The generation is no longer building, or somebody else has taken it over.
    Gone(String),
    /// The rows of a part are there, for the live generation to take over.
    Ready,
    /// Another host works on it and was heard of lately.
    Held {
        /// That host.
        by: String,
    },
    /// It cannot go on. Readers still see the former generation.
    Failed(Failure),
}

/// Builds a generation up to the swap, from wherever it stands; that of a part up
/// to where the live generation can take its rows over.
pub async fn run(
    assignment: &Assignment,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> RebuildEnd {
    let scope = match generation(assignment, &stop).await {
        Ok(generation) => generation.scope,
        Err(end) => return end,
    };
    match scope {
        Scope::All => build(assignment, None, status, stop).await,
        Scope::UpTo(position) => {
            let narrow = Narrow {
                until: Some(position),
                part: None,
            };
            build(&assignment.narrowed(narrow), Some(position), status, stop).await
        }
        Scope::Part(part) => fill_part(assignment, &part, status, stop).await,
    }
}

/// Builds a generation that readers are to see, up to a position or the head.
async fn build(
    assignment: &Assignment,
    until: Option<Position>,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> RebuildEnd {
    match first_fill(assignment, status, stop.clone()).await {
        Ok(()) => {}
        Err(end) => return end,
    }
    // Dropped when this ends.
    let mut held = None;
    loop {
        // Every round reads what came in while the former one was finished; each is
        // shorter than the one before.
        if let Err(end) = catch_up(assignment, status, stop.clone()).await {
            return end;
        }
        if let Err(end) = is_no_worse(assignment, &stop).await {
            return end;
        }
        match until_done(assignment, &stop, || {
            assignment.store.swap(assignment.generation)
        })
        .await
        {
            Ok(Swap::Done) => return RebuildEnd::Live,
            Ok(Swap::Behind) => {
                // Up to there all was read, and it did not suffice.
                if let Some(position) = until {
                    return ends_before(assignment, position);
                }
                // Each append moves on a live generation that runs inline.
                drop(held.take());
                held = hold_appends(assignment).await;
            }
            Ok(Swap::Busy(who)) => {
                // Readers that came while the swap waited have had to wait, too. Now
                // they go first.
                happened::swap_put_off(&assignment.projector.description().name, &who);
                status.trouble(Some(format!("the swap waits for readers: {who}")));
                held = None;
                if stopped_during(BETWEEN_SWAPS, &stop).await {
                    return RebuildEnd::Stopped;
                }
            }
            Ok(Swap::Gone) => return RebuildEnd::Gone("it is no longer building".into()),
            Err(end) => return end,
        }
    }
}

/// Keeps appends waiting if they run the projector inline. Without it another round
/// does as well, with luck.
pub(super) async fn hold_appends(assignment: &Assignment) -> Option<impl Send + Sync> {
    let name = &assignment.projector.description().name;
    match assignment.source.hold_inline(name.as_str()).await {
        Ok(held) => held,
        Err(error) => {
            tracing::debug!(projector = %name, %error, "appends could not be held");
            None
        }
    }
}

fn ends_before(assignment: &Assignment, position: Position) -> RebuildEnd {
    let cause = format!("the event log ends before position {position}");
    let digest = assignment.projector.digest();
    RebuildEnd::Failed(without_event(FailureClass::Source, cause, digest))
}

/// A generation with more dead letters than the one that readers have does not
/// take over: it would take rows away from them.
async fn is_no_worse(
    assignment: &Assignment,
    stop: &watch::Receiver<bool>,
) -> Result<(), RebuildEnd> {
    let record = record(assignment, stop).await?;
    let letters = |generation: Option<&Generation>| generation.map_or(0, |it| it.dead_letters);
    let (live, building) = (letters(record.live()), letters(record.building()));
    match more_dead_letters(assignment, building, live) {
        Some(failed) => Err(failed),
        None => Ok(()),
    }
}

/// The failure of what has more dead letters than what it is to replace.
pub(super) fn more_dead_letters(
    assignment: &Assignment,
    building: u64,
    live: u64,
) -> Option<RebuildEnd> {
    if building <= live {
        return None;
    }
    let name = &assignment.projector.description().name;
    let cause = format!(
        "the new generation has {building} dead letters, the one that readers see {live}: it does \
         not take over"
    );
    let digest = assignment.projector.digest();
    let mut failure = without_event(FailureClass::Projector, cause, digest);
    failure.next_step = format!(
        "`lantern dead-letters list {name} --building` shows them: discard or retry them, then \
         `lantern resume {name}`; or put a better version into the watched folder"
    );
    Some(RebuildEnd::Failed(failure))
}

/// Fills a generation for the first time and then makes its indexes, which
/// costs far less than keeping them up while it is filled. Does nothing for a
/// generation that has them.
pub async fn first_fill(
    assignment: &Assignment,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> Result<(), RebuildEnd> {
    let generation = generation(assignment, &stop).await?;
    if generation.indexed {
        return Ok(());
    }
    let mut fill = assignment.clone();
    if generation.state == GenerationState::Building && assignment.store.fills_at_once() {
        fill.pacing = assignment.pacing.of_fill();
    }
    measured(&fill, status, catch_up(&fill, status, stop.clone())).await?;
    status.phase(Phase::BuildingIndexes);
    let started = Instant::now();
    until_done(assignment, &stop, || {
        assignment.store.build_indexes(assignment.generation)
    })
    .await?;
    let name = &assignment.projector.description().name;
    happened::indexes_built(name, assignment.generation, started.elapsed());
    Ok(())
}

/// Records how many events a fill took in and how long it took, also of one that
/// was broken off: the next estimate rests on it.
async fn measured<T>(
    assignment: &Assignment,
    status: &StatusBoard,
    fill: impl Future<Output = T>,
) -> T {
    let (before, started) = (status.read().events, Instant::now());
    let done = fill.await;
    let fill = Fill {
        events: status.read().events - before,
        micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    };
    if fill.events > 0 {
        // An estimate is not worth a failure.
        let _unmeasured = assignment
            .store
            .note_fill(assignment.generation, fill)
            .await;
    }
    done
}

pub(super) async fn catch_up(
    assignment: &Assignment,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> Result<(), RebuildEnd> {
    let assignment = Assignment {
        goal: Goal::CatchUp,
        ..assignment.clone()
    };
    match work(&assignment, status, stop).await {
        End::CaughtUp => Ok(()),
        End::Stopped => Err(RebuildEnd::Stopped),
        End::Fenced(how) => Err(RebuildEnd::Gone(how)),
        End::Held { by } => Err(RebuildEnd::Held { by }),
        End::Failed(failure) => Err(RebuildEnd::Failed(failure)),
    }
}

/// What is recorded about the projector.
pub(super) async fn record(
    assignment: &Assignment,
    stop: &watch::Receiver<bool>,
) -> Result<ProjectorRecord, RebuildEnd> {
    let name = &assignment.projector.description().name;
    let records = until_done(assignment, stop, || assignment.store.projectors()).await?;
    let record = records.into_iter().find(|record| record.name == *name);
    record.ok_or_else(|| RebuildEnd::Gone("its projector was dropped".into()))
}

async fn generation(
    assignment: &Assignment,
    stop: &watch::Receiver<bool>,
) -> Result<Generation, RebuildEnd> {
    let records = until_done(assignment, stop, || assignment.store.projectors()).await?;
    let mut generations = records.into_iter().flat_map(|record| record.generations);
    generations
        .find(|generation| generation.id == assignment.generation)
        .ok_or_else(|| gone(assignment.generation))
}

/// Does something in the read store, again and again while the store cannot be
/// used.
pub(super) async fn until_done<T, F>(
    assignment: &Assignment,
    stop: &watch::Receiver<bool>,
    attempt: impl Fn() -> F,
) -> Result<T, RebuildEnd>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = assignment.pacing.retry_first;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) if error.is_transient() => {
                happened::retrying(
                    assignment.projector.description().name.as_str(),
                    &error,
                    pause,
                );
                if stopped_during(pause, stop).await {
                    return Err(RebuildEnd::Stopped);
                }
                pause = (pause * 2).min(assignment.pacing.retry_most);
            }
            Err(error) => return Err(failed(assignment, &error)),
        }
    }
}

async fn stopped_during(pause: Duration, stop: &watch::Receiver<bool>) -> bool {
    let mut stop = stop.clone();
    let stopped = stop.wait_for(|stop| *stop);
    tokio::time::timeout(pause, stopped).await.is_ok()
}

fn failed(assignment: &Assignment, error: &StoreError) -> RebuildEnd {
    let class = match error {
        StoreError::NotUnique { .. } | StoreError::Refused { .. } => FailureClass::Projector,
        StoreError::DependedUpon { .. } => FailureClass::Environment,
        StoreError::NoGeneration(id) => return gone(*id),
        _ => FailureClass::Host,
    };
    let digest = assignment.projector.digest();
    RebuildEnd::Failed(without_event(class, in_one_line(error), digest))
}

pub(super) fn gone(generation: GenerationId) -> RebuildEnd {
    RebuildEnd::Gone(format!("generation {generation} is gone"))
}
