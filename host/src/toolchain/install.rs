//! Installing Debian's toolchain, where the user allows it.

use std::process::Command;

use super::process;

/// What Debian calls a compiler that is recent enough, its cargo, the sources
/// of its standard library and a linker for WebAssembly. The first set is that
/// of a stable release kept up to date for browsers; the second is that of a
/// release whose own compiler is recent enough.
const PACKAGES: [[&str; 4]; 2] = [
    ["rustc-web", "cargo-web", "rust-web-src", "lld-19"],
    ["rustc", "cargo", "rust-src", "lld"],
];

/// Installs the packages, as root or through a sudo that asks nothing.
pub(super) fn debian_packages(progress: &dyn Fn(&str)) -> Result<(), String> {
    if process::answer(Command::new("apt-get").arg("--version")).is_none() {
        return Err("there is no apt-get".to_owned());
    }
    let as_root: &[&str] = if is_root() {
        &[]
    } else if process::answer(Command::new("sudo").args(["-n", "true"])).is_some() {
        &["sudo", "-n"]
    } else {
        return Err("apt-get needs root, and sudo asks for a password".to_owned());
    };
    apt_get(as_root, &["update"], progress)?;
    let mut refused = String::new();
    for packages in PACKAGES {
        progress(&format!("installing {}", packages.join(" ")));
        let arguments = [&["install", "-y", "--no-install-recommends"][..], &packages].concat();
        match apt_get(as_root, &arguments, progress) {
            Ok(()) => return Ok(()),
            Err(why) => refused = why,
        }
    }
    Err(refused)
}

fn is_root() -> bool {
    process::answer(Command::new("id").arg("-u")).is_some_and(|user| user == "0")
}

fn apt_get(as_root: &[&str], arguments: &[&str], progress: &dyn Fn(&str)) -> Result<(), String> {
    // Through `env`, since sudo passes no environment on.
    let words = [
        as_root,
        &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"],
        arguments,
    ]
    .concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    match process::run(&mut command, progress, progress) {
        Ok(ended) if ended.succeeded => Ok(()),
        Ok(ended) => {
            let last = ended.said.lines().last().unwrap_or("no reason given");
            Err(format!("apt-get {} failed: {last}", arguments[0]))
        }
        Err(_) => Err("apt-get could not be run".to_owned()),
    }
}
