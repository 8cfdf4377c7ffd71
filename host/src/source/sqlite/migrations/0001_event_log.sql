-- The event log. Names that repeat in every event are kept once and referred to
-- by a small number, so that a row is little more than its payload.
--
-- Every table begins with `lantern_`: read models may live in the same file.

CREATE TABLE lantern_event_types (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE lantern_tenants (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE -- '' is no tenant
) STRICT;

CREATE TABLE lantern_event_sources (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE lantern_streams (
    id      INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL REFERENCES lantern_tenants,
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL, -- how many events it has
    UNIQUE (name, tenant)     -- name first: streams are listed in name order
) STRICT;

-- The columns that every reader needs come first, those that few need last:
-- SQLite does not fetch what lies behind the last column asked for. `data` is
-- TEXT or BLOB. AUTOINCREMENT, so that a position is never given out twice.
--
-- type, tenant, stream and source are ids in the tables above. They are not
-- declared as references: checking four for each event took a seventh of the
-- time of an append, to find what the one writer there is does not do.
CREATE TABLE lantern_events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    type     INTEGER NOT NULL,
    tenant   INTEGER NOT NULL,
    version  INTEGER NOT NULL, -- in the stream, from 1
    time     INTEGER NOT NULL, -- microseconds since 1970
    stream   INTEGER NOT NULL,
    source   INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    data     ANY     NOT NULL,
    metadata TEXT,
    UNIQUE (source, id),
    UNIQUE (stream, version)
) STRICT;

-- The log as a person reads it.
CREATE VIEW lantern_event_log AS
SELECT e.position,
       y.name AS type,
       s.name AS stream,
       e.version,
       t.name AS tenant,
       o.name AS source,
       e.id,
       -- Whole seconds are rounded down, also before 1970.
       strftime('%Y-%m-%dT%H:%M:%S', (e.time - (e.time % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
           || printf('.%06dZ', (e.time % 1000000 + 1000000) % 1000000) AS time,
       e.data,
       e.metadata
FROM lantern_events e
JOIN lantern_event_types y ON y.id = e.type
JOIN lantern_streams s ON s.id = e.stream
JOIN lantern_tenants t ON t.id = e.tenant
JOIN lantern_event_sources o ON o.id = e.source;
