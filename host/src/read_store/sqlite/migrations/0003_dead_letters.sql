-- Events that were set aside. They change with the checkpoint, in its
-- transaction.
CREATE TABLE lantern_dead_letters (
    generation INTEGER NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    tenant     TEXT NOT NULL,
    stream     TEXT NOT NULL,
    -- What the operator asked for, until the host has done it.
    asked      TEXT CHECK (asked IN ('retry', 'discard')),
    letter     TEXT NOT NULL,
    PRIMARY KEY (generation, position)
) STRICT, WITHOUT ROWID;

-- How often anything was asked: a host that sees it move looks what it is.
ALTER TABLE lantern_generations ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
