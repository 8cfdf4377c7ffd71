//! From a core module to a component in a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wit_component::ComponentEncoder;

use super::cargo::Module;
use super::{BuiltComponent, ToolchainError};

/// Encodes a module as a component, checks it, and writes it where it belongs.
pub(super) fn encode(module: &Module, out_dir: &Path) -> Result<BuiltComponent, ToolchainError> {
    let bytes = fs::read(&module.path).map_err(file("read", &module.path))?;
    let component = component(&bytes).map_err(|reason| ToolchainError::Encode {
        module: module.path.clone(),
        reason,
    })?;
    let path = out_dir.join(format!("{}.wasm", module.name));
    let changed = fs::read(&path)
        .ok()
        .is_none_or(|before| before != component);
    if changed {
        write_whole(&path, &component)?;
    }
    Ok(BuiltComponent {
        name: module.name.clone(),
        size: component.len() as u64,
        path,
        changed,
    })
}

/// The interfaces are in the module, in the section that the SDK's bindings
/// left there.
fn component(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    encoder
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(chain)
}

/// An error with its causes in one line; wit-component's own lists them apart.
fn chain(error: impl std::fmt::Display) -> String {
    format!("{error:#}")
}

/// Writes a file so that whoever watches the folder sees all of it or nothing.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ToolchainError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(file("make", folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // What is left of it is of no use; that it stays is of no harm.
        let _ = fs::remove_file(&beside);
        file("write", path)(source)
    })
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ToolchainError {
    let path: PathBuf = path.to_owned();
    move |source| ToolchainError::File {
        action,
        path,
        source,
    }
}
