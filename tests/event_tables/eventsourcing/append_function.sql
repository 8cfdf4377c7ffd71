SELECT * FROM public.es_insert_events_uuid((
    SELECT array_agg(
        ROW($1::uuid, $2::bigint + e.n, e.type, convert_to(e.data, 'UTF8'))::public.stored_event_uuid
        ORDER BY e.n)
    FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n)));
