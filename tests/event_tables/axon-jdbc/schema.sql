-- Axon Framework 4 with JDBC, with the names of its default schema: see
-- ../README.md.

CREATE TABLE public.domainevententry (
    globalindex bigserial NOT NULL PRIMARY KEY,
    aggregateidentifier varchar(255) NOT NULL,
    sequencenumber bigint NOT NULL,
    type varchar(255),
    eventidentifier varchar(255) NOT NULL UNIQUE,
    metadata bytea,
    payload bytea NOT NULL,
    payloadrevision varchar(255),
    payloadtype varchar(255) NOT NULL,
    "timestamp" varchar(255) NOT NULL,
    UNIQUE (aggregateidentifier, sequencenumber)
);
