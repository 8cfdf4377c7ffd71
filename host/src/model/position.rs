//! Where a reader stands in a source.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in one partition of a source: the number of its event, counted from
/// 1. Position 0 is before the first event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a projector has come: for each partition of its source, the position
/// of the last event whose effect is in the read model.
///
/// A source with one log, such as the embedded event store, has the single
/// partition `""`. A partition that is not named stands at position 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checkpoint(BTreeMap<String, Position>);

impl Checkpoint {
    /// The checkpoint before the first event of any source.
    pub fn start() -> Self {
        Self::default()
    }

    /// The checkpoint of a source with a single log.
    pub fn at(position: Position) -> Self {
        Self::from_partitions([(String::new(), position)])
    }

    /// A checkpoint of several partitions. Position 0 is left out, as it says
    /// nothing.
    pub fn from_partitions(partitions: impl IntoIterator<Item = (String, Position)>) -> Self {
        Self(
            partitions
                .into_iter()
                .filter(|(_, position)| *position > Position(0))
                .collect(),
        )
    }

    /// The position in one partition.
    pub fn partition(&self, name: &str) -> Position {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// The position of a source with a single log.
    pub fn position(&self) -> Position {
        self.partition("")
    }

    /// The partitions that have been read from, in the order of their names.
    pub fn partitions(&self) -> impl Iterator<Item = (&str, Position)> {
        self.0
            .iter()
            .map(|(name, position)| (name.as_str(), *position))
    }

    /// Whether this checkpoint is at or past `other` in every partition.
    pub fn reaches(&self, other: &Checkpoint) -> bool {
        other
            .partitions()
            .all(|(name, position)| self.partition(name) >= position)
    }

    /// The later position of the two in every partition.
    pub fn furthest(mut self, other: &Checkpoint) -> Checkpoint {
        for (name, position) in &other.0 {
            let here = self.0.entry(name.clone()).or_default();
            *here = (*here).max(*position);
        }
        self
    }

    /// How many positions lie between this checkpoint and `head`, over all
    /// partitions: the lag, in events.
    pub fn lag_to(&self, head: &Checkpoint) -> u64 {
        head.partitions()
            .map(|(name, position)| position.0.saturating_sub(self.partition(name).0))
            .sum()
    }
}

impl From<Position> for Checkpoint {
    fn from(position: Position) -> Self {
        Self::at(position)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.keys().all(String::is_empty) {
            return self.position().fmt(f);
        }
        for (i, (name, position)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}:{position}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reaches_another_only_in_every_partition() {
        let here =
            Checkpoint::from_partitions([("a".into(), Position(5)), ("b".into(), Position(2))]);
        let there =
            Checkpoint::from_partitions([("a".into(), Position(4)), ("b".into(), Position(3))]);
        assert!(!here.reaches(&there));
        assert!(!there.reaches(&here));
        assert!(here.reaches(&Checkpoint::start()));
        assert_eq!(there.lag_to(&here), 1);
        let both =
            Checkpoint::from_partitions([("a".into(), Position(5)), ("b".into(), Position(3))]);
        assert_eq!(here.furthest(&there), both);
    }
}
