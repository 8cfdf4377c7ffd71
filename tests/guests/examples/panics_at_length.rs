//! Panics with a megabyte of text. Stopped: the beginning of it.
use lantern_sdk::prelude::*;

#[derive(Table)]
#[table(name = "panics_at_length")]
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

#[projector(name = "panics_at_length", version = "1.0.0", tables(Seen))]
fn panics_at_length(event: Event<Probe>, rows: &mut Rows) {
    match event.data {
        Probe::Seen => {
            rows.upsert(&Seen {
                position: event.position as i64,
                note: "seen".into(),
            });
        }
        Probe::Poison => panic!("{}", "so much to say ".repeat(1 << 16)),
    }
}
