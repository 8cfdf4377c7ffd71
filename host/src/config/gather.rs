//! What the process was given: its file, its environment, its flags.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::resolve::{FileText, Flag, Inputs};

/// The file that is read when it is in the current directory.
pub const FILE_NAME: &str = "lantern.toml";

/// Collects what the settings are made of: `file`, or else `lantern.toml` in
/// the current directory if there is one, and the environment of the process.
pub fn gather(file: Option<PathBuf>, flags: Vec<Flag>) -> Result<Inputs, ConfigError> {
    let file = match file {
        Some(path) => Some(read(&path)?),
        None => read_if_there(Path::new(FILE_NAME))?,
    };
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with("LANTERN_"))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect();
    Ok(Inputs {
        file,
        environment,
        flags,
    })
}

fn read_if_there(path: &Path) -> Result<Option<FileText>, ConfigError> {
    match read(path) {
        Ok(file) => Ok(Some(file)),
        Err(ConfigError::Unreadable { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> Result<FileText, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(FileText {
        path: path.to_owned(),
        text,
    })
}
