WITH stream AS (
    INSERT INTO public.mt_streams AS s (id, type, version, tenant_id)
    VALUES ($1::uuid, 'thing', $2::bigint + cardinality($3::text[]), '*DEFAULT*')
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, "timestamp" = now()
    WHERE s.version = $2::bigint
    RETURNING id
)
INSERT INTO public.mt_events (seq_id, id, stream_id, version, data, type, tenant_id, mt_dotnet_type, is_archived)
SELECT e.number, e.id::uuid, $1::uuid, $2::bigint + e.n, e.data::jsonb,
       e.type, '*DEFAULT*', e.type, false
FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) WITH ORDINALITY AS e (id, type, data, number, n)
WHERE 1 / (SELECT count(*) FROM stream) = 1
RETURNING seq_id;
