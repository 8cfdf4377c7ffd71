//! The host's own copies of components, by digest. Only these are compiled: a
//! file in the watched folder may change while it is being read.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::model::Digest;

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
            let digest = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            if !needed.contains(&Digest(digest.to_owned())) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{}.wasm", digest.0))
    }
}
