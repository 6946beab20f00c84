-- Why: operators let a whole level of urgency rest, have a worker leave in good order, and send a
-- request again without asking for its effect twice.

CREATE TABLE queues (
    -- As of work: 0 backfill, 1 incremental, 2 by hand.
    priority   INTEGER PRIMARY KEY CHECK (priority BETWEEN 0 AND 2),
    -- Why it rests; null while it does not.
    paused     TEXT,
    updated_at TEXT NOT NULL
) STRICT;

ALTER TABLE workers ADD COLUMN drain_asked INTEGER NOT NULL DEFAULT 0;

-- What a request with a key of its sender's asked for, and what it was answered with.
CREATE TABLE requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Who sent it, and to where.
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    -- Of its body: the same key with another body is a mistake.
    digest     TEXT NOT NULL,
    answer     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (scope, key)
) STRICT;
CREATE INDEX requests_by_age ON requests (created_at);

-- For whoever watches.
CREATE INDEX issue_sync_jobs_by_end ON issue_sync_jobs (completed_at);
