-- Why: a large file is carried by a job of its own, so that it does not hold up its issue's place; the
-- job is named by a number, because a file's secret must not stand in a key that is listed to people.

CREATE TABLE upload_transfers (
    -- Never reused: a row of work is named after it.
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mirror_id     bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_secret text NOT NULL,
    filename      text NOT NULL,
    created_at    timestamptz NOT NULL,
    UNIQUE (mirror_id, source_secret, filename)
);

-- Issues that wait for a transfer to end.
CREATE TABLE upload_waiters (
    transfer_id bigint NOT NULL REFERENCES upload_transfers (id) ON DELETE CASCADE,
    source_iid  bigint NOT NULL,
    PRIMARY KEY (transfer_id, source_iid)
);
