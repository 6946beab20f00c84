-- Why: two mirrors in opposite directions are a pair only where a person says so; then what the people of
-- a copy do to it flows back to its original.

ALTER TABLE mirror_issue_configs ADD COLUMN pair_id bigint REFERENCES mirrors (id) ON DELETE SET NULL;

-- The source issue is the copy, and the target its original: made by the other half of the pair.
ALTER TABLE issue_mappings ADD COLUMN is_reverse boolean NOT NULL DEFAULT false;
