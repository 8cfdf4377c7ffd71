//! The events that the tests' projectors count. Each projector is a cargo
//! example of this package, small enough to be read beside the test that uses it.

use lantern_sdk::Events;

/// What is counted.
#[derive(Events)]
pub enum Counting {
    /// A counter, which is the event's stream, went up.
    #[event("counter.increased")]
    Increased {
        /// By how much.
        by: i64,
        /// Whether a picky projector should stumble over it.
        #[serde(default)]
        poison: bool,
    },
}

/// What changes step by step.
#[derive(Events)]
pub enum Changing {
    /// An entity changed.
    #[event("entity.changed")]
    Changed {
        /// Its name.
        entity: String,
        /// Whether it is gone.
        #[serde(default)]
        gone: bool,
        /// What is added to it.
        #[serde(default)]
        add: i64,
        /// What is noted, if anything.
        #[serde(default)]
        note: Option<String>,
        /// Whether a picky projector should stumble over it.
        #[serde(default)]
        poison: bool,
    },
}

impl Changing {
    /// Whether a picky projector should stumble over it.
    pub fn is_poisonous(&self) -> bool {
        let Changing::Changed { poison, .. } = self;
        *poison
    }
}

/// Does what an event says: deletes, adds, patches.
#[macro_export]
macro_rules! change {
    ($event:ident, $rows:ident, $table:ident) => {
        let $crate::Changing::Changed {
            entity,
            gone,
            add,
            note,
            ..
        } = $event.data;
        if gone {
            $rows.delete($table::key(&entity));
        }
        if add != 0 {
            $rows.increment($table::key(&entity)).by($table::total, add);
        }
        if let Some(note) = note {
            $rows.patch($table::key(&entity)).set($table::note, note);
        }
    };
}
