-- The records of the read store. They share their schema with the readers'
-- names, which never begin with lantern_.
--
-- Texts are compared byte by byte, so that their order is the same on every
-- machine and no index depends on a library of the system.

CREATE TABLE lantern_projectors (
    name        text COLLATE "C" PRIMARY KEY,
    wanted      text NOT NULL CHECK (wanted IN ('running', 'paused', 'detached')),
    file        text,
    file_host   text,
    file_digest text
);

CREATE TABLE lantern_generations (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projector      text COLLATE "C" NOT NULL REFERENCES lantern_projectors (name),
    state          text NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    -- Whether all secondary indexes exist.
    indexed        boolean NOT NULL DEFAULT false,
    digest         text NOT NULL,
    created_at     bigint NOT NULL,
    live_at        bigint,
    failure        text,
    description    text NOT NULL,
    -- The lease: who works on it, and until when that holds at least. It holds
    -- longer while lantern_hosts says so of that start of that host.
    owner_host     text,
    owner_instance text,
    lease_until    timestamptz
);

CREATE INDEX lantern_generations_of_projector ON lantern_generations (projector);
CREATE UNIQUE INDEX lantern_one_live ON lantern_generations (projector) WHERE state = 'live';
CREATE UNIQUE INDEX lantern_one_building ON lantern_generations (projector) WHERE state = 'building';

-- The readers' names that each generation has or will have: while it is
-- recorded, nobody else may take them.
CREATE TABLE lantern_tables (
    generation bigint NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    name       text COLLATE "C" NOT NULL,
    PRIMARY KEY (generation, name)
);

CREATE INDEX lantern_tables_by_name ON lantern_tables (name);

-- What every commit reads and writes, apart from the rest: a small row with room
-- for its next version on the same page, so that no index is touched.
CREATE TABLE lantern_progress (
    generation bigint PRIMARY KEY REFERENCES lantern_generations (id) ON DELETE CASCADE,
    epoch      bigint NOT NULL DEFAULT 0,
    -- Whether the tables have their keys. They get them with their first rows.
    keyed      boolean NOT NULL DEFAULT false,
    -- The positions by partition.
    checkpoint jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 20);

-- When a host was heard of last, by the clock of this server.
CREATE TABLE lantern_hosts (
    host        text COLLATE "C" PRIMARY KEY,
    instance    text NOT NULL,
    heard_at    timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    record      text NOT NULL
) WITH (fillfactor = 20);

-- Components, for hosts that have no copy of the file.
CREATE TABLE lantern_components (
    digest  text COLLATE "C" PRIMARY KEY,
    kept_at timestamptz NOT NULL,
    bytes   bytea NOT NULL
);

-- WebAssembly is compressed badly by the server, and read whole.
ALTER TABLE lantern_components ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Positions of the log that no event has and that the source went past.
CREATE TABLE lantern_gaps (
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL,
    seen_at        bigint NOT NULL,
    passed_at      bigint NOT NULL,
    proof          text NOT NULL,
    PRIMARY KEY (first_position, last_position)
);

CREATE INDEX lantern_gaps_by_time ON lantern_gaps (passed_at);

-- The lock that every change of records takes first, and its count.
CREATE TABLE lantern_revision (
    id     integer PRIMARY KEY CHECK (id = 1),
    number bigint NOT NULL
) WITH (fillfactor = 20);

INSERT INTO lantern_revision (id, number) VALUES (1, 1);
