-- Why: jobs were looked for by their last error, and what went wrong was counted, by looking through all
-- that had gone wrong. Errors that read alike but for their numbers have one fingerprint now, by which
-- jobs are found, and are kept count of, as much else is (27).

ALTER TABLE work ADD COLUMN error_fingerprint text;
-- Of why an issue failed or was left out in the run; the reason stands in `error`.
ALTER TABLE run_memberships ADD COLUMN fingerprint text;

-- Of jobs whose last error reads like this.
CREATE TABLE error_counts (
    fingerprint text NOT NULL,
    slot        bigint GENERATED ALWAYS AS IDENTITY,
    -- One of the errors.
    example     text NOT NULL,
    jobs        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (fingerprint, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Of jobs of a run that failed, or left an issue out, for like reasons.
CREATE TABLE run_groups (
    run_id      bigint NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    outcome     text NOT NULL,
    fingerprint text NOT NULL,
    slot        bigint GENERATED ALWAYS AS IDENTITY,
    -- One of the reasons, and the row of work it was told of.
    why         text NOT NULL,
    example     bigint NOT NULL,
    jobs        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, outcome, fingerprint, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- A row of numbers that nobody holds, or another one; one that comes to nothing goes.
CREATE FUNCTION add_to_errors(print text, error text, by_jobs bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    free bigint;
BEGIN
    SELECT c.slot INTO free FROM error_counts c WHERE c.fingerprint = print
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF free IS NULL THEN
        INSERT INTO error_counts (fingerprint, example, jobs) VALUES (print, error, by_jobs);
        RETURN;
    END IF;
    UPDATE error_counts SET jobs = jobs + by_jobs, example = error
    WHERE fingerprint = print AND slot = free;
    DELETE FROM error_counts WHERE fingerprint = print AND slot = free AND jobs = 0;
END $$;

CREATE FUNCTION add_to_run_group(
    run bigint, how text, print text, reason text, work bigint, by_jobs bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE run_groups SET jobs = jobs + by_jobs
    WHERE run_id = run AND outcome = how AND fingerprint = print AND slot = (
        SELECT g.slot FROM run_groups g
        WHERE g.run_id = run AND g.outcome = how AND g.fingerprint = print
        LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO run_groups (run_id, outcome, fingerprint, why, example, jobs)
        SELECT run, how, print, reason, work, by_jobs FROM issue_sync_jobs r WHERE r.id = run;
    END IF;
END $$;

CREATE FUNCTION count_error() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.error_fingerprint IS NOT NULL THEN
        PERFORM add_to_errors(OLD.error_fingerprint, OLD.last_error, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.error_fingerprint IS NOT NULL THEN
        PERFORM add_to_errors(NEW.error_fingerprint, NEW.last_error, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER work_error_added AFTER INSERT ON work FOR EACH ROW
    WHEN (NEW.error_fingerprint IS NOT NULL AND NEW.mirror_id IS NOT NULL)
    EXECUTE FUNCTION count_error();
CREATE TRIGGER work_error_changed AFTER UPDATE OF error_fingerprint ON work FOR EACH ROW
    WHEN (OLD.error_fingerprint IS DISTINCT FROM NEW.error_fingerprint
          AND NEW.mirror_id IS NOT NULL)
    EXECUTE FUNCTION count_error();
CREATE TRIGGER work_error_removed AFTER DELETE ON work FOR EACH ROW
    WHEN (OLD.error_fingerprint IS NOT NULL AND OLD.mirror_id IS NOT NULL)
    EXECUTE FUNCTION count_error();

CREATE FUNCTION count_reason() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.fingerprint IS NOT NULL THEN
        PERFORM add_to_run_group(OLD.run_id, OLD.outcome, OLD.fingerprint, OLD.error, OLD.work_id, -1);
    END IF;
    IF NEW.fingerprint IS NOT NULL THEN
        PERFORM add_to_run_group(NEW.run_id, NEW.outcome, NEW.fingerprint, NEW.error, NEW.work_id, 1);
    END IF;
    RETURN NULL;
END $$;

-- A membership that told a reason goes with its run alone.
CREATE TRIGGER run_memberships_told_first AFTER INSERT ON run_memberships FOR EACH ROW
    WHEN (NEW.fingerprint IS NOT NULL) EXECUTE FUNCTION count_reason();
CREATE TRIGGER run_memberships_told_anew AFTER UPDATE OF fingerprint ON run_memberships FOR EACH ROW
    WHEN (OLD.fingerprint IS DISTINCT FROM NEW.fingerprint
          OR (NEW.fingerprint IS NOT NULL AND OLD.outcome IS DISTINCT FROM NEW.outcome))
    EXECUTE FUNCTION count_reason();

-- What is there already.
CREATE FUNCTION fingerprint_of(error text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substr(encode(sha256(convert_to(regexp_replace(error, '[0-9]+', '#', 'g'), 'UTF8')), 'hex'),
                  1, 16)
$$;

UPDATE work SET error_fingerprint = fingerprint_of(last_error)
WHERE last_error IS NOT NULL AND state <> 'done';

UPDATE run_memberships SET error = COALESCE(
    (SELECT i.sync_error FROM work w JOIN issue_mappings i ON i.mirror_id = w.mirror_id
     WHERE w.id = run_memberships.work_id AND w.kind = 'sync_issue'
       AND i.source_issue_iid = CAST(SUBSTR(w.key, LENGTH('sync_issue/' || w.mirror_id || '/') + 1)
                                     AS bigint)),
    'no reason is on record')
WHERE outcome = 'skipped';

UPDATE run_memberships SET fingerprint = fingerprint_of(error)
WHERE error IS NOT NULL AND outcome IN ('failed', 'skipped');

DROP FUNCTION fingerprint_of(text);

CREATE INDEX work_alike ON work (error_fingerprint, id) WHERE error_fingerprint IS NOT NULL;
-- Nothing is looked for by these any more.
DROP INDEX work_troubled;
DROP INDEX run_memberships_told;
