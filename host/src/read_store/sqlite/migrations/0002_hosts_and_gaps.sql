-- The host whose watched folder a projector's file is in.
ALTER TABLE lantern_projectors ADD COLUMN file_host TEXT;

-- Positions of the log that no event has and that the source went past.
CREATE TABLE lantern_gaps (
    first_position INTEGER NOT NULL,
    last_position  INTEGER NOT NULL,
    seen_at        INTEGER NOT NULL,
    passed_at      INTEGER NOT NULL,
    proof          TEXT NOT NULL,
    PRIMARY KEY (first_position, last_position)
) STRICT, WITHOUT ROWID;

CREATE INDEX lantern_gaps_by_time ON lantern_gaps (passed_at);
