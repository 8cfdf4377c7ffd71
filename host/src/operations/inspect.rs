//! Looks into a component file as the host would, and loads nothing.

use std::path::Path;

use serde::Serialize;

use super::error::OperationError;
use crate::config::Settings;
use crate::model::{Description, Digest};
use crate::sandbox::Sandbox;

/// What a component file holds.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// Its size.
    pub bytes: usize,
    /// Its digest.
    pub digest: Digest,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// How long it took to compile, or to find in the cache.
    pub compile_seconds: f64,
    /// How long it took to start and describe itself.
    pub describe_seconds: f64,
    /// What it says of itself.
    pub description: Description,
    /// Whether this host would take it.
    pub verdict: String,
}

/// Loads a component and says what was found, without putting it to use.
///
/// # Errors
///
/// Says why a host would refuse the file.
pub async fn inspect(settings: &Settings, file: &Path) -> Result<Inspection, OperationError> {
    let bytes = tokio::fs::read(file)
        .await
        .map_err(|source| OperationError::Folder {
            path: file.to_owned(),
            source,
        })?;
    let cache = settings
        .data_dir
        .is_dir()
        .then(|| settings.data_dir.join("compiled"));
    let limits = settings.limits.clone();
    let loading =
        tokio::task::spawn_blocking(move || Sandbox::new(cache.as_deref())?.load(&bytes, &limits));
    let loaded = match loading.await {
        Ok(loaded) => loaded.map_err(|source| OperationError::Refused {
            path: file.to_owned(),
            source,
        })?,
        // Never aborted, so it can only have panicked: pass that on.
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    };
    let facts = loaded.facts().clone();
    Ok(Inspection {
        file: file.display().to_string(),
        bytes: facts.bytes,
        digest: loaded.digest().clone(),
        imports: facts.imports,
        exports: facts.exports,
        compile_seconds: facts.compile_time.as_secs_f64(),
        describe_seconds: facts.describe_time.as_secs_f64(),
        description: loaded.description().clone(),
        verdict: "a sound projector; this host would take it".into(),
    })
}
