//! The same read model by hand on PostgreSQL: what a team would write without
//! Lantern, with the checkpoint in the same transaction.

use hashbrown::HashMap;
use lantern::model::Timestamp;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Row};

use super::plain;
use super::rows::Time;
use crate::fold::{Delta, Envelope, fold};

/// Events an expert takes at a time.
const BATCH: i64 = 1_000;

/// Whole events of Lantern's log.
const READ_LOG: &str = "
    SELECT e.position, e.id, s.name, t.name, e.version, e.time, e.data, e.metadata
    FROM lantern_events.lantern_events e
    JOIN lantern_events.lantern_event_types t ON t.id = e.type
    JOIN lantern_events.lantern_streams s ON s.id = e.stream
    WHERE e.position > $1 ORDER BY e.position LIMIT $2";

/// Only what this one projector needs of them.
const READ_LEAN: &str = "
    SELECT e.position, t.name, e.version, e.time, e.data
    FROM lantern_events.lantern_events e
    JOIN lantern_events.lantern_event_types t ON t.id = e.type
    WHERE e.position > $1 ORDER BY e.position LIMIT $2";

/// What an order that is there already becomes.
macro_rules! upsert {
    ($from:literal) => {
        concat!(
            "INSERT INTO native.order_totals AS t SELECT * FROM ",
            $from,
            " ON CONFLICT (order_id) DO UPDATE SET
                customer_id = COALESCE(excluded.customer_id, t.customer_id),
                status = COALESCE(excluded.status, t.status),
                item_count = t.item_count + excluded.item_count,
                total_cents = t.total_cents + excluded.total_cents,
                currency = COALESCE(excluded.currency, t.currency),
                created_at = COALESCE(excluded.created_at, t.created_at),
                completed_at = COALESCE(excluded.completed_at, t.completed_at),
                entity_version = excluded.entity_version"
        )
    };
}

const UPSERT: &str = upsert!(
    "unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[],
        $7::timestamptz[], $8::timestamptz[], $9::bigint[])"
);

const UPSERT_ONE: &str = upsert!(
    "(VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::bigint, $6::text,
        $7::timestamptz, $8::timestamptz, $9::bigint)) AS v"
);

const MOVE_ON: &str = "UPDATE native.checkpoint SET position = $1";

/// Where an expert reads whole events.
#[derive(Clone, Copy)]
pub(super) enum Log {
    /// In Lantern's own tables.
    Lantern,
    /// In a table with all names spelled out in each row (`plain`).
    Plain,
}

/// An expert: 1,000 events a transaction, each order written once, all of them
/// by one statement. Events are read whole, into structs that own their texts, as
/// a subscription that serves any handler does.
pub(super) async fn expert(url: &str, log: Log) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    let read = match log {
        Log::Lantern => READ_LOG.to_owned(),
        Log::Plain => plain::READ.to_owned(),
    };
    let mut position: i64 = 0;
    loop {
        let page = sqlx::query(AssertSqlSafe(read.clone()))
            .bind(position)
            .bind(BATCH)
            .fetch_all(&mut conn)
            .await?;
        let page: Vec<Envelope> = page.iter().map(whole).collect::<Result<_, _>>()?;
        let Some(last) = page.last() else {
            return Ok(conn.close().await?);
        };
        position = last.position;
        let mut deltas = HashMap::with_capacity(page.len());
        for event in &page {
            fold(
                &mut deltas,
                &event.event_type,
                event.version,
                event.time,
                &event.data,
            )?;
        }
        let deltas: Vec<&Delta> = deltas.values().collect();
        commit(&mut conn, &deltas, position).await?;
    }
}

fn whole(row: &PgRow) -> sqlx::Result<Envelope> {
    Ok(Envelope {
        position: row.try_get(0)?,
        id: row.try_get(1)?,
        stream: row.try_get(2)?,
        event_type: row.try_get(3)?,
        version: row.try_get(4)?,
        time: row.try_get(5)?,
        data: row.try_get(6)?,
        metadata: row.try_get(7)?,
    })
}

/// The same expert with little left to save for this one projector: texts are
/// borrowed from the driver's buffers, only the columns it needs are read, and
/// rows are written in the order of their keys.
pub(super) async fn expert_lean(url: &str) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    let mut position: i64 = 0;
    loop {
        let page = sqlx::query(READ_LEAN)
            .bind(position)
            .bind(BATCH)
            .fetch_all(&mut conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(conn.close().await?);
        };
        position = last.try_get(0)?;
        let mut deltas = HashMap::with_capacity(page.len());
        for row in &page {
            fold_row(&mut deltas, row)?;
        }
        let mut deltas: Vec<&Delta> = deltas.values().collect();
        deltas.sort_unstable_by(|a, b| a.order_id.cmp(&b.order_id));
        commit(&mut conn, &deltas, position).await?;
    }
}

/// The beginner's way: one transaction for each event, up to `most` events.
pub(super) async fn transaction_per_event(url: &str, most: usize) -> anyhow::Result<()> {
    let mut source = PgConnection::connect(url).await?;
    let mut target = PgConnection::connect(url).await?;
    let (mut position, mut taken) = (0_i64, 0);
    while taken < most {
        let page = sqlx::query(READ_LEAN)
            .bind(position)
            .bind(BATCH.min((most - taken) as i64))
            .fetch_all(&mut source)
            .await?;
        for row in &page {
            position = row.try_get(0)?;
            let mut deltas = HashMap::new();
            fold_row(&mut deltas, row)?;
            let mut transaction = target.begin().await?;
            for delta in deltas.values() {
                one(delta).execute(&mut *transaction).await?;
            }
            sqlx::query(MOVE_ON)
                .bind(position)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        taken += page.len();
    }
    source.close().await?;
    Ok(target.close().await?)
}

fn fold_row(deltas: &mut HashMap<String, Delta>, row: &PgRow) -> anyhow::Result<()> {
    let (event_type, data) = (row.try_get(1)?, row.try_get(4)?);
    fold(deltas, event_type, row.try_get(2)?, row.try_get(3)?, data)
}

async fn commit(conn: &mut PgConnection, deltas: &[&Delta], position: i64) -> sqlx::Result<()> {
    let mut transaction = conn.begin().await?;
    many(deltas).execute(&mut *transaction).await?;
    sqlx::query(MOVE_ON)
        .bind(position)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// All deltas in one statement, a column an argument.
fn many<'q>(deltas: &[&'q Delta]) -> Query<'q, Postgres, PgArguments> {
    let texts = |of: fn(&Delta) -> Option<&str>| deltas.iter().map(|d| of(d)).collect::<Vec<_>>();
    let numbers = |of: fn(&Delta) -> i64| deltas.iter().map(|d| of(d)).collect::<Vec<_>>();
    let times = |of: fn(&Delta) -> Option<Timestamp>| {
        deltas.iter().map(|d| of(d).map(Time)).collect::<Vec<_>>()
    };
    sqlx::query(UPSERT)
        .bind(texts(|d| Some(&d.order_id)))
        .bind(texts(|d| d.customer_id.as_deref()))
        .bind(texts(|d| d.status))
        .bind(numbers(|d| d.item_count))
        .bind(numbers(|d| d.total_cents))
        .bind(texts(|d| d.currency.as_deref()))
        .bind(times(|d| d.created_at))
        .bind(times(|d| d.completed_at))
        .bind(numbers(|d| d.entity_version))
}

fn one(delta: &Delta) -> Query<'_, Postgres, PgArguments> {
    sqlx::query(UPSERT_ONE)
        .bind(&delta.order_id)
        .bind(&delta.customer_id)
        .bind(delta.status)
        .bind(delta.item_count)
        .bind(delta.total_cents)
        .bind(&delta.currency)
        .bind(delta.created_at.map(Time))
        .bind(delta.completed_at.map(Time))
        .bind(delta.entity_version)
}
