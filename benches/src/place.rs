//! Which store a measurement is made on.

use clap::ValueEnum;

use crate::postgres::Way;

/// Where to measure.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Place {
    /// The store for events and read models.
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    pub(crate) store: Store,
    /// Reach PostgreSQL over TCP instead of its Unix socket.
    #[arg(long)]
    tcp: bool,
}

/// A store.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

impl Place {
    /// How the server is reached.
    pub(crate) fn way(self) -> Way {
        if self.tcp { Way::Tcp } else { Way::Socket }
    }
}
