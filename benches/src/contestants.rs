//! The same read model by hand on SQLite: what a team would write without
//! Lantern.
//!
//! All read the same log and keep the same table, with the checkpoint in the
//! same transaction.

use std::path::Path;

use hashbrown::HashMap;
use rusqlite::{Connection, params};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Row as _};

use lantern::config::Durability;
use lantern::model::Timestamp;

use crate::fold::{Delta, Envelope, fold};

/// Events an expert takes at a time.
const BATCH: usize = 1_000;

const TABLE: &str = "
    CREATE TABLE order_totals (
        order_id TEXT PRIMARY KEY, customer_id TEXT, status TEXT, item_count INTEGER,
        total_cents INTEGER, currency TEXT, created_at TEXT, completed_at TEXT, entity_version INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoint (id INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT;
    INSERT INTO checkpoint VALUES (1, 0);";

const READ: &str = "
    SELECT e.position, t.name, e.version, e.time, e.data
    FROM lantern_events e JOIN lantern_event_types t ON t.id = e.type
    WHERE e.position > ? ORDER BY e.position LIMIT ?";

/// What an order that is there already becomes.
macro_rules! on_conflict {
    () => {
        "
    ON CONFLICT (order_id) DO UPDATE SET
        customer_id = COALESCE(excluded.customer_id, customer_id),
        status = COALESCE(excluded.status, status),
        item_count = item_count + excluded.item_count,
        total_cents = total_cents + excluded.total_cents,
        currency = COALESCE(excluded.currency, currency),
        created_at = COALESCE(excluded.created_at, created_at),
        completed_at = COALESCE(excluded.completed_at, completed_at),
        entity_version = excluded.entity_version"
    };
}

const UPSERT: &str = concat!(
    "INSERT INTO order_totals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    on_conflict!()
);

const UPSERT_JSON: &str = concat!(
    "INSERT INTO order_totals
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
    FROM json_each(?) WHERE true",
    on_conflict!()
);

const READ_ENVELOPE: &str = "
    SELECT e.position, e.id, s.name, t.name, e.version, e.time, e.data, e.metadata
    FROM lantern_events e
    JOIN lantern_event_types t ON t.id = e.type
    JOIN lantern_streams s ON s.id = e.stream
    WHERE e.position > ? ORDER BY e.position LIMIT ?";

fn open(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -16384;"
    ))?;
    Ok(conn)
}

/// An expert on the raw database: 1,000 events a transaction, each order
/// written once. Events are read whole, into structs that own their texts, as a
/// subscription that serves any handler does.
pub(crate) fn expert_raw(events: &Path, rows: &Path, durability: Durability) -> anyhow::Result<()> {
    let source = open(events, durability)?;
    let mut target = open(rows, durability)?;
    target.execute_batch(TABLE)?;
    let mut read = source.prepare(READ_ENVELOPE)?;
    let mut position: i64 = 0;
    loop {
        let page = read.query_map(params![position, BATCH as i64], |row| {
            Ok(Envelope {
                position: row.get(0)?,
                id: row.get(1)?,
                stream: row.get(2)?,
                event_type: row.get(3)?,
                version: row.get(4)?,
                time: row.get(5)?,
                data: row.get(6)?,
                metadata: row.get(7)?,
            })
        })?;
        let page: Vec<Envelope> = page.collect::<Result<_, _>>()?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        position = last.position;
        let mut deltas = HashMap::with_capacity(BATCH);
        for event in &page {
            fold(
                &mut deltas,
                &event.event_type,
                event.version,
                event.time,
                &event.data,
            )?;
        }
        commit(&mut target, &deltas, position)?;
    }
}

/// The same expert with nothing left to save for this one projector: texts are
/// borrowed from the database, and only the columns it needs are read.
pub(crate) fn expert_lean(
    events: &Path,
    rows: &Path,
    durability: Durability,
) -> anyhow::Result<()> {
    let source = open(events, durability)?;
    let mut target = open(rows, durability)?;
    target.execute_batch(TABLE)?;
    let mut read = source.prepare(READ)?;
    let mut position = 0;
    loop {
        let mut deltas = HashMap::with_capacity(BATCH);
        let from = position;
        let mut found = read.query(params![position, BATCH as i64])?;
        while let Some(row) = found.next()? {
            position = row.get(0)?;
            let (event_type, data) = (row.get_ref(1)?.as_str()?, row.get_ref(4)?.as_str()?);
            fold(&mut deltas, event_type, row.get(2)?, row.get(3)?, data)?;
        }
        if position == from {
            return Ok(());
        }
        commit(&mut target, &deltas, position)?;
    }
}

fn commit(
    target: &mut Connection,
    deltas: &HashMap<String, Delta>,
    position: i64,
) -> rusqlite::Result<()> {
    let transaction = target.transaction()?;
    {
        let mut upsert = transaction.prepare_cached(UPSERT)?;
        for d in deltas.values() {
            write(&mut upsert, d)?;
        }
        transaction
            .prepare_cached("UPDATE checkpoint SET position = ?")?
            .execute([position])?;
    }
    transaction.commit()
}

fn write(upsert: &mut rusqlite::Statement<'_>, d: &Delta) -> rusqlite::Result<usize> {
    upsert.execute(params![
        d.order_id,
        d.customer_id,
        d.status,
        d.item_count,
        d.total_cents,
        d.currency,
        d.created_at.map(Timestamp::sortable),
        d.completed_at.map(Timestamp::sortable),
        d.entity_version
    ])
}

/// The beginner's way: one transaction for each event.
pub(crate) fn transaction_per_event(
    events: &Path,
    rows: &Path,
    durability: Durability,
) -> anyhow::Result<()> {
    let source = open(events, durability)?;
    let mut target = open(rows, durability)?;
    target.execute_batch(TABLE)?;
    let mut read = source.prepare(READ)?;
    let mut position = 0;
    loop {
        let from = position;
        let mut found = read.query(params![position, BATCH as i64])?;
        while let Some(row) = found.next()? {
            position = row.get::<_, i64>(0)?;
            let mut deltas = HashMap::new();
            let (event_type, data) = (row.get_ref(1)?.as_str()?, row.get_ref(4)?.as_str()?);
            fold(&mut deltas, event_type, row.get(2)?, row.get(3)?, data)?;
            commit(&mut target, &deltas, position)?;
        }
        if position == from {
            return Ok(());
        }
    }
}

/// An expert who stays within sqlx: pages of 1,000, one JSON argument for all
/// rows of a transaction.
pub(crate) async fn expert_sqlx(
    events: &Path,
    rows: &Path,
    durability: Durability,
) -> anyhow::Result<()> {
    let options = |path: &Path| {
        let synchronous = match durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        };
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
    };
    let mut source = sqlx::SqliteConnection::connect_with(&options(events)).await?;
    let mut target = sqlx::SqliteConnection::connect_with(&options(rows)).await?;
    sqlx::raw_sql(TABLE).execute(&mut target).await?;
    let mut position: i64 = 0;
    loop {
        let page = sqlx::query(READ)
            .bind(position)
            .bind(BATCH as i64)
            .fetch_all(&mut source)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        position = last.get(0);
        let mut deltas = HashMap::with_capacity(BATCH);
        for row in &page {
            fold(&mut deltas, row.get(1), row.get(2), row.get(3), row.get(4))?;
        }
        let arrays: Vec<_> = deltas
            .values()
            .map(|d| {
                (
                    &d.order_id,
                    &d.customer_id,
                    d.status,
                    d.item_count,
                    d.total_cents,
                    &d.currency,
                    d.created_at.map(Timestamp::sortable),
                    d.completed_at.map(Timestamp::sortable),
                    d.entity_version,
                )
            })
            .collect();
        let mut transaction = target.begin().await?;
        sqlx::query(UPSERT_JSON)
            .bind(serde_json::to_string(&arrays)?)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE checkpoint SET position = ?")
            .bind(position)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
}

/// A digest of the whole table, by which results are compared.
pub(crate) fn digest(rows: &Path) -> anyhow::Result<(u64, String)> {
    use sha2::Digest as _;
    let conn = Connection::open(rows)?;
    let mut select = conn.prepare(
        "SELECT order_id, customer_id, status, item_count, total_cents, currency, created_at, completed_at,
                entity_version
         FROM order_totals ORDER BY order_id",
    )?;
    let mut found = select.query([])?;
    let mut hash = sha2::Sha256::new();
    let mut count = 0;
    while let Some(row) = found.next()? {
        for column in 0..9 {
            hash.update(format!("{:?}\t", row.get_ref(column)?));
        }
        count += 1;
    }
    let hex = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((count, hex))
}
