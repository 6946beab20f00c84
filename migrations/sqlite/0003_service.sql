-- Why: a service mirrors by itself, for people who are not there: it keeps its tokens, knows when
-- each mirror is due, which processes work, and counts what each run has done although many
-- processes work on it.

-- What people call it; null for one that only `sync` ever met.
ALTER TABLE instances ADD COLUMN title TEXT;
-- Sealed under the deployment's key.
ALTER TABLE instances ADD COLUMN token TEXT;
-- Certificates (PEM) trusted besides the system's.
ALTER TABLE instances ADD COLUMN ca TEXT;
-- JSON array of CLASS=N/SECONDS.
ALTER TABLE instances ADD COLUMN limits TEXT NOT NULL DEFAULT '[]';
-- Jobs that may be out at once, on whichever side of their mirrors the instance stands.
ALTER TABLE instances ADD COLUMN concurrency INTEGER NOT NULL DEFAULT 16
    CHECK (concurrency BETWEEN 1 AND 10000);
CREATE UNIQUE INDEX instances_title ON instances (title) WHERE title IS NOT NULL;

ALTER TABLE mirror_issue_configs ADD COLUMN interval_seconds INTEGER NOT NULL DEFAULT 300
    CHECK (interval_seconds >= 1);
-- How often everything is compared; null: never by itself.
ALTER TABLE mirror_issue_configs ADD COLUMN full_interval_seconds INTEGER DEFAULT 86400
    CHECK (full_interval_seconds >= 1);
-- Null: nobody schedules it; `sync` does its mirrors by hand.
ALTER TABLE mirror_issue_configs ADD COLUMN next_scan_at TEXT;
ALTER TABLE mirror_issue_configs ADD COLUMN next_full_at TEXT;
ALTER TABLE mirror_issue_configs ADD COLUMN include_closed INTEGER NOT NULL DEFAULT 0;
-- Empty: none.
ALTER TABLE mirror_issue_configs ADD COLUMN mirrored_label TEXT NOT NULL DEFAULT 'MIRRORED';
-- Bytes.
ALTER TABLE mirror_issue_configs ADD COLUMN max_attachment_size INTEGER NOT NULL
    DEFAULT 104857600;
CREATE INDEX mirror_issue_configs_due ON mirror_issue_configs (next_scan_at)
    WHERE next_scan_at IS NOT NULL;

CREATE TABLE workers (
    -- Of one start of one process.
    name         TEXT PRIMARY KEY,
    host         TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    version      TEXT NOT NULL,
    concurrency  INTEGER NOT NULL,
    started_at   TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    -- It takes no new work.
    draining     INTEGER NOT NULL
) STRICT;
CREATE INDEX workers_by_heartbeat ON workers (heartbeat_at);

-- Asked to stop before its next write; the row goes back and waits for its mirror's next turn.
ALTER TABLE work ADD COLUMN stop_asked INTEGER NOT NULL DEFAULT 0;
-- One probe tells that nothing at all is due.
CREATE INDEX work_due ON work (run_at) WHERE state = 'pending';
CREATE INDEX work_running_at ON work (owner) WHERE state = 'running';

-- A status more, and who asked: SQLite changes no CHECK, so the table is made anew.
CREATE TABLE issue_sync_jobs_new (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    mirror_id            INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    job_type             TEXT NOT NULL
        CHECK (job_type IN ('full_sync', 'incremental_sync', 'single_issue')),
    status               TEXT NOT NULL CHECK (status IN
        ('running', 'completed', 'partial', 'failed', 'interrupted', 'cancelled')),
    -- Who or what asked: 'schedule', 'sync', a person.
    requested_by         TEXT NOT NULL DEFAULT 'sync',
    issues_processed     INTEGER NOT NULL DEFAULT 0,
    issues_created       INTEGER NOT NULL DEFAULT 0,
    issues_updated       INTEGER NOT NULL DEFAULT 0,
    issues_unchanged     INTEGER NOT NULL DEFAULT 0,
    issues_skipped       INTEGER NOT NULL DEFAULT 0,
    issues_failed        INTEGER NOT NULL DEFAULT 0,
    comments             INTEGER NOT NULL DEFAULT 0,
    attachments          INTEGER NOT NULL DEFAULT 0,
    api_calls            INTEGER NOT NULL DEFAULT 0,
    error_details        TEXT,
    started_at           TEXT NOT NULL,
    completed_at         TEXT
) STRICT;
INSERT INTO issue_sync_jobs_new (
    id, mirror_id, job_type, status, issues_processed, issues_created, issues_updated,
    issues_unchanged, issues_skipped, issues_failed, comments, attachments, api_calls,
    error_details, started_at, completed_at)
SELECT id, mirror_id, job_type, status, issues_processed, issues_created, issues_updated,
       issues_unchanged, issues_skipped, issues_failed, comments, attachments, api_calls,
       error_details, started_at, completed_at
FROM issue_sync_jobs;
DROP TABLE issue_sync_jobs;
ALTER TABLE issue_sync_jobs_new RENAME TO issue_sync_jobs;
CREATE INDEX issue_sync_jobs_of ON issue_sync_jobs (mirror_id, started_at);
CREATE INDEX issue_sync_jobs_running ON issue_sync_jobs (mirror_id) WHERE status = 'running';

-- What a run waits for. Runs own these, not the work: a row of work may be waited for by several
-- runs, and cancelling a run leaves it owed.
CREATE TABLE run_memberships (
    run_id      INTEGER NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    work_id     INTEGER NOT NULL REFERENCES work (id) ON DELETE CASCADE,
    -- Settled by the end of the first ticket above this one: a ticket that had started before the
    -- run asked may have read what was true before.
    generation  INTEGER NOT NULL,
    settled_at  TEXT,
    outcome     TEXT CHECK (outcome IN
        ('created', 'updated', 'unchanged', 'skipped', 'scanned', 'failed')),
    comments    INTEGER NOT NULL DEFAULT 0,
    attachments INTEGER NOT NULL DEFAULT 0,
    api_calls   INTEGER NOT NULL DEFAULT 0,
    error       TEXT,
    PRIMARY KEY (run_id, work_id)
) STRICT;
CREATE INDEX run_memberships_open ON run_memberships (work_id) WHERE settled_at IS NULL;
CREATE INDEX run_memberships_open_of ON run_memberships (run_id) WHERE settled_at IS NULL;
