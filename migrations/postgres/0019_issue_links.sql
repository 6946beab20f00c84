-- Why: a link between two mirrors that we made goes when its original does; one that people made stays.

ALTER TABLE mirror_issue_configs ADD COLUMN issue_links boolean NOT NULL DEFAULT false;

CREATE TABLE link_mappings (
    mirror_id  bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    lower_iid  bigint NOT NULL,
    higher_iid bigint NOT NULL,
    -- What the issue with the lower number is to the other one.
    kind       text NOT NULL CHECK (kind IN ('relates_to', 'blocks', 'is_blocked_by')),
    -- We made it; else it was there.
    ours       boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (mirror_id, lower_iid, higher_iid)
);
CREATE INDEX link_mappings_by_higher ON link_mappings (mirror_id, higher_iid);
