//! Makes a projector, ready to build.

mod template;

use std::path::Path;

use super::error::OperationError;
use crate::model::check_name;

/// Crates that Rust itself brings; another of that name would hide them.
const TAKEN: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];

/// Makes a projector in Rust in a new or empty folder: code, tests, events to
/// try it on, and the SDK beside it, so that nothing but the SDK's dependencies
/// comes from the network. `name` may have `-` where the projector has `_`.
///
/// # Errors
///
/// When the name cannot be one, or the folder is not empty or cannot be written.
pub fn new_projector(name: &str, dir: &Path) -> Result<(), OperationError> {
    let ident = checked_ident(name)?;
    let is_taken = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(source) => {
            return Err(OperationError::Folder {
                path: dir.to_owned(),
                source,
            });
        }
    };
    if is_taken {
        return Err(OperationError::NotEmpty {
            path: dir.to_owned(),
        });
    }
    template::write(
        dir,
        &template::Names {
            name,
            ident: &ident,
        },
    )
}

/// The projector's name for a crate's name: with `_` for `-`.
fn checked_ident(name: &str) -> Result<String, OperationError> {
    let ident = name.replace('-', "_");
    check_name("projector", &ident)?;
    if TAKEN.contains(&ident.as_str()) {
        return Err(OperationError::TakenName { name: ident });
    }
    Ok(ident)
}
