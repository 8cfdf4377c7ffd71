//! Panics with control sequences of a terminal. Stopped: its words, harmless.
use lantern_sdk::prelude::*;

#[derive(Table)]
#[table(name = "panics_in_colour")]
struct Seen {
    #[key]
    position: i64,
    note: String,
}

#[derive(Events)]
enum Probe {
    #[event("probe.seen")]
    Seen,
    #[event("probe.poison")]
    Poison,
}

#[projector(name = "panics_in_colour", version = "1.0.0", tables(Seen))]
fn panics_in_colour(event: Event<Probe>, rows: &mut Rows) {
    match event.data {
        Probe::Seen => {
            rows.upsert(&Seen {
                position: event.position as i64,
                note: "seen".into(),
            });
        }
        Probe::Poison => panic!("\u{1b}[2J\u{1b}]0;owned\u{7}red\u{9b}31m \u{202e}"),
    }
}
