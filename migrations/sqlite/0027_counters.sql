-- Why: how far a run has come, and how a mirror stands, were counted anew by everybody who looked: the
-- more there was, the longer that took. Both are kept as numbers now, changed by the very statements
-- that change what is counted, so that a number is right whatever happens to whoever writes.
--
-- A number is the sum of its rows. Here there is one writer, and so one row; on PostgreSQL there are
-- several, so that workers need not wait for each other.

-- Of a run that is under way; one that has ended keeps what it came to in its own row.
CREATE TABLE run_counts (
    run_id      INTEGER NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    slot        INTEGER NOT NULL DEFAULT 0,
    -- As the columns of issue_sync_jobs.
    processed   INTEGER NOT NULL DEFAULT 0,
    created     INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0,
    skipped     INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    comments    INTEGER NOT NULL DEFAULT 0,
    attachments INTEGER NOT NULL DEFAULT 0,
    api_calls   INTEGER NOT NULL DEFAULT 0,
    waits       INTEGER NOT NULL DEFAULT 0,
    -- What it still waits for.
    open        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE mirror_counts (
    mirror_id  INTEGER NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    slot       INTEGER NOT NULL DEFAULT 0,
    -- Issues, by how they stand.
    pending    INTEGER NOT NULL DEFAULT 0,
    synced     INTEGER NOT NULL DEFAULT 0,
    skipped    INTEGER NOT NULL DEFAULT 0,
    blocked    INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    -- Rows of work that are neither done nor given up, by their urgency; and dead letters.
    backfill    INTEGER NOT NULL DEFAULT 0,
    incremental INTEGER NOT NULL DEFAULT 0,
    by_hand     INTEGER NOT NULL DEFAULT 0,
    dead        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mirror_id, slot)
) STRICT, WITHOUT ROWID;

-- What the work is about is known from its membership alone.
ALTER TABLE run_memberships ADD COLUMN is_issue INTEGER NOT NULL DEFAULT 1;
UPDATE run_memberships SET is_issue = 0
WHERE work_id IN (SELECT id FROM work WHERE kind <> 'sync_issue');

-- What is there already.
INSERT INTO run_counts (run_id, processed, created, updated, unchanged, skipped, failed, comments,
                        attachments, api_calls, waits, open)
SELECT m.run_id, SUM(m.settled_at IS NOT NULL AND m.is_issue), SUM(m.outcome IS 'created'),
       SUM(m.outcome IS 'updated'), SUM(m.outcome IS 'unchanged'), SUM(m.outcome IS 'skipped'),
       SUM(m.outcome IS 'failed'), SUM(m.comments), SUM(m.attachments), SUM(m.api_calls),
       SUM(m.waits), SUM(m.settled_at IS NULL)
FROM run_memberships m JOIN issue_sync_jobs r ON r.id = m.run_id
WHERE r.status = 'running' GROUP BY m.run_id;

INSERT INTO mirror_counts (mirror_id, pending, synced, skipped, blocked, failed)
SELECT mirror_id, SUM(sync_status = 'pending'), SUM(sync_status = 'synced'),
       SUM(sync_status = 'skipped'), SUM(sync_status = 'blocked'), SUM(sync_status = 'failed')
FROM issue_mappings GROUP BY mirror_id;

INSERT INTO mirror_counts (mirror_id, backfill, incremental, by_hand, dead)
SELECT mirror_id, SUM(state <> 'dead' AND priority = 0), SUM(state <> 'dead' AND priority = 1),
       SUM(state <> 'dead' AND priority = 2), SUM(state = 'dead')
FROM work WHERE mirror_id IS NOT NULL AND state <> 'done' GROUP BY mirror_id
ON CONFLICT (mirror_id, slot) DO UPDATE SET
    backfill = excluded.backfill, incremental = excluded.incremental, by_hand = excluded.by_hand,
    dead = excluded.dead;

-- Memberships, as they change the numbers of their run.
CREATE TRIGGER run_memberships_added AFTER INSERT ON run_memberships BEGIN
    INSERT INTO run_counts (run_id, processed, created, updated, unchanged, skipped, failed,
                            comments, attachments, api_calls, waits, open)
    SELECT NEW.run_id, NEW.settled_at IS NOT NULL AND NEW.is_issue, NEW.outcome IS 'created',
           NEW.outcome IS 'updated', NEW.outcome IS 'unchanged', NEW.outcome IS 'skipped',
           NEW.outcome IS 'failed', NEW.comments, NEW.attachments, NEW.api_calls,
           NEW.waits, NEW.settled_at IS NULL
    FROM issue_sync_jobs r WHERE r.id = NEW.run_id AND r.status = 'running'
    ON CONFLICT (run_id, slot) DO UPDATE SET
        processed = processed + excluded.processed, created = created + excluded.created,
        updated = updated + excluded.updated, unchanged = unchanged + excluded.unchanged,
        skipped = skipped + excluded.skipped, failed = failed + excluded.failed,
        comments = comments + excluded.comments, attachments = attachments + excluded.attachments,
        api_calls = api_calls + excluded.api_calls, waits = waits + excluded.waits,
        open = open + excluded.open;
END;

CREATE TRIGGER run_memberships_changed AFTER UPDATE ON run_memberships BEGIN
    UPDATE run_counts SET
        processed = processed + (NEW.settled_at IS NOT NULL AND NEW.is_issue)
                              - (OLD.settled_at IS NOT NULL AND OLD.is_issue),
        created = created + (NEW.outcome IS 'created') - (OLD.outcome IS 'created'),
        updated = updated + (NEW.outcome IS 'updated') - (OLD.outcome IS 'updated'),
        unchanged = unchanged + (NEW.outcome IS 'unchanged') - (OLD.outcome IS 'unchanged'),
        skipped = skipped + (NEW.outcome IS 'skipped') - (OLD.outcome IS 'skipped'),
        failed = failed + (NEW.outcome IS 'failed') - (OLD.outcome IS 'failed'),
        comments = comments + NEW.comments - OLD.comments,
        attachments = attachments + NEW.attachments - OLD.attachments,
        api_calls = api_calls + NEW.api_calls - OLD.api_calls,
        waits = waits + NEW.waits - OLD.waits,
        open = open + (NEW.settled_at IS NULL) - (OLD.settled_at IS NULL)
    WHERE run_id = NEW.run_id;
END;

CREATE TRIGGER run_memberships_removed AFTER DELETE ON run_memberships BEGIN
    UPDATE run_counts SET
        processed = processed - (OLD.settled_at IS NOT NULL AND OLD.is_issue),
        created = created - (OLD.outcome IS 'created'),
        updated = updated - (OLD.outcome IS 'updated'),
        unchanged = unchanged - (OLD.outcome IS 'unchanged'),
        skipped = skipped - (OLD.outcome IS 'skipped'),
        failed = failed - (OLD.outcome IS 'failed'),
        comments = comments - OLD.comments, attachments = attachments - OLD.attachments,
        api_calls = api_calls - OLD.api_calls, waits = waits - OLD.waits,
        open = open - (OLD.settled_at IS NULL)
    WHERE run_id = OLD.run_id;
END;

CREATE TRIGGER issue_sync_jobs_ended AFTER UPDATE OF status ON issue_sync_jobs
WHEN OLD.status = 'running' AND NEW.status <> 'running' BEGIN
    DELETE FROM run_counts WHERE run_id = NEW.id;
END;

-- Issues and work, as they change the numbers of their mirror.
CREATE TRIGGER issue_mappings_added AFTER INSERT ON issue_mappings BEGIN
    INSERT INTO mirror_counts (mirror_id, pending, synced, skipped, blocked, failed)
    VALUES (NEW.mirror_id, NEW.sync_status = 'pending', NEW.sync_status = 'synced',
            NEW.sync_status = 'skipped', NEW.sync_status = 'blocked', NEW.sync_status = 'failed')
    ON CONFLICT (mirror_id, slot) DO UPDATE SET
        pending = pending + excluded.pending, synced = synced + excluded.synced,
        skipped = skipped + excluded.skipped, blocked = blocked + excluded.blocked,
        failed = failed + excluded.failed;
END;

CREATE TRIGGER issue_mappings_changed AFTER UPDATE OF sync_status ON issue_mappings
WHEN OLD.sync_status <> NEW.sync_status BEGIN
    UPDATE mirror_counts SET
        pending = pending + (NEW.sync_status = 'pending') - (OLD.sync_status = 'pending'),
        synced = synced + (NEW.sync_status = 'synced') - (OLD.sync_status = 'synced'),
        skipped = skipped + (NEW.sync_status = 'skipped') - (OLD.sync_status = 'skipped'),
        blocked = blocked + (NEW.sync_status = 'blocked') - (OLD.sync_status = 'blocked'),
        failed = failed + (NEW.sync_status = 'failed') - (OLD.sync_status = 'failed')
    WHERE mirror_id = NEW.mirror_id;
END;

CREATE TRIGGER issue_mappings_removed AFTER DELETE ON issue_mappings BEGIN
    UPDATE mirror_counts SET
        pending = pending - (OLD.sync_status = 'pending'),
        synced = synced - (OLD.sync_status = 'synced'),
        skipped = skipped - (OLD.sync_status = 'skipped'),
        blocked = blocked - (OLD.sync_status = 'blocked'),
        failed = failed - (OLD.sync_status = 'failed')
    WHERE mirror_id = OLD.mirror_id;
END;

CREATE TRIGGER work_added AFTER INSERT ON work WHEN NEW.mirror_id IS NOT NULL BEGIN
    INSERT INTO mirror_counts (mirror_id, backfill, incremental, by_hand, dead)
    VALUES (NEW.mirror_id,
            NEW.state NOT IN ('done', 'dead') AND NEW.priority = 0,
            NEW.state NOT IN ('done', 'dead') AND NEW.priority = 1,
            NEW.state NOT IN ('done', 'dead') AND NEW.priority = 2,
            NEW.state = 'dead')
    ON CONFLICT (mirror_id, slot) DO UPDATE SET
        backfill = backfill + excluded.backfill, incremental = incremental + excluded.incremental,
        by_hand = by_hand + excluded.by_hand, dead = dead + excluded.dead;
END;

-- What is handed out, started and put back changes none of the numbers.
CREATE TRIGGER work_changed AFTER UPDATE OF state, priority ON work
WHEN NEW.mirror_id IS NOT NULL
     AND ((OLD.state = 'done') <> (NEW.state = 'done')
          OR (OLD.state = 'dead') <> (NEW.state = 'dead')
          OR (OLD.priority <> NEW.priority AND NEW.state NOT IN ('done', 'dead'))) BEGIN
    UPDATE mirror_counts SET
        backfill = backfill + (NEW.state NOT IN ('done', 'dead') AND NEW.priority = 0)
                            - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 0),
        incremental = incremental + (NEW.state NOT IN ('done', 'dead') AND NEW.priority = 1)
                                  - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 1),
        by_hand = by_hand + (NEW.state NOT IN ('done', 'dead') AND NEW.priority = 2)
                          - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 2),
        dead = dead + (NEW.state = 'dead') - (OLD.state = 'dead')
    WHERE mirror_id = NEW.mirror_id;
END;

CREATE TRIGGER work_removed AFTER DELETE ON work WHEN OLD.mirror_id IS NOT NULL BEGIN
    UPDATE mirror_counts SET
        backfill = backfill - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 0),
        incremental = incremental - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 1),
        by_hand = by_hand - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 2),
        dead = dead - (OLD.state = 'dead')
    WHERE mirror_id = OLD.mirror_id;
END;

-- Lists that are walked page by page, by what they are filtered by.
CREATE INDEX issue_sync_jobs_by_status ON issue_sync_jobs (mirror_id, status, id);
CREATE INDEX issue_sync_jobs_under_way ON issue_sync_jobs (started_at) WHERE status = 'running';
CREATE INDEX audit_of_kind ON audit (what, id);
CREATE INDEX run_memberships_told ON run_memberships (run_id, outcome)
    WHERE outcome IN ('failed', 'skipped');
CREATE INDEX target_edits_open ON target_edits (issue_mapping_id) WHERE resolution IS NULL;
-- Spelt so that nothing but the lists is served by them, and each list by its own.
CREATE INDEX work_unfinished_of ON work (mirror_id, id) WHERE '' || state <> 'done';
CREATE INDEX work_unusual ON work (id) WHERE state || '' <> 'done' AND kind <> 'sync_issue';
CREATE INDEX work_troubled ON work (id) WHERE state || '' <> 'done' AND last_error IS NOT NULL;
CREATE INDEX work_dead_listed ON work (id) WHERE state || '' = 'dead';
CREATE INDEX work_dead_of ON work (mirror_id, id) WHERE '' || state = 'dead';
