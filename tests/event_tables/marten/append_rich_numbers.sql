SELECT array_agg(nextval('public.mt_events_sequence')) FROM generate_series(1, cardinality($3::text[]));
