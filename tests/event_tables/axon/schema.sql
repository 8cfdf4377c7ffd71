-- Axon Framework 4 with JPA, as its documentation says to set it up: the
-- sequence counts by 1, payloads are bytea. See ../README.md.

CREATE SEQUENCE public.domain_event_entry_seq INCREMENT BY 1;

CREATE TABLE public.domain_event_entry (
    global_index bigint PRIMARY KEY,
    event_identifier varchar(255) NOT NULL UNIQUE,
    meta_data bytea,
    payload bytea NOT NULL,
    payload_revision varchar(255),
    payload_type varchar(255) NOT NULL,
    time_stamp varchar(255) NOT NULL,
    aggregate_identifier varchar(255) NOT NULL,
    sequence_number bigint NOT NULL,
    type varchar(255),
    UNIQUE (aggregate_identifier, sequence_number)
);
