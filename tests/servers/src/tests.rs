//! The servers, as tests use them. Without PostgreSQL there is nothing to test.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Postgres, PostgresOptions};

/// Set for the process that a test starts to kill it.
const AS_VICTIM: &str = "LANTERN_TEST_SERVERS_VICTIM";

#[test]
fn databases_are_separate_and_go_with_their_values() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (one, other) = (postgres.database(), postgres.database());
    one.run("CREATE TABLE t (n bigint, s text); INSERT INTO t VALUES (7, 'x'), (8, NULL)");
    let rows = one.query("SELECT n, s FROM t ORDER BY n");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(rows, [[text("7"), text("x")], [text("8"), None]]);
    let error = other.try_query("SELECT * FROM t").unwrap_err();
    assert_eq!(error.code.as_deref(), Some("42P01"), "{error}");
    let name = one.name().to_owned();
    let still_open = one.session();
    drop(one);
    assert!(still_open.try_query("SELECT 1").is_err());
    let left = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    assert!(postgres.run_sql("postgres", &left).is_empty());
}

#[test]
fn it_is_set_up_as_promised() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let database = postgres.database();
    let show = |name: &str| database.query(&format!("SHOW {name}"))[0][0].clone();
    for (name, value) in [
        ("fsync", "off"),
        ("max_connections", "200"),
        ("max_prepared_transactions", "10"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("listen_addresses", "127.0.0.1"),
        ("port", &postgres.port().to_string()),
    ] {
        assert_eq!(show(name).as_deref(), Some(value), "{name}");
    }
    assert!(TcpStream::connect(("127.0.0.1", postgres.port())).is_ok());
    let socket = format!(".s.PGSQL.{}", postgres.port());
    assert!(postgres.socket_dir().join(socket).exists());
}

#[test]
fn its_addresses_are_understood_by_the_driver() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let database = postgres.database();
    for url in [database.url().to_owned(), database.socket_url()] {
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let rows = crate::client::query_once(&options, "SELECT current_database()");
        let name = Some(database.name().to_owned());
        assert_eq!(rows.unwrap(), [[name]], "{url}");
    }
}

#[test]
fn sessions_hold_transactions_and_locks() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let database = postgres.database();
    database.run("CREATE TABLE t (n bigint)");
    let (holder, waiter) = (database.session(), database.session());
    holder.run("BEGIN; LOCK TABLE t");
    let answer = waiter.begin_query("SELECT count(*) FROM t");
    assert!(answer.recv_timeout(Duration::from_millis(200)).is_err());
    holder.run("INSERT INTO t VALUES (1)");
    holder.run("COMMIT");
    let rows = answer.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(rows.unwrap(), [[Some("1".to_owned())]]);
    assert_ne!(holder.pid(), waiter.pid());
}

#[test]
fn answers_tell_the_types_of_their_columns() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let database = postgres.database();
    let session = database.session();
    let sql = "SELECT 1::bigint, 2.50::numeric, true, 'x'::text, NULL::bytea";
    let answer = session.ask(sql).unwrap();
    assert_eq!(answer.types, ["INT8", "NUMERIC", "BOOL", "TEXT", "BYTEA"]);
    let values = [Some("1"), Some("2.50"), Some("t"), Some("x"), None];
    assert_eq!(answer.rows, [values.map(|value| value.map(str::to_owned))]);
}

#[test]
fn what_was_committed_outlives_stops_and_kills() {
    let options = PostgresOptions {
        fsync: true,
        settings: vec![("work_mem".to_owned(), "5MB".to_owned())],
    };
    let Some(postgres) = Postgres::start_with(&options) else {
        return;
    };
    let database = postgres.database();
    assert_eq!(database.query("SHOW fsync")[0][0].as_deref(), Some("on"));
    assert_eq!(
        database.query("SHOW work_mem")[0][0].as_deref(),
        Some("5MB")
    );
    let port = postgres.port();
    database.run("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)");
    postgres.stop();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(database.try_query("SELECT 1").is_err());
    postgres.start_again();
    let at_work = database.session();
    at_work.run("INSERT INTO t VALUES (2)");
    at_work.run("BEGIN; INSERT INTO t VALUES (3)");
    let busy = database.session();
    let busy_pid = u32::try_from(busy.pid()).unwrap();
    let never = busy.begin_query("SELECT pg_sleep(100)");
    postgres.kill();
    assert!(!is_running(busy_pid), "its processes die with it");
    assert!(
        never
            .recv_timeout(Duration::from_secs(20))
            .unwrap()
            .is_err()
    );
    postgres.start_again();
    assert_eq!(postgres.port(), port);
    let rows = database.query("SELECT n FROM t ORDER BY n");
    assert_eq!(rows, [[Some("1".to_owned())], [Some("2".to_owned())]]);
    assert!(postgres.log().contains("automatic recovery"));
}

#[test]
fn a_server_ends_with_its_value() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let (port, dir) = (postgres.port(), postgres.socket_dir().to_owned());
    assert!(dir.exists());
    drop(postgres);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!dir.exists());
}

#[test]
fn servers_end_with_the_process_even_when_it_is_killed() {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim
        .args(["--exact", "tests::is_killed", "--nocapture"])
        .env(AS_VICTIM, "1")
        .stdout(Stdio::piped());
    let mut victim = victim.spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let found = lines.map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("running: ")?;
        let (pid, dir) = rest.split_once(' ')?;
        Some((pid.parse().unwrap(), dir.to_owned()))
    });
    victim.kill().unwrap();
    victim.wait().unwrap();
    let Some((pid, dir)) = found else {
        assert!(Postgres::shared().is_none(), "the victim started none");
        return;
    };
    let begun = Instant::now();
    while is_running(pid) || Path::new(&dir).exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is left over");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The other half of the test above; by itself it does nothing.
#[test]
fn is_killed() {
    if std::env::var_os(AS_VICTIM).is_none() {
        return;
    }
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let dir = postgres.socket_dir().display();
    println!("running: {} {dir}", postgres.pid().unwrap());
    std::thread::sleep(Duration::from_secs(60));
}

/// Whether a process runs; one that has ended and that nobody has asked for yet
/// does not.
fn is_running(pid: u32) -> bool {
    let pid = pid.to_string();
    let ps = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid])
        .output();
    let state = String::from_utf8_lossy(&ps.unwrap().stdout).into_owned();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
