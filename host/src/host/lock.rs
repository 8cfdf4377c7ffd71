//! At most one host works in a data directory.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::random;

/// How often, and how far apart, the lock is tried.
const PROBES: u32 = 5;
const PROBE: Duration = Duration::from_millis(20);

/// Held by the host that works in a data directory. The system lets go of it
/// when the process ends, however it ends.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
    host: String,
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
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(unusable)?;
        for _ in 0..PROBES {
            match file.try_lock() {
                Ok(()) => {
                    let host = name_in(&mut file).map_err(unusable)?;
                    return Ok(Self { _file: file, host });
                }
                // Perhaps only held for the moment that `is_held` takes.
                Err(TryLockError::WouldBlock) => std::thread::sleep(PROBE),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
        }
        Err(LockError::Held {
            dir: data_dir.to_owned(),
        })
    }

    /// The host's name: the machine's, and something to tell its hosts apart. It
    /// stays the same for a data directory, so that a host that starts again can
    /// take up at once what it held before: this lock proves that its former
    /// process is no more.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name of the host of a data directory, if there has been one.
    pub fn name(data_dir: &Path) -> Option<String> {
        let name = std::fs::read_to_string(data_dir.join("lantern.lock")).ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Whether a host works in a data directory.
    pub fn is_held(data_dir: &Path) -> bool {
        let probed = File::open(data_dir.join("lantern.lock")).map(|file| file.try_lock_shared());
        matches!(probed, Ok(Err(TryLockError::WouldBlock)))
    }
}

/// The host's name as the lock file has it; the first to ask makes it.
fn name_in(file: &mut File) -> std::io::Result<String> {
    let mut name = String::new();
    file.read_to_string(&mut name)?;
    let name = name.trim();
    if !name.is_empty() {
        return Ok(name.to_owned());
    }
    let name = format!("{}-{:08x}", machine(), random() as u32);
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    Ok(name)
}

fn machine() -> String {
    let of_linux = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = of_linux
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .unwrap_or_default();
    let name: String = name.trim().chars().take(60).collect();
    if name.is_empty() { "host".into() } else { name }
}
