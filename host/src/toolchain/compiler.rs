//! Finding a compiler for the target.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{InstallPolicy, ToolchainError, install, process};

pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// A way to compile for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compiler {
    /// The toolchain on the path, which has the target.
    WithTarget,
    /// Debian's, in /usr/bin, which builds the standard library along.
    Debian {
        /// The linker: some `wasm-ld`.
        linker: PathBuf,
    },
}

/// Finds a compiler, the cheapest way first, and installs one where that is
/// allowed and nothing else helps.
pub(super) fn find(
    manifest_dir: &Path,
    install: InstallPolicy,
    progress: &dyn Fn(&str),
) -> Result<Compiler, ToolchainError> {
    if has_target(manifest_dir) {
        return Ok(Compiler::WithTarget);
    }
    let mut tried = vec!["the toolchain on the path has no such target".to_owned()];
    match add_with_rustup(manifest_dir, progress) {
        Ok(()) => return Ok(Compiler::WithTarget),
        Err(why) => tried.push(why),
    }
    match debian() {
        Ok(compiler) => return Ok(compiler),
        Err(why) => tried.push(why),
    }
    if install == InstallPolicy::Never {
        tried.push("installing packages is not allowed here".to_owned());
        return Err(ToolchainError::NoCompiler { tried });
    }
    let installed = install::debian_packages(progress).and_then(|()| debian());
    installed.map_err(|why| {
        tried.push(why);
        ToolchainError::NoCompiler { tried }
    })
}

/// Whether the toolchain that is in force in the folder has the target's
/// standard library. It prints a path whether there is one or not.
fn has_target(manifest_dir: &Path) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(manifest_dir);
    let Some(folder) = process::answer(&mut command) else {
        return false;
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// Asks rustup for the target; once in a process, for where there is no network
/// it may take long to say no.
fn add_with_rustup(manifest_dir: &Path, progress: &dyn Fn(&str)) -> Result<(), String> {
    static REFUSED: AtomicBool = AtomicBool::new(false);
    if REFUSED.load(Ordering::Relaxed) {
        return Err("rustup could not add it before".to_owned());
    }
    let mut command = Command::new("rustup");
    command
        .args(["target", "add", TARGET])
        .current_dir(manifest_dir);
    let why = match process::run(&mut command, |_| {}, progress) {
        Ok(ended) if ended.succeeded && has_target(manifest_dir) => return Ok(()),
        Ok(ended) => {
            let last = ended.said.lines().last().unwrap_or("no reason given");
            format!("rustup could not add it: {last}")
        }
        Err(_) => "there is no rustup".to_owned(),
    };
    REFUSED.store(true, Ordering::Relaxed);
    Err(why)
}

/// Looks for Debian's toolchain: a compiler that knows the edition of 2024, its
/// sources and a linker.
fn debian() -> Result<Compiler, String> {
    let mut version = Command::new("/usr/bin/rustc");
    let Some(version) = process::answer(debian_environment(version.arg("--version"))) else {
        return Err("there is no /usr/bin/rustc".to_owned());
    };
    if minor_version(&version).is_none_or(|minor| minor < 95) {
        return Err(format!(
            "/usr/bin/rustc is {version}; 1.95 or later is needed"
        ));
    }
    if !Path::new("/usr/bin/cargo").exists() {
        return Err("there is no /usr/bin/cargo".to_owned());
    }
    let mut sysroot = Command::new("/usr/bin/rustc");
    let sysroot = process::answer(debian_environment(sysroot.args(["--print", "sysroot"])));
    let library =
        Path::new(sysroot.as_deref().unwrap_or("/usr")).join("lib/rustlib/src/rust/library");
    if !library.join("std").exists() {
        return Err(format!(
            "/usr/bin/rustc has no sources in {}",
            library.display()
        ));
    }
    match linker() {
        Some(linker) => Ok(Compiler::Debian { linker }),
        None => Err("there is no /usr/bin/wasm-ld or wasm-ld-*".to_owned()),
    }
}

/// The minor version in "rustc 1.96.0 (…)".
fn minor_version(version: &str) -> Option<u32> {
    version
        .strip_prefix("rustc 1.")?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// `wasm-ld`, or the `wasm-ld-*` of the highest version.
fn linker() -> Option<PathBuf> {
    let plain = PathBuf::from("/usr/bin/wasm-ld");
    if plain.exists() {
        return Some(plain);
    }
    let versions = std::fs::read_dir("/usr/bin")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()?
                .strip_prefix("wasm-ld-")?
                .parse::<u32>()
                .ok()
        });
    versions
        .max()
        .map(|version| PathBuf::from(format!("/usr/bin/wasm-ld-{version}")))
}

impl Compiler {
    /// A cargo that compiles for the target, but for the arguments.
    pub(super) fn cargo(&self) -> Command {
        match self {
            Self::WithTarget => Command::new("cargo"),
            Self::Debian { linker } => {
                let mut command = Command::new("/usr/bin/cargo");
                debian_environment(&mut command)
                    .env("RUSTC", "/usr/bin/rustc")
                    // `-Zbuild-std` is not stable; the flag lets a stable
                    // compiler build the very sources that came with it.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        }
    }

    /// What such a cargo's `build` needs besides the target.
    pub(super) fn build_arguments(&self) -> &'static [&'static str] {
        match self {
            Self::WithTarget => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Keeps rustup's proxies, and what a cargo around us has set for its own
/// toolchain, away from Debian's.
fn debian_environment(command: &mut Command) -> &mut Command {
    command.env("PATH", "/usr/bin:/bin");
    for name in [
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTUP_TOOLCHAIN",
        "CARGO",
        "LD_LIBRARY_PATH",
    ] {
        command.env_remove(name);
    }
    command
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithTarget => write!(f, "the toolchain on the path"),
            Self::Debian { linker } => write!(f, "/usr/bin/rustc and {}", linker.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_rustc_prints_them() {
        assert_eq!(
            minor_version("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some(96)
        );
        assert_eq!(minor_version("rustc 1.63.0"), Some(63));
        assert_eq!(minor_version("gcc 12"), None);
    }
}
