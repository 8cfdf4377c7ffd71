//! Several hosts on the same stores share the work, and no event is counted twice.
//!
//! Hosts are killed, stopped, and frozen for longer than their lease and thawed
//! again, when another has long taken over and they do not know.

use std::thread::sleep;

use rustix::process::Signal;

use super::is_torture;
use crate::harness::counted::{Counted, SETTINGS, assert_in_step};
use crate::harness::{Chance, Store, TestHost, told};

#[test]
fn hosts_killed_frozen_and_thawed_share_the_work_and_double_nothing() {
    let test = "several_hosts::hosts_killed_frozen_and_thawed";
    if !Store::Postgres.is_here() {
        return;
    }
    let mut chance = Chance::new();
    let mut log = Counted::new(TestHost::on_with(Store::Postgres, SETTINGS));
    let mut other = log.host.another(SETTINGS);
    other.install("counter_v1", "counter.wasm");
    log.append(5_000);
    log.host.start();
    other.start();
    let rounds = if is_torture() { 60 } else { 4 };
    let mut met = [0; 3];
    for round in 0..rounds {
        log.append(chance.number(500..3_000));
        let victim = match chance.number(0..2) {
            0 => &mut log.host,
            _ => &mut other,
        };
        // Some are frozen for longer than the lease, and do not know when thawed.
        let action = if round == 0 { 0 } else { chance.number(0..3) };
        met[action as usize] += 1;
        match action {
            0 => {
                victim.signal(Signal::STOP);
                sleep(chance.time(2_500..3_500));
                victim.signal(Signal::CONT);
            }
            1 => {
                victim.signal(Signal::STOP);
                sleep(chance.time(10..1_500));
                victim.signal(Signal::CONT);
            }
            _ => {
                victim.kill();
                sleep(chance.time(0..1_000));
                victim.start();
            }
        }
        assert_in_step(log.host.database());
    }
    log.assert_all_counted();
    let [long, short, killed] = met;
    let what = format!(
        "frozen past the lease {long} times, shorter {short} times, killed {killed} times; {} events (seed {})",
        log.appended,
        chance.seed()
    );
    told(test, &what);
    log.host.stop();
    other.stop();
}

#[test]
fn a_second_host_takes_over_from_one_that_is_frozen_killed_or_stopped() {
    if !Store::Postgres.is_here() {
        return;
    }
    let mut log = Counted::new(TestHost::on_with(Store::Postgres, SETTINGS));
    log.append(100);
    log.host.start();
    log.assert_all_counted();
    let mut other = log.host.another(SETTINGS);
    other.install("counter_v1", "counter.wasm");
    other.start();
    other.until_logged("standing by");
    let running = other.status()["hosts"].as_array().map(Vec::len);
    assert_eq!(running, Some(2), "{:#}", other.status()["hosts"]);

    // The one at work is frozen: the other takes over when the lease has run out.
    log.host.signal(Signal::STOP);
    log.append(100);
    log.until_all_counted();
    // Thawed, it finds that it has been taken over from, and writes nothing more.
    log.host.signal(Signal::CONT);
    log.host.until_logged("standing by");
    log.append(100);
    log.until_all_counted();
    assert_in_step(log.host.database());

    // The one at work is killed: back to the first.
    other.kill();
    log.append(100);
    log.until_all_counted();

    // The one at work stops in good order, and gives the work away at once.
    other.start();
    log.host.stop();
    log.append(100);
    log.until_all_counted();
    log.assert_all_counted();
    other.stop();
}
