-- A Marten event store with UUID streams, conjoined tenancy off and the
-- optional columns for headers and correlation ids on: see ../README.md.

CREATE SEQUENCE public.mt_events_sequence;

CREATE TABLE public.mt_streams (
    id uuid PRIMARY KEY,
    type varchar,
    version bigint,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    snapshot jsonb,
    snapshot_version integer,
    created timestamptz NOT NULL DEFAULT now(),
    tenant_id varchar DEFAULT '*DEFAULT*',
    is_archived boolean DEFAULT false
);

CREATE TABLE public.mt_events (
    seq_id bigint PRIMARY KEY,
    id uuid NOT NULL,
    stream_id uuid REFERENCES public.mt_streams (id) ON DELETE CASCADE,
    version bigint NOT NULL,
    data jsonb NOT NULL,
    type varchar(500) NOT NULL,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    tenant_id varchar DEFAULT '*DEFAULT*',
    mt_dotnet_type varchar,
    correlation_id varchar,
    headers jsonb,
    is_archived boolean DEFAULT false
);

CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON public.mt_events (stream_id, version);

ALTER SEQUENCE public.mt_events_sequence OWNED BY public.mt_events.seq_id;

-- Quick append, in the steps of Marten's function of this name: the version is
-- read without a lock, every event takes its number just before its row, and the
-- unique index refuses whoever comes second.
CREATE FUNCTION public.mt_quick_append_events(
    stream uuid,
    stream_type varchar,
    tenantid varchar,
    event_ids uuid[],
    event_types varchar[],
    dotnet_types varchar[],
    bodies jsonb[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    at_version bigint;
    taken bigint[];
BEGIN
    SELECT s.version INTO at_version FROM public.mt_streams AS s WHERE s.id = stream;
    IF NOT FOUND THEN
        at_version := 0;
        INSERT INTO public.mt_streams (id, type, version, tenant_id)
        VALUES (stream, stream_type, 0, tenantid);
    END IF;
    FOR i IN 1 .. cardinality(event_ids) LOOP
        taken[i] := nextval('public.mt_events_sequence');
        INSERT INTO public.mt_events
            (seq_id, id, stream_id, version, data, type, tenant_id, mt_dotnet_type, correlation_id, is_archived)
        VALUES
            (taken[i], event_ids[i], stream, at_version + i, bodies[i], event_types[i], tenantid,
             dotnet_types[i], 'marten', false);
    END LOOP;
    UPDATE public.mt_streams SET version = at_version + cardinality(event_ids), "timestamp" = now()
    WHERE id = stream;
    RETURN (at_version + cardinality(event_ids)) || taken;
END
$$;
