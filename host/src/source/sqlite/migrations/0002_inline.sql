-- Projectors without which no append is committed.
CREATE TABLE lantern_inline (
    projector TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
