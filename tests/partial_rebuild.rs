//! One tenant's or stream's rows are made anew, and nobody else's are touched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::components::guest;
use crate::harness::{Chance, Events, Store, TestHost, on_each_store, told};

on_each_store![
    a_tenants_rows_are_healed_and_nobody_elses_are_touched,
    the_worker_forgets_the_former_rows,
    it_is_done_without_a_host_too,
    events_that_come_meanwhile_are_neither_lost_nor_counted_twice,
    a_kill_leaves_the_former_rows_or_the_new_ones_whole,
    a_stream_is_rebuilt_by_itself_and_so_is_one_tenants_stream,
    a_part_with_more_dead_letters_does_not_take_over,
    a_projector_that_failed_can_have_a_part_rebuilt_and_stays_failed,
    what_cannot_be_rebuilt_in_part_says_why,
    a_rebuild_of_all_comes_before_one_of_a_part,
];

const NAMED: &str = "tenant_counter";
/// A guest that fails at each event of type `probe.poison`.
const GUEST: &str = "names_the_tenant_in_a_key";
const COUNTED: &str = "SELECT coalesce(sum(total), 0) FROM tenant_counters";

fn a_tenants_rows_are_healed_and_nobody_elses_are_touched(store: Store) {
    let mut host = caught_up(store);
    damage(&host, "UPDATE {} SET total = 700 WHERE name = 'counter-1'");
    damage(&host, "DELETE FROM {} WHERE name = 'counter-2'");
    damage(
        &host,
        "INSERT INTO {} (tenant, name, total) VALUES ('a', 'ghost', 1), ('b', 'ghost', 2)",
    );
    let others = of(&host, "b");
    assert_ne!(others, expected("b"), "damaged by hand, and to stay so");
    host.start();
    let part = ["rebuild", NAMED, "--tenant", "a"];
    let estimate = host.command(&[&part[..], &["--dry-run", "--json"]].concat());
    let estimate = estimate.ok().json();
    assert_eq!(estimate["events"], 40, "{estimate:#}");
    assert_eq!(estimate["rows"], 5, "{estimate:#}");
    let said = host.command(&[&part[..], &["--wait"]].concat()).ok();
    assert!(said.out.contains("tenant `a` is rebuilt"), "{}", said.out);
    assert_eq!(of(&host, "a"), expected("a"));
    assert_eq!(of(&host, "b"), others);
    let status = host.projector_status(NAMED);
    assert_eq!(status["checkpoint"][""], 80, "{status:#}");
    assert!(
        status["building"].is_null() && status["failure"].is_null(),
        "{status:#}"
    );
    let generations = "SELECT count(*) FROM lantern_generations";
    assert_eq!(
        host.number(generations),
        Some(1),
        "what it was built in is gone"
    );
    host.until_state(NAMED, "live");
    // And once more, with nothing to heal.
    host.command(&[&part[..], &["--wait"]].concat()).ok();
    assert_eq!(of(&host, "a"), expected("a"));
    assert_eq!(of(&host, "b"), others);
    host.stop();
}

fn the_worker_forgets_the_former_rows(store: Store) {
    let mut host = caught_up(store);
    damage(&host, "UPDATE {} SET total = 700 WHERE name = 'counter-1'");
    host.start();
    // It has read the damaged rows, and keeps them in mind.
    let more = |n| {
        Events::from(n)
            .increased_of("a", "counter-1", 1)
            .increased_of("b", "counter-1", 1)
    };
    let total = |tenant| {
        format!(
            "SELECT total FROM tenant_counters WHERE tenant = '{tenant}' AND name = 'counter-1'"
        )
    };
    host.append(&more(101));
    host.until_number(&total("a"), 701);
    host.command(&["rebuild", NAMED, "--tenant", "a", "--wait"])
        .ok();
    assert_eq!(host.number(&total("a")), Some(9));
    host.append(&more(103));
    host.until_number(&total("b"), 702);
    host.until_number(&total("a"), 10);
    host.stop();
}

fn it_is_done_without_a_host_too(store: Store) {
    let host = caught_up(store);
    damage(&host, "UPDATE {} SET total = 700 WHERE name = 'counter-1'");
    host.command(&["rebuild", NAMED, "--tenant", "b", "--wait"])
        .ok();
    assert_eq!(of(&host, "b"), expected("b"));
    assert_ne!(of(&host, "a"), expected("a"));
    // Asked for by one, done by the next that runs.
    host.command(&["rebuild", NAMED, "--tenant", "a"]).ok();
    assert_ne!(of(&host, "a"), expected("a"));
    host.run_until_caught_up();
    assert_eq!(of(&host, "a"), expected("a"));
    assert_eq!(of(&host, "b"), expected("b"));
}

fn events_that_come_meanwhile_are_neither_lost_nor_counted_twice(store: Store) {
    let mut host = caught_up(store);
    host.start();
    let done = AtomicBool::new(false);
    let mut appended = 80_u64;
    std::thread::scope(|scope| {
        let rebuilding = scope.spawn(|| {
            for round in 0..6 {
                let tenant = ["a", "b"][round % 2];
                host.command(&["rebuild", NAMED, "--tenant", tenant, "--wait"])
                    .ok();
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) && !rebuilding.is_finished() {
            host.append(&both(appended + 1, 20));
            appended += 20;
        }
    });
    host.until_number(COUNTED, i64::try_from(appended).unwrap());
    let per_tenant = format!(
        "SELECT count(*) FROM (SELECT sum(total) AS t FROM tenant_counters GROUP BY tenant) x WHERE t = {}",
        appended / 2
    );
    assert_eq!(host.number(&per_tenant), Some(2));
    host.stop();
}

fn a_kill_leaves_the_former_rows_or_the_new_ones_whole(store: Store) {
    let mut chance = Chance::new();
    let mut host = TestHost::on(store);
    host.append(&both(1, 8_000));
    host.install(NAMED, "tenant_counter.wasm");
    host.run_until_caught_up();
    let whole = of(&host, "a");
    let (mut before, mut after) = (0, 0);
    for _ in 0..8 {
        damage(&host, "UPDATE {} SET total = -1");
        let (former, others) = (of(&host, "a"), of(&host, "b"));
        host.command(&["rebuild", NAMED, "--tenant", "a"]).ok();
        host.start_with(&["--set", "commit.rows=1", "--set", "batch.events=50"]);
        std::thread::sleep(chance.time(50..700));
        host.kill();
        let now = of(&host, "a");
        assert!(now == former || now == whole, "a part of it: {now:#}");
        assert_eq!(of(&host, "b"), others);
        if now == former {
            before += 1
        } else {
            after += 1
        }
        host.run_until_caught_up();
        assert_eq!(of(&host, "a"), whole, "it is done after all");
        assert_eq!(of(&host, "b"), others);
    }
    told(
        &format!("partial_rebuild::a_kill::{}", store.name()),
        &format!(
            "{before} kills before, {after} after (seed {})",
            chance.seed()
        ),
    );
}

fn a_stream_is_rebuilt_by_itself_and_so_is_one_tenants_stream(store: Store) {
    let mut host = TestHost::on(store);
    host.append(&both(1, 80));
    host.install("stream_counter", "stream_counter.wasm");
    host.start();
    let all = "SELECT tenant, stream, name, total FROM stream_counters ORDER BY tenant, stream";
    let rows = |host: &TestHost| host.reader().rows(all).unwrap();
    host.until_number("SELECT coalesce(sum(total), 0) FROM stream_counters", 80);
    let sound: Vec<Vec<Value>> = ["a", "b"]
        .iter()
        .flat_map(|tenant| {
            (0..5).map(move |i| {
                let stream = format!("counter-{i}");
                vec![json!(tenant), json!(stream), json!("events"), json!(8)]
            })
        })
        .collect();
    assert_eq!(rows(&host), sound);
    host.stop();
    damage_table(&host, "stream_counters", "UPDATE {} SET total = -1");
    host.start();
    // Which of the rows are sound after each rebuild.
    let mut healed: Vec<usize> = Vec::new();
    for (part, rows_of_it) in [
        (&["--stream", "counter-1", "--tenant", "b"][..], &[6][..]),
        (&["--stream", "counter-3"], &[3, 8]),
        (&["--tenant", "a"], &[0, 1, 2, 4]),
    ] {
        let arguments = [&["rebuild", "stream_counter", "--wait"], part].concat();
        host.command(&arguments).ok();
        healed.extend(rows_of_it);
        let is_sound =
            |i: usize, row: &Vec<Value>| row[3] == if healed.contains(&i) { 8 } else { -1 };
        let now = rows(&host);
        assert!(
            now.iter().enumerate().all(|(i, row)| is_sound(i, row)),
            "after {part:?}: {now:?}"
        );
    }
    host.stop();
}

fn a_part_with_more_dead_letters_does_not_take_over(store: Store) {
    let host = TestHost::on_with(
        store,
        "failure.live = \"quarantine\"\nfailure.rebuild = \"quarantine\"",
    );
    host.install_bytes(&std::fs::read(guest(GUEST)).unwrap(), "guest.wasm");
    let whats = ["seen", "seen", "poison", "poison", "seen"];
    host.append(&probes(1, &whats));
    host.run_until_caught_up();
    let letters = |host: &TestHost| host.projector_status(GUEST)["dead_letters"].clone();
    assert_eq!(letters(&host), 2);
    let rebuild = ["rebuild", GUEST, "--tenant", "a", "--wait"];
    host.command(&rebuild).ok();
    assert_eq!(letters(&host), 2, "as many as before");

    // What was given up comes again, and is not wanted.
    host.command(&["dead-letters", "discard", GUEST, "--position", "3"])
        .ok();
    host.run_until_caught_up();
    assert_eq!(letters(&host), 1);
    let said = host.command(&rebuild).ended_with(1);
    let reason = "1 dead letters, the one that readers see 0";
    assert!(said.out.contains(reason), "{}", said.out);
    let reason = "readers still see the former rows";
    assert!(said.err.contains(reason), "{}", said.err);
    let status = host.projector_status(GUEST);
    assert!(
        status["failure"].is_null(),
        "the live rows go on: {status:#}"
    );
    host.append(&probes(6, &["seen"]));
    host.command(&["run", "--until-caught-up"]).ended_with(1);
    let seen = format!("SELECT count(*) FROM {GUEST}");
    assert_eq!(host.number(&seen), Some(4));
    assert_eq!(letters(&host), 1);
    // The other tenant has as many as before.
    host.command(&["rebuild", GUEST, "--tenant", "b", "--wait"])
        .ok();
    assert_eq!(letters(&host), 1);
}

fn a_projector_that_failed_can_have_a_part_rebuilt_and_stays_failed(store: Store) {
    let host = TestHost::on(store);
    host.install_bytes(&std::fs::read(guest(GUEST)).unwrap(), "guest.wasm");
    host.append(&probes(1, &["seen", "seen", "poison", "seen"]));
    host.command(&["run", "--until-caught-up"]).ended_with(1);
    damage_table(&host, GUEST, "UPDATE {} SET note = 'damaged'");
    host.command(&["rebuild", GUEST, "--tenant", "b", "--wait"])
        .ok();
    let sql = format!("SELECT tenant, position, note FROM {GUEST} ORDER BY position");
    let rows = host.reader().rows(&sql).unwrap();
    // No further than where the projector stands.
    let expected = json!([["a", 1, "damaged"], ["b", 2, "seen"]]);
    assert_eq!(json!(rows), expected);
    let status = host.projector_status(GUEST);
    assert_eq!(status["failure"]["position"], 3, "{status:#}");
}

#[test]
fn of_several_hosts_one_takes_it_over() {
    if !Store::Postgres.is_here() {
        return;
    }
    let mut first = caught_up(Store::Postgres);
    let mut second = first.another("");
    second.install(NAMED, "tenant_counter.wasm");
    first.start();
    second.start();
    let mut appended = 80;
    for round in 0..6 {
        damage(
            &first,
            "UPDATE {} SET total = total + 1000 WHERE tenant = 'a'",
        );
        let asked = [&first, &second][round % 2];
        asked
            .command(&["rebuild", NAMED, "--tenant", "a", "--wait"])
            .ok();
        first.append(&both(appended + 1, 20));
        appended += 20;
        first.until_number(COUNTED, i64::try_from(appended).unwrap());
    }
    second.stop();
    first.stop();
}

fn what_cannot_be_rebuilt_in_part_says_why(store: Store) {
    let host = TestHost::on(store);
    host.append(&both(1, 10));
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    for dry in [&[][..], &["--dry-run"]] {
        let arguments = [&["rebuild", "counter", "--tenant", "a"], dry].concat();
        let said = host.command(&arguments).ended_with(1);
        for part in [
            "table `counters` of projector `counter` is not keyed by tenant",
            "those of tenant `a`",
            "rebuild all of it: `lantern rebuild counter`",
            "tenant_keyed",
        ] {
            assert!(said.err.contains(part), "{}", said.err);
        }
    }
    let said = host
        .command(&["rebuild", "counter", "--stream", "s"])
        .ended_with(1);
    assert!(said.err.contains("not keyed by stream"), "{}", said.err);
    assert_eq!(
        host.number("SELECT count(*) FROM lantern_generations"),
        Some(1)
    );
}

fn a_rebuild_of_all_comes_before_one_of_a_part(store: Store) {
    let host = caught_up(store);
    host.command(&["rebuild", NAMED]).ok();
    let said = host
        .command(&["rebuild", NAMED, "--tenant", "a"])
        .ended_with(1);
    assert!(
        said.err.contains("is being rebuilt, to version 1.0.0"),
        "{}",
        said.err
    );
    host.run_until_caught_up();
    // The other way round the part is given up.
    host.command(&["rebuild", NAMED, "--tenant", "a"]).ok();
    let building = host.projector_status(NAMED)["building"]["of"].clone();
    assert_eq!(building, "tenant `a`");
    host.command(&["rebuild", NAMED, "--wait"]).ok();
    assert!(host.projector_status(NAMED)["building"].is_null());
    assert_eq!(of(&host, "a"), expected("a"));
    assert_eq!(of(&host, "b"), expected("b"));
}

/// Eighty events, forty of each of two tenants, over five counters of the same
/// names; projected by a host that has gone.
fn caught_up(store: Store) -> TestHost {
    let host = TestHost::on(store);
    host.append(&both(1, 80));
    host.install(NAMED, "tenant_counter.wasm");
    host.run_until_caught_up();
    host
}

/// `count` events of the tenants `a` and `b` in turn.
fn both(first: u64, count: u64) -> Events {
    (0..count).fold(Events::from(first), |events, i| {
        let tenant = ["a", "b"][usize::try_from(i % 2).unwrap()];
        events.increased_of(tenant, &format!("counter-{}", i / 2 % 5), 1)
    })
}

/// Events for the guest, each of a stream of its own, of the tenants `a` and `b` in
/// turn.
fn probes(first: u64, whats: &[&str]) -> Events {
    whats
        .iter()
        .zip(first..)
        .fold(Events::new(), |events, (what, n)| {
            let tenant = if n % 2 == 0 { "b" } else { "a" };
            let event = json!({
                "specversion": "1.0", "id": format!("probe-{n}"), "source": "/tests",
                "type": format!("probe.{what}"), "subject": format!("stream-{n}"),
                "tenant": tenant, "time": "2026-01-01T00:00:00Z", "data": {},
            });
            events.line(&event.to_string())
        })
}

/// The rows of a tenant after the eighty events, counted without Lantern.
fn expected(tenant: &str) -> Value {
    let rows = (0..5).map(|i| json!([tenant, format!("counter-{i}"), 8]));
    rows.collect()
}

/// The rows of a tenant as a reader sees them.
fn of(host: &TestHost, tenant: &str) -> Value {
    let sql = format!(
        "SELECT tenant, name, total FROM tenant_counters WHERE tenant = '{tenant}' ORDER BY name"
    );
    json!(host.reader().rows(&sql).unwrap())
}

/// Changes the live table behind Lantern's back; `{}` stands for it.
fn damage(host: &TestHost, sql: &str) {
    damage_table(host, "tenant_counters", sql);
}

fn damage_table(host: &TestHost, name: &str, sql: &str) {
    let live = host.number("SELECT id FROM lantern_generations WHERE state = 'live'");
    let table = format!("lantern_g{}_{name}", live.unwrap());
    match host.store() {
        Store::Sqlite => {
            let file = rusqlite::Connection::open(host.read_store()).unwrap();
            file.busy_timeout(Duration::from_secs(5)).unwrap();
            file.execute_batch(&sql.replace("{}", &table)).unwrap();
        }
        Store::Postgres => {
            let table = format!("read_models.{table}");
            host.database().run(&sql.replace("{}", &table));
        }
    }
}
