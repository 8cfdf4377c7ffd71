//! The words that an event may use where it has a choice. Any other word is a
//! malformed event, and the message lists those there are.

use lantern_sdk::{CellReader, CellWriter, ColumnType, Error, Result, Value};
use serde::Deserialize;

/// Makes an enum of words: read from a payload, kept in a text column.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word as events and readers write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Value for $name {
            const TYPE: ColumnType = ColumnType::Text;
            type Stored = Self;

            fn write(&self, to: &mut CellWriter<'_>) {
                to.text(self.as_str());
            }

            fn read(from: &mut CellReader<'_>) -> Result<Self> {
                match from.text()? {
                    $($word => Ok(Self::$variant),)+
                    other => Err(Error::new(format_args!(
                        "`{other}` is no {}",
                        stringify!($name)
                    ))),
                }
            }
        }
    };
}

words! {
    /// How an active task stands.
    TaskStatus {
        /// It is being worked on.
        Running = "running",
        /// It waits.
        Paused = "paused",
    }
}

words! {
    /// How an integration works.
    Health {
        /// As it should.
        Healthy = "healthy",
        /// With failures.
        Degraded = "degraded",
        /// Not at all.
        Down = "down",
    }
}

words! {
    /// Whether an integration lets us in.
    AuthStatus {
        /// It does.
        Valid = "valid",
        /// It soon will not.
        Expiring = "expiring",
        /// No longer: too old.
        Expired = "expired",
        /// No longer: taken back.
        Revoked = "revoked",
    }
}

words! {
    /// Whether an integration takes more calls.
    RateLimitState {
        /// It does.
        Open = "open",
        /// Not before its limit is reset.
        Limited = "limited",
    }
}

words! {
    /// How much an agent may do by itself.
    Level {
        /// Nothing: it suggests.
        Manual = "manual",
        /// What is approved.
        Supervised = "supervised",
        /// All but what its rules except.
        Conditional = "conditional",
        /// All.
        Full = "full",
    }
}

words! {
    /// How bad it is that an alarm was raised.
    Severity {
        /// To be known.
        Info = "info",
        /// To be looked at.
        Warning = "warning",
        /// To be looked at now.
        Critical = "critical",
    }
}

words! {
    /// How an alarm stands.
    AlarmStatus {
        /// Nobody has seen to it.
        Open = "open",
        /// Somebody does.
        Acked = "acked",
        /// It is over.
        Resolved = "resolved",
    }
}
