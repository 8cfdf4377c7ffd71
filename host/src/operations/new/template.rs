//! What `lantern new` writes: the template of a Rust projector and the SDK that
//! it is built with.
//!
//! Whole folders are embedded only where no build leaves its output, hence the
//! SDK's parts one by one.

use std::path::Path;

use include_dir::{Dir, DirEntry, include_dir};

use crate::operations::OperationError;

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/template");
static SDK_SOURCE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/src");
static SDK_WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/wit");
static MACROS_SOURCE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust-macros/src");

const SDK_MANIFEST: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../guest-sdk/rust/Cargo.toml"
));
const SDK_README: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../guest-sdk/rust/README.md"
));
const MACROS_MANIFEST: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../guest-sdk/rust-macros/Cargo.toml"
));

/// Where the SDK goes. Both crates lie side by side, as each names the other by
/// its path.
const SDK: &str = "vendor/lantern-sdk/rust";
const MACROS: &str = "vendor/lantern-sdk/rust-macros";

/// Cargo leaves out folders with a manifest when it packages, so the template's
/// is stored under another name.
const STORED_MANIFEST: &str = "Cargo.toml.in";

/// What a projector is called.
pub(super) struct Names<'a> {
    /// The crate.
    pub(super) name: &'a str,
    /// The projector, and the crate as Rust writes it.
    pub(super) ident: &'a str,
}

/// Writes a projector and its SDK into a folder.
pub(super) fn write(dir: &Path, names: &Names<'_>) -> Result<(), OperationError> {
    let fill = |text: &str| {
        text.replace("{{name}}", names.name)
            .replace("{{ident}}", names.ident)
            .replace("{{sdk}}", SDK)
    };
    write_folder(&TEMPLATE, dir, &fill)?;
    let sdk = dir.join(SDK);
    write_folder(&SDK_SOURCE, &sdk.join("src"), &str::to_owned)?;
    write_folder(&SDK_WIT, &sdk.join("wit"), &str::to_owned)?;
    write_file(&sdk.join("Cargo.toml"), SDK_MANIFEST.as_bytes())?;
    write_file(&sdk.join("README.md"), SDK_README.as_bytes())?;
    let macros = dir.join(MACROS);
    write_folder(&MACROS_SOURCE, &macros.join("src"), &str::to_owned)?;
    write_file(&macros.join("Cargo.toml"), MACROS_MANIFEST.as_bytes())
}

fn write_folder(
    folder: &Dir<'_>,
    to: &Path,
    fill: &dyn Fn(&str) -> String,
) -> Result<(), OperationError> {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) if inner.path().ends_with("target") => {}
            DirEntry::Dir(inner) => write_folder(inner, to, fill)?,
            DirEntry::File(file) => {
                let path = to.join(file.path());
                let path = if path.ends_with(STORED_MANIFEST) {
                    path.with_file_name("Cargo.toml")
                } else {
                    path
                };
                match file.contents_utf8() {
                    Some(text) => write_file(&path, fill(text).as_bytes())?,
                    None => write_file(&path, file.contents())?,
                }
            }
        }
    }
    Ok(())
}

fn write_file(path: &Path, contents: &[u8]) -> Result<(), OperationError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, contents))
        .map_err(|source| OperationError::Folder {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_projector_is_filled_in_and_brings_its_sdk() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            &Names {
                name: "page-visits",
                ident: "page_visits",
            },
        )
        .unwrap();
        let read = |path: &str| std::fs::read_to_string(dir.path().join(path)).unwrap();
        assert!(read("Cargo.toml").contains("name = \"page-visits\""));
        assert!(read("Cargo.toml").contains(&format!("path = \"{SDK}\"")));
        assert!(read("src/lib.rs").contains("\"page_visits\""));
        for file in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(!read(file).contains("{{"), "{file} has a placeholder left");
        }
        assert!(read(&format!("{SDK}/Cargo.toml")).contains("path = \"../rust-macros\""));
        assert!(dir.path().join(SDK).join("src/lib.rs").is_file());
        assert!(dir.path().join(SDK).join("wit/projector.wit").is_file());
        assert!(dir.path().join(MACROS).join("src/lib.rs").is_file());
    }
}
