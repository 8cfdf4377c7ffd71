-- Which events a generation is built from, where that is not all there are: up
-- to a position, or those of one tenant or stream.
ALTER TABLE lantern_generations ADD COLUMN scope TEXT;

-- The last part whose rows the generation has taken over: for those who wait.
ALTER TABLE lantern_generations ADD COLUMN took_over INTEGER;

-- How fast a generation was filled, to estimate how long a rebuild takes.
CREATE TABLE lantern_fills (
    generation INTEGER PRIMARY KEY REFERENCES lantern_generations (id) ON DELETE CASCADE,
    events     INTEGER NOT NULL,
    micros     INTEGER NOT NULL
) STRICT;
