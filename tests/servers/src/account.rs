//! Under whose account a server runs. PostgreSQL refuses to run as root.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The account of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// The one of this process.
    OneSelf,
    /// Another one, as this process is root's.
    Other {
        /// The user's number.
        user: u32,
        /// The number of the user's group.
        group: u32,
    },
}

impl Account {
    /// The account to use here.
    pub(crate) fn choose() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::OneSelf;
        }
        let other = ["postgres", "nobody"].into_iter().find_map(|name| {
            let (user, group) = (number("-u", name)?, number("-g", name)?);
            Some(Self::Other { user, group })
        });
        other.expect("as root, PostgreSQL runs under the user `postgres` or `nobody`: make one")
    }

    /// A command that will run under this account, reading and saying nothing.
    pub(crate) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // It may not be able to enter the folder of the test.
            .current_dir("/");
        if let Self::Other { user, group } = self {
            // Root's further groups are dropped with its user.
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a folder to the account.
    pub(crate) fn own(self, dir: &std::path::Path) {
        if let Self::Other { user, group } = self {
            std::os::unix::fs::chown(dir, Some(user), Some(group))
                .expect("root may give folders away");
        }
    }
}

fn number(flag: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, name]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
