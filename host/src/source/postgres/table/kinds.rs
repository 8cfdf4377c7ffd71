//! Which types of columns can be read as what.

use sqlx::TypeInfo;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgTypeInfo, PgTypeKind};

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    I16,
    I32,
    I64,
}

/// A name: stream, type, tenant or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Text,
    Uuid,
    Whole(Whole),
}

/// A payload or metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Text,
    /// On the wire: one byte of version, then text.
    Jsonb,
    Bytes,
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// Microseconds since 2000.
    Micros,
    /// RFC 3339.
    Text,
}

/// A kind of value that a part of an event may have in the table.
pub(super) trait Kind: Copy {
    /// What is allowed, for messages.
    const WANTED: &'static str;

    fn of(found: &PgTypeInfo) -> Option<Self>;
}

/// The numbers of built-in types never change: pg_type.dat.
const BYTEA: u32 = 17;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const JSON: u32 = 114;
const TEXT: [u32; 4] = [19, 25, 1042, 1043];
const TIMESTAMP: u32 = 1114;
const TIMESTAMPTZ: u32 = 1184;
const UUID: u32 = 2950;
const JSONB: u32 = 3802;

impl Kind for Whole {
    const WANTED: &'static str = "bigint, integer or smallint";

    fn of(found: &PgTypeInfo) -> Option<Self> {
        Some(match found.oid()?.0 {
            INT2 => Self::I16,
            INT4 => Self::I32,
            INT8 => Self::I64,
            _ => return None,
        })
    }
}

impl Kind for Name {
    const WANTED: &'static str = "text, varchar, an enum, uuid or a whole number";

    fn of(found: &PgTypeInfo) -> Option<Self> {
        if is_text(found) {
            return Some(Self::Text);
        }
        if found.oid() == Some(Oid(UUID)) {
            return Some(Self::Uuid);
        }
        Whole::of(found).map(Self::Whole)
    }
}

impl Kind for Body {
    const WANTED: &'static str = "json, jsonb, text or bytea";

    fn of(found: &PgTypeInfo) -> Option<Self> {
        match found.oid()?.0 {
            JSON => Some(Self::Text),
            JSONB => Some(Self::Jsonb),
            BYTEA => Some(Self::Bytes),
            _ => is_text(found).then_some(Self::Text),
        }
    }
}

impl Kind for Time {
    const WANTED: &'static str = "timestamptz, timestamp or text in RFC 3339";

    fn of(found: &PgTypeInfo) -> Option<Self> {
        match found.oid()?.0 {
            TIMESTAMP | TIMESTAMPTZ => Some(Self::Micros),
            _ => is_text(found).then_some(Self::Text),
        }
    }
}

/// Types whose binary form is their text.
fn is_text(found: &PgTypeInfo) -> bool {
    found.oid().is_some_and(|oid| TEXT.contains(&oid.0))
        || matches!(found.kind(), PgTypeKind::Enum(_))
        || found.name().eq_ignore_ascii_case("citext")
}

/// What to write instead of an expression that is not of a wanted type.
pub(super) fn advice<K: Kind>(found: &PgTypeInfo, expression: &str) -> String {
    match found.name().to_ascii_lowercase().as_str() {
        "oid" => format!(
            "an oid points to a large object: store payloads as bytea (Axon's documentation tells \
             how, under \"PostgreSQL and large object storage\"), or try `lo_get({expression})`, \
             which is slow and needs SELECT on every large object"
        ),
        "numeric" => format!("write `({expression})::bigint`"),
        "int8" | "int4" | "float8" if K::WANTED == Time::WANTED => {
            format!("for a number of seconds since 1970 write `to_timestamp({expression})`")
        }
        _ => format!("cast it, such as `({expression})::text`"),
    }
}
