//! The fence: whether a commit may move a checkpoint.
//!
//! A commit is a compare-and-set. It names the epoch that its writer was given
//! and the checkpoint that it started from; what is stored must agree, or else
//! somebody came between and the rows to be written are based on a past that is
//! no more. Databases read a [`Standing`] inside the transaction of the commit,
//! under its write lock; the decision is the same for all of them.

use super::Swap;
use crate::model::{Checkpoint, Epoch, Generation, GenerationId, GenerationState, Scope};

/// What is stored about a generation at the moment of a commit.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) state: GenerationState,
    pub(super) epoch: Epoch,
    pub(super) checkpoint: Checkpoint,
}

/// Why a writer of `epoch` must not commit from the checkpoint `from`; `None`
/// when it may.
pub(super) fn refusal(
    generation: GenerationId,
    epoch: Epoch,
    from: &Checkpoint,
    standing: Option<&Standing>,
) -> Option<String> {
    let Some(standing) = standing else {
        return Some(format!("generation {generation} is gone"));
    };
    if standing.state == GenerationState::Retired {
        return Some(format!("generation {generation} is retired"));
    }
    if standing.epoch != epoch {
        let (theirs, ours) = (standing.epoch.0, epoch.0);
        return Some(format!(
            "another host took over (epoch {theirs}, ours {ours})"
        ));
    }
    if standing.checkpoint != *from {
        return Some(format!(
            "checkpoint stands at {}, not at {from}",
            standing.checkpoint
        ));
    }
    None
}

/// Whether a generation that is building may become live now. Readers never go
/// back in time, unless that is what was asked for.
pub(super) fn may_swap(next: &Generation, live: Option<&Generation>) -> Swap {
    let reaches = match &next.scope {
        // Its rows go into the live tables; alone they are not all there are.
        Scope::Part(_) => return Swap::Gone,
        Scope::UpTo(position) => next.checkpoint == Checkpoint::at(*position),
        Scope::All => live.is_none_or(|live| next.checkpoint.reaches(&live.checkpoint)),
    };
    match reaches {
        true => Swap::Done,
        false => Swap::Behind,
    }
}

/// The partitions whose position differs between two checkpoints, with the new
/// one; position 0 means that the partition is named no more.
pub(super) fn moved<'a>(
    from: &'a Checkpoint,
    to: &'a Checkpoint,
) -> impl Iterator<Item = (&'a str, u64)> {
    let left = from
        .partitions()
        .filter(|(name, _)| to.partition(name).0 == 0);
    let changed = to
        .partitions()
        .filter(|(name, position)| from.partition(name) != *position);
    left.map(|(name, _)| (name, 0))
        .chain(changed.map(|(name, position)| (name, position.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Position;

    #[test]
    fn only_partitions_that_moved_are_written() {
        let at = |list: &[(&str, u64)]| {
            Checkpoint::from_partitions(
                list.iter()
                    .map(|(name, p)| ((*name).to_owned(), Position(*p))),
            )
        };
        let from = at(&[("a", 1), ("b", 2), ("c", 3)]);
        let to = at(&[("a", 1), ("b", 5), ("d", 4)]);
        assert_eq!(
            moved(&from, &to).collect::<Vec<_>>(),
            [("c", 0), ("b", 5), ("d", 4)]
        );
    }
}
