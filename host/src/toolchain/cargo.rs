//! Running cargo, and finding out what it built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::compiler::{Compiler, TARGET};
use super::{BuildRequest, ToolchainError, process};

/// A core module that cargo built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    /// The name of the library or of the example, with underscores.
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Compiles the cdylibs of a crate or workspace.
pub(super) fn compile(
    compiler: &Compiler,
    request: &BuildRequest<'_>,
) -> Result<Vec<Module>, ToolchainError> {
    if !request.manifest_dir.join("Cargo.toml").exists() {
        return Err(ToolchainError::NoManifest(request.manifest_dir.clone()));
    }
    let mut modules = BTreeMap::new();
    run(compiler, request, &[], &mut modules)?;
    if request.include_examples {
        // Not together with the libraries: cargo refuses `--lib` where a
        // package has none.
        run(compiler, request, &["--examples"], &mut modules)?;
    }
    if modules.is_empty() {
        return Err(ToolchainError::NoLibrary(request.manifest_dir.clone()));
    }
    Ok(modules
        .into_iter()
        .map(|(name, path)| Module { name, path })
        .collect())
}

fn run(
    compiler: &Compiler,
    request: &BuildRequest<'_>,
    what: &[&str],
    modules: &mut BTreeMap<String, PathBuf>,
) -> Result<(), ToolchainError> {
    let mut command = compiler.cargo();
    command
        .current_dir(&request.manifest_dir)
        .args(["build", "--release", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .args(compiler.build_arguments())
        .args(what);
    if let Some(package) = &request.package {
        command.args(["--package", package]);
    }
    let mut built = Vec::new();
    let ended = process::run(
        &mut command,
        |line| built.extend(module(line)),
        request.progress,
    )?;
    if !ended.succeeded {
        return Err(ToolchainError::Compile {
            manifest_dir: request.manifest_dir.clone(),
            output: ended.said,
        });
    }
    for Module { name, path } in built {
        match modules.insert(name.clone(), path.clone()) {
            Some(other) if other != path => return Err(ToolchainError::SameName(name)),
            _ => {}
        }
    }
    Ok(())
}

/// The module that a line of cargo's messages tells of, if it does.
fn module(line: &str) -> Option<Module> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let is_cdylib = message["target"]["crate_types"]
        .as_array()?
        .iter()
        .any(|kind| kind == "cdylib");
    let path = message["filenames"]
        .as_array()?
        .iter()
        .filter_map(|file| file.as_str().map(Path::new))
        .find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })?;
    let name = message["target"]["name"].as_str()?.replace('-', "_");
    is_cdylib.then(|| Module {
        name,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, file: &str) -> String {
        serde_json::json!({
            "reason": "compiler-artifact",
            "target": { "name": "order-totals", "crate_types": [kind, "rlib"] },
            "filenames": [file, "/t/liborder_totals.rlib"],
        })
        .to_string()
    }

    #[test]
    fn only_modules_of_libraries_count() {
        let found = module(&message("cdylib", "/t/order_totals.wasm"));
        let expected = Module {
            name: "order_totals".into(),
            path: "/t/order_totals.wasm".into(),
        };
        assert_eq!(found, Some(expected));
        assert_eq!(module(&message("bin", "/t/order_totals.wasm")), None);
        assert_eq!(module(&message("cdylib", "/t/liborder_totals.so")), None);
        assert_eq!(
            module(r#"{"reason":"build-finished","success":true}"#),
            None
        );
        assert_eq!(module("no json"), None);
    }
}
