-- Why: two operators who change the same settings must not overwrite each other unseen: each change
-- names the revision that it was decided on.

ALTER TABLE instances ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE mirror_issue_configs ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- Lists that are walked page by page, by what they are filtered by.
CREATE INDEX issue_mappings_by_status ON issue_mappings (mirror_id, sync_status, id);
CREATE INDEX issue_mappings_listed ON issue_mappings (mirror_id, id);
-- Spelt so that nothing but the list is served by it: what is dealt out has an index of its own.
CREATE INDEX work_unfinished ON work (id) WHERE state || '' <> 'done';
CREATE INDEX issue_sync_jobs_listed ON issue_sync_jobs (mirror_id, id);

-- Few: whether a mirror has any is one probe.
CREATE INDEX issue_mappings_reverse ON issue_mappings (mirror_id) WHERE is_reverse;
