//! The readers' names: had, handed over, given up.
//!
//! A view is changed under the one lock that keeps readers out, and new readers
//! queue behind whoever waits for that lock. So all names are taken before
//! anything is done to them, and the wait for all together is bounded.

use std::collections::BTreeMap;
use std::time::Instant;

use sqlx::postgres::PgConnection;

use super::carry::{View, give_table_grants};
use super::change::{execute, limit};
use super::ddl::Shown;
use super::error::{detail, failed, is_depended_upon, is_lock_not_had};
use super::space::Space;
use crate::model::{Generation, Table};
use crate::read_store::StoreError;
use crate::read_store::schema::quoted;

/// Why names could not be had or changed.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Somebody held a lock for too long.
    Busy,
    /// Anything else.
    Store(StoreError),
}

impl From<sqlx::Error> for Obstacle {
    fn from(error: sqlx::Error) -> Self {
        match is_lock_not_had(&error) {
            true => Obstacle::Busy,
            false => Obstacle::Store(failed(error)),
        }
    }
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        let is_busy = match &error {
            StoreError::Unavailable(cause) => cause.downcast_ref().is_some_and(is_lock_not_had),
            _ => false,
        };
        match is_busy {
            true => Obstacle::Busy,
            false => Obstacle::Store(error),
        }
    }
}

/// Takes the readers' names of some tables, until the transaction ends. Gives
/// the views that there are, by their names.
pub(super) async fn take_names(
    connection: &mut PgConnection,
    space: &Space,
    tables: &[Table],
) -> Result<BTreeMap<String, View>, Obstacle> {
    // Read first, as nobody need wait for that.
    let mut views = BTreeMap::new();
    for name in tables.iter().flat_map(Table::readers_names) {
        if let Some(view) = View::read(connection, space, &name).await? {
            views.insert(name, view);
        }
    }
    let deadline = Instant::now() + space.lock_wait;
    for (name, view) in &views {
        // `LOCK TABLE` would go on to the physical table, and wait for everybody
        // there. To give a view to the owner it has locks the view alone, and does
        // nothing more.
        let remaining = deadline.saturating_duration_since(Instant::now());
        let take = format!(
            "{}; ALTER VIEW {} OWNER TO {}",
            limit(remaining),
            space.name(name),
            quoted(&view.owner)
        );
        execute(connection, take).await?;
    }
    execute(connection, limit(space.lock_wait)).await?;
    Ok(views)
}

/// Makes the readers' names show another generation. The names are had, and
/// `views` are what they show so far.
pub(super) async fn hand_over(
    connection: &mut PgConnection,
    space: &Space,
    views: &BTreeMap<String, View>,
    from: Option<&Generation>,
    to: &Generation,
) -> Result<(), Obstacle> {
    let all_shown = Shown::all(&to.description.tables);
    let shown_as = |name: &str| all_shown.iter().find(|shown| shown.name == name);
    // Names given up first: a new one may be that of something dropped here.
    for (name, view) in views {
        if !shown_as(name).is_some_and(|shown| view.fits(shown)) {
            drop_view(connection, space, name).await?;
        }
    }
    for shown in &all_shown {
        match views.get(&shown.name) {
            Some(view) if view.fits(shown) => view.replace(connection, space, to.id, shown).await?,
            Some(view) => view.make_anew(connection, space, to.id, shown).await?,
            None => execute(connection, shown.create(space, to.id)).await?,
        }
        if let (Some(from), Some(view)) = (from, views.get(&shown.name)) {
            give_table_grants(connection, space, view, from.id, to.id, shown.table).await?;
        }
    }
    Ok(())
}

/// Drops a view whose name is had.
pub(super) async fn drop_view(
    connection: &mut PgConnection,
    space: &Space,
    name: &str,
) -> Result<(), Obstacle> {
    let dropped = execute(connection, format!("DROP VIEW {}", space.name(name))).await;
    dropped.map_err(|error| match is_depended_upon(&error) {
        true => Obstacle::Store(StoreError::DependedUpon {
            table: name.to_owned(),
            dependents: detail(&error).unwrap_or_default().replace('\n', "; "),
        }),
        false => error.into(),
    })
}
