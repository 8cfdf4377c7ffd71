//! What needs no projector: the read model as one statement of SQL, and an event
//! table as a team makes it first.

use sqlx::{Connection, PgConnection};

use super::server::Server;

/// Every name spelled out in each row: more to store, nothing to join.
const COPY: &str = "
    CREATE SCHEMA plain;
    CREATE TABLE plain.events (
        position bigint PRIMARY KEY, id text NOT NULL, stream text NOT NULL, type text NOT NULL,
        version bigint NOT NULL, time bigint NOT NULL, data text NOT NULL, metadata text
    );
    INSERT INTO plain.events
        SELECT e.position, e.id, s.name, t.name, e.version, e.time, e.data, e.metadata
        FROM lantern_events.lantern_events e
        JOIN lantern_events.lantern_event_types t ON t.id = e.type
        JOIN lantern_events.lantern_streams s ON s.id = e.stream
        ORDER BY e.position;
    CREATE UNIQUE INDEX ON plain.events (id);
    CREATE UNIQUE INDEX ON plain.events (stream, version);";

/// Whole events of that table.
pub(super) const READ: &str = "
    SELECT position, id, stream, type, version, time, data, metadata
    FROM plain.events WHERE position > $1 ORDER BY position LIMIT $2";

/// Copies Lantern's log into such a table.
pub(super) fn copy_log(server: &Server) {
    server.database.run(COPY);
}

/// The read model in one statement. `OFFSET 0` keeps the server from parsing each
/// payload once for every member that is asked for, and the filters from asking
/// for members that an event does not have.
const AGGREGATE: &str = "
    INSERT INTO native.order_totals
    SELECT d ->> 'order_id',
           max(d ->> 'customer_id') FILTER (WHERE type = 'order.created'),
           CASE WHEN bool_or(type = 'order.completed') THEN 'completed' ELSE 'open' END,
           COALESCE(sum((d ->> 'quantity')::bigint)
               FILTER (WHERE type = 'order.item_added'), 0),
           COALESCE(sum((d ->> 'quantity')::bigint * (d ->> 'unit_price_cents')::bigint)
               FILTER (WHERE type = 'order.item_added'), 0),
           max(d ->> 'currency') FILTER (WHERE type = 'order.created'),
           max(to_timestamp(time / 1000000) + time % 1000000 * interval '1 microsecond')
               FILTER (WHERE type = 'order.created'),
           max((d ->> 'completed_at')::timestamptz) FILTER (WHERE type = 'order.completed'),
           max(version)
    FROM (
        SELECT t.name AS type, e.version, e.time, e.data::jsonb AS d
        FROM lantern_events.lantern_events e
        JOIN lantern_events.lantern_event_types t ON t.id = e.type
        OFFSET 0
    ) AS events
    GROUP BY d ->> 'order_id'";

/// Empties the read model and fills it again, in one transaction.
pub(super) async fn aggregate(url: &str) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    let mut transaction = conn.begin().await?;
    for statement in ["TRUNCATE native.order_totals", AGGREGATE] {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(conn.close().await?)
}
