//! At most one host works in a data directory.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often, and how far apart, the lock is tried.
const PROBES: u32 = 5;
const PROBE: Duration = Duration::from_millis(20);

/// Held by the host that works in a data directory. The system lets go of it
/// when the process ends, however it ends.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A host is running already.
    #[error("a host is already running on {}", dir.display())]
    Held {
        /// The data directory.
        dir: PathBuf,
    },
    /// The lock file cannot be used.
    #[error("{} cannot be locked", path.display())]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl HostLock {
    /// Takes the lock of a data directory, if no host holds it.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] when another process holds it.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let path = data_dir.join("lantern.lock");
        let unusable = |source| LockError::Unusable {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(data_dir).map_err(unusable)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(unusable)?;
        for _ in 0..PROBES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // Perhaps only held for the moment that `is_held` takes.
                Err(TryLockError::WouldBlock) => std::thread::sleep(PROBE),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
        }
        Err(LockError::Held {
            dir: data_dir.to_owned(),
        })
    }

    /// Whether a host works in a data directory.
    pub fn is_held(data_dir: &Path) -> bool {
        let probed = File::open(data_dir.join("lantern.lock")).map(|file| file.try_lock_shared());
        matches!(probed, Ok(Err(TryLockError::WouldBlock)))
    }
}
