-- The event log. Names that repeat in every event are kept once and referred to
-- by a small number, so that a row is little more than its payload.
--
-- {schema} stands for the quoted name of the schema. Every table begins with
-- `lantern_`, as the schema may be one that holds other things too. All texts
-- are compared byte by byte: an order that moves with the operating system
-- would damage indexes.

-- A name may be here twice, when two transactions brought it at the same time:
-- with a unique index the second would have to wait for the end of the first,
-- and that may be a long one. Whoever looks a number up takes the lowest.
CREATE TABLE {schema}.lantern_event_types (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    CONSTRAINT lantern_type_is_a_name CHECK (octet_length(name) BETWEEN 1 AND 1024)
);
CREATE INDEX lantern_event_types_name ON {schema}.lantern_event_types (name);

CREATE TABLE {schema}.lantern_tenants (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL, -- '' is no tenant
    CONSTRAINT lantern_tenant_is_a_name CHECK (octet_length(name) <= 256)
);
CREATE INDEX lantern_tenants_name ON {schema}.lantern_tenants (name);

-- Unique, as an event is known again by the number of its source and its id.
CREATE TABLE {schema}.lantern_event_sources (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    CONSTRAINT lantern_source_is_a_name CHECK (octet_length(name) BETWEEN 1 AND 1024)
);

-- The tenant as text: its number may not be the only one. Rows are written at
-- every append; the free room lets a new version of one stay on its page.
CREATE TABLE {schema}.lantern_streams (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version bigint NOT NULL, -- how many events it has
    tenant  text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    UNIQUE (name, tenant),   -- name first: streams are listed in name order
    CONSTRAINT lantern_stream_is_a_name CHECK (octet_length(name) BETWEEN 1 AND 1024)
) WITH (fillfactor = 80);

-- A number is given out within the transaction that uses it, one at a time:
-- readers rely on both to know which missing numbers can still appear.
--
-- Numbers of fixed width first, so that they lie without padding. type, tenant,
-- stream and source are ids in the tables above; they are not declared as
-- references, as only the functions below write here.
CREATE TABLE {schema}.lantern_events (
    position    bigint GENERATED ALWAYS AS IDENTITY
                (SEQUENCE NAME {schema}.lantern_event_positions CACHE 1) PRIMARY KEY,
    stream      bigint  NOT NULL,
    version     bigint  NOT NULL, -- in the stream, from 1
    time        bigint  NOT NULL, -- microseconds since 1970
    type        integer NOT NULL,
    tenant      integer NOT NULL,
    source      integer NOT NULL,
    id          text COLLATE "C" NOT NULL,
    data        text,             -- the payload: this,
    data_binary bytea,            -- or this
    metadata    text,
    CONSTRAINT lantern_event_is_appended_once UNIQUE (source, id),
    CONSTRAINT lantern_version_is_given_once UNIQUE (stream, version),
    CONSTRAINT lantern_id_is_a_name CHECK (octet_length(id) BETWEEN 1 AND 1024),
    CONSTRAINT lantern_one_payload CHECK ((data IS NULL) <> (data_binary IS NULL)),
    CONSTRAINT lantern_body_is_not_too_large CHECK (
        coalesce(octet_length(data), octet_length(data_binary))
            + coalesce(octet_length(metadata), 0) <= 268435456)
);

-- Projectors without which nothing is appended.
CREATE TABLE {schema}.lantern_inline (
    projector text COLLATE "C" PRIMARY KEY
);

-- Takes a turn at appending, to the end of the transaction: alone, as appends that
-- run inline projectors and changes of their list do, or beside others. So whoever
-- runs them sees every event with a lower position, whatever its isolation level.
--
-- Not a lock on a table: none that tells appends apart goes with a dump or a vacuum.
CREATE FUNCTION {schema}.lantern_turn(alone boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    -- "LN", and the number of this log's list.
    turn CONSTANT bigint := (19534::bigint << 32) | ($name${schema}.lantern_inline$name$::regclass)::oid::bigint;
BEGIN
    IF alone THEN
        PERFORM pg_advisory_xact_lock(turn);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(turn);
    END IF;
END $$;

-- The log as a person reads it.
CREATE VIEW {schema}.lantern_event_log AS
SELECT e.position,
       y.name AS type,
       s.name AS stream,
       e.version,
       t.name AS tenant,
       o.name AS source,
       e.id,
       -- Not a division by 1e6, which would round. PostgreSQL's time begins there.
       timestamptz 'epoch' + greatest(e.time, -210866803200000000) / 1000000 * interval '1 second'
           + greatest(e.time, -210866803200000000) % 1000000 * interval '1 microsecond' AS time,
       e.data,
       e.data_binary,
       e.metadata
FROM {schema}.lantern_events e
JOIN {schema}.lantern_event_types y ON y.id = e.type
JOIN {schema}.lantern_streams s ON s.id = e.stream
JOIN {schema}.lantern_tenants t ON t.id = e.tenant
JOIN {schema}.lantern_event_sources o ON o.id = e.source;

-- The numbers of names, in the order given; names without one get one. `patience`,
-- in milliseconds, is how long to wait for a transaction that brings the same
-- source; null changes nothing.
CREATE FUNCTION {schema}.lantern_numbers(
    patience integer, types text[], tenants text[], sources text[],
    OUT type_ids integer[], OUT tenant_ids integer[], OUT source_ids integer[])
LANGUAGE plpgsql AS $$
BEGIN
    IF patience IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience::text, true);
    END IF;

    INSERT INTO {schema}.lantern_event_types (name)
    SELECT DISTINCT n.name FROM unnest(types) n(name)
    WHERE NOT EXISTS (SELECT FROM {schema}.lantern_event_types t WHERE t.name = n.name);

    INSERT INTO {schema}.lantern_tenants (name)
    SELECT DISTINCT n.name FROM unnest(tenants) n(name)
    WHERE NOT EXISTS (SELECT FROM {schema}.lantern_tenants t WHERE t.name = n.name);

    -- In order, so that two transactions never wait for each other.
    INSERT INTO {schema}.lantern_event_sources (name)
    SELECT DISTINCT n.name COLLATE "C" AS name FROM unnest(sources) n(name)
    WHERE NOT EXISTS (SELECT FROM {schema}.lantern_event_sources t WHERE t.name = n.name)
    ORDER BY name
    ON CONFLICT DO NOTHING;

    type_ids := ARRAY(
        SELECT (SELECT min(t.id) FROM {schema}.lantern_event_types t WHERE t.name = n.name)
        FROM unnest(types) WITH ORDINALITY n(name, place) ORDER BY n.place);
    tenant_ids := ARRAY(
        SELECT (SELECT min(t.id) FROM {schema}.lantern_tenants t WHERE t.name = n.name)
        FROM unnest(tenants) WITH ORDINALITY n(name, place) ORDER BY n.place);
    source_ids := ARRAY(
        SELECT (SELECT t.id FROM {schema}.lantern_event_sources t WHERE t.name = n.name)
        FROM unnest(sources) WITH ORDINALITY n(name, place) ORDER BY n.place);
END $$;

-- Appends events: the one place where streams get versions and events positions.
--
-- `streams`, `tenants` and `expected` describe the streams, each once; null
-- expects nothing. The other arrays describe the events: the place of each one's
-- stream in `streams`, the numbers of its names, and what it says. `patience`,
-- in milliseconds, and `durable` are for this transaction; null changes nothing.
--
-- The planner is told what to do: its plans are kept, and one made while the log
-- was empty would read all of it for each event after an import.
CREATE FUNCTION {schema}.lantern_append_events(
    patience integer, durable boolean,
    streams text[], tenants text[], expected bigint[],
    event_streams integer[], event_types integer[], event_tenants integer[],
    event_sources integer[], ids text[], times bigint[],
    texts text[], binaries bytea[], metadata text[],
    OUT appended bigint, OUT duplicates bigint, OUT last_position bigint)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_nestloop = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    fresh      boolean[]; -- for each event, whether it is new
    counts     bigint[];  -- for each stream, how many new events it gets,
    stream_ids bigint[];  -- its number,
    bases      bigint[];  -- and its version before
    inline     text;      -- the projectors without which nothing is appended
    wrong      record;
BEGIN
    IF patience IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience::text, true);
    END IF;
    PERFORM {schema}.lantern_turn(false);
    SELECT string_agg(i.projector, ', ' ORDER BY i.projector) INTO inline
    FROM {schema}.lantern_inline i;
    IF inline IS NOT NULL AND current_setting('lantern.inline', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION USING ERRCODE = 'LN002',
            MESSAGE = format('appends to this log also run the inline projectors %s, and this one does not', inline),
            HINT = 'Append through Lantern, or pause these projectors first.';
    END IF;
    IF durable IS FALSE THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF durable AND current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    -- Asked before anything is made: a known event must leave neither an empty
    -- stream nor a missing position.
    SELECT array_agg(e.is_new ORDER BY e.n), count(*) FILTER (WHERE e.is_new), max(e.known)
    INTO fresh, appended, last_position
    FROM (
        SELECT k.n, k.known,
               k.known IS NULL AND row_number() OVER (PARTITION BY k.source, k.id ORDER BY k.n) = 1
                   AS is_new
        FROM (
            SELECT u.n, u.source, u.id,
                   (SELECT l.position FROM {schema}.lantern_events l
                    WHERE l.source = u.source AND l.id = u.id) AS known
            FROM unnest(event_sources, ids) WITH ORDINALITY u(source, id, n)
            OFFSET 0 -- or each would be looked up twice
        ) k
    ) e;
    duplicates := cardinality(ids) - appended;
    IF appended = 0 AND duplicates > 0 THEN
        RETURN; -- whatever is expected: the answer to the first try was lost
    END IF;

    SELECT array_agg(c.n ORDER BY c.slot) INTO counts
    FROM (
        SELECT u.slot, count(*) FILTER (WHERE u.is_new) AS n
        FROM (
            SELECT w.slot, w.is_new FROM unnest(event_streams, fresh) w(slot, is_new)
            UNION ALL
            SELECT s.slot, false FROM generate_series(1, cardinality(streams)) s(slot)
        ) u GROUP BY u.slot
    ) c;

    -- Makes or locks the streams and counts them up, always in name order, so
    -- that no two appends wait for each other. A stream that is expected not to
    -- be there is made as well, for nobody else must make it meanwhile.
    WITH locked AS (
        INSERT INTO {schema}.lantern_streams AS s (name, tenant, version)
        SELECT w.name, w.tenant, w.n
        FROM unnest(streams, tenants, expected, counts) w(name, tenant, expected, n)
        WHERE w.n > 0 OR w.expected IS NOT NULL
        ORDER BY w.name COLLATE "C", w.tenant COLLATE "C"
        ON CONFLICT (name, tenant) DO UPDATE SET version = s.version + excluded.version
        RETURNING s.id, s.name, s.tenant, s.version
    )
    SELECT array_agg(coalesce(l.id, 0) ORDER BY w.slot),
           array_agg(coalesce(l.version - w.n, 0) ORDER BY w.slot)
    INTO stream_ids, bases
    FROM unnest(streams, tenants, counts) WITH ORDINALITY w(name, tenant, n, slot)
    LEFT JOIN locked l ON l.name = w.name AND l.tenant = w.tenant;

    IF cardinality(array_remove(expected, NULL)) > 0 THEN
        SELECT w.name, w.expected, w.base INTO wrong
        FROM unnest(streams, expected, bases) WITH ORDINALITY w(name, expected, base, slot)
        WHERE w.expected <> w.base ORDER BY w.slot LIMIT 1;
        IF FOUND AND appended > 0 AND NOT EXISTS (
            SELECT FROM unnest(event_sources, ids) u(source, id)
            WHERE NOT EXISTS (SELECT FROM {schema}.lantern_events l
                              WHERE l.source = u.source AND l.id = u.id)
        ) THEN
            RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
                MESSAGE = 'the same events were appended by another transaction meanwhile',
                HINT = 'Try again: the events will be found to be known.';
        ELSIF wrong.name IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'LN001',
                MESSAGE = format('stream "%s" is at version %s, not at the expected %s',
                                 wrong.name, wrong.base, wrong.expected),
                DETAIL = json_build_object('stream', wrong.name, 'expected', wrong.expected,
                                           'actual', wrong.base)::text;
        END IF;
        -- Nobody sees them, and whoever wants to make them waits for our end.
        DELETE FROM {schema}.lantern_streams s WHERE s.id = ANY (stream_ids) AND s.version = 0;
    END IF;

    -- The positions are given out in this order, under the locks of the streams:
    -- in a stream they rise with the versions. Should somebody else have appended
    -- one of these events to another stream meanwhile, this fails; to catch that
    -- would make every append a quarter slower.
    WITH put AS (
        INSERT INTO {schema}.lantern_events
            (stream, version, time, type, tenant, source, id, data, data_binary, metadata)
        SELECT stream_ids[e.slot],
               bases[e.slot] + row_number() OVER (PARTITION BY e.slot ORDER BY e.n),
               e.time, e.type, e.tenant, e.source, e.id, e.text, e.binary, e.metadata
        FROM unnest(event_streams, event_types, event_tenants, event_sources, ids, times, texts,
                    binaries, metadata, fresh)
            WITH ORDINALITY
            e(slot, type, tenant, source, id, time, text, "binary", metadata, is_new, n)
        WHERE e.is_new
        ORDER BY e.n
        RETURNING position
    )
    SELECT max(put.position) INTO last_position FROM put;
END $$;

-- Appends events to one stream, within the caller's own transaction.
CREATE FUNCTION {schema}.lantern_append(
    stream text, events jsonb, expected_version bigint DEFAULT NULL, tenant text DEFAULT '',
    OUT appended bigint, OUT duplicates bigint, OUT last_position bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    list  jsonb := CASE jsonb_typeof(events) WHEN 'object' THEN jsonb_build_array(events) ELSE events END;
    event record;
    e     record;
    given record;
BEGIN
    IF jsonb_typeof(list) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'events must be a JSON array of objects, or one object';
    END IF;
    FOR event IN SELECT a.value, a.place FROM jsonb_array_elements(list) WITH ORDINALITY a(value, place)
    LOOP
        PERFORM {schema}.lantern_check_event(event.value, event.place);
    END LOOP;

    SELECT coalesce(array_agg(a.value ->> 'type' ORDER BY a.place), '{}') AS types,
           coalesce(array_agg(coalesce(a.value ->> 'source', '/sql') ORDER BY a.place), '{}') AS sources,
           coalesce(array_agg(a.value ->> 'id' ORDER BY a.place), '{}') AS ids,
           array_agg(CASE WHEN a.value ->> 'data_base64' IS NULL
                          THEN coalesce((a.value -> 'data')::text, '') END ORDER BY a.place) AS texts,
           array_agg(decode(a.value ->> 'data_base64', 'base64') ORDER BY a.place) AS binaries,
           array_agg((extract(epoch FROM coalesce((a.value ->> 'time')::timestamptz, clock_timestamp()))
                      * 1000000)::bigint ORDER BY a.place) AS times,
           array_agg((jsonb_build_object('source', coalesce(a.value ->> 'source', '/sql'))
                      || CASE jsonb_typeof(a.value -> 'metadata') WHEN 'object' THEN a.value -> 'metadata'
                              ELSE '{}' END)::text ORDER BY a.place) AS metadata
    INTO e
    FROM jsonb_array_elements(list) WITH ORDINALITY a(value, place);

    SELECT n.* INTO given
    FROM {schema}.lantern_numbers(NULL, e.types, ARRAY[lantern_append.tenant], e.sources) n;

    SELECT a.appended, a.duplicates, a.last_position
    INTO lantern_append.appended, lantern_append.duplicates, lantern_append.last_position
    FROM {schema}.lantern_append_events(
        NULL, NULL,
        ARRAY[lantern_append.stream], ARRAY[lantern_append.tenant], ARRAY[expected_version],
        array_fill(1, ARRAY[cardinality(e.ids)]), given.type_ids,
        array_fill(given.tenant_ids[1], ARRAY[cardinality(e.ids)]), given.source_ids,
        e.ids, e.times, e.texts, e.binaries, e.metadata) a;
END $$;

COMMENT ON FUNCTION {schema}.lantern_append(text, jsonb, bigint, text) IS
'Appends events to a stream, within the transaction of the caller, who may write tables of his own in it.
events: a JSON array of objects with id, type, and optionally data (any JSON) or data_base64, time (default: now),
source (default: /sql), metadata (an object). An event whose id is known from the same source is not appended again.
expected_version: how many events the stream must have so far, 0 for one that must not exist; SQLSTATE LN001 when it has not.
On SQLSTATE 40001, 40P01 or 23505 repeat the transaction. Until it ends, appends to the same stream wait; others do not.';

-- Tells what is wrong with an event before it is taken apart.
CREATE FUNCTION {schema}.lantern_check_event(event jsonb, place bigint) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    wrong text;
BEGIN
    IF jsonb_typeof(event) <> 'object' THEN
        wrong := 'it is not a JSON object';
    ELSIF coalesce(event ->> 'id', '') = '' THEN
        wrong := 'it has no id';
    ELSIF coalesce(event ->> 'type', '') = '' THEN
        wrong := 'it has no type';
    ELSIF event ? 'data' AND event ->> 'data_base64' IS NOT NULL THEN
        wrong := 'it has both data and data_base64';
    ELSIF jsonb_typeof(event -> 'metadata') NOT IN ('object', 'null') THEN
        wrong := 'its metadata is not a JSON object';
    ELSE
        SELECT format('its member "%s" is unknown', m.name) INTO wrong
        FROM jsonb_object_keys(event) m(name)
        WHERE m.name NOT IN ('id', 'type', 'data', 'data_base64', 'time', 'source', 'metadata')
        LIMIT 1;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('event %s of the list cannot be appended: %s', place, wrong);
    END IF;
END $$;
