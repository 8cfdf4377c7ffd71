//! The host's own copies of components, by digest. Only these are compiled: a
//! file in the watched folder may change while it is being read.

use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::Digest;

/// An unfinished copy of this age was left behind by a process that is no more:
/// nobody writes a component for so long.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// A folder of components, each under its digest.
#[derive(Debug)]
pub(super) struct Components {
    dir: PathBuf,
}

impl Components {
    pub(super) fn open(dir: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Keeps some bytes, so that they survive whatever happens next.
    pub(super) fn keep(&self, digest: &Digest, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.path(digest);
        if path.exists() {
            return Ok(());
        }
        let unfinished = self
            .dir
            .join(format!("{}.{}.unfinished", digest.0, std::process::id()));
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        std::fs::File::open(&self.dir)?.sync_all()
    }

    /// Brings the bytes back. They are checked against the digest: a damaged copy
    /// must not be taken for the projector it once was.
    pub(super) fn bring(&self, digest: &Digest) -> std::io::Result<Vec<u8>> {
        let bytes = std::fs::read(self.path(digest))?;
        if Digest::of(&bytes) != *digest {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!(
                    "{} is damaged: its content does not match its name",
                    self.path(digest).display()
                ),
            ));
        }
        Ok(bytes)
    }

    /// Removes what no generation refers to.
    pub(super) fn sweep(&self, needed: &HashSet<Digest>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let digest = Digest(stem.unwrap_or_default().to_owned());
            if needed.contains(&digest) || is_being_written(&path) {
                continue;
            }
            match std::fs::remove_file(path) {
                // Another process has finished it, or swept, too.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{}.wasm", digest.0))
    }
}

/// Programs that append keep components here as well, for inline projectors.
fn is_being_written(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|file| file.modified());
    let age = written.ok().and_then(|at| at.elapsed().ok());
    path.extension().is_some_and(|it| it == "unfinished") && age.is_none_or(|age| age < LEFT_BEHIND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_leaves_what_is_needed_or_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let components = Components::open(dir.path()).unwrap();
        let [needed, old] = [b"needed", b"oldies"].map(|bytes| {
            let digest = Digest::of(bytes);
            components.keep(&digest, bytes).unwrap();
            digest
        });
        let [fresh, left] = ["fresh.7.unfinished", "left.7.unfinished"].map(|name| {
            let path = dir.path().join(name);
            std::fs::write(&path, "half").unwrap();
            path
        });
        let long_ago = std::time::SystemTime::now() - 2 * LEFT_BEHIND;
        let file = std::fs::File::options().write(true).open(&left).unwrap();
        file.set_modified(long_ago).unwrap();
        components.sweep(&HashSet::from([needed.clone()])).unwrap();
        assert!(components.bring(&needed).is_ok() && fresh.exists());
        assert!(components.bring(&old).is_err() && !left.exists());
    }
}
