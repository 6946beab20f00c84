-- Why: a service mirrors by itself, for people who are not there: it keeps its tokens, knows when
-- each mirror is due, which processes work, and counts what each run has done although many
-- processes work on it.

-- What people call it; null for one that only `sync` ever met.
ALTER TABLE instances ADD COLUMN title text UNIQUE;
-- Sealed under the deployment's key.
ALTER TABLE instances ADD COLUMN token text;
-- Certificates (PEM) trusted besides the system's.
ALTER TABLE instances ADD COLUMN ca text;
-- JSON array of CLASS=N/SECONDS.
ALTER TABLE instances ADD COLUMN limits jsonb NOT NULL DEFAULT '[]';
-- Jobs that may be out at once, on whichever side of their mirrors the instance stands.
ALTER TABLE instances ADD COLUMN concurrency bigint NOT NULL DEFAULT 16
    CHECK (concurrency BETWEEN 1 AND 10000);

ALTER TABLE mirror_issue_configs ADD COLUMN interval_seconds bigint NOT NULL DEFAULT 300
    CHECK (interval_seconds >= 1);
-- How often everything is compared; null: never by itself.
ALTER TABLE mirror_issue_configs ADD COLUMN full_interval_seconds bigint DEFAULT 86400
    CHECK (full_interval_seconds >= 1);
-- Null: nobody schedules it; `sync` does its mirrors by hand.
ALTER TABLE mirror_issue_configs ADD COLUMN next_scan_at timestamptz;
ALTER TABLE mirror_issue_configs ADD COLUMN next_full_at timestamptz;
ALTER TABLE mirror_issue_configs ADD COLUMN include_closed boolean NOT NULL DEFAULT false;
-- Empty: none.
ALTER TABLE mirror_issue_configs ADD COLUMN mirrored_label text NOT NULL DEFAULT 'MIRRORED';
-- Bytes.
ALTER TABLE mirror_issue_configs ADD COLUMN max_attachment_size bigint NOT NULL
    DEFAULT 104857600;
CREATE INDEX mirror_issue_configs_due ON mirror_issue_configs (next_scan_at)
    WHERE next_scan_at IS NOT NULL;

CREATE TABLE workers (
    -- Of one start of one process.
    name         text PRIMARY KEY,
    host         text NOT NULL,
    pid          bigint NOT NULL,
    version      text NOT NULL,
    concurrency  bigint NOT NULL,
    started_at   timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    -- It takes no new work.
    draining     boolean NOT NULL
);
CREATE INDEX workers_by_heartbeat ON workers (heartbeat_at);

-- Asked to stop before its next write; the row goes back and waits for its mirror's next turn.
ALTER TABLE work ADD COLUMN stop_asked boolean NOT NULL DEFAULT false;
-- One probe tells that nothing at all is due.
CREATE INDEX work_due ON work (run_at) WHERE state = 'pending';
CREATE INDEX work_running_at ON work (owner) WHERE state = 'running';

ALTER TABLE issue_sync_jobs DROP CONSTRAINT issue_sync_jobs_status_check;
ALTER TABLE issue_sync_jobs ADD CONSTRAINT issue_sync_jobs_status_check CHECK (status IN
    ('running', 'completed', 'partial', 'failed', 'interrupted', 'cancelled'));
-- Who or what asked: 'schedule', 'sync', a person.
ALTER TABLE issue_sync_jobs ADD COLUMN requested_by text NOT NULL DEFAULT 'sync';

-- What a run waits for. Runs own these, not the work: a row of work may be waited for by several
-- runs, and cancelling a run leaves it owed.
CREATE TABLE run_memberships (
    run_id      bigint NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    work_id     bigint NOT NULL REFERENCES work (id) ON DELETE CASCADE,
    -- Settled by the end of the first ticket above this one: a ticket that had started before the
    -- run asked may have read what was true before.
    generation  bigint NOT NULL,
    settled_at  timestamptz,
    outcome     text CHECK (outcome IN
        ('created', 'updated', 'unchanged', 'skipped', 'scanned', 'failed')),
    comments    bigint NOT NULL DEFAULT 0,
    attachments bigint NOT NULL DEFAULT 0,
    api_calls   bigint NOT NULL DEFAULT 0,
    error       text,
    PRIMARY KEY (run_id, work_id)
);
CREATE INDEX run_memberships_open ON run_memberships (work_id) WHERE settled_at IS NULL;
CREATE INDEX run_memberships_open_of ON run_memberships (run_id) WHERE settled_at IS NULL;
