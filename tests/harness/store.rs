//! Which stores a Lantern works on.

use std::fmt::Write;
use std::sync::Arc;

use lantern_test_servers::{Postgres, TestDatabase};

/// The schema of the read models in PostgreSQL, where it is not set.
pub(crate) const READ_MODELS: &str = "read_models";
/// The schema of the events in PostgreSQL, where it is not set.
pub(crate) const EVENTS: &str = "lantern_events";

/// A kind of store, for events and read models alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    /// Whether it can be had here. Where PostgreSQL is not installed, that is said.
    pub(crate) fn is_here(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => Postgres::shared().is_some(),
        }
    }

    /// As it ends the name of a test.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "on_sqlite",
            Self::Postgres => "on_postgres",
        }
    }
}

/// Makes two tests of each function that takes a [`Store`]: `f::on_sqlite` and
/// `f::on_postgres`.
macro_rules! on_each_store {
    ($($function:ident),+ $(,)?) => {$(
        mod $function {
            use crate::harness::Store;

            #[test]
            fn on_sqlite() {
                super::$function(Store::Sqlite);
            }

            #[test]
            fn on_postgres() {
                if Store::Postgres.is_here() {
                    super::$function(Store::Postgres);
                }
            }
        }
    )+};
}
pub(crate) use on_each_store;

/// Where one Lantern's events and read models are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In files of its folder.
    Files,
    /// In a database, which is dropped with its last Lantern.
    Database(Arc<TestDatabase>),
}

impl Place {
    /// A fresh one.
    pub(crate) fn new(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::Files,
            Store::Postgres => {
                let postgres = Postgres::shared().expect("it was asked whether it is here");
                Self::on(postgres)
            }
        }
    }

    /// A fresh database of a server.
    pub(crate) fn on(server: &Postgres) -> Self {
        Self::Database(Arc::new(server.database()))
    }

    /// The lines of `lantern.toml` that lead to it.
    pub(crate) fn settings(&self) -> String {
        let mut lines = String::new();
        if let Self::Database(database) = self {
            for key in ["event_store.url", "read_store.url"] {
                writeln!(lines, "{key} = \"{}\"", database.url())
                    .expect("a text takes what is written to it");
            }
        }
        lines
    }
}
