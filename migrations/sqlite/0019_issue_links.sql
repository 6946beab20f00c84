-- Why: a link between two mirrors that we made goes when its original does; one that people made stays.

ALTER TABLE mirror_issue_configs ADD COLUMN issue_links INTEGER NOT NULL DEFAULT 0;

CREATE TABLE link_mappings (
    mirror_id  INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    lower_iid  INTEGER NOT NULL,
    higher_iid INTEGER NOT NULL,
    -- What the issue with the lower number is to the other one.
    kind       TEXT NOT NULL CHECK (kind IN ('relates_to', 'blocks', 'is_blocked_by')),
    -- We made it; else it was there.
    ours       INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (mirror_id, lower_iid, higher_iid)
) STRICT;
CREATE INDEX link_mappings_by_higher ON link_mappings (mirror_id, higher_iid);
