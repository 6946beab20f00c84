-- Why: a resolved thread is resolved on the target too, and opened again with it; how it was left there
-- is kept, so that nothing is sent while nothing changes and the target's people are not contradicted.

CREATE TABLE thread_mappings (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_mapping_id     bigint NOT NULL REFERENCES issue_mappings (id) ON DELETE CASCADE,
    source_discussion_id text NOT NULL,
    resolved             boolean NOT NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    UNIQUE (issue_mapping_id, source_discussion_id)
);
