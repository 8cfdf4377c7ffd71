//! How a projector is worked: what can be said of all, and of a single one.

use super::pacing::Pacing;
use super::update::UpdateSettings;

/// How one projector is worked. In `lantern.toml` the same keys stand for all
/// projectors at the top, and for a single one under `[projectors.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectorSettings {
    /// How much its worker takes at a time.
    pub pacing: Pacing,
    /// What becomes of events that it cannot project.
    pub failure: FailurePolicy,
    /// When it works, once readers see its rows.
    pub update: UpdateSettings,
    /// How much may wait, if it asks for strict order.
    pub order: OrderSettings,
}

/// How much may wait for strict order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSettings {
    /// The most events that wait for an earlier version of their entity; the
    /// projector stops when there are more.
    pub most_waiting: usize,
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            most_waiting: 10_000,
        }
    }
}

/// What becomes of an event that a projector cannot project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailurePolicy {
    /// While readers see its rows.
    pub live: OnFailure,
    /// While a generation is built beside them.
    pub rebuild: OnFailure,
    /// How often an event is tried again before it counts as failed, live.
    pub live_retries: usize,
    /// The same in a rebuild.
    pub rebuild_retries: usize,
    /// The most dead letters of one projector; it stops at the next one.
    pub most_dead_letters: usize,
}

/// What is done about an event that cannot be projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The projector stands still before it, and says so.
    Stop,
    /// The event and all later ones of its stream become dead letters; other
    /// streams flow on.
    Quarantine,
}

/// What becomes of an event that cannot be projected, in one situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// What is done about it.
    pub on_failure: OnFailure,
    /// How often it is tried again first.
    pub retries: usize,
    /// The most dead letters.
    pub most_dead_letters: usize,
}

impl FailurePolicy {
    /// While readers see the rows.
    pub fn while_live(&self) -> Failing {
        Failing {
            on_failure: self.live,
            retries: self.live_retries,
            most_dead_letters: self.most_dead_letters,
        }
    }

    /// While a generation is built beside them.
    pub fn while_rebuilding(&self) -> Failing {
        Failing {
            on_failure: self.rebuild,
            retries: self.rebuild_retries,
            most_dead_letters: self.most_dead_letters,
        }
    }
}

impl Default for FailurePolicy {
    fn default() -> Self {
        Self {
            live: OnFailure::Stop,
            rebuild: OnFailure::Stop,
            live_retries: 2,
            rebuild_retries: 0,
            most_dead_letters: 10_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_has_a_policy_of_its_own() {
        let usual = FailurePolicy::default();
        let (live, rebuild) = (usual.while_live(), usual.while_rebuilding());
        assert_eq!((live.on_failure, live.retries), (OnFailure::Stop, 2));
        // Nobody waits for it: to stop at once loses nothing.
        assert_eq!((rebuild.on_failure, rebuild.retries), (OnFailure::Stop, 0));
        let other = FailurePolicy {
            live: OnFailure::Quarantine,
            rebuild_retries: 5,
            ..usual
        };
        assert_eq!(other.while_live().on_failure, OnFailure::Quarantine);
        assert_eq!(other.while_live().retries, 2);
        assert_eq!(other.while_rebuilding().on_failure, OnFailure::Stop);
        assert_eq!(other.while_rebuilding().retries, 5);
    }
}
