-- Why: who reaches the service over the network must be somebody whom an administrator let in, and
-- afterwards it must be known who changed what. Nothing here is of use to who reads it: secrets are
-- kept as digests, passwords as Argon2id.

CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    role       text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- A PHC string: function, parameters, salt, result.
    password   text NOT NULL,
    disabled   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE api_tokens (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- SHA-256 in hex.
    digest       text NOT NULL UNIQUE,
    -- Its first characters, by which people tell which one they hold.
    hint         text NOT NULL,
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    -- Null: never.
    expires_at   timestamptz,
    -- To the minute.
    last_used_at timestamptz,
    revoked_at   timestamptz
);
-- A name is free again once its token is revoked.
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value, in hex.
    digest       text PRIMARY KEY,
    user_id      bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_of ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Logins that failed, or have not succeeded yet, since a window began.
CREATE TABLE login_attempts (
    kind     text NOT NULL CHECK (kind IN ('name', 'address')),
    subject  text NOT NULL,
    failures bigint NOT NULL,
    began_at timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX login_attempts_by_age ON login_attempts (began_at);

-- Whoever types one becomes the first administrator.
CREATE TABLE setup_codes (
    digest     text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    -- 'user:anna', 'token:ci', 'cli:root'.
    who        text NOT NULL,
    -- 'mirror.update'.
    what       text NOT NULL,
    -- 'mirror/7'.
    object     text NOT NULL,
    -- Without secrets; null: there was none, or will be none.
    old_value  jsonb,
    new_value  jsonb,
    request_id text,
    address    text
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_of ON audit (object, id);
CREATE INDEX audit_by ON audit (who, id);
