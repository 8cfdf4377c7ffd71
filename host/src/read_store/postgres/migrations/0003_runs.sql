-- When the last round of a generation that works by a schedule began.
CREATE TABLE lantern_runs (
    generation bigint PRIMARY KEY REFERENCES lantern_generations (id) ON DELETE CASCADE,
    began_at   bigint NOT NULL
);
