-- Why: what is mirrored, and what is known of each mirrored thing, must outlive any process, so
-- that a second run writes nothing twice. Names follow the plan the project began from, where they
-- still make sense.
--
-- Ids are GitLab's or ours, always 64-bit. Times are UTC, RFC 3339 with +00:00, cut to
-- microseconds: as text they sort as they pass.

CREATE TABLE instances (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Host and path by which the GitLab names itself; fixed, because markers carry it.
    name          TEXT NOT NULL UNIQUE,
    api_base      TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL
) STRICT;

-- Every name an instance answers to, its own included: one look-up finds it by any of them.
CREATE TABLE instance_names (
    name          TEXT PRIMARY KEY,
    instance_id   INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX instance_names_of ON instance_names (instance_id);

-- Every user that a token of ours ever was: what they wrote is ours, also after a token changed.
CREATE TABLE our_users (
    instance_id   INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    user_id       INTEGER NOT NULL,
    username      TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    PRIMARY KEY (instance_id, user_id)
) STRICT;

CREATE TABLE mirrors (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    source_instance_id INTEGER NOT NULL REFERENCES instances (id),
    source_project_id  INTEGER NOT NULL,
    source_path        TEXT NOT NULL,
    target_instance_id INTEGER NOT NULL REFERENCES instances (id),
    target_project_id  INTEGER NOT NULL,
    target_path        TEXT NOT NULL,
    -- Why it rests; null while it runs.
    paused             TEXT,
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL,
    -- By ids, because paths and spellings of URLs change.
    UNIQUE (source_instance_id, source_project_id, target_instance_id, target_project_id),
    CHECK (source_instance_id <> target_instance_id OR source_project_id <> target_project_id)
) STRICT;

-- How far a mirror has come (1:1 with mirrors, so that a busy row is not the one everything
-- refers to).
CREATE TABLE mirror_issue_configs (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    mirror_id        INTEGER NOT NULL UNIQUE REFERENCES mirrors (id) ON DELETE CASCADE,
    source_watermark TEXT,
    target_watermark TEXT,
    last_full_at     TEXT,
    last_sync_at     TEXT,
    last_sync_status TEXT CHECK (last_sync_status IN ('success', 'partial', 'failed')),
    last_sync_error  TEXT,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL
) STRICT;

CREATE TABLE issue_mappings (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    mirror_id           INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_issue_id     INTEGER NOT NULL,
    source_issue_iid    INTEGER NOT NULL,
    -- Null until there is a mirror of it: a skipped issue is settled too.
    target_issue_id     INTEGER,
    target_issue_iid    INTEGER,
    target_updated_at   TEXT,
    target_notes_count  INTEGER,
    -- Of the fields we care for, as last seen: tells an edit there from our own echo.
    target_digest       TEXT,
    -- What the last complete read of the source found.
    source_read_at      TEXT,
    source_updated_at   TEXT,
    source_notes_count  INTEGER,
    -- source_read_at - source_updated_at in microseconds, so that "read too soon after its last
    -- change to be trusted" is a range of an index and not arithmetic on times.
    source_read_lag     INTEGER,
    source_content_hash TEXT,
    -- JSON array of names.
    owned_labels        TEXT NOT NULL,
    -- Seconds; null when that knowledge was lost with an earlier state.
    carried_spent       INTEGER,
    sync_status         TEXT NOT NULL
        CHECK (sync_status IN ('pending', 'synced', 'skipped', 'blocked', 'failed')),
    sync_error          TEXT,
    last_synced_at      TEXT,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL,
    UNIQUE (mirror_id, source_issue_iid),
    UNIQUE (mirror_id, target_issue_id),
    CHECK ((target_issue_id IS NULL) = (target_issue_iid IS NULL)),
    CHECK ((source_read_at IS NULL) = (source_updated_at IS NULL))
) STRICT;
CREATE INDEX issue_mappings_by_source_change ON issue_mappings (mirror_id, source_updated_at);
CREATE INDEX issue_mappings_by_target_change ON issue_mappings (mirror_id, target_updated_at);
CREATE INDEX issue_mappings_by_read_lag ON issue_mappings (mirror_id, source_read_lag);

CREATE TABLE comment_mappings (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_mapping_id     INTEGER NOT NULL REFERENCES issue_mappings (id) ON DELETE CASCADE,
    source_note_id       INTEGER NOT NULL,
    source_discussion_id TEXT NOT NULL,
    -- Null when it was left out.
    target_note_id       INTEGER,
    target_discussion_id TEXT,
    source_content_hash  TEXT,
    skipped              TEXT,
    created_at           TEXT NOT NULL,
    updated_at           TEXT NOT NULL,
    UNIQUE (issue_mapping_id, source_note_id),
    UNIQUE (issue_mapping_id, target_note_id)
) STRICT;

-- Keyed by the source upload and the target project: ten mentions of a file are one transfer, and
-- two mirrors between the same projects' files share it.
CREATE TABLE attachment_mappings (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    source_instance_id INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    source_project_id  INTEGER NOT NULL,
    source_secret      TEXT NOT NULL,
    filename           TEXT NOT NULL,
    target_instance_id INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    target_project_id  INTEGER NOT NULL,
    target_url         TEXT,
    file_size          INTEGER,
    refused            TEXT,
    uploaded_at        TEXT NOT NULL,
    UNIQUE (source_instance_id, source_project_id, source_secret, filename,
            target_instance_id, target_project_id),
    CHECK ((target_url IS NULL) <> (refused IS NULL))
) STRICT;

-- What is about to be created on a target, written down before it is sent: the answer may never
-- arrive.
CREATE TABLE create_intents (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    mirror_id      INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid     INTEGER NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('issue', 'note', 'time')),
    -- JSON: the kind again, and what its look-up needs.
    what           TEXT NOT NULL,
    -- The first and the latest time it was about to be sent.
    created_at     TEXT NOT NULL,
    sent_at        TEXT NOT NULL,
    resent         INTEGER NOT NULL,
    -- The id that the answer named, also when the lease had been lost by then.
    candidate      INTEGER,
    -- Set when it is recorded but was sent twice: a twin may still turn up.
    settled_at     TEXT
) STRICT;
-- One open intent per issue: a second one would make "which of them landed" undecidable.
CREATE UNIQUE INDEX create_intents_open ON create_intents (mirror_id, source_iid)
    WHERE settled_at IS NULL;
CREATE INDEX create_intents_twins ON create_intents (mirror_id, source_iid)
    WHERE settled_at IS NOT NULL;

-- What a target project turned out to do, so that it is not fought on every run.
CREATE TABLE target_facts (
    instance_id         INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    project_id          INTEGER NOT NULL,
    -- Null: not learnt yet.
    scoped_exclusive    INTEGER,
    confidential_proven INTEGER NOT NULL,
    internal_proven     INTEGER NOT NULL DEFAULT 0,
    updated_at          TEXT NOT NULL,
    PRIMARY KEY (instance_id, project_id)
) STRICT;
CREATE TABLE target_dropped_fields (
    instance_id INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    project_id  INTEGER NOT NULL,
    field       TEXT NOT NULL,
    -- Digest of token, role, edition under which it was dropped; another one is worth a new try.
    stamp       TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    PRIMARY KEY (instance_id, project_id, field)
) STRICT;

-- Objects on a target that carry our marker but were written by a stranger. They block the create.
CREATE TABLE impostors (
    mirror_id  INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid INTEGER NOT NULL,
    target_iid INTEGER NOT NULL,
    author_id  INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (mirror_id, source_iid, target_iid)
) STRICT;
