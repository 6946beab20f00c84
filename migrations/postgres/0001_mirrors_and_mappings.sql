-- Why: what is mirrored, and what is known of each mirrored thing, must outlive any process, so
-- that a second run writes nothing twice. Names follow the plan the project began from, where they
-- still make sense.
--
-- The same tables and columns as migrations/sqlite/0001, in PostgreSQL's types. Ids are GitLab's or
-- ours, always 64-bit, and so are all numbers: a program that binds one kind of integer cannot bind
-- the wrong one.

CREATE TABLE instances (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Host and path by which the GitLab names itself; fixed, because markers carry it.
    name          text NOT NULL UNIQUE,
    api_base      text NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- Every name an instance answers to, its own included: one look-up finds it by any of them.
CREATE TABLE instance_names (
    name          text PRIMARY KEY,
    instance_id   bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE
);
CREATE INDEX instance_names_of ON instance_names (instance_id);

-- Every user that a token of ours ever was: what they wrote is ours, also after a token changed.
CREATE TABLE our_users (
    instance_id   bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    user_id       bigint NOT NULL,
    username      text NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (instance_id, user_id)
);

CREATE TABLE mirrors (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_instance_id bigint NOT NULL REFERENCES instances (id),
    source_project_id  bigint NOT NULL,
    source_path        text NOT NULL,
    target_instance_id bigint NOT NULL REFERENCES instances (id),
    target_project_id  bigint NOT NULL,
    target_path        text NOT NULL,
    -- Why it rests; null while it runs.
    paused             text,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    -- By ids, because paths and spellings of URLs change.
    UNIQUE (source_instance_id, source_project_id, target_instance_id, target_project_id),
    CHECK (source_instance_id <> target_instance_id OR source_project_id <> target_project_id)
);

-- How far a mirror has come (1:1 with mirrors, so that a busy row is not the one everything
-- refers to).
CREATE TABLE mirror_issue_configs (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mirror_id        bigint NOT NULL UNIQUE REFERENCES mirrors (id) ON DELETE CASCADE,
    source_watermark timestamptz,
    target_watermark timestamptz,
    last_full_at     timestamptz,
    last_sync_at     timestamptz,
    last_sync_status text CHECK (last_sync_status IN ('success', 'partial', 'failed')),
    last_sync_error  text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);

CREATE TABLE issue_mappings (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mirror_id           bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_issue_id     bigint NOT NULL,
    source_issue_iid    bigint NOT NULL,
    -- Null until there is a mirror of it: a skipped issue is settled too.
    target_issue_id     bigint,
    target_issue_iid    bigint,
    target_updated_at   timestamptz,
    target_notes_count  bigint,
    -- Of the fields we care for, as last seen: tells an edit there from our own echo.
    target_digest       text,
    -- What the last complete read of the source found.
    source_read_at      timestamptz,
    source_updated_at   timestamptz,
    source_notes_count  bigint,
    -- source_read_at - source_updated_at in microseconds, so that "read too soon after its last
    -- change to be trusted" is a range of an index and not arithmetic on times.
    source_read_lag     bigint,
    source_content_hash text,
    -- Array of names.
    owned_labels        jsonb NOT NULL,
    -- Seconds; null when that knowledge was lost with an earlier state.
    carried_spent       bigint,
    sync_status         text NOT NULL
        CHECK (sync_status IN ('pending', 'synced', 'skipped', 'blocked', 'failed')),
    sync_error          text,
    last_synced_at      timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (mirror_id, source_issue_iid),
    UNIQUE (mirror_id, target_issue_id),
    CHECK ((target_issue_id IS NULL) = (target_issue_iid IS NULL)),
    CHECK ((source_read_at IS NULL) = (source_updated_at IS NULL))
);
CREATE INDEX issue_mappings_by_source_change ON issue_mappings (mirror_id, source_updated_at);
CREATE INDEX issue_mappings_by_target_change ON issue_mappings (mirror_id, target_updated_at);
CREATE INDEX issue_mappings_by_read_lag ON issue_mappings (mirror_id, source_read_lag);

CREATE TABLE comment_mappings (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_mapping_id     bigint NOT NULL REFERENCES issue_mappings (id) ON DELETE CASCADE,
    source_note_id       bigint NOT NULL,
    source_discussion_id text NOT NULL,
    -- Null when it was left out.
    target_note_id       bigint,
    target_discussion_id text,
    source_content_hash  text,
    skipped              text,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    UNIQUE (issue_mapping_id, source_note_id),
    UNIQUE (issue_mapping_id, target_note_id)
);

-- Keyed by the source upload and the target project: ten mentions of a file are one transfer, and
-- two mirrors between the same projects' files share it.
CREATE TABLE attachment_mappings (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_instance_id bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    source_project_id  bigint NOT NULL,
    source_secret      text NOT NULL,
    filename           text NOT NULL,
    target_instance_id bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    target_project_id  bigint NOT NULL,
    target_url         text,
    file_size          bigint,
    refused            text,
    uploaded_at        timestamptz NOT NULL,
    UNIQUE (source_instance_id, source_project_id, source_secret, filename,
            target_instance_id, target_project_id),
    CHECK ((target_url IS NULL) <> (refused IS NULL))
);

-- What is about to be created on a target, written down before it is sent: the answer may never
-- arrive.
CREATE TABLE create_intents (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mirror_id      bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid     bigint NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('issue', 'note', 'time')),
    -- The kind again, and what its look-up needs.
    what           jsonb NOT NULL,
    -- The first and the latest time it was about to be sent.
    created_at     timestamptz NOT NULL,
    sent_at        timestamptz NOT NULL,
    resent         boolean NOT NULL,
    -- The id that the answer named, also when the lease had been lost by then.
    candidate      bigint,
    -- Set when it is recorded but was sent twice: a twin may still turn up.
    settled_at     timestamptz
);
-- One open intent per issue: a second one would make "which of them landed" undecidable.
CREATE UNIQUE INDEX create_intents_open ON create_intents (mirror_id, source_iid)
    WHERE settled_at IS NULL;
CREATE INDEX create_intents_twins ON create_intents (mirror_id, source_iid)
    WHERE settled_at IS NOT NULL;

-- What a target project turned out to do, so that it is not fought on every run.
CREATE TABLE target_facts (
    instance_id         bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    project_id          bigint NOT NULL,
    -- Null: not learnt yet.
    scoped_exclusive    boolean,
    confidential_proven boolean NOT NULL,
    internal_proven     boolean NOT NULL DEFAULT false,
    updated_at          timestamptz NOT NULL,
    PRIMARY KEY (instance_id, project_id)
);
CREATE TABLE target_dropped_fields (
    instance_id bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    project_id  bigint NOT NULL,
    field       text NOT NULL,
    -- Digest of token, role, edition under which it was dropped; another one is worth a new try.
    stamp       text NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (instance_id, project_id, field)
);

-- Objects on a target that carry our marker but were written by a stranger. They block the create.
CREATE TABLE impostors (
    mirror_id  bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid bigint NOT NULL,
    target_iid bigint NOT NULL,
    author_id  bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (mirror_id, source_iid, target_iid)
);
