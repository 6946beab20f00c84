-- Why: jobs were looked for by their last error, and what went wrong was counted, by looking through all
-- that had gone wrong. Errors that read alike but for their numbers have one fingerprint now, by which
-- jobs are found, and are kept count of, as much else is (27).

ALTER TABLE work ADD COLUMN error_fingerprint TEXT;
-- Of why an issue failed or was left out in the run; the reason stands in `error`.
ALTER TABLE run_memberships ADD COLUMN fingerprint TEXT;

-- Of jobs whose last error reads like this.
CREATE TABLE error_counts (
    fingerprint TEXT NOT NULL,
    slot        INTEGER NOT NULL DEFAULT 0,
    -- One of the errors.
    example     TEXT NOT NULL,
    jobs        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (fingerprint, slot)
) STRICT, WITHOUT ROWID;

-- Of jobs of a run that failed, or left an issue out, for like reasons.
CREATE TABLE run_groups (
    run_id      INTEGER NOT NULL REFERENCES issue_sync_jobs (id) ON DELETE CASCADE,
    outcome     TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    slot        INTEGER NOT NULL DEFAULT 0,
    -- One of the reasons, and the row of work it was told of.
    why         TEXT NOT NULL,
    example     INTEGER NOT NULL,
    jobs        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, outcome, fingerprint, slot)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER work_error_added AFTER INSERT ON work
WHEN NEW.error_fingerprint IS NOT NULL AND NEW.mirror_id IS NOT NULL BEGIN
    INSERT INTO error_counts (fingerprint, example, jobs)
    VALUES (NEW.error_fingerprint, NEW.last_error, 1)
    ON CONFLICT (fingerprint, slot) DO UPDATE SET jobs = jobs + 1, example = excluded.example;
END;

CREATE TRIGGER work_error_changed AFTER UPDATE OF error_fingerprint ON work
WHEN OLD.error_fingerprint IS NOT NEW.error_fingerprint AND NEW.mirror_id IS NOT NULL BEGIN
    UPDATE error_counts SET jobs = jobs - 1 WHERE fingerprint = OLD.error_fingerprint;
    DELETE FROM error_counts WHERE fingerprint = OLD.error_fingerprint AND jobs = 0;
    INSERT INTO error_counts (fingerprint, example, jobs)
    SELECT NEW.error_fingerprint, NEW.last_error, 1 WHERE NEW.error_fingerprint IS NOT NULL
    ON CONFLICT (fingerprint, slot) DO UPDATE SET jobs = jobs + 1, example = excluded.example;
END;

CREATE TRIGGER work_error_removed AFTER DELETE ON work
WHEN OLD.error_fingerprint IS NOT NULL AND OLD.mirror_id IS NOT NULL BEGIN
    UPDATE error_counts SET jobs = jobs - 1 WHERE fingerprint = OLD.error_fingerprint;
    DELETE FROM error_counts WHERE fingerprint = OLD.error_fingerprint AND jobs = 0;
END;

-- A membership that told a reason goes with its run alone.
CREATE TRIGGER run_memberships_told_first AFTER INSERT ON run_memberships
WHEN NEW.fingerprint IS NOT NULL BEGIN
    INSERT INTO run_groups (run_id, outcome, fingerprint, why, example, jobs)
    VALUES (NEW.run_id, NEW.outcome, NEW.fingerprint, NEW.error, NEW.work_id, 1)
    ON CONFLICT (run_id, outcome, fingerprint, slot) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER run_memberships_told_anew AFTER UPDATE OF fingerprint ON run_memberships
WHEN OLD.fingerprint IS NOT NEW.fingerprint
     OR (NEW.fingerprint IS NOT NULL AND OLD.outcome IS NOT NEW.outcome) BEGIN
    UPDATE run_groups SET jobs = jobs - 1
    WHERE run_id = OLD.run_id AND outcome = OLD.outcome AND fingerprint = OLD.fingerprint;
    INSERT INTO run_groups (run_id, outcome, fingerprint, why, example, jobs)
    SELECT NEW.run_id, NEW.outcome, NEW.fingerprint, NEW.error, NEW.work_id, 1
    WHERE NEW.fingerprint IS NOT NULL
    ON CONFLICT (run_id, outcome, fingerprint, slot) DO UPDATE SET jobs = jobs + 1;
END;

-- What is there already. Here nothing makes a fingerprint; of what was told before, those are alike that
-- read the same.
UPDATE work SET error_fingerprint = printf('%016x', same.id)
FROM (SELECT last_error, MIN(id) AS id FROM work WHERE last_error IS NOT NULL GROUP BY last_error) same
WHERE work.last_error = same.last_error AND work.state <> 'done';

UPDATE run_memberships SET error = COALESCE(
    (SELECT i.sync_error FROM work w JOIN issue_mappings i ON i.mirror_id = w.mirror_id
     WHERE w.id = run_memberships.work_id AND w.kind = 'sync_issue'
       AND i.source_issue_iid = CAST(SUBSTR(w.key, LENGTH('sync_issue/' || w.mirror_id || '/') + 1)
                                     AS INTEGER)),
    'no reason is on record')
WHERE outcome = 'skipped';

UPDATE run_memberships SET fingerprint = printf('%016x', same.id)
FROM (SELECT error, MIN(work_id) AS id FROM run_memberships WHERE error IS NOT NULL GROUP BY error) same
WHERE run_memberships.error = same.error AND run_memberships.outcome IN ('failed', 'skipped');

CREATE INDEX work_alike ON work (error_fingerprint, id) WHERE error_fingerprint IS NOT NULL;
-- Nothing is looked for by these any more.
DROP INDEX work_troubled;
DROP INDEX run_memberships_told;
