-- Why: a target issue that was there before its mirror is adopted where a person, or the footer of
-- another tool, says whose copy it is to be. That is on record until the issue's own job has done it.

CREATE TABLE adoption_pairs (
    mirror_id  bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid bigint NOT NULL,
    target_iid bigint NOT NULL,
    -- A person asked for it; else it was found.
    by_hand    boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (mirror_id, source_iid),
    UNIQUE (mirror_id, target_iid)
);
