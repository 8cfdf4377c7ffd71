//! What can go wrong when a component is loaded or runs.

use crate::model::InvalidDescription;

/// Why a file was not taken as a projector. Nothing of it has run, except
/// perhaps its `describe`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    /// The engine itself cannot be set up.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
    /// It is too large.
    #[error("the file has {bytes} bytes; the limit is {limit} (limits.component_mib)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no WebAssembly at all.
    #[error("it is not a WebAssembly file")]
    NotWasm,
    /// It is a core module.
    #[error("it is a core WebAssembly module, not a component; build it with `lantern build`")]
    CoreModule,
    /// The engine refuses it: damaged, cut off, or made with something that is
    /// switched off here.
    #[error("it is not a valid component: {0}")]
    Invalid(String),
    /// It exports no projector. A file still being written can look like this.
    #[error("it exports no `lantern:projector/projection`, so it is no projector")]
    NotAProjector,
    /// It speaks a version of the interface that this host does not.
    #[error("it was built for lantern:projector {built_for}; this host serves {served}: {advice}")]
    WrongVersion {
        /// The version it was built for.
        built_for: String,
        /// The versions served.
        served: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It wants something that this host does not offer.
    #[error("it imports `{import}`, which a projector is not given{advice}")]
    ForbiddenImport {
        /// The import's name.
        import: String,
        /// What to do, where there is something.
        advice: &'static str,
    },
    /// It could not be linked although its imports have the right names.
    #[error("it does not fit the interface: {0}")]
    Mismatch(String),
    /// `describe` failed.
    #[error("its `describe` failed")]
    Describe(#[source] ProjectError),
    /// What it says of itself is not sound.
    #[error("what it says of itself is not sound")]
    Description(#[from] InvalidDescription),
}

impl LoadError {
    /// Whether the file may simply not be complete yet.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(
            self,
            LoadError::NotWasm | LoadError::Invalid(_) | LoadError::NotAProjector
        )
    }
}

/// Why a batch could not be projected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProjectError {
    /// The projector returned an error.
    #[error("the projector refused the event: {message}")]
    Returned {
        /// The event, as an index into the batch.
        event: u32,
        /// In the projector's words.
        message: String,
    },
    /// The projector panicked and said why.
    #[error("the projector panicked: {message}")]
    Panicked {
        /// The event, as an index into the batch.
        event: u32,
        /// In the projector's words.
        message: String,
    },
    /// The projector trapped.
    #[error("the projector trapped: {trap}{}", shown_frames(frames))]
    Trapped {
        /// What the engine says.
        trap: String,
        /// The functions it was in, innermost first.
        frames: Vec<String>,
    },
    /// It ran for too long.
    #[error("the projector did not finish within {seconds} s ({limit})")]
    TimedOut {
        /// The limit.
        seconds: f64,
        /// The limit's name.
        limit: &'static str,
    },
    /// It went past a limit.
    #[error("{0}")]
    Limit(String),
    /// The provider of rows ended the batch, and knows why.
    #[error("the host ended the batch")]
    Refused,
    /// The engine failed in a way that is not the projector's doing.
    #[error("the WebAssembly engine failed: {0}")]
    Engine(String),
}

impl ProjectError {
    /// The event to blame, as an index into the batch, when it is known.
    pub fn event(&self) -> Option<usize> {
        match self {
            ProjectError::Returned { event, .. } | ProjectError::Panicked { event, .. } => {
                Some(*event as usize)
            }
            _ => None,
        }
    }
}

fn shown_frames(frames: &[String]) -> String {
    if frames.is_empty() {
        return String::new();
    }
    format!(" in {}", frames.join(" < "))
}
