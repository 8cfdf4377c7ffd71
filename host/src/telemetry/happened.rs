//! What happens in a host: one function each, which tells it once and with
//! the same names of fields everywhere.
//!
//! Fields: `projector`, `generation`, `version`, `digest`, `file`, `position`,
//! `error`, `pause_ms`. An error is told with its causes, on one line.

use std::error::Error;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::causes::in_one_line;
use crate::model::{Checkpoint, Digest, Failure, GenerationId, Part, Position, ProjectorName};

// ---- the host ---------------------------------------------------------------

/// A host began its work.
pub fn host_started(instance: &str) {
    info!(instance, "host started");
}

/// A host stopped in good order.
pub fn host_stopped(instance: &str) {
    info!(instance, "host stopped");
}

/// Something that is not a projector's fault failed and will be tried again.
pub fn retrying(what: &str, error: &(dyn Error + 'static), pause: Duration) {
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    warn!(what, error = %in_one_line(error), pause_ms, "failed, trying again");
}

/// The folder of projectors is not announced by the system; it is read from
/// time to time instead.
pub fn watching_by_rescan(error: &(dyn Error + 'static)) {
    warn!(error = %in_one_line(error), "no announcements of changes; the folder is read from time to time");
}

// ---- files ------------------------------------------------------------------

/// A component was read, checked and accepted.
pub fn projector_loaded(
    projector: &ProjectorName,
    version: &semver::Version,
    digest: &Digest,
    file: &str,
) {
    info!(%projector, %version, %digest, file, "projector loaded");
}

/// A file was not taken into use.
pub fn file_refused(file: &str, reason: &str) {
    warn!(file, reason, "file refused");
}

/// A projector's file is gone; its data stays.
pub fn file_gone(projector: &ProjectorName, file: &str) {
    warn!(%projector, file, "file gone: the projector stands still, its data stays");
}

// ---- projectors -------------------------------------------------------------

/// A worker began to fill a generation.
pub fn projector_started(
    projector: &ProjectorName,
    generation: GenerationId,
    checkpoint: &Checkpoint,
) {
    info!(%projector, %generation, position = %checkpoint, "projector started");
}

/// A worker ended because it was asked to.
pub fn projector_stopped(
    projector: &ProjectorName,
    generation: GenerationId,
    checkpoint: &Checkpoint,
) {
    info!(%projector, %generation, position = %checkpoint, "projector stopped");
}

/// A projector failed and stands still.
pub fn projector_stopped_by_failure(
    projector: &ProjectorName,
    version: &semver::Version,
    generation: GenerationId,
    failure: &Failure,
) {
    let next_step = failure.next_step.as_str();
    // A guest's own words may hold line breaks; a line of the log is one line.
    let error = failure.to_string().replace('\n', " ");
    error!(%projector, %version, %generation, error, next_step, "projector stopped by a failure");
}

/// Somebody else works on a generation now.
pub fn fenced(projector: &ProjectorName, generation: GenerationId, reason: &str) {
    warn!(%projector, %generation, reason, "another worker has taken over");
}

/// A projector wrote a log line, at this level of its own choice.
pub fn guest_said(projector: &str, level: tracing::Level, position: Option<u64>, text: &str) {
    // The macros want their level as a constant.
    match level {
        tracing::Level::ERROR => error!(projector, position, "{text}"),
        tracing::Level::WARN => warn!(projector, position, "{text}"),
        tracing::Level::INFO => info!(projector, position, "{text}"),
        tracing::Level::DEBUG => debug!(projector, position, "{text}"),
        tracing::Level::TRACE => tracing::trace!(projector, position, "{text}"),
    }
}

/// A projector wrote more log lines than it may.
pub fn guest_lines_dropped(projector: &str, lines: usize) {
    warn!(
        projector,
        lines, "log lines dropped, above `limits.log_lines` of one batch"
    );
}

// ---- generations ------------------------------------------------------------

/// A new generation is being filled beside the live one.
pub fn rebuild_started(
    projector: &ProjectorName,
    generation: GenerationId,
    version: &semver::Version,
) {
    info!(%projector, %generation, %version, "rebuild started");
}

/// A generation that was being filled was given up.
pub fn rebuild_given_up(projector: &ProjectorName, generation: GenerationId, reason: &str) {
    warn!(%projector, %generation, reason, "rebuild given up");
}

/// A batch could not be projected; its events are taken in ever smaller lots, so
/// that the one at fault is found.
pub fn going_carefully(projector: &ProjectorName, first: Position, last: Position, cause: &str) {
    warn!(%projector, %first, %last, cause, "batch failed: its events are taken in smaller lots");
}

/// An event was set aside, and its stream with it.
pub fn quarantined(projector: &ProjectorName, position: Position, stream: &str, cause: &str) {
    let cause = cause.replace('\n', " ");
    warn!(%projector, %position, stream, cause, "event set aside: its stream waits, others go on (`lantern dead-letters`)");
}

/// A dead letter could be projected after all.
pub fn dead_letter_projected(projector: &ProjectorName, position: Position, stream: &str) {
    info!(%projector, %position, stream, "dead letter projected");
}

/// A dead letter was tried again in vain.
pub fn dead_letter_failed_again(
    projector: &ProjectorName,
    position: Position,
    stream: &str,
    cause: &str,
) {
    let cause = cause.replace('\n', " ");
    warn!(%projector, %position, stream, cause, "dead letter failed again");
}

/// A generation's secondary indexes were made.
pub fn indexes_built(projector: &ProjectorName, generation: GenerationId, took: Duration) {
    info!(%projector, %generation, seconds = took.as_secs_f64(), "indexes built");
}

/// Readers see another generation.
pub fn swapped(projector: &ProjectorName, generation: GenerationId, version: &semver::Version) {
    info!(%projector, %generation, %version, "swapped: readers see the new generation");
}

/// The live generation's rows of a part were replaced by those made anew.
pub fn part_taken_over(
    projector: &ProjectorName,
    generation: GenerationId,
    part: &Part,
    checkpoint: &Checkpoint,
) {
    info!(%projector, %generation, %part, position = %checkpoint, "rebuilt in part: readers see the new rows");
}

/// Appends run a projector from now on.
pub fn handed_to_appends(projector: &ProjectorName, generation: GenerationId) {
    info!(%projector, %generation, "runs inline: within every append");
}

/// A projector that should run inline cannot yet.
pub fn not_handed_to_appends(
    projector: &ProjectorName,
    generation: GenerationId,
    cause: &(dyn Error + 'static),
) {
    warn!(%projector, %generation, cause = %in_one_line(cause), "cannot run inline yet; goes on beside the appends");
}

/// A projector is set to run inline and never can.
pub fn never_handed_to_appends(projector: &ProjectorName, generation: GenerationId) {
    warn!(%projector, %generation, "asks for strict order, so it cannot run inline; works beside the appends");
}

/// Appends run a projector no longer.
pub fn taken_from_appends(projector: &str) {
    info!(%projector, "runs inline no longer");
}

/// Another component of the same version goes on from the checkpoint.
pub fn hot_reloaded(projector: &ProjectorName, generation: GenerationId, digest: &Digest) {
    info!(%projector, %generation, %digest, "component replaced, same version: goes on from its checkpoint");
}

/// A swap did not get its lock in time and will be tried again.
pub fn swap_put_off(projector: &ProjectorName, held_by: &str) {
    warn!(%projector, held_by, "the swap waits for readers; tried again in a moment");
}

/// Another host works on a generation; this one stands by.
pub fn standing_by(projector: &ProjectorName, generation: GenerationId, held_by: &str) {
    info!(%projector, %generation, held_by, "another host has it; standing by");
}

/// This host works on what another had.
pub fn taken_over(projector: &ProjectorName, generation: GenerationId, from: &str) {
    info!(%projector, %generation, from, "taken over from another host");
}

/// Something that could not be used can be used again.
pub fn back(what: &str) {
    info!("{what} can be used again");
}
