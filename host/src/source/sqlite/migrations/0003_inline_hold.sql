-- Until when, in milliseconds since 1970, appends that run inline projectors wait
-- for a projector to come level with the log. At most one row.
CREATE TABLE lantern_inline_hold (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    until INTEGER NOT NULL
);
