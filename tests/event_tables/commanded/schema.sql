-- Commanded's EventStore with its default column type, bytea: see ../README.md.

CREATE TABLE public.streams (
    stream_id bigserial PRIMARY KEY,
    stream_uuid text NOT NULL,
    stream_version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX ix_streams_stream_uuid ON public.streams (stream_uuid);

CREATE TABLE public.events (
    event_id uuid PRIMARY KEY,
    event_type text NOT NULL,
    causation_id uuid,
    correlation_id uuid,
    data bytea NOT NULL,
    metadata bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.stream_events (
    event_id uuid NOT NULL REFERENCES public.events,
    stream_id bigint NOT NULL REFERENCES public.streams,
    stream_version bigint NOT NULL,
    original_stream_id bigint REFERENCES public.streams,
    original_stream_version bigint,
    PRIMARY KEY (event_id, stream_id)
);
CREATE UNIQUE INDEX ix_stream_events ON public.stream_events (stream_id, stream_version);

INSERT INTO public.streams (stream_id, stream_uuid, stream_version) VALUES (0, '$all', 0);

CREATE FUNCTION public.notify_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(
        TG_TABLE_SCHEMA || '.events',
        concat_ws(',', NEW.stream_uuid, NEW.stream_id, OLD.stream_version + 1, NEW.stream_version));
    RETURN NULL;
END
$$;
CREATE TRIGGER event_notification AFTER UPDATE ON public.streams
    FOR EACH ROW EXECUTE FUNCTION public.notify_events();
