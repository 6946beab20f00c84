-- Why: where edits of the target's people are kept, they are told from our own writes by what both
-- sides were when they were last settled; and a person sees what was edited, and decides.

ALTER TABLE mirror_issue_configs ADD COLUMN on_edit text NOT NULL DEFAULT 'overwrite'
    CHECK (on_edit IN ('overwrite', 'protect'));
-- JSON: digests of both sides when they were last settled; null when that is not known.
ALTER TABLE issue_mappings ADD COLUMN base jsonb;
ALTER TABLE comment_mappings ADD COLUMN base jsonb;

-- What somebody edited on the target, and what stays so until a person decides or one side gives in.
CREATE TABLE target_edits (
    issue_mapping_id bigint NOT NULL REFERENCES issue_mappings (id) ON DELETE CASCADE,
    -- The field; empty for a comment.
    field            text NOT NULL,
    -- The source's comment; 0 for a field.
    source_note_id   bigint NOT NULL,
    -- The source has changed there, too, or nobody knows whether it has.
    conflict         boolean NOT NULL,
    source_digest    text NOT NULL,
    target_digest    text NOT NULL,
    -- For people to compare; null for what is hidden from the public.
    source_value     text,
    target_value     text,
    -- What a person decided, not carried out yet.
    resolution       text CHECK (resolution IN ('use_source', 'use_target')),
    found_at         timestamptz NOT NULL,
    PRIMARY KEY (issue_mapping_id, field, source_note_id)
);
