//! `panics`, mended.
use lantern_sdk::prelude::*;

#[derive(Table)]
#[table(name = "panics")]
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

#[projector(name = "panics", version = "1.0.0", tables(Seen))]
fn panics(event: Event<Probe>, rows: &mut Rows) {
    match event.data {
        Probe::Seen => {
            rows.upsert(&Seen {
                position: event.position as i64,
                note: "seen".into(),
            });
        }
        Probe::Poison => {
            rows.upsert(&Seen {
                position: -1,
                note: "seen".into(),
            });
        }
    }
}
