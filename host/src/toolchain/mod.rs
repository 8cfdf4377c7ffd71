//! From a projector's source to a component.
//!
//! ```text
//! compiler.rs ─► cargo.rs ─► component.rs
//! find one that  build the   encode, write
//! can do wasm    cdylibs     out_dir/<name>.wasm
//! ```
//!
//! Two worlds are known: a rustup toolchain with the target
//! `wasm32-unknown-unknown`, and Debian's packages, which have no such target
//! but carry the standard library's sources, so that cargo builds it along. No
//! external tool encodes the component; wit-component does it in here.
//!
//! This room imports no other.

mod cargo;
mod compiler;
mod component;
mod error;
mod install;
mod process;

use std::path::PathBuf;

pub use error::ToolchainError;

/// What to build, and where to put it.
pub struct BuildRequest<'r> {
    /// The folder of a crate or of a workspace: where its `Cargo.toml` is.
    pub manifest_dir: PathBuf,
    /// Where the components go. Made when it is not there.
    pub out_dir: PathBuf,
    /// Only this package of the workspace; else its default members.
    pub package: Option<String>,
    /// Whether to build cargo examples that are cdylibs, too.
    pub include_examples: bool,
    /// What may be installed when there is no compiler for the target.
    pub install: InstallPolicy,
    /// Gets each line that cargo and the installers print, and a line for each
    /// step of our own.
    pub progress: &'r dyn Fn(&str),
}

/// What may be installed when there is no compiler for the target.
///
/// Neither keeps from asking rustup, where there is one, for the target: that
/// changes nothing but the user's own toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallPolicy {
    /// Nothing.
    Never,
    /// Debian's packages, where apt-get is there and may be used.
    IfMissing,
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltComponent {
    /// The name of the library or of the example, with underscores.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub size: u64,
    /// Whether the file differs from the one that was there before. One that
    /// does not is left alone, so that nothing is reloaded for nothing.
    pub changed: bool,
}

/// Builds the projectors of a crate or workspace.
///
/// The folder for cargo's own output is the workspace's, or the one that
/// `CARGO_TARGET_DIR` names. A first build takes about a minute where the
/// standard library is compiled along; later ones take seconds.
///
/// # Errors
///
/// Fails when there is no compiler for the target, when the source does not
/// compile, when what it compiles to is no component, and when a file cannot be
/// written. [`ToolchainError::hint`] says what to do.
pub fn build(request: &BuildRequest<'_>) -> Result<Vec<BuiltComponent>, ToolchainError> {
    let compiler = compiler::find(&request.manifest_dir, request.install, request.progress)?;
    (request.progress)(&format!("compiling with {compiler}"));
    let modules = cargo::compile(&compiler, request)?;
    modules
        .iter()
        .map(|module| component::encode(module, &request.out_dir))
        .collect()
}
