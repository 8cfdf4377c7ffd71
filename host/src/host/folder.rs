//! The watched folder's changes, brought to the catalog one at a time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use crate::catalog::{Accepted, Candidate, Catalog, Decision, Refusal};
use crate::model::Timestamp;
use crate::read_store::RefusedFile;
use crate::telemetry::{happened, in_one_line};
use crate::watcher::{Change, FolderWatcher};

/// How young a file must be for a fault in it to be put down to its not being
/// complete. It is looked at again, and judged then.
const YOUNG: Duration = Duration::from_secs(2);

/// The folder a host watches, and what is in it but not in use.
#[derive(Debug)]
pub struct Folder {
    watcher: Option<FolderWatcher>,
    refused: BTreeMap<String, RefusedFile>,
    /// Files that may still be incomplete, and when to look at them again.
    young: HashMap<String, Instant>,
}

impl Folder {
    /// A watched folder.
    pub fn watched(watcher: FolderWatcher) -> Self {
        Self {
            watcher: Some(watcher),
            ..Self::unwatched()
        }
    }

    /// No folder.
    pub fn unwatched() -> Self {
        Self {
            watcher: None,
            refused: BTreeMap::new(),
            young: HashMap::new(),
        }
    }

    /// The files that are not in use, and why.
    pub fn refused(&self) -> Vec<RefusedFile> {
        self.refused.values().cloned().collect()
    }

    /// Whether every file that is there has been judged.
    pub(super) fn is_settled(&self) -> bool {
        self.young.is_empty() && self.watcher.as_ref().is_none_or(FolderWatcher::is_settled)
    }

    /// Notes which files have gone while no host was looking.
    pub(super) async fn note_gone(&mut self, catalog: &Catalog) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        match catalog.files_gone(&watcher.names()).await {
            Ok(gone) => gone
                .iter()
                .for_each(|(name, file)| happened::file_gone(name, file)),
            Err(error) => happened::retrying("the watched folder", &error, YOUNG),
        }
    }

    /// What has settled by now, without waiting for more.
    pub(super) fn look(&mut self) -> Vec<Change> {
        self.watcher
            .as_mut()
            .map(FolderWatcher::look)
            .unwrap_or_default()
    }

    /// Waits for changes; for ever when no folder is watched. Cancel safe.
    pub(super) async fn changes(&mut self) -> Vec<Change> {
        let Some(watcher) = &mut self.watcher else {
            return std::future::pending().await;
        };
        watcher.changes().await
    }

    /// Has files judged again that were too young the first time.
    pub(super) fn look_at_young_again(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let now = Instant::now();
        self.young.retain(|file, due| {
            let is_due = *due <= now;
            if is_due {
                watcher.reconsider(file);
            }
            !is_due
        });
    }

    /// Brings changes to the catalog, in order.
    pub(super) async fn apply(&mut self, changes: Vec<Change>, catalog: &Catalog) {
        for change in changes {
            match change {
                Change::Settled {
                    file,
                    bytes,
                    modified,
                } => {
                    let age = modified.elapsed().unwrap_or_default();
                    self.consider(Candidate { file, bytes }, age, catalog).await;
                }
                Change::Unreadable { file, reason } => {
                    self.refuse(file, format!("it cannot be read: {reason}"))
                }
                Change::Gone { file } => self.gone(&file, catalog).await,
            }
        }
    }

    async fn consider(&mut self, candidate: Candidate, age: Duration, catalog: &Catalog) {
        let present = self
            .watcher
            .as_ref()
            .map(FolderWatcher::present)
            .unwrap_or_default();
        let file = candidate.file.clone();
        match catalog.consider(&candidate, &present).await {
            Ok(accepted) => {
                self.refused.remove(&file);
                tell(&file, &accepted);
            }
            Err(Refusal::Load(error)) if error.may_be_unfinished() && age < YOUNG => {
                self.young.insert(file, Instant::now() + YOUNG / 4);
            }
            Err(Refusal::Store(error)) if error.is_transient() => {
                happened::retrying("the watched folder", &error, YOUNG);
                self.young.insert(file, Instant::now() + YOUNG / 4);
            }
            Err(refusal) => self.refuse(file, in_one_line(&refusal)),
        }
    }

    async fn gone(&mut self, file: &str, catalog: &Catalog) {
        self.refused.remove(file);
        match catalog.file_gone(file).await {
            Ok(Some(name)) => happened::file_gone(&name, file),
            Ok(None) => {}
            Err(error) => happened::retrying("the watched folder", &error, YOUNG),
        }
        // What stood in another file's way may be gone.
        if let Some(watcher) = &mut self.watcher {
            self.refused
                .keys()
                .for_each(|other| watcher.reconsider(other));
        }
    }

    fn refuse(&mut self, file: String, reason: String) {
        let known = self
            .refused
            .get(&file)
            .is_some_and(|refused| refused.reason == reason);
        if !known {
            happened::file_refused(&file, &reason);
            let refused = RefusedFile {
                file: file.clone(),
                reason,
                at: Timestamp::now(),
            };
            self.refused.insert(file, refused);
        }
    }
}

fn tell(file: &str, accepted: &Accepted) {
    let about = accepted.projector.description();
    let digest = accepted.projector.digest();
    match &accepted.decision {
        Decision::Install => happened::projector_loaded(&about.name, &about.version, digest, file),
        Decision::HotReload(generation) => happened::hot_reloaded(&about.name, *generation, digest),
        Decision::Rebuild => {
            if let Some(generation) = accepted.generation {
                happened::rebuild_started(&about.name, generation, &about.version);
            }
        }
        Decision::KeepLive(generation) => {
            happened::rebuild_given_up(
                &about.name,
                *generation,
                "the live version is back in the folder",
            );
        }
        Decision::Nothing | Decision::Refuse(_) => {}
    }
}
