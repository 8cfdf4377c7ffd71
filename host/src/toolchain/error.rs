//! Why a projector could not be built.

use std::io;
use std::path::PathBuf;

/// Why a projector could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// The machine has no compiler for the target.
    #[error("no compiler for wasm32-unknown-unknown was found ({})", tried.join("; "))]
    NoCompiler {
        /// What was looked for, and how it went.
        tried: Vec<String>,
    },
    /// There is no crate in the folder.
    #[error("`{}` has no Cargo.toml", .0.display())]
    NoManifest(PathBuf),
    /// The source does not compile.
    #[error("cargo could not build `{}`:\n{output}", manifest_dir.display())]
    Compile {
        /// The folder.
        manifest_dir: PathBuf,
        /// The end of what cargo printed.
        output: String,
    },
    /// There is nothing in the folder that becomes a component.
    #[error("`{}` has no library that becomes a component", .0.display())]
    NoLibrary(PathBuf),
    /// Two libraries would be written to the same file.
    #[error("two libraries are called `{0}`")]
    SameName(String),
    /// What was compiled is no component.
    #[error("`{}` does not make a component: {reason}", module.display())]
    Encode {
        /// The module that cargo wrote.
        module: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A program could not be started.
    #[error("`{program}` could not be run")]
    Run {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("could not {action} `{}`", path.display())]
    File {
        /// What was to be done with it.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ToolchainError {
    /// What the user can do about it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoCompiler { .. } => {
                "with rustup: rustup target add wasm32-unknown-unknown\n\
                 on Debian: apt-get install --no-install-recommends rustc-web cargo-web \
                 rust-web-src lld-19 (on releases without these: rustc cargo rust-src lld)"
            }
            Self::NoManifest(_) => {
                "name the folder of a crate, or make one with `lantern new NAME`"
            }
            Self::NoLibrary(_) => {
                "add to its Cargo.toml:\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]"
            }
            Self::SameName(_) => "rename one of them, or build one package at a time",
            Self::Encode { .. } => {
                "does the crate depend on lantern-sdk, and has one function #[projector(..)]?"
            }
            Self::Compile { .. } | Self::Run { .. } | Self::File { .. } => return None,
        })
    }
}
