//! One tenant's or stream's rows, made anew beside the live ones.
//!
//! Two steps, by two jobs. [`fill_part`] builds a generation that holds the rows
//! of the part and no others, while the live generation's own worker goes on for
//! everybody. When it has come close, that worker's job gives way to
//! [`take_over`]: it claims the live generation, so that its checkpoint stands
//! still, brings the part to exactly there, and has the store put the part's
//! rows in the place of those that are live. Then the worker goes on. Nobody
//! else can do it meanwhile, as nobody else holds the live generation; and
//! whatever is broken off is done again from the records.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::run::{RebuildEnd, catch_up, gone, hold_appends, more_dead_letters, record, until_done};
use crate::model::{Checkpoint, DeadLetter, DeadLetterChoice, FailureClass, Part};
use crate::read_store::{Claimed, TakeOver};
use crate::telemetry::happened;
use crate::worker::{Assignment, Narrow, Phase, StatusBoard, without_event};

/// A round this short brings the part close enough: the live generation stands
/// still for about as long as one more takes.
const SHORT: Duration = Duration::from_millis(500);

/// The most rounds that are read before the live generation is asked to stand
/// still all the same.
const MOST_ROUNDS: usize = 10;

/// Fills the generation of a part up to where the live one stands, about.
///
/// Never further: the live generation could not take over rows that have seen
/// events which are still before it.
pub(super) async fn fill_part(
    assignment: &Assignment,
    part: &Part,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> RebuildEnd {
    match come_close(assignment, part, status, stop).await {
        Ok(()) => RebuildEnd::Ready,
        Err(end) => end,
    }
}

async fn come_close(
    assignment: &Assignment,
    part: &Part,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> Result<(), RebuildEnd> {
    for _ in 0..MOST_ROUNDS {
        let started = Instant::now();
        let record = record(assignment, &stop).await?;
        let live = record.live().map(|live| &live.checkpoint);
        let live = live.ok_or_else(|| RebuildEnd::Gone("nothing is live any more".into()))?;
        let fill = assignment.narrowed(up_to(live, part));
        catch_up(&fill, status, stop.clone()).await?;
        if started.elapsed() < SHORT {
            break;
        }
    }
    // It has no indexes; this records that it is filled.
    until_done(assignment, &stop, || {
        assignment.store.build_indexes(assignment.generation)
    })
    .await
}

/// Has the live generation take over the rows of a part that is ready.
///
/// `live` and `part` are the assignments of the two generations. A failure is the
/// part's: the live generation goes on as it was.
pub async fn take_over(
    live: &Assignment,
    part: &Assignment,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> RebuildEnd {
    status.phase(Phase::TakingOver);
    match try_take_over(live, part, stop).await {
        Ok(()) => RebuildEnd::Live,
        Err(end) => end,
    }
}

async fn try_take_over(
    live: &Assignment,
    part: &Assignment,
    stop: watch::Receiver<bool>,
) -> Result<(), RebuildEnd> {
    // Appends that run it inline move its checkpoint whoever has the claim.
    let _held = hold_appends(live).await;
    let claim = until_done(live, &stop, || {
        live.store.claim(live.generation, &live.owner)
    });
    let claim = match claim.await? {
        Claimed::Taken(claim) => claim,
        Claimed::Held { by } => return Err(RebuildEnd::Held { by }),
    };
    let record = record(part, &stop).await?;
    let building = record.building().filter(|it| it.id == part.generation);
    let building = building.ok_or_else(|| gone(part.generation))?;
    let Some(of) = building.scope.part() else {
        return Err(gone(part.generation));
    };
    if building.digest != *live.projector.digest() {
        let cause = "the live generation has another component by now".to_owned();
        let failure = without_event(FailureClass::Projector, cause, &building.digest);
        return Err(RebuildEnd::Failed(failure));
    }
    // The part's own progress is not the live generation's.
    let board = StatusBoard::new(part.update.clone());
    let rest = part.narrowed(up_to(&claim.checkpoint, of));
    catch_up(&rest, &board, stop.clone()).await?;
    is_no_worse(live, part, of, &stop).await?;
    let taken = until_done(part, &stop, || {
        live.store.take_over(&claim, part.generation)
    });
    match taken.await? {
        TakeOver::Done => {
            let name = &live.projector.description().name;
            happened::part_taken_over(name, live.generation, of, &claim.checkpoint);
            Ok(())
        }
        TakeOver::Fenced(how) => Err(RebuildEnd::Gone(how)),
        TakeOver::Gone => Err(gone(part.generation)),
    }
}

/// A part with more dead letters than the live generation has of it would take
/// rows away from readers.
async fn is_no_worse(
    live: &Assignment,
    part: &Assignment,
    of: &Part,
    stop: &watch::Receiver<bool>,
) -> Result<(), RebuildEnd> {
    let letters = |of: &Assignment| {
        let (store, generation) = (of.store.clone(), of.generation);
        async move {
            let all = DeadLetterChoice::All;
            store.dead_letters(generation, &all, usize::MAX).await
        }
    };
    let building = until_done(part, stop, || letters(part)).await?;
    let theirs = until_done(part, stop, || letters(live)).await?;
    let is_of_part = |letter: &&DeadLetter| of.has(&letter.tenant, &letter.stream);
    let theirs = theirs.iter().filter(is_of_part).count();
    match more_dead_letters(part, building.len() as u64, theirs as u64) {
        Some(failed) => Err(failed),
        None => Ok(()),
    }
}

fn up_to(checkpoint: &Checkpoint, part: &Part) -> Narrow {
    Narrow {
        until: Some(checkpoint.position()),
        part: Some(part.clone()),
    }
}
