-- Why: how far a run has come, and how a mirror stands, were counted anew by everybody who looked: the
-- more there was, the longer that took. Both are kept as numbers now, changed by the very statements
-- that change what is counted, so that a number is right whatever happens to whoever writes.
--
-- A number is the sum of its rows. Many workers end jobs of one run at the same time, and must not
-- wait for each other there: each takes a row that nobody holds, or makes another one. There are as
-- many as were ever written to at the same moment, however much is counted.

-- Of a run that is under way; one that has ended keeps what it came to in its own row.
CREATE TABLE run_counts (
    run_id      bigint NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    slot        bigint GENERATED ALWAYS AS IDENTITY,
    -- As the columns of issue_sync_jobs.
    processed   bigint NOT NULL DEFAULT 0,
    created     bigint NOT NULL DEFAULT 0,
    updated     bigint NOT NULL DEFAULT 0,
    unchanged   bigint NOT NULL DEFAULT 0,
    skipped     bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    comments    bigint NOT NULL DEFAULT 0,
    attachments bigint NOT NULL DEFAULT 0,
    api_calls   bigint NOT NULL DEFAULT 0,
    waits       bigint NOT NULL DEFAULT 0,
    -- What it still waits for.
    open        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE mirror_counts (
    mirror_id  bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    slot       bigint GENERATED ALWAYS AS IDENTITY,
    -- Issues, by how they stand.
    pending    bigint NOT NULL DEFAULT 0,
    synced     bigint NOT NULL DEFAULT 0,
    skipped    bigint NOT NULL DEFAULT 0,
    blocked    bigint NOT NULL DEFAULT 0,
    failed     bigint NOT NULL DEFAULT 0,
    -- Rows of work that are neither done nor given up, by their urgency; and dead letters.
    backfill    bigint NOT NULL DEFAULT 0,
    incremental bigint NOT NULL DEFAULT 0,
    by_hand     bigint NOT NULL DEFAULT 0,
    dead        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (mirror_id, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What the work is about is known from its membership alone.
ALTER TABLE run_memberships ADD COLUMN is_issue boolean NOT NULL DEFAULT true;
UPDATE run_memberships m SET is_issue = false
FROM work w WHERE w.id = m.work_id AND w.kind <> 'sync_issue';

-- A change of one membership, as it changes the numbers of its run.
CREATE FUNCTION add_to_run(
    run bigint, by_processed bigint, by_created bigint, by_updated bigint, by_unchanged bigint,
    by_skipped bigint, by_failed bigint, by_comments bigint, by_attachments bigint,
    by_api_calls bigint, by_waits bigint, by_open bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE run_counts SET
        processed = processed + by_processed, created = created + by_created,
        updated = updated + by_updated, unchanged = unchanged + by_unchanged,
        skipped = skipped + by_skipped, failed = failed + by_failed,
        comments = comments + by_comments, attachments = attachments + by_attachments,
        api_calls = api_calls + by_api_calls, waits = waits + by_waits, open = open + by_open
    WHERE run_id = run AND slot = (
        SELECT c.slot FROM run_counts c WHERE c.run_id = run LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO run_counts (run_id, processed, created, updated, unchanged, skipped, failed,
                                comments, attachments, api_calls, waits, open)
        SELECT run, by_processed, by_created, by_updated, by_unchanged, by_skipped, by_failed,
               by_comments, by_attachments, by_api_calls, by_waits, by_open
        FROM issue_sync_jobs r WHERE r.id = run AND r.status = 'running';
    END IF;
END $$;

CREATE FUNCTION count_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    way bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM add_to_run(
        t.run_id, way * t.processed, way * t.created, way * t.updated, way * t.unchanged,
        way * t.skipped, way * t.failed, way * t.comments, way * t.attachments,
        way * t.api_calls, way * t.waits, way * t.open)
    FROM (
        SELECT m.run_id,
               COUNT(*) FILTER (WHERE m.settled_at IS NOT NULL AND m.is_issue) AS processed,
               COUNT(*) FILTER (WHERE m.outcome = 'created') AS created,
               COUNT(*) FILTER (WHERE m.outcome = 'updated') AS updated,
               COUNT(*) FILTER (WHERE m.outcome = 'unchanged') AS unchanged,
               COUNT(*) FILTER (WHERE m.outcome = 'skipped') AS skipped,
               COUNT(*) FILTER (WHERE m.outcome = 'failed') AS failed,
               CAST(SUM(m.comments) AS bigint) AS comments,
               CAST(SUM(m.attachments) AS bigint) AS attachments,
               CAST(SUM(m.api_calls) AS bigint) AS api_calls,
               CAST(SUM(m.waits) AS bigint) AS waits,
               COUNT(*) FILTER (WHERE m.settled_at IS NULL) AS open
        FROM counted m JOIN issue_sync_jobs r ON r.id = m.run_id AND r.status = 'running'
        GROUP BY m.run_id
    ) t;
    RETURN NULL;
END $$;

CREATE FUNCTION count_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_to_run(
        NEW.run_id,
        (NEW.settled_at IS NOT NULL AND NEW.is_issue)::int
            - (OLD.settled_at IS NOT NULL AND OLD.is_issue)::int,
        (NEW.outcome IS NOT DISTINCT FROM 'created')::int
            - (OLD.outcome IS NOT DISTINCT FROM 'created')::int,
        (NEW.outcome IS NOT DISTINCT FROM 'updated')::int
            - (OLD.outcome IS NOT DISTINCT FROM 'updated')::int,
        (NEW.outcome IS NOT DISTINCT FROM 'unchanged')::int
            - (OLD.outcome IS NOT DISTINCT FROM 'unchanged')::int,
        (NEW.outcome IS NOT DISTINCT FROM 'skipped')::int
            - (OLD.outcome IS NOT DISTINCT FROM 'skipped')::int,
        (NEW.outcome IS NOT DISTINCT FROM 'failed')::int
            - (OLD.outcome IS NOT DISTINCT FROM 'failed')::int,
        NEW.comments - OLD.comments, NEW.attachments - OLD.attachments,
        NEW.api_calls - OLD.api_calls, NEW.waits - OLD.waits,
        (NEW.settled_at IS NULL)::int - (OLD.settled_at IS NULL)::int);
    RETURN NULL;
END $$;

CREATE TRIGGER run_memberships_added AFTER INSERT ON run_memberships
    REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE TRIGGER run_memberships_removed AFTER DELETE ON run_memberships
    REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE TRIGGER run_memberships_changed AFTER UPDATE ON run_memberships
    FOR EACH ROW EXECUTE FUNCTION count_membership();

CREATE FUNCTION forget_run_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM run_counts WHERE run_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER issue_sync_jobs_ended AFTER UPDATE OF status ON issue_sync_jobs
    FOR EACH ROW WHEN (OLD.status = 'running' AND NEW.status <> 'running')
    EXECUTE FUNCTION forget_run_counts();

-- A change of one issue or row of work, as it changes the numbers of its mirror.
CREATE FUNCTION add_to_mirror(
    mirror bigint, by_pending bigint, by_synced bigint, by_skipped bigint, by_blocked bigint,
    by_failed bigint, by_backfill bigint, by_incremental bigint, by_by_hand bigint, by_dead bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE mirror_counts SET
        pending = pending + by_pending, synced = synced + by_synced,
        skipped = skipped + by_skipped, blocked = blocked + by_blocked,
        failed = failed + by_failed, backfill = backfill + by_backfill,
        incremental = incremental + by_incremental, by_hand = by_hand + by_by_hand,
        dead = dead + by_dead
    WHERE mirror_id = mirror AND slot = (
        SELECT c.slot FROM mirror_counts c WHERE c.mirror_id = mirror
        LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        -- Not of a mirror that is being deleted.
        INSERT INTO mirror_counts (mirror_id, pending, synced, skipped, blocked, failed, backfill,
                                   incremental, by_hand, dead)
        SELECT mirror, by_pending, by_synced, by_skipped, by_blocked, by_failed, by_backfill,
               by_incremental, by_by_hand, by_dead
        FROM mirrors m WHERE m.id = mirror;
    END IF;
END $$;

CREATE FUNCTION count_issues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    way bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM add_to_mirror(
        t.mirror_id, way * t.pending, way * t.synced, way * t.skipped, way * t.blocked,
        way * t.failed, 0, 0, 0, 0)
    FROM (
        SELECT mirror_id,
               COUNT(*) FILTER (WHERE sync_status = 'pending') AS pending,
               COUNT(*) FILTER (WHERE sync_status = 'synced') AS synced,
               COUNT(*) FILTER (WHERE sync_status = 'skipped') AS skipped,
               COUNT(*) FILTER (WHERE sync_status = 'blocked') AS blocked,
               COUNT(*) FILTER (WHERE sync_status = 'failed') AS failed
        FROM counted GROUP BY mirror_id
    ) t;
    RETURN NULL;
END $$;

CREATE FUNCTION count_issue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_to_mirror(
        NEW.mirror_id,
        (NEW.sync_status = 'pending')::int - (OLD.sync_status = 'pending')::int,
        (NEW.sync_status = 'synced')::int - (OLD.sync_status = 'synced')::int,
        (NEW.sync_status = 'skipped')::int - (OLD.sync_status = 'skipped')::int,
        (NEW.sync_status = 'blocked')::int - (OLD.sync_status = 'blocked')::int,
        (NEW.sync_status = 'failed')::int - (OLD.sync_status = 'failed')::int,
        0, 0, 0, 0);
    RETURN NULL;
END $$;

CREATE TRIGGER issue_mappings_added AFTER INSERT ON issue_mappings
    REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_issues();
CREATE TRIGGER issue_mappings_removed AFTER DELETE ON issue_mappings
    REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_issues();
CREATE TRIGGER issue_mappings_changed AFTER UPDATE OF sync_status ON issue_mappings
    FOR EACH ROW WHEN (OLD.sync_status <> NEW.sync_status) EXECUTE FUNCTION count_issue();

CREATE FUNCTION count_works() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    way bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM add_to_mirror(
        t.mirror_id, 0, 0, 0, 0, 0, way * t.backfill, way * t.incremental, way * t.by_hand,
        way * t.dead)
    FROM (
        SELECT mirror_id,
               COUNT(*) FILTER (WHERE state NOT IN ('done', 'dead') AND priority = 0) AS backfill,
               COUNT(*) FILTER (WHERE state NOT IN ('done', 'dead') AND priority = 1) AS incremental,
               COUNT(*) FILTER (WHERE state NOT IN ('done', 'dead') AND priority = 2) AS by_hand,
               COUNT(*) FILTER (WHERE state = 'dead') AS dead
        FROM counted WHERE mirror_id IS NOT NULL GROUP BY mirror_id
    ) t;
    RETURN NULL;
END $$;

CREATE FUNCTION count_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_to_mirror(
        NEW.mirror_id, 0, 0, 0, 0, 0,
        (NEW.state NOT IN ('done', 'dead') AND NEW.priority = 0)::int
            - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 0)::int,
        (NEW.state NOT IN ('done', 'dead') AND NEW.priority = 1)::int
            - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 1)::int,
        (NEW.state NOT IN ('done', 'dead') AND NEW.priority = 2)::int
            - (OLD.state NOT IN ('done', 'dead') AND OLD.priority = 2)::int,
        (NEW.state = 'dead')::int - (OLD.state = 'dead')::int);
    RETURN NULL;
END $$;

CREATE TRIGGER work_added AFTER INSERT ON work
    REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_works();
CREATE TRIGGER work_removed AFTER DELETE ON work
    REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_works();
-- What is handed out, started and put back changes none of the numbers.
CREATE TRIGGER work_changed AFTER UPDATE OF state, priority ON work
    FOR EACH ROW WHEN (
        NEW.mirror_id IS NOT NULL
        AND ((OLD.state = 'done') <> (NEW.state = 'done')
             OR (OLD.state = 'dead') <> (NEW.state = 'dead')
             OR (OLD.priority <> NEW.priority AND NEW.state NOT IN ('done', 'dead'))))
    EXECUTE FUNCTION count_work();

-- What is there already, while nobody else writes: the triggers hold the tables.
INSERT INTO run_counts (run_id, processed, created, updated, unchanged, skipped, failed, comments,
                        attachments, api_calls, waits, open)
SELECT m.run_id,
       COUNT(*) FILTER (WHERE m.settled_at IS NOT NULL AND m.is_issue),
       COUNT(*) FILTER (WHERE m.outcome = 'created'),
       COUNT(*) FILTER (WHERE m.outcome = 'updated'),
       COUNT(*) FILTER (WHERE m.outcome = 'unchanged'),
       COUNT(*) FILTER (WHERE m.outcome = 'skipped'),
       COUNT(*) FILTER (WHERE m.outcome = 'failed'),
       SUM(m.comments), SUM(m.attachments), SUM(m.api_calls), SUM(m.waits),
       COUNT(*) FILTER (WHERE m.settled_at IS NULL)
FROM run_memberships m JOIN issue_sync_jobs r ON r.id = m.run_id
WHERE r.status = 'running' GROUP BY m.run_id;

INSERT INTO mirror_counts (mirror_id, pending, synced, skipped, blocked, failed)
SELECT mirror_id,
       COUNT(*) FILTER (WHERE sync_status = 'pending'),
       COUNT(*) FILTER (WHERE sync_status = 'synced'),
       COUNT(*) FILTER (WHERE sync_status = 'skipped'),
       COUNT(*) FILTER (WHERE sync_status = 'blocked'),
       COUNT(*) FILTER (WHERE sync_status = 'failed')
FROM issue_mappings GROUP BY mirror_id;

INSERT INTO mirror_counts (mirror_id, backfill, incremental, by_hand, dead)
SELECT mirror_id,
       COUNT(*) FILTER (WHERE state <> 'dead' AND priority = 0),
       COUNT(*) FILTER (WHERE state <> 'dead' AND priority = 1),
       COUNT(*) FILTER (WHERE state <> 'dead' AND priority = 2),
       COUNT(*) FILTER (WHERE state = 'dead')
FROM work WHERE mirror_id IS NOT NULL AND state <> 'done' GROUP BY mirror_id;

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
