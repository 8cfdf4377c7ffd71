//! How certain a commit is.

/// What survives a power failure. A crash of the process alone loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Every commit reaches the disk before it counts.
    Full,
    /// The last commits may be lost, rows and checkpoint alike: the projector
    /// then does them again from its events. The database is never damaged.
    #[default]
    Normal,
}
