-- Why: the API speaks to no GitLab. What a person wants of one is written down as an errand, and owed
-- like everything else; a worker does it and writes down what came of it. And a source can tell of
-- changes as they happen: the secrets by which such a hook is known live here.

-- An errand is of no mirror: there may be none yet, and it does not rest with one. SQLite takes no
-- NOT NULL away; this changes no byte of any row, and spares copying the largest tables.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, 'mirror_id     INTEGER NOT NULL REFERENCES', 'mirror_id     INTEGER REFERENCES')
WHERE type = 'table' AND name = 'work';
PRAGMA writable_schema = RESET;

-- Those that are due. There are few.
CREATE INDEX work_errands ON work (run_at) WHERE state = 'pending' AND kind = 'errand';

CREATE TABLE errands (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL,
    instance_id     INTEGER REFERENCES instances (id) ON DELETE CASCADE,
    mirror_id       INTEGER REFERENCES mirrors (id) ON DELETE CASCADE,
    -- JSON: the whole errand, as it was asked for.
    parameters      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    -- JSON: what came of it.
    result          TEXT,
    -- Why it failed, or what it waits for.
    problem         TEXT,
    -- Who or what asked.
    asked_by        TEXT NOT NULL,
    -- Digest of what is asked and the asker's own key: asked again, it is the same errand.
    idempotency_key TEXT UNIQUE,
    asked_at        TEXT NOT NULL,
    started_at      TEXT,
    ended_at        TEXT
) STRICT;
CREATE INDEX errands_of_mirror ON errands (mirror_id, id);
CREATE INDEX errands_of_instance ON errands (instance_id, id);
CREATE INDEX errands_by_end ON errands (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE hooks (
    mirror_id     INTEGER PRIMARY KEY REFERENCES mirrors (id) ON DELETE CASCADE,
    -- Where the source's GitLab tells.
    url           TEXT NOT NULL,
    -- The hook's number there; null until it is known to be there.
    hook_id       INTEGER,
    -- Sealed under the deployment's key: the secrets in force.
    token         TEXT,
    signing_key   TEXT,
    -- Sealed, too: those that an errand is about to set. Both are good until it is known which hold.
    next_token    TEXT,
    next_signing  TEXT,
    -- Which errand.
    errand_id     INTEGER,
    registered_at TEXT
) STRICT;

-- Hooks that were taken: a signed request is taken once.
CREATE TABLE hook_receipts (
    mirror_id   INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    webhook_id  TEXT NOT NULL,
    received_at TEXT NOT NULL,
    PRIMARY KEY (mirror_id, webhook_id)
) STRICT;
CREATE INDEX hook_receipts_by_time ON hook_receipts (received_at);
