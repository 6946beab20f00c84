-- Why: the API speaks to no GitLab. What a person wants of one is written down as an errand, and owed
-- like everything else; a worker does it and writes down what came of it. And a source can tell of
-- changes as they happen: the secrets by which such a hook is known live here.

-- An errand is of no mirror: there may be none yet, and it does not rest with one.
ALTER TABLE work ALTER COLUMN mirror_id DROP NOT NULL;

-- Those that are due. There are few.
CREATE INDEX work_errands ON work (run_at) WHERE state = 'pending' AND kind = 'errand';

CREATE TABLE errands (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    instance_id     bigint REFERENCES instances (id) ON DELETE CASCADE,
    mirror_id       bigint REFERENCES mirrors (id) ON DELETE CASCADE,
    -- JSON: the whole errand, as it was asked for.
    parameters      jsonb NOT NULL,
    state           text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    -- JSON: what came of it.
    result          jsonb,
    -- Why it failed, or what it waits for.
    problem         text,
    -- Who or what asked.
    asked_by        text NOT NULL,
    -- Digest of what is asked and the asker's own key: asked again, it is the same errand.
    idempotency_key text UNIQUE,
    asked_at        timestamptz NOT NULL,
    started_at      timestamptz,
    ended_at        timestamptz
);
CREATE INDEX errands_of_mirror ON errands (mirror_id, id);
CREATE INDEX errands_of_instance ON errands (instance_id, id);
CREATE INDEX errands_by_end ON errands (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE hooks (
    mirror_id     bigint PRIMARY KEY REFERENCES mirrors (id) ON DELETE CASCADE,
    -- Where the source's GitLab tells.
    url           text NOT NULL,
    -- The hook's number there; null until it is known to be there.
    hook_id       bigint,
    -- Sealed under the deployment's key: the secrets in force.
    token         text,
    signing_key   text,
    -- Sealed, too: those that an errand is about to set. Both are good until it is known which hold.
    next_token    text,
    next_signing  text,
    -- Which errand.
    errand_id     bigint,
    registered_at timestamptz
);

-- Hooks that were taken: a signed request is taken once.
CREATE TABLE hook_receipts (
    mirror_id   bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    webhook_id  text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (mirror_id, webhook_id)
);
CREATE INDEX hook_receipts_by_time ON hook_receipts (received_at);
