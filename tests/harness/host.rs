//! A Lantern of one's own: a folder, the real binary as a process in it, and
//! commands from a second terminal.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Instant;

use lantern_test_servers::TestDatabase;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::components::component;
use super::events::Events;
use super::places;
use super::rows::Reader;
use super::said::Said;
use super::store::{EVENTS, Place, READ_MODELS, Store};
use super::waiting::{LOOK, patience};

/// What the tests set unless they set it otherwise: files are taken sooner than
/// by default.
const SETTINGS: &str = "watch.debounce_ms = 50\nwatch.rescan_ms = 1000\nlog.filter = \"info\"\n";

/// A folder with a Lantern in it, and the host that may run there.
pub(crate) struct TestHost {
    dir: TempDir,
    place: Place,
    host: Option<Child>,
}

impl TestHost {
    /// A new folder, with a `lantern.toml` and nothing else; the stores are files.
    pub(crate) fn new() -> Self {
        Self::with_settings("")
    }

    /// A new folder with further settings, as lines of `lantern.toml`.
    pub(crate) fn with_settings(settings: &str) -> Self {
        Self::on_with(Store::Sqlite, settings)
    }

    /// A new folder, and fresh stores of a kind.
    pub(crate) fn on(store: Store) -> Self {
        Self::on_with(store, "")
    }

    /// A new folder with further settings, and fresh stores of a kind.
    pub(crate) fn on_with(store: Store, settings: &str) -> Self {
        Self::at(Place::new(store), settings)
    }

    /// A new folder, as that of another machine, on the stores of this one.
    pub(crate) fn another(&self, settings: &str) -> Self {
        Self::at(self.place.clone(), settings)
    }

    /// A new folder with further settings, on certain stores.
    pub(crate) fn at(place: Place, settings: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("lantern-")
            .tempdir()
            .expect("there is room for a folder");
        fs::create_dir(dir.path().join("projectors")).expect("there is room for a folder");
        let host = Self {
            dir,
            place,
            host: None,
        };
        host.write_settings(settings);
        host
    }

    /// Replaces the further settings. They count from the next start on.
    pub(crate) fn write_settings(&self, settings: &str) {
        let of_mine = self.place.settings() + SETTINGS;
        let of_mine = of_mine.lines().filter(|line| {
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

    /// Whether the host that was started still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        let host = self.host.as_mut().expect("the host was started");
        let ended = host.try_wait().expect("one's own child can be asked");
        ended.is_none()
    }

    /// Sends the host a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let host = self.host.as_ref().expect("the host was started");
        kill_process(Pid::from_child(host), signal).expect("one's own child can be signalled");
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

    /// A reader of the read models.
    pub(crate) fn reader(&self) -> Reader {
        self.try_reader().expect("the read models can be read")
    }

    /// A reader of the read models, if there can be one now.
    pub(crate) fn try_reader(&self) -> Result<Reader, String> {
        match &self.place {
            Place::Files if !self.read_store().exists() => Err("there is no file yet".into()),
            Place::Files => Ok(Reader::open(&self.read_store())),
            Place::Database(database) => Reader::connect(database, READ_MODELS),
        }
    }

    /// The kind of its stores.
    pub(crate) fn store(&self) -> Store {
        match &self.place {
            Place::Files => Store::Sqlite,
            Place::Database(_) => Store::Postgres,
        }
    }

    /// The file of the read models, where they are in one.
    pub(crate) fn read_store(&self) -> PathBuf {
        self.path("lantern-data/read.db")
    }

    /// The file of the events, where they are in one.
    pub(crate) fn event_store(&self) -> PathBuf {
        self.path("lantern-data/events.db")
    }

    /// The database of both.
    pub(crate) fn database(&self) -> &TestDatabase {
        match &self.place {
            Place::Files => panic!("the stores are files"),
            Place::Database(database) => database,
        }
    }

    /// The same, to be used in another thread.
    pub(crate) fn shared_database(&self) -> Arc<TestDatabase> {
        match &self.place {
            Place::Files => panic!("the stores are files"),
            Place::Database(database) => database.clone(),
        }
    }

    /// A number from the read models; `None` when there is no such table yet.
    pub(crate) fn number(&self, sql: &str) -> Option<i64> {
        self.try_reader().ok()?.number(sql)
    }

    /// How many events there are.
    pub(crate) fn events(&self) -> i64 {
        let reader = match &self.place {
            Place::Files if !self.event_store().exists() => return 0,
            Place::Files => Reader::open(&self.event_store()),
            Place::Database(database) => {
                Reader::connect(database, EVENTS).expect("the events can be read")
            }
        };
        let count = reader.number("SELECT count(*) FROM lantern_events");
        count.unwrap_or(0)
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

fn is_setting(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("LANTERN_")
}

fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(ended) = child.try_wait().expect("one's own child can be asked") {
            return ended;
        }
        assert!(begun.elapsed() < patience(), "the process does not end");
        std::thread::sleep(LOOK);
    }
}
