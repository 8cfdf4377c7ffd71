//! Runs a host on the watched folder.

use tokio::sync::watch;

use super::error::OperationError;
use super::lantern::Lantern;
use crate::host::{Folder, Host, HostLock, RunReport, Until};
use crate::watcher::FolderWatcher;

/// Runs a host until it is done or `stop` becomes true.
///
/// # Errors
///
/// When a host already runs on the same data, or a store fails in a way that
/// does not pass.
pub async fn run(
    lantern: &Lantern,
    until: Until,
    stop: watch::Receiver<bool>,
) -> Result<RunReport, OperationError> {
    let lock = HostLock::take(&lantern.settings.data_dir)?;
    let dir = &lantern.settings.projectors_dir;
    let watch = &lantern.settings.watch;
    let watcher = FolderWatcher::new(dir, watch.debounce, watch.rescan).map_err(|source| {
        OperationError::Folder {
            path: dir.clone(),
            source,
        }
    })?;
    let host = Host::new(lantern.parts(&lock)?, Folder::watched(watcher));
    Ok(host.run(until, stop).await?)
}
