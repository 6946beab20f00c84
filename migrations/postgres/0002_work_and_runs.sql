-- Why: what is owed lives here and nowhere else. A queue may be flushed, a process killed; what
-- these tables say is due is still due. One row per thing that may be owed, so a thousand triggers
-- are one row. The same tables and columns as migrations/sqlite/0002, in PostgreSQL's types.

CREATE TABLE work (
    -- Never reused: a stale ticket must not fit a later row.
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    -- `sync_issue/7/123`: holds the kind.
    -- Compared by its bytes: many rows are locked in this order, which must be one order everywhere.
    key           text COLLATE "C" NOT NULL UNIQUE,
    mirror_id     bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    -- 0 backfill, 1 incremental, 2 by hand.
    priority      bigint NOT NULL CHECK (priority BETWEEN 0 AND 2),
    state         text NOT NULL CHECK (state IN ('pending', 'queued', 'running', 'done', 'dead')),
    run_at        timestamptz NOT NULL,
    -- A limit's own time: nothing pulls run_at before it.
    not_before    timestamptz,
    -- Failures since it last succeeded.
    attempts      bigint NOT NULL,
    -- Of these, the latest ones that were lost with their worker, in a row.
    crashes       bigint NOT NULL,
    -- The fencing token: grows with every dispatch.
    ticket        bigint NOT NULL,
    -- Asked again since it was dispatched: due once more from this time.
    rerun_at      timestamptz,
    -- That was because something changed.
    rerun_changed boolean NOT NULL,
    lease_until   timestamptz,
    owner         text,
    started_at    timestamptz,
    last_error    text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
) WITH (
    -- Each row changes several times while it goes round: what is left of its old versions is
    -- cleared away early, so that a claim reads few of them.
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05
);
-- One probe per mirror and priority finds the next rows due, however many wait.
CREATE INDEX work_pending ON work (mirror_id, priority, run_at, id) WHERE state = 'pending';
-- Small: what is out at the moment.
CREATE INDEX work_leased ON work (lease_until, mirror_id) WHERE state IN ('queued', 'running');
CREATE INDEX work_dead ON work (mirror_id) WHERE state = 'dead';

CREATE TABLE work_attempts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_id    bigint NOT NULL REFERENCES work (id) ON DELETE CASCADE,
    ticket     bigint NOT NULL,
    owner      text,
    started_at timestamptz,
    ended_at   timestamptz NOT NULL,
    ending     text NOT NULL
        CHECK (ending IN ('done', 'snoozed', 'retried', 'given_up', 'crashed', 'handed_back')),
    outcome    jsonb,
    error      text
);
CREATE INDEX work_attempts_of ON work_attempts (work_id);
CREATE INDEX work_attempts_by_end ON work_attempts (ended_at);

-- Runs: a scan and the jobs it caused, counted.
CREATE TABLE issue_sync_jobs (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mirror_id            bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    job_type             text NOT NULL
        CHECK (job_type IN ('full_sync', 'incremental_sync', 'single_issue')),
    status               text NOT NULL
        CHECK (status IN ('running', 'completed', 'partial', 'failed', 'interrupted')),
    issues_processed     bigint NOT NULL DEFAULT 0,
    issues_created       bigint NOT NULL DEFAULT 0,
    issues_updated       bigint NOT NULL DEFAULT 0,
    issues_unchanged     bigint NOT NULL DEFAULT 0,
    issues_skipped       bigint NOT NULL DEFAULT 0,
    issues_failed        bigint NOT NULL DEFAULT 0,
    comments             bigint NOT NULL DEFAULT 0,
    attachments          bigint NOT NULL DEFAULT 0,
    api_calls            bigint NOT NULL DEFAULT 0,
    error_details        text,
    started_at           timestamptz NOT NULL,
    completed_at         timestamptz
);
CREATE INDEX issue_sync_jobs_of ON issue_sync_jobs (mirror_id, started_at);
CREATE INDEX issue_sync_jobs_running ON issue_sync_jobs (mirror_id) WHERE status = 'running';
