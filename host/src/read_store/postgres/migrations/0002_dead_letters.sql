-- Events that were set aside. They change with the checkpoint, in its
-- transaction.
CREATE TABLE lantern_dead_letters (
    generation bigint NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    position   bigint NOT NULL,
    tenant     text COLLATE "C" NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    -- What the operator asked for, until the host has done it.
    asked      text CHECK (asked IN ('retry', 'discard')),
    letter     text NOT NULL,
    PRIMARY KEY (generation, position)
);

-- How often anything was asked: a host that sees it move looks what it is.
ALTER TABLE lantern_generations ADD COLUMN asked bigint NOT NULL DEFAULT 0;
