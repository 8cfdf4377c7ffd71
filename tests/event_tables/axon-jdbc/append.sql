INSERT INTO public.domainevententry
    (eventidentifier, metadata, payload, payloadtype, "timestamp", aggregateidentifier, sequencenumber, type)
SELECT e.id, '{"by": "axon-jdbc"}', convert_to(e.data, 'UTF8'), e.type,
       to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), $1::text, $2::bigint + e.n - 1, 'Thing'
FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n)
RETURNING globalindex;
