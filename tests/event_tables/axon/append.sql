INSERT INTO public.domain_event_entry
    (global_index, event_identifier, meta_data, payload, payload_type, time_stamp,
     aggregate_identifier, sequence_number, type)
SELECT nextval('public.domain_event_entry_seq'), e.id, '{"by": "axon"}', convert_to(e.data, 'UTF8'), e.type,
       to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), $1::text, $2::bigint + e.n - 1, 'Thing'
FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n)
RETURNING global_index;
