-- Why: who reaches the service over the network must be somebody whom an administrator let in, and
-- afterwards it must be known who changed what. Nothing here is of use to who reads it: secrets are
-- kept as digests, passwords as Argon2id.

CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- A PHC string: function, parameters, salt, result.
    password   TEXT NOT NULL,
    disabled   INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- SHA-256 in hex.
    digest       TEXT NOT NULL UNIQUE,
    -- Its first characters, by which people tell which one they hold.
    hint         TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    -- Null: never.
    expires_at   TEXT,
    -- To the minute.
    last_used_at TEXT,
    revoked_at   TEXT
) STRICT;
-- A name is free again once its token is revoked.
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value, in hex.
    digest       TEXT PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    expires_at   TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_of ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Logins that failed, or have not succeeded yet, since a window began.
CREATE TABLE login_attempts (
    kind     TEXT NOT NULL CHECK (kind IN ('name', 'address')),
    subject  TEXT NOT NULL,
    failures INTEGER NOT NULL,
    began_at TEXT NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT;
CREATE INDEX login_attempts_by_age ON login_attempts (began_at);

-- Whoever types one becomes the first administrator.
CREATE TABLE setup_codes (
    digest     TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    used_at    TEXT
) STRICT;

CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL,
    -- 'user:anna', 'token:ci', 'cli:root'.
    who        TEXT NOT NULL,
    -- 'mirror.update'.
    what       TEXT NOT NULL,
    -- 'mirror/7'.
    object     TEXT NOT NULL,
    -- Without secrets; null: there was none, or will be none.
    old_value  TEXT,
    new_value  TEXT,
    request_id TEXT,
    address    TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_of ON audit (object, id);
CREATE INDEX audit_by ON audit (who, id);
