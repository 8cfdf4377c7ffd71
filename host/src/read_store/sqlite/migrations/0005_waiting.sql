-- Events that wait for an earlier version of their entity. They change with the
-- checkpoint, in its transaction.
CREATE TABLE lantern_waiting (
    generation INTEGER NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    tenant     TEXT NOT NULL,
    entity     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    stream     TEXT NOT NULL,
    given_up   INTEGER NOT NULL,
    -- Whether the operator wants it projected without what is missing before it.
    released   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (generation, position)
) STRICT, WITHOUT ROWID;
