//! A folder's changes, settled, as one stream of candidates.
//!
//! The folder is watched, not its files, because files are replaced by renaming
//! and a watch on the former file sees nothing. The system's notices only say
//! when to look; what counts is what a look finds: a file is a candidate when
//! two looks, a debounce apart, find the same length and time of change. A look
//! every now and then finds what no notice was given of (network drives,
//! containers). The watcher reads bytes and judges none of them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use crate::telemetry::happened;

/// Something that happened in the folder.
#[derive(Debug, Clone)]
pub enum Change {
    /// A file is there, new or changed, and no longer being written to.
    Settled {
        /// Its name.
        file: String,
        /// What is in it.
        bytes: Arc<Vec<u8>>,
        /// When it was last written to.
        modified: SystemTime,
    },
    /// A file cannot be read.
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A file is gone.
    Gone {
        /// Its name.
        file: String,
    },
}

/// Watches one folder for `.wasm` files.
pub struct FolderWatcher {
    dir: PathBuf,
    debounce: Duration,
    rescan: Duration,
    files: BTreeMap<String, Seen>,
    noticed: Arc<Notify>,
    looked_at: Instant,
    // Held so that notices keep coming.
    _system: Option<notify::RecommendedWatcher>,
}

/// What two looks must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    len: u64,
    modified: SystemTime,
}

#[derive(Debug)]
struct Seen {
    look: Look,
    since: Instant,
    reported: bool,
}

impl FolderWatcher {
    /// Begins to watch a folder, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or read.
    pub fn new(dir: &Path, debounce: Duration, rescan: Duration) -> std::io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        std::fs::read_dir(dir)?;
        let noticed = Arc::new(Notify::new());
        Ok(Self {
            dir: dir.to_owned(),
            debounce,
            rescan,
            files: BTreeMap::new(),
            _system: watch(dir, noticed.clone()),
            noticed,
            looked_at: Instant::now(),
        })
    }

    /// The names of the files that are there now.
    pub fn names(&self) -> HashSet<String> {
        looks(&self.dir).into_keys().collect()
    }

    /// The names of the files that the last look found, settled or not.
    pub fn present(&self) -> HashSet<String> {
        self.files.keys().cloned().collect()
    }

    /// Whether everything that is there has been reported.
    pub fn is_settled(&self) -> bool {
        self.files.values().all(|seen| seen.reported)
    }

    /// Has a file reported again at the next look, changed or not.
    pub fn reconsider(&mut self, file: &str) {
        if let Some(seen) = self.files.get_mut(file) {
            seen.reported = false;
            self.noticed.notify_one();
        }
    }

    /// Waits until something has happened and settled. Cancel safe: what was
    /// noticed is not forgotten, and the folder is not looked at more often
    /// because this is called more often.
    pub async fn changes(&mut self) -> Vec<Change> {
        loop {
            let pause = if self.is_settled() {
                self.rescan
            } else {
                self.debounce
            };
            let due = self.looked_at + pause;
            // Either way the next look follows; a notice only makes it come sooner,
            // and what it is about still has to settle.
            let _ = tokio::time::timeout_at(due.into(), self.noticed.notified()).await;
            let changes = self.look();
            if !changes.is_empty() {
                return changes;
            }
        }
    }

    /// Looks at the folder once, and says what is new and settled.
    pub fn look(&mut self) -> Vec<Change> {
        let now = Instant::now();
        self.looked_at = now;
        let found = looks(&self.dir);
        let mut changes = Vec::new();
        self.files.retain(|file, _| {
            let there = found.contains_key(file);
            if !there {
                changes.push(Change::Gone { file: file.clone() });
            }
            there
        });
        for (file, look) in found {
            let first_look = !self.files.contains_key(&file);
            let seen = self.files.entry(file.clone()).or_insert(Seen {
                look,
                since: now,
                reported: false,
            });
            if seen.look != look {
                *seen = Seen {
                    look,
                    since: now,
                    reported: false,
                };
            }
            let settled = now.duration_since(seen.since) >= self.debounce
                || (first_look && is_old(look, self.debounce));
            if settled && !seen.reported {
                seen.reported = true;
                changes.push(read(&self.dir, file, look));
            }
        }
        changes
    }
}

impl std::fmt::Debug for FolderWatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderWatcher")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

/// A file that was last written to long ago need not be looked at twice.
fn is_old(look: Look, debounce: Duration) -> bool {
    look.modified.elapsed().is_ok_and(|age| age > debounce * 4)
}

fn watch(dir: &Path, noticed: Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let notice = move |event: notify::Result<notify::Event>| {
        // Being read is no change; taking it for one would make looks beget looks.
        if event.map_or(true, |event| !event.kind.is_access()) {
            noticed.notify_one();
        }
    };
    let watched = notify::recommended_watcher(notice).and_then(|mut watcher| {
        watcher.watch(dir, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched
        .inspect_err(|error| happened::watching_by_rescan(error))
        .ok()
}

fn looks(dir: &Path) -> BTreeMap<String, Look> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        // Gone for the moment, or for good: nothing is there.
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Follows symbolic links, which is how some systems switch versions.
        let Ok(about) = std::fs::metadata(entry.path()) else {
            continue;
        };
        let is_candidate = name.ends_with(".wasm") && !name.starts_with('.') && about.is_file();
        if let (true, Ok(modified)) = (is_candidate, about.modified()) {
            found.insert(
                name,
                Look {
                    len: about.len(),
                    modified,
                },
            );
        }
    }
    found
}

fn read(dir: &Path, file: String, look: Look) -> Change {
    match std::fs::read(dir.join(&file)) {
        Ok(bytes) => Change::Settled {
            file,
            bytes: Arc::new(bytes),
            modified: look.modified,
        },
        Err(error) => Change::Unreadable {
            file,
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(changes: &[Change]) -> Vec<String> {
        let name = |change: &Change| match change {
            Change::Settled { file, bytes, .. } => format!("{file}={}", bytes.len()),
            Change::Gone { file } => format!("{file} gone"),
            Change::Unreadable { file, .. } => format!("{file}?"),
        };
        changes.iter().map(name).collect()
    }

    #[tokio::test]
    async fn a_file_is_reported_once_it_has_settled_and_when_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        let debounce = Duration::from_millis(40);
        let mut watcher =
            FolderWatcher::new(dir.path(), debounce, Duration::from_secs(30)).unwrap();
        let path = dir.path().join("a.wasm");
        std::fs::write(&path, "half").unwrap();
        std::fs::write(dir.path().join("notes.txt"), "no candidate").unwrap();
        assert!(watcher.look().is_empty(), "it may still be written to");
        std::fs::write(&path, "the whole").unwrap();
        assert_eq!(names(&watcher.changes().await), ["a.wasm=9"]);
        assert!(watcher.look().is_empty(), "nothing has changed");

        std::fs::write(dir.path().join("new"), "another one").unwrap();
        std::fs::rename(dir.path().join("new"), &path).unwrap();
        assert_eq!(names(&watcher.changes().await), ["a.wasm=11"]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(names(&watcher.changes().await), ["a.wasm gone"]);
    }
}
