-- Why: what is owed lives here and nowhere else. A queue may be flushed, a process killed; what
-- these tables say is due is still due. One row per thing that may be owed, so a thousand triggers
-- are one row.

CREATE TABLE work (
    -- Never reused: a stale ticket must not fit a later row.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    -- `sync_issue/7/123`: holds the kind.
    key           TEXT NOT NULL UNIQUE,
    mirror_id     INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    -- 0 backfill, 1 incremental, 2 by hand.
    priority      INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 2),
    state         TEXT NOT NULL CHECK (state IN ('pending', 'queued', 'running', 'done', 'dead')),
    run_at        TEXT NOT NULL,
    -- A limit's own time: nothing pulls run_at before it.
    not_before    TEXT,
    -- Failures since it last succeeded.
    attempts      INTEGER NOT NULL,
    -- Of these, the latest ones that were lost with their worker, in a row.
    crashes       INTEGER NOT NULL,
    -- The fencing token: grows with every dispatch.
    ticket        INTEGER NOT NULL,
    -- Asked again since it was dispatched: due once more from this time.
    rerun_at      TEXT,
    -- That was because something changed.
    rerun_changed INTEGER NOT NULL,
    lease_until   TEXT,
    owner         TEXT,
    started_at    TEXT,
    last_error    TEXT,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL
) STRICT;
-- One probe per mirror and priority finds the next rows due, however many wait.
CREATE INDEX work_pending ON work (mirror_id, priority, run_at, id) WHERE state = 'pending';
-- Small: what is out at the moment.
CREATE INDEX work_leased ON work (lease_until, mirror_id) WHERE state IN ('queued', 'running');
CREATE INDEX work_dead ON work (mirror_id) WHERE state = 'dead';

CREATE TABLE work_attempts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    work_id    INTEGER NOT NULL REFERENCES work (id) ON DELETE CASCADE,
    ticket     INTEGER NOT NULL,
    owner      TEXT,
    started_at TEXT,
    ended_at   TEXT NOT NULL,
    ending     TEXT NOT NULL
        CHECK (ending IN ('done', 'snoozed', 'retried', 'given_up', 'crashed', 'handed_back')),
    -- JSON.
    outcome    TEXT,
    error      TEXT
) STRICT;
CREATE INDEX work_attempts_of ON work_attempts (work_id);
CREATE INDEX work_attempts_by_end ON work_attempts (ended_at);

-- Runs: a scan and the jobs it caused, counted.
CREATE TABLE issue_sync_jobs (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    mirror_id            INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    job_type             TEXT NOT NULL
        CHECK (job_type IN ('full_sync', 'incremental_sync', 'single_issue')),
    status               TEXT NOT NULL
        CHECK (status IN ('running', 'completed', 'partial', 'failed', 'interrupted')),
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
CREATE INDEX issue_sync_jobs_of ON issue_sync_jobs (mirror_id, started_at);
CREATE INDEX issue_sync_jobs_running ON issue_sync_jobs (mirror_id) WHERE status = 'running';
