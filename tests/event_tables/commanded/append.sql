WITH new_events AS (
    SELECT e.id::uuid, e.type, convert_to(e.data, 'UTF8') AS data, e.n
    FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n)
),
stored AS (
    INSERT INTO public.events (event_id, event_type, data, metadata)
    SELECT id, type, data, '{"by": "commanded"}' FROM new_events
),
stream AS (
    INSERT INTO public.streams AS s (stream_uuid, stream_version)
    VALUES ($1::text, cardinality($3::text[]))
    ON CONFLICT (stream_uuid) DO UPDATE SET stream_version = s.stream_version + cardinality($3::text[])
    RETURNING stream_id
),
in_stream AS (
    INSERT INTO public.stream_events
        (event_id, stream_id, stream_version, original_stream_id, original_stream_version)
    SELECT id, stream.stream_id, $2::bigint + n, stream.stream_id, $2::bigint + n
    FROM new_events, stream
),
log AS (
    UPDATE public.streams SET stream_version = stream_version + cardinality($3::text[])
    WHERE stream_id = 0
    RETURNING stream_version - cardinality($3::text[]) AS before
)
INSERT INTO public.stream_events
    (event_id, stream_id, stream_version, original_stream_id, original_stream_version)
SELECT id, 0, log.before + n, stream.stream_id, $2::bigint + n
FROM new_events, log, stream
RETURNING stream_version;
