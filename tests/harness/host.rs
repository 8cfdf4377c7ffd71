//! A Lantern of one's own: a folder, the real binary as a process in it, and
//! commands from a second terminal.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::components::component;
use super::events::Events;
use super::places;
use super::rows::Reader;

/// How long anything is waited for before a test gives up. No test measures
/// time; this only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often one looks while waiting.
const LOOK: Duration = Duration::from_millis(25);

/// What the tests set unless they set it otherwise: files are taken sooner than
/// by default.
const SETTINGS: &str = "watch.debounce_ms = 50\nwatch.rescan_ms = 1000\nlog.filter = \"info\"\n";

/// A folder with a Lantern in it, and the host that may run there.
pub(crate) struct TestHost {
    dir: TempDir,
    host: Option<Child>,
}

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The exit code; -1 for a signal.
    pub(crate) code: i32,
    /// Results.
    pub(crate) out: String,
    /// Everything else.
    pub(crate) err: String,
}

impl TestHost {
    /// A new folder, with a `lantern.toml` and nothing else.
    pub(crate) fn new() -> Self {
        Self::with_settings("")
    }

    /// A new folder with further settings, as lines of `lantern.toml`.
    pub(crate) fn with_settings(settings: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("lantern-")
            .tempdir()
            .expect("there is room for a folder");
        fs::create_dir(dir.path().join("projectors")).expect("there is room for a folder");
        let host = Self { dir, host: None };
        host.write_settings(settings);
        host
    }

    /// Replaces the further settings. They count from the next start on.
    pub(crate) fn write_settings(&self, settings: &str) {
        let of_mine = SETTINGS.lines().filter(|line| {
            let key = line.split(" =").next().unwrap_or_default();
            !settings.contains(key)
        });
        let text: String = of_mine
            .chain(settings.lines())
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(self.path("lantern.toml"), text).expect("the folder can be written to");
    }

    /// A path within the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    // ---- the watched folder ---------------------------------------------------

    /// Puts a component into the watched folder the way a careful tool does: all
    /// of it at once, by a rename.
    pub(crate) fn install(&self, name: &str, file: &str) {
        self.install_bytes(
            &fs::read(component(name)).expect("a component can be read"),
            file,
        );
    }

    /// Puts any bytes into the watched folder, all at once.
    pub(crate) fn install_bytes(&self, bytes: &[u8], file: &str) {
        let beside = self.path(&format!("projectors/.{file}.new"));
        fs::write(&beside, bytes).expect("the folder can be written to");
        fs::rename(beside, self.projector(file)).expect("the folder can be written to");
    }

    /// Writes a component over a file of the watched folder, as `cp` does.
    pub(crate) fn overwrite(&self, name: &str, file: &str) {
        let bytes = fs::read(component(name)).expect("a component can be read");
        fs::write(self.projector(file), bytes).expect("the folder can be written to");
    }

    /// Takes a file out of the watched folder.
    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.projector(file)).expect("the file was there");
    }

    /// The path of a file in the watched folder.
    pub(crate) fn projector(&self, file: &str) -> PathBuf {
        self.path("projectors").join(file)
    }

    // ---- the host -------------------------------------------------------------

    /// Starts the host and waits until it is at work.
    pub(crate) fn start(&mut self) {
        self.start_with(&[]);
        let pid = self.pid();
        self.until("the host is running", || {
            let status = self.status();
            status["host"]["running"] == true && status["host"]["pid"] == pid
        });
    }

    /// Starts the host, with flags, and does not wait.
    pub(crate) fn start_with(&mut self, flags: &[&str]) {
        assert!(self.host.is_none(), "it runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("host.log"));
        let mut command = self.lantern();
        command
            .arg("run")
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.stderr(log.expect("the folder can be written to"));
        self.host = Some(command.spawn().expect("the binary runs"));
    }

    /// The process of the running host.
    pub(crate) fn pid(&self) -> u32 {
        self.host.as_ref().expect("the host was started").id()
    }

    /// Has the host stop in good order.
    pub(crate) fn stop(&mut self) {
        let mut host = self.host.take().expect("the host was started");
        let pid = Pid::from_child(&host);
        kill_process(pid, Signal::TERM).expect("one's own child can be signalled");
        let ended = wait(&mut host);
        assert!(
            ended.success(),
            "the host did not stop in good order: {ended}\n{}",
            self.log()
        );
    }

    /// Gives the running host two heartbeats' time to do what it should not do.
    pub(crate) fn wait_for_two_heartbeats(&self) {
        for _ in 0..2 {
            let last = self.status()["host"]["heartbeat_at"].clone();
            self.until("the host's heart has beaten", || {
                self.status()["host"]["heartbeat_at"] != last
            });
        }
    }

    /// Kills the host on the spot, as a power cut would. Says whether it was
    /// still running.
    pub(crate) fn kill(&mut self) -> bool {
        let mut host = self.host.take().expect("the host was started");
        let was_running = host
            .try_wait()
            .expect("one's own child can be asked")
            .is_none();
        host.kill().expect("one's own child can be killed");
        wait(&mut host);
        was_running
    }

    /// What the hosts of this folder have logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("host.log")).unwrap_or_default()
    }

    // ---- commands -------------------------------------------------------------

    /// The binary in this folder, with nothing of the environment's settings.
    pub(crate) fn lantern(&self) -> Command {
        let mut command = Command::new(places::lantern());
        command.current_dir(self.dir.path());
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn command(&self, arguments: &[&str]) -> Said {
        self.command_with_input(arguments, "")
    }

    /// Runs a command to its end with something on its stdin.
    pub(crate) fn command_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Said {
        let mut command = self.lantern();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("it was asked for");
        let input = input.as_ref().to_vec();
        // A command may end without having read it all.
        let writing = std::thread::spawn(move || stdin.write_all(&input).is_ok());
        let output = child
            .wait_with_output()
            .expect("one's own child can be waited for");
        writing.join().expect("writing does not panic");
        output.into()
    }

    /// Appends events, which must succeed.
    pub(crate) fn append(&self, events: &Events) -> Said {
        self.command_with_input(&["append", "-"], events.text())
            .ok()
    }

    /// Appends a file, which must succeed.
    pub(crate) fn append_file(&self, file: &Path) -> Said {
        self.command(&["append", &file.to_string_lossy()]).ok()
    }

    /// Runs a host until all is projected, which must succeed.
    pub(crate) fn run_until_caught_up(&self) -> Said {
        self.command(&["run", "--until-caught-up"]).ok()
    }

    /// How everything stands.
    pub(crate) fn status(&self) -> Value {
        self.command(&["status", "--json"]).ok().json()
    }

    /// How one projector stands; null when there is none.
    pub(crate) fn projector_status(&self, name: &str) -> Value {
        let status = self.status();
        let projectors = status["projectors"].as_array().cloned().unwrap_or_default();
        projectors
            .into_iter()
            .find(|projector| projector["name"] == name)
            .unwrap_or_default()
    }

    /// Why a file is refused; empty when it is not.
    pub(crate) fn refusal(&self, file: &str) -> String {
        let status = self.status();
        let refused = status["refused"].as_array().cloned().unwrap_or_default();
        let refused = refused
            .into_iter()
            .find(|refused| refused["file"] == file)
            .unwrap_or_default();
        refused["reason"].as_str().unwrap_or_default().to_owned()
    }

    // ---- what is stored -------------------------------------------------------

    /// Whether there are read models to be read.
    pub(crate) fn has_read_models(&self) -> bool {
        self.read_store().exists()
    }

    /// A reader of the read models.
    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.read_store())
    }

    /// The file of the read models.
    pub(crate) fn read_store(&self) -> PathBuf {
        self.path("lantern-data/read.db")
    }

    /// The file of the events.
    pub(crate) fn event_store(&self) -> PathBuf {
        self.path("lantern-data/events.db")
    }

    /// A number from the read models; `None` when there is no such table yet.
    pub(crate) fn number(&self, sql: &str) -> Option<i64> {
        self.has_read_models()
            .then(|| self.reader().number(sql))
            .flatten()
    }

    // ---- waiting --------------------------------------------------------------

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            if begun.elapsed() > PATIENCE {
                panic!("waited in vain until {what}\nstatus: {:#}", self.status());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until a query gives a number.
    pub(crate) fn until_number(&self, sql: &str, expected: i64) {
        self.until(&format!("`{sql}` is {expected}"), || {
            self.number(sql) == Some(expected)
        });
    }

    /// Waits until a projector is in a state.
    pub(crate) fn until_state(&self, name: &str, state: &str) {
        self.until(&format!("{name} is {state}"), || {
            self.projector_status(name)["state"] == state
        });
    }

    /// Waits until readers see a version.
    pub(crate) fn until_version(&self, name: &str, version: &str) {
        self.until(&format!("{name} is at {version}"), || {
            self.projector_status(name)["version"] == version
        });
    }

    /// Waits until a file is refused, and gives the reason.
    pub(crate) fn until_refused(&self, file: &str) -> String {
        let mut reason = String::new();
        self.until(&format!("{file} is refused"), || {
            reason = self.refusal(file);
            !reason.is_empty()
        });
        reason
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        if let Some(host) = &mut self.host {
            // It may have ended by itself.
            let _ = host.kill();
            let _ = host.wait();
        }
        if std::thread::panicking() {
            eprintln!("---- the host's log ----\n{}", self.log());
        }
    }
}

impl Said {
    /// Asserts that it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ended_with(0)
    }

    /// Asserts how it ended.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n---- stdout\n{}---- stderr\n{}",
            self.out, self.err
        );
        self
    }

    /// The result, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.out))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn is_setting(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("LANTERN_")
}

fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(ended) = child.try_wait().expect("one's own child can be asked") {
            return ended;
        }
        assert!(begun.elapsed() < PATIENCE, "the process does not end");
        std::thread::sleep(LOOK);
    }
}
