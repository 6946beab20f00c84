-- Why: an issue that is deleted at the source is followed on the target, but only when it was missed
-- twice, at two times, by a token that would see it; and not many at once unless a person says so.

CREATE TABLE gone_issues (
    mirror_id  INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid INTEGER NOT NULL,
    -- When the source, asked for it alone, first did not show it.
    missed_at  TEXT NOT NULL,
    -- A person let it go although it went with many.
    released   INTEGER NOT NULL DEFAULT 0,
    -- When its copy had followed; it is not touched any more.
    settled_at TEXT,
    PRIMARY KEY (mirror_id, source_iid)
) STRICT;

ALTER TABLE mirror_issue_configs ADD COLUMN on_delete TEXT NOT NULL DEFAULT 'close'
    CHECK (on_delete IN ('keep', 'close', 'delete'));
-- More than this many, and more than this share (in percent) of all copies, wait for a person.
ALTER TABLE mirror_issue_configs ADD COLUMN max_delete INTEGER NOT NULL DEFAULT 10;
ALTER TABLE mirror_issue_configs ADD COLUMN max_delete_share INTEGER NOT NULL DEFAULT 10;
-- How many wait for a person; null while none do.
ALTER TABLE mirror_issue_configs ADD COLUMN removals_held INTEGER;
-- The most that the source's token was ever entitled to see. With less, what it misses may be hidden.
ALTER TABLE mirror_issue_configs ADD COLUMN source_sight INTEGER;
