SELECT success
FROM public.emt_append_to_stream(
    $3::text[],
    $5::text[]::jsonb[],
    (SELECT array_agg('{"by": "emmett"}'::jsonb) FROM unnest($3::text[])),
    (SELECT array_agg('1'::text) FROM unnest($3::text[])),
    $4::text[],
    (SELECT array_agg('E'::text) FROM unnest($3::text[])),
    $1::text,
    'unknown',
    $2::bigint,
    'emt:default'
);
