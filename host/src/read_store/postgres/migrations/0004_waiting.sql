-- Events that wait for an earlier version of their entity. They change with the
-- checkpoint, in its transaction.
CREATE TABLE lantern_waiting (
    generation bigint NOT NULL REFERENCES lantern_generations (id) ON DELETE CASCADE,
    position   bigint NOT NULL,
    tenant     text COLLATE "C" NOT NULL,
    entity     text COLLATE "C" NOT NULL,
    version    bigint NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    given_up   boolean NOT NULL,
    -- Whether the operator wants it projected without what is missing before it.
    released   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (generation, position)
);
