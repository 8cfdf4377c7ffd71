SELECT public.mt_quick_append_events(
    $1::uuid, 'thing', '*DEFAULT*', $3::text[]::uuid[], $4::text[]::varchar[], $4::text[]::varchar[],
    $5::text[]::jsonb[])
WHERE $2::bigint IS NOT NULL;
