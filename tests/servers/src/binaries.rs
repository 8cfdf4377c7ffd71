//! Where PostgreSQL's programs are.

use std::env;
use std::path::{Path, PathBuf};

/// What to do where there are none.
const HINT: &str = "install PostgreSQL's server (Debian, Ubuntu: apt-get install postgresql; \
                    Fedora: dnf install postgresql-server; macOS: brew install postgresql), \
                    or put the folder of its `initdb` and `postgres` on the PATH";

/// The folder with `initdb` and `postgres`: one of the PATH, else the newest of
/// the places where packages put it.
pub(crate) fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).find(|dir| is_complete(dir));
    on_path.or_else(|| newest(packaged()))
}

/// Says that there is no PostgreSQL and what to do, past the test runner.
///
/// # Panics
///
/// When `LANTERN_REQUIRE_POSTGRES` says that there must be one.
pub(crate) fn missing() {
    let required = env::var_os("LANTERN_REQUIRE_POSTGRES").is_some_and(|value| value != "0");
    assert!(
        !required,
        "PostgreSQL is not installed, and LANTERN_REQUIRE_POSTGRES is set: {HINT}"
    );
    use std::io::Write;
    // Written past the runner, which keeps to itself what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED tests on PostgreSQL: it is not installed; {HINT}"
    );
}

fn is_complete(dir: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| dir.join(program).is_file())
}

/// Folders of packages that keep their programs off the PATH, each with its
/// version.
fn packaged() -> Vec<(u32, PathBuf)> {
    // The folder that holds one folder for each version, the part of that folder's
    // name before the version, and where the programs are in it.
    let places = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ];
    let mut found = Vec::new();
    for (parent, prefix, bin) in places {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.strip_prefix(prefix).and_then(|v| v.parse().ok());
            if let Some(version) = version {
                found.push((version, entry.path().join(bin)));
            }
        }
    }
    found
}

fn newest(mut found: Vec<(u32, PathBuf)>) -> Option<PathBuf> {
    found.retain(|(_, dir)| is_complete(dir));
    found.sort();
    found.pop().map(|(_, dir)| dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_is_complete_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let make = |version: &str, programs: &[&str]| {
            let bin = dir.path().join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            for program in programs {
                std::fs::write(bin.join(program), "").unwrap();
            }
            bin
        };
        let nine = make("9", &["initdb", "postgres"]);
        let fifteen = make("15", &["initdb", "postgres"]);
        let client_only = make("17", &["psql"]);
        let found = vec![(15, fifteen.clone()), (17, client_only), (9, nine)];
        assert_eq!(newest(found), Some(fifteen), "by number, not by letter");
        assert_eq!(newest(Vec::new()), None);
    }
}
