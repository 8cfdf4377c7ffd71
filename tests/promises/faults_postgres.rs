//! Nothing is lost or doubled, whatever happens to the database meanwhile.
//!
//! Connections are cut at random, the server crashes and is stopped, its disk
//! fills up. All the time a reader finds rows and checkpoint in step; at the end
//! every event is counted once. Short forms as a rule; long ones with
//! `LANTERN_TORTURE=1` (`make torture`).

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lantern_test_servers::Postgres;

use super::is_torture;
use crate::harness::counted::{Counted, SETTINGS, assert_in_step, sum};
use crate::harness::store::Place;
use crate::harness::{Chance, Events, Store, TestHost, skipped, told};

#[test]
fn connections_cut_at_random_lose_and_double_nothing() {
    let test = "faults_postgres::connections_cut_at_random";
    if !Store::Postgres.is_here() {
        return;
    }
    let mut chance = Chance::new();
    let mut log = Counted::new(TestHost::on_with(Store::Postgres, SETTINGS));
    log.append(20_000);
    log.host.start();
    log.host.until_state("counter", "live");
    let (begun, mut cut) = (Instant::now(), 0);
    while begun.elapsed() < span(5, 60) {
        sleep(chance.time(10..120));
        cut += log.host.database().query(CUT_ONE).len();
        if chance.number(0..10) == 0 {
            log.append_stubbornly(chance.number(1..500));
        }
        assert_in_step(log.host.database());
    }
    log.assert_all_counted();
    told(
        test,
        &format!(
            "{cut} connections cut, {} events (seed {})",
            log.appended,
            chance.seed()
        ),
    );
    assert!(cut > 20, "only {cut} connections were cut");
    log.host.stop();
}

const CUT_ONE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND application_name LIKE 'lantern%' \
     ORDER BY random() LIMIT 1";

#[test]
fn a_server_that_crashes_or_is_stopped_is_waited_for() {
    let test = "faults_postgres::a_server_that_crashes";
    let Some(server) = Postgres::start() else {
        return;
    };
    let mut chance = Chance::new();
    let mut log = Counted::new(TestHost::at(Place::on(&server), SETTINGS));
    log.append(20_000);
    log.host.start();
    let rounds = if is_torture() { 40 } else { 4 };
    let mut met = 0;
    for round in 0..rounds {
        sleep(chance.time(100..800));
        log.append(chance.number(1..300));
        met += u64::from(!log.is_all_counted());
        // Every other time in good order, which a crash is not.
        match round % 2 {
            0 => server.kill(),
            _ => server.stop(),
        }
        let said = log.host.command(&["status"]).ended_with(3);
        assert!(said.err.contains("hint: "), "{}", said.err);
        sleep(chance.time(0..1_500));
        assert!(log.host.is_running(), "the host stays");
        server.start_again();
        assert_in_step(log.host.database());
    }
    log.assert_all_counted();
    let told_of = log.host.log().matches("can be used again").count();
    let what = format!(
        "{rounds} times away, {met} of them while there was something to do; {} events (seed {})",
        log.appended,
        chance.seed()
    );
    told(test, &what);
    assert!(told_of > 0, "the log tells when it is over");
    log.host.stop();
}

#[test]
fn a_host_starts_and_stops_while_its_server_is_away() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let mut log = Counted::new(TestHost::at(Place::on(&server), SETTINGS));
    log.append(100);
    server.stop();
    log.host.start_with(&[]);
    log.host.until_logged("trying again");
    assert!(log.host.is_running());
    server.start_again();
    log.assert_all_counted();
    server.stop();
    log.host.until_logged("heartbeat");
    log.host.stop();
    server.start_again();
    log.append(100);
    log.host.start();
    log.assert_all_counted();
    log.host.stop();
}

/// As `failure::a_full_disk_is_waited_for_loudly`: in a namespace of its own.
#[test]
fn a_full_disk_of_the_server_is_waited_for_loudly() {
    let test = "faults_postgres::a_full_disk";
    if !Store::Postgres.is_here() {
        return;
    }
    let flags = namespace();
    let tried = Command::new("unshare")
        .args(&flags)
        .args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"])
        .stderr(Stdio::null())
        .status();
    if !tried.is_ok_and(|status| status.success()) {
        let why = format!(
            "no small disk can be mounted here (see `unshare {}`)",
            flags.join(" ")
        );
        return skipped(test, &why);
    }
    // Brought up to date out here, where they can be written to.
    let binary = crate::harness::places::lantern();
    crate::harness::component("counter_v1");
    let mut inner = Command::new("unshare");
    inner.args(&flags).arg(std::env::current_exe().unwrap());
    inner.args([
        "--exact",
        "promises::faults_postgres::on_a_small_disk",
        "--ignored",
        "--nocapture",
    ]);
    let ended = inner.env("LANTERN_TEST_BINARY", binary).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// Root needs no namespace of users, and would not find the server's user in one.
/// Others stay who they are in it, as the server does not run as root.
fn namespace() -> Vec<&'static str> {
    match rustix::process::geteuid().is_root() {
        true => vec!["--mount"],
        false => vec!["--map-current-user", "--keep-caps", "--mount"],
    }
}

#[test]
#[ignore = "runs in a namespace of its own, see `a_full_disk_of_the_server_is_waited_for_loudly`"]
fn on_a_small_disk() {
    let server = Postgres::start().expect("it was asked whether it is here");
    let disk = server.make_dir("disk");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
        .arg(&disk)
        .status();
    assert!(mounted.unwrap().success());
    server.own(&disk);
    let space = format!("CREATE TABLESPACE small LOCATION '{}'", disk.display());
    server.run_sql("postgres", &space);

    // The read models alone are there.
    let host = TestHost::at(Place::on(&server), SETTINGS);
    let rows = server.database();
    let name = rows.name();
    server.run_sql(
        "postgres",
        &format!("ALTER DATABASE \"{name}\" SET TABLESPACE small"),
    );
    host.write_settings(&format!("{SETTINGS}\nread_store.url = \"{}\"", rows.url()));
    let mut log = Counted::new(host);
    log.append(20);
    log.host.start();
    let counted = || sum(&rows);
    log.host
        .until("the first events are counted", || counted() == Some(20));

    fill(&disk);
    let many = 20_000;
    let events = (0..many).fold(Events::from(21), |events, i| {
        events.increased(&format!("one-of-many-{i}"), 1)
    });
    log.host.append(&events);
    log.host.until("the host complains", || {
        let log = log.host.log();
        log.contains("failed, trying again") && log.contains("No space left on device")
    });
    let so_far = counted().expect("readers read on");
    assert!(so_far < 20 + many, "there is no room");
    std::fs::remove_file(disk.join("filler")).unwrap();
    log.host
        .until("there is room again", || counted() == Some(20 + many));
    log.host.until_state("counter", "live");
    let status = log.host.projector_status("counter");
    assert!(status["failure"].is_null(), "nothing is anybody's fault");
    log.host.stop();
    drop((log, rows, server));
    let unmounted = Command::new("umount").arg("--lazy").arg(&disk).status();
    assert!(unmounted.is_ok());
}

/// Fills a disk to the last byte.
fn fill(disk: &Path) {
    use std::io::Write;
    let mut filler = std::fs::File::create(disk.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
}

fn span(short: u64, long: u64) -> Duration {
    Duration::from_secs(if is_torture() { long } else { short })
}
