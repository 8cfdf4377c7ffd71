//! The folder of this process's servers, and who clears it away.
//!
//! A small shell beside this process reads a pipe whose other end only this
//! process holds. When the pipe ends, for whatever reason, `kill -9` included,
//! the shell stops every server in the folder and removes it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::account::Account;

/// Waits for the end of its input, then ends the servers in the folder `$1` and
/// removes it. A server is told to end at once (SIGQUIT), as that has it free
/// its shared memory, and is killed when it has not done so in five seconds. One
/// that is stopped (SIGSTOP) has to be woken for that. One that was killed has left
/// its process id behind, which may be another's by now.
const KEEPER: &str = r#"
while read -r _; do :; done
command_of() { tr '\0' ' ' <"/proc/$1/cmdline" || ps -o args= -p "$1"; }
servers=""
for file in "$1"/*/data/postmaster.pid; do
    [ -f "$file" ] || continue
    server=$(head -n 1 "$file")
    command_of "$server" | grep -qF "$1/" && servers="$servers $server"
done
for server in $servers; do kill -QUIT "$server"; kill -CONT "$server"; done
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    alive=""
    for server in $servers; do kill -0 "$server" && alive=yes; done
    [ -z "$alive" ] && break
    sleep 0.2
done
for server in $servers; do kill -9 "$server"; done
rm -rf "$1"
"#;

/// A socket's path has room for 100 bytes or so; the shelter's own part is 40.
const LONGEST_PARENT: usize = 55;

/// The folder of all servers of this process.
#[derive(Debug)]
pub(crate) struct Shelter {
    dir: PathBuf,
    account: Account,
    servers: AtomicU32,
    /// Its input ends with this process; that is all it is for.
    _keeper: Child,
}

impl Shelter {
    /// The one of this process.
    pub(crate) fn of_process() -> &'static Self {
        static SHELTER: OnceLock<Shelter> = OnceLock::new();
        SHELTER.get_or_init(|| {
            let account = Account::choose();
            let dir = make_dir();
            Self {
                _keeper: keeper(&dir),
                dir,
                account,
                servers: AtomicU32::new(0),
            }
        })
    }

    /// Who runs servers.
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// A new, empty folder for a server, which belongs to its account.
    pub(crate) fn room(&self) -> PathBuf {
        let n = self.servers.fetch_add(1, Ordering::Relaxed);
        let room = self.dir.join(n.to_string());
        fs::create_dir(&room).expect("the folder of servers can be written to");
        self.account.own(&room);
        room
    }
}

/// Starts the shell. It is in a process group of its own, so that Ctrl-C in the
/// terminal does not end it before its work.
fn keeper(dir: &Path) -> Child {
    let mut command = Command::new("sh");
    command
        .args(["-c", KEEPER, "keeper"])
        .arg(dir)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("there is a shell")
}

/// Makes a folder that everybody can enter, where the servers' account can reach
/// it and where the path is short enough for a socket.
fn make_dir() -> PathBuf {
    let candidates = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let parent = candidates
        .iter()
        .find(|dir| dir.as_os_str().len() <= LONGEST_PARENT && can_be_entered(dir))
        .expect("/tmp can be entered by everybody");
    let dir = tempfile::Builder::new()
        .prefix("lantern-servers-")
        .tempdir_in(parent)
        .expect("there is room for a folder")
        .keep();
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).expect("it is one's own folder");
    dir
}

/// Whether every account can enter a folder and those above it.
fn can_be_entered(dir: &Path) -> bool {
    let Ok(dir) = dir.canonicalize() else {
        return false;
    };
    dir.ancestors().all(|dir| {
        fs::metadata(dir).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 1 == 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_below_a_closed_one_cannot_be_entered() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!can_be_entered(&inner));
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).unwrap();
        assert!(can_be_entered(&inner));
        assert!(!can_be_entered(&dir.path().join("absent")));
    }
}
