-- Why: where edits of the target's people are kept, they are told from our own writes by what both
-- sides were when they were last settled; and a person sees what was edited, and decides.

ALTER TABLE mirror_issue_configs ADD COLUMN on_edit TEXT NOT NULL DEFAULT 'overwrite'
    CHECK (on_edit IN ('overwrite', 'protect'));
-- JSON: digests of both sides when they were last settled; null when that is not known.
ALTER TABLE issue_mappings ADD COLUMN base TEXT;
ALTER TABLE comment_mappings ADD COLUMN base TEXT;

-- What somebody edited on the target, and what stays so until a person decides or one side gives in.
CREATE TABLE target_edits (
    issue_mapping_id INTEGER NOT NULL REFERENCES issue_mappings (id) ON DELETE CASCADE,
    -- The field; empty for a comment.
    field            TEXT NOT NULL,
    -- The source's comment; 0 for a field.
    source_note_id   INTEGER NOT NULL,
    -- The source has changed there, too, or nobody knows whether it has.
    conflict         INTEGER NOT NULL,
    source_digest    TEXT NOT NULL,
    target_digest    TEXT NOT NULL,
    -- For people to compare; null for what is hidden from the public.
    source_value     TEXT,
    target_value     TEXT,
    -- What a person decided, not carried out yet.
    resolution       TEXT CHECK (resolution IN ('use_source', 'use_target')),
    found_at         TEXT NOT NULL,
    PRIMARY KEY (issue_mapping_id, field, source_note_id)
) STRICT;
