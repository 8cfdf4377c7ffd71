SET LOCAL search_path TO message_store;
SELECT write_message(e.id, $1::text, e.type, e.data::jsonb, '{"by": "message-db"}', $2::bigint + e.n - 2)
FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n);
