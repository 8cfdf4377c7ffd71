SET LOCAL lock_timeout = '0s';
LOCK TABLE public.school_events IN EXCLUSIVE MODE;
NOTIFY "school_events";
INSERT INTO public.school_events AS t (originator_id, originator_version, topic, state)
SELECT originator_id, originator_version, topic, state
FROM unnest((
    SELECT array_agg(
        ROW($1::uuid, $2::bigint + e.n, e.type, convert_to(e.data, 'UTF8'))::public.stored_event_uuid
        ORDER BY e.n)
    FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n)))
RETURNING notification_id;
