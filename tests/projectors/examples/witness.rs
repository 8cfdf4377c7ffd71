//! Writes down every event it is shown, how often, and whether the order was
//! right.

use lantern_sdk::prelude::*;

/// An event.
#[derive(Table)]
#[table(name = "witnessed")]
pub struct Witnessed {
    /// Its id.
    #[key]
    pub id: String,
    /// Its stream.
    pub stream: String,
    /// Its version there.
    pub version: i64,
    /// Where it was in the log.
    pub position: i64,
    /// How often it was shown.
    pub times: i64,
}

/// The order of events, of all together (`log`) and in each stream.
#[derive(Table)]
#[table(name = "witnessed_order")]
pub struct Order {
    /// `log`, or `stream` and the stream's name.
    #[key]
    pub of: String,
    /// The last position, or the last version.
    pub last: i64,
    /// How often the next was not greater; of a stream, how often it was not
    /// greater by one.
    pub breaks: i64,
}

/// Keeps both.
#[projector(
    name = "witness",
    version = "1.0.0",
    tables(Witnessed, Order),
    needs(ids, streams)
)]
pub fn witness(event: Event<()>, rows: &mut Rows) -> Result<()> {
    let (position, version) = (event.position as i64, event.version as i64);
    let before = rows.get(Witnessed::key(&event.id))?;
    rows.upsert(&Witnessed {
        id: event.id.to_string(),
        stream: event.stream.to_string(),
        version,
        position,
        times: before.map_or(0, |before| before.times) + 1,
    });
    let stream = format!("stream {}", &*event.stream);
    for (of, now, steps) in [("log", position, false), (stream.as_str(), version, true)] {
        let before = rows.get(Order::key(of))?;
        let last = before.as_ref().map_or(0, |before| before.last);
        let is_right = match steps {
            true => last + 1 == now,
            false => last < now,
        };
        rows.upsert(&Order {
            of: of.into(),
            last: now,
            breaks: before.map_or(0, |before| before.breaks) + i64::from(!is_right),
        });
    }
    Ok(())
}
