-- Why: a resolved thread is resolved on the target too, and opened again with it; how it was left there
-- is kept, so that nothing is sent while nothing changes and the target's people are not contradicted.

CREATE TABLE thread_mappings (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_mapping_id     INTEGER NOT NULL REFERENCES issue_mappings (id) ON DELETE CASCADE,
    source_discussion_id TEXT NOT NULL,
    resolved             INTEGER NOT NULL,
    created_at           TEXT NOT NULL,
    updated_at           TEXT NOT NULL,
    UNIQUE (issue_mapping_id, source_discussion_id)
) STRICT;
