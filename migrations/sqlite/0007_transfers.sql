-- Why: a large file is carried by a job of its own, so that it does not hold up its issue's place; the
-- job is named by a number, because a file's secret must not stand in a key that is listed to people.

CREATE TABLE upload_transfers (
    -- Never reused: a row of work is named after it.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mirror_id     INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_secret TEXT NOT NULL,
    filename      TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    UNIQUE (mirror_id, source_secret, filename)
) STRICT;

-- Issues that wait for a transfer to end.
CREATE TABLE upload_waiters (
    transfer_id INTEGER NOT NULL REFERENCES upload_transfers (id) ON DELETE CASCADE,
    source_iid  INTEGER NOT NULL,
    PRIMARY KEY (transfer_id, source_iid)
) STRICT;
