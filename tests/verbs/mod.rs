//! Every verb of an operator, from a second terminal: while a host runs, and
//! when none does. What it says, what it changes, how it ends.

mod appending;
mod looking;
mod making;
mod steering;
mod waiting;

use crate::harness::{Events, Store, TestHost};

/// The events counted so far.
const COUNTED: &str = "SELECT sum(events) FROM counters";

/// A host that runs `counter_v1` and has counted 50 events of five counters.
fn counting(store: Store) -> TestHost {
    let mut host = TestHost::on(store);
    host.append(&Events::new().interleaved(50, 5));
    host.install("counter_v1", "counter.wasm");
    host.start();
    host.until_number(COUNTED, 50);
    host
}
