//! The server as a process: made, started, stopped and killed.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::account::Account;
use crate::binaries;
use crate::shelter::Shelter;

/// How long a start or a stop may take. Recovery after a kill is part of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one looks meanwhile.
const LOOK: Duration = Duration::from_millis(5);
/// How often another port is tried when somebody was faster.
const PORTS: usize = 10;

/// A server's folder and, while it runs, its process.
#[derive(Debug)]
pub(crate) struct Process {
    account: Account,
    program: PathBuf,
    /// Holds `data`, `log` and the socket.
    pub(crate) dir: PathBuf,
    /// The port of the last start.
    pub(crate) port: u16,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

impl Process {
    /// Makes and starts a server. `None` where PostgreSQL is not installed.
    pub(crate) fn start(settings: Vec<(String, String)>) -> Option<Self> {
        let (bin, prepared) = prepared()?;
        let shelter = Shelter::of_process();
        let dir = shelter.room();
        let mut copy = shelter.account().command("cp");
        copy.args(["-R", "-p"]).arg(prepared).arg(dir.join("data"));
        must_succeed(&mut copy);
        let mut process = Self {
            account: shelter.account(),
            program: bin.join("postgres"),
            dir,
            port: 0,
            settings,
            child: None,
        };
        for _ in 0..PORTS {
            process.port = free_port();
            match process.run() {
                Ok(()) => return Some(process),
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("PostgreSQL does not start:\n{log}"),
            }
        }
        panic!("PostgreSQL finds no free port");
    }

    /// Starts a server that was stopped or killed, with the same data, on the same
    /// port.
    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        if let Err(log) = self.run() {
            panic!("PostgreSQL does not start again:\n{log}");
        }
    }

    /// Runs it and waits until it takes connections; otherwise says what it logged.
    fn run(&mut self) -> Result<(), String> {
        let log_file = self.dir.join("log");
        let log = File::options().create(true).append(true).open(&log_file);
        let mut command = self.account.command(&self.program);
        command
            .arg("-D")
            .arg(self.dir.join("data"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-k"])
            .arg(&self.dir)
            // Ctrl-C in the terminal is for the tests; the keeper sees to this one.
            .process_group(0)
            .stderr(Stdio::from(
                log.expect("the server's folder can be written to"),
            ));
        for (name, value) in &self.settings {
            command.args(["-c", &format!("{name}={value}")]);
        }
        let mut child = command.spawn().expect("PostgreSQL can be executed");
        let begun = Instant::now();
        while !self.is_ready(&child) {
            let ended = child.try_wait().expect("one's own child can be asked");
            if ended.is_some() || begun.elapsed() > PATIENCE {
                // It may have ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(fs::read_to_string(&log_file).unwrap_or_default());
            }
            std::thread::sleep(LOOK);
        }
        self.child = Some(child);
        Ok(())
    }

    /// The server writes its state into the eighth line of its lock file, beside
    /// its process id in the first: a former server's file says nothing.
    fn is_ready(&self, child: &Child) -> bool {
        let text = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&child.id().to_string())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    /// Ends it in good order: connections are cut, transactions rolled back, all is
    /// written.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::INT);
    }

    /// Kills it and all its processes on the spot, as a power cut would: none of
    /// them does anything more.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let postmaster = Pid::from_child(&child);
        // Stopped first, so that it does not see its children die, and makes no more.
        signal(postmaster, Signal::STOP);
        for pid in children_of(child.id()) {
            signal(pid, Signal::KILL);
        }
        signal(postmaster, Signal::KILL);
        wait(&mut child);
    }

    /// Gives it up: its data is not needed any more.
    pub(crate) fn discard(&mut self) {
        self.end(Signal::QUIT);
        // What is left is removed at the end of the process.
        let _ = fs::remove_dir_all(&self.dir);
    }

    /// The postmaster while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn end(&mut self, by: Signal) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        signal(Pid::from_child(&child), by);
        signal(Pid::from_child(&child), Signal::CONT);
        wait(&mut child);
    }
}

/// The folder of the programs, and a data directory to copy: a copy takes a
/// tenth of the time that making a new one takes.
fn prepared() -> Option<&'static (PathBuf, PathBuf)> {
    static PREPARED: OnceLock<Option<(PathBuf, PathBuf)>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| {
        let bin = binaries::find()?;
        let shelter = Shelter::of_process();
        let data = shelter.room().join("data");
        let mut initdb = shelter.account().command(bin.join("initdb"));
        initdb
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"])
            // Small segments of the log are less to copy.
            .args(["--no-locale", "--no-sync", "--wal-segsize=1"]);
        must_succeed(&mut initdb);
        Some((bin, data))
    });
    if prepared.is_none() {
        binaries::missing();
    }
    prepared.as_ref()
}

fn must_succeed(command: &mut Command) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = command.output();
    let Output { status, stderr, .. } =
        ended.unwrap_or_else(|error| panic!("{command:?} cannot be executed: {error}"));
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?} ended with {status}:\n{said}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener
        .local_addr()
        .expect("a bound listener knows its port")
        .port()
}

fn signal(pid: Pid, signal: Signal) {
    // It may have ended by itself.
    let _ = kill_process(pid, signal);
}

fn wait(child: &mut Child) {
    let begun = Instant::now();
    while let Ok(None) = child.try_wait() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        std::thread::sleep(LOOK);
    }
}

/// The processes that a process has started and that still run.
fn children_of(parent: u32) -> Vec<Pid> {
    let found = match Path::new("/proc/self/stat").exists() {
        true => children_by_proc(parent),
        false => children_by_ps(parent),
    };
    found.unwrap_or_default()
}

fn children_by_proc(parent: u32) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `pid (name) state parent …`, and a name may have spaces and brackets.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        if after_name.split_whitespace().nth(1) == Some(&parent.to_string()) {
            found.extend(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

fn children_by_ps(parent: u32) -> io::Result<Vec<Pid>> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pids = text.lines().filter_map(|line| {
        let (pid, of) = line.trim().split_once(' ')?;
        let is_child = of.trim() == parent.to_string();
        is_child.then(|| pid.parse().ok().and_then(Pid::from_raw))?
    });
    Ok(pids.collect())
}
