-- Why: an issue that is deleted at the source is followed on the target, but only when it was missed
-- twice, at two times, by a token that would see it; and not many at once unless a person says so.

CREATE TABLE gone_issues (
    mirror_id  bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid bigint NOT NULL,
    -- When the source, asked for it alone, first did not show it.
    missed_at  timestamptz NOT NULL,
    -- A person let it go although it went with many.
    released   boolean NOT NULL DEFAULT false,
    -- When its copy had followed; it is not touched any more.
    settled_at timestamptz,
    PRIMARY KEY (mirror_id, source_iid)
);

ALTER TABLE mirror_issue_configs ADD COLUMN on_delete text NOT NULL DEFAULT 'close'
    CHECK (on_delete IN ('keep', 'close', 'delete'));
-- More than this many, and more than this share (in percent) of all copies, wait for a person.
ALTER TABLE mirror_issue_configs ADD COLUMN max_delete bigint NOT NULL DEFAULT 10;
ALTER TABLE mirror_issue_configs ADD COLUMN max_delete_share bigint NOT NULL DEFAULT 10;
-- How many wait for a person; null while none do.
ALTER TABLE mirror_issue_configs ADD COLUMN removals_held bigint;
-- The most that the source's token was ever entitled to see. With less, what it misses may be hidden.
ALTER TABLE mirror_issue_configs ADD COLUMN source_sight bigint;
