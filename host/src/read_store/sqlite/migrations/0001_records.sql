-- The records of the read store. All names begin with lantern_, and none is
-- used by the event store, as both may live in one file.

CREATE TABLE lantern_projectors (
    name        TEXT NOT NULL PRIMARY KEY,
    wanted      TEXT NOT NULL CHECK (wanted IN ('running', 'paused', 'detached')),
    file        TEXT,
    file_digest TEXT
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: the number of a dropped generation is never used again.
-- What every commit reads comes first; the description can be long.
CREATE TABLE lantern_generations (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    projector   TEXT NOT NULL REFERENCES lantern_projectors (name),
    state       TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    epoch       INTEGER NOT NULL DEFAULT 0,
    -- 'making' while some secondary indexes may exist and others not yet.
    indexes     TEXT NOT NULL DEFAULT 'none' CHECK (indexes IN ('none', 'making', 'made')),
    owner       TEXT,
    digest      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    live_at     INTEGER,
    failure     TEXT,
    description TEXT NOT NULL
) STRICT;

CREATE INDEX lantern_generations_of_projector ON lantern_generations (projector);
CREATE UNIQUE INDEX lantern_one_live ON lantern_generations (projector) WHERE state = 'live';
CREATE UNIQUE INDEX lantern_one_building ON lantern_generations (projector) WHERE state = 'building';

-- The readers' names that each generation has or will have: while it is
-- recorded, nobody else may take them.
CREATE TABLE lantern_tables (
    generation INTEGER NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    PRIMARY KEY (generation, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX lantern_tables_by_name ON lantern_tables (name);

-- Apart from the generations, so that a commit rewrites a small row.
CREATE TABLE lantern_checkpoints (
    generation INTEGER NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    partition  TEXT NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (generation, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE lantern_host (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    record TEXT NOT NULL
) STRICT;

CREATE TABLE lantern_revision (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO lantern_revision (id, number) VALUES (1, 1);
