-- Why: people ask which requests a try at an issue sent, and how often a run had to wait.

-- JSON: those that have ended, the latest ones where there were very many. None of a try that sent
-- none, or whose worker was lost.
ALTER TABLE work_attempts ADD COLUMN requests jsonb;

ALTER TABLE run_memberships ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE issue_sync_jobs ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;

-- Which issues a run of single issues was asked for.
CREATE TABLE run_issues (
    run_id BIGINT NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    iid    BIGINT NOT NULL,
    PRIMARY KEY (run_id, iid)
);
