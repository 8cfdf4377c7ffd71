//! The table that the native contestants keep, and how tables are compared.

use anyhow::Context;
use lantern::model::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

use super::server::Server;

/// The native contestants' table, of the shape and types of Lantern's.
pub(super) const NATIVE: &str = "native.order_totals";

const MAKE: &str = "
    DROP SCHEMA IF EXISTS native CASCADE;
    CREATE SCHEMA native;
    CREATE TABLE native.order_totals (
        order_id text COLLATE \"C\" PRIMARY KEY, customer_id text COLLATE \"C\",
        status text COLLATE \"C\", item_count bigint, total_cents bigint,
        currency text COLLATE \"C\", created_at timestamptz, completed_at timestamptz,
        entity_version bigint
    );
    CREATE TABLE native.checkpoint (
        id integer PRIMARY KEY CHECK (id = 1), position bigint NOT NULL
    ) WITH (fillfactor = 20);
    INSERT INTO native.checkpoint VALUES (1, 0);";

/// Makes the native contestants' table, empty.
pub(super) fn make(server: &Server) {
    server.database.run(MAKE);
}

/// How many rows a table has, and a digest of the first of them in the order of
/// their keys, by which results are compared.
pub(super) fn digest(server: &Server, table: &str, first: usize) -> anyhow::Result<Digest> {
    let answer = server.database.query(&format!(
        "SELECT (SELECT count(*) FROM {table}),
                encode(sha256(convert_to(string_agg(line, E'\\n' ORDER BY order_id), 'UTF8')), 'hex')
         FROM (
            SELECT order_id COLLATE \"C\" AS order_id,
                   ROW(order_id, customer_id, status, item_count, total_cents, currency,
                       created_at, completed_at, entity_version)::text AS line
            FROM {table} ORDER BY order_id COLLATE \"C\" LIMIT {first}
         ) AS lines"
    ));
    let mut row = answer.into_iter().next().context("no digest")?.into_iter();
    let mut next = move || row.next().flatten().context("an empty table");
    Ok(Digest {
        rows: next()?.parse()?,
        of_first: next()?,
    })
}

/// What a table holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) rows: usize,
    pub(super) of_first: String,
}

/// A `timestamptz` as the protocol has it: microseconds since 2000.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Timestamp);

/// From 1970 to 2000, in microseconds.
const TO_2000: i64 = 946_684_800_000_000;

impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Time {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

impl Encode<'_, Postgres> for Time {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&(self.0.0 - TO_2000).to_be_bytes());
        Ok(IsNull::No)
    }
}
