//! Whether what is kept count of is right.

use crate::{Store, StoreError};

/// What is kept count of, beside what is counted now: a line for each where they differ.
///
/// # Errors
/// Only if the database fails.
pub async fn miscounted(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    for text in MISCOUNTED {
        let rows: Vec<(String,)> = store.read(text).fetch_all().await?;
        lines.extend(rows.into_iter().map(|(line,)| line));
    }
    Ok(lines)
}

/// Texts that find what is miscounted.
pub(crate) const MISCOUNTED: [&str; 4] = [
    RUNS_MISCOUNTED,
    MIRRORS_MISCOUNTED,
    ERRORS_MISCOUNTED,
    REASONS_MISCOUNTED,
];

const RUNS_MISCOUNTED: &str = "\
WITH kept AS (
    SELECT run_id, SUM(processed) AS a, SUM(created) AS b, SUM(updated) AS c, SUM(unchanged) AS d,
           SUM(skipped) AS e, SUM(failed) AS f, SUM(comments) AS g, SUM(attachments) AS h,
           SUM(api_calls) + 1000000 * SUM(waits) AS i, SUM(open) AS j
    FROM run_counts GROUP BY run_id),
counted AS (
    SELECT m.run_id,
           COUNT(CASE WHEN m.settled_at IS NOT NULL AND w.kind = 'sync_issue' THEN 1 END) AS a,
           COUNT(CASE WHEN m.outcome = 'created' THEN 1 END) AS b,
           COUNT(CASE WHEN m.outcome = 'updated' THEN 1 END) AS c,
           COUNT(CASE WHEN m.outcome = 'unchanged' THEN 1 END) AS d,
           COUNT(CASE WHEN m.outcome = 'skipped' THEN 1 END) AS e,
           COUNT(CASE WHEN m.outcome = 'failed' THEN 1 END) AS f,
           SUM(m.comments) AS g, SUM(m.attachments) AS h, SUM(m.api_calls) + 1000000 * SUM(m.waits) AS i,
           COUNT(CASE WHEN m.settled_at IS NULL THEN 1 END) AS j
    FROM run_memberships m JOIN work w ON w.id = m.work_id GROUP BY m.run_id)
SELECT 'run ' || r.id || ': ' || COALESCE(k.a || ' ' || k.b || ' ' || k.c || ' ' || k.d || ' ' || k.e
           || ' ' || k.f || ' ' || k.g || ' ' || k.h || ' ' || k.i || ' ' || k.j, 'none')
       || ' are kept of ' || COALESCE(n.a || ' ' || n.b || ' ' || n.c || ' ' || n.d || ' ' || n.e
           || ' ' || n.f || ' ' || n.g || ' ' || n.h || ' ' || n.i || ' ' || n.j, 'none')
FROM issue_sync_jobs r LEFT JOIN kept k ON k.run_id = r.id LEFT JOIN counted n ON n.run_id = r.id
WHERE (r.status = 'running'
       AND (COALESCE(k.a, 0) <> COALESCE(n.a, 0) OR COALESCE(k.b, 0) <> COALESCE(n.b, 0)
            OR COALESCE(k.c, 0) <> COALESCE(n.c, 0) OR COALESCE(k.d, 0) <> COALESCE(n.d, 0)
            OR COALESCE(k.e, 0) <> COALESCE(n.e, 0) OR COALESCE(k.f, 0) <> COALESCE(n.f, 0)
            OR COALESCE(k.g, 0) <> COALESCE(n.g, 0) OR COALESCE(k.h, 0) <> COALESCE(n.h, 0)
            OR COALESCE(k.i, 0) <> COALESCE(n.i, 0) OR COALESCE(k.j, 0) <> COALESCE(n.j, 0)))
   OR (r.status <> 'running' AND k.run_id IS NOT NULL)";

const MIRRORS_MISCOUNTED: &str = "\
WITH kept AS (
    SELECT mirror_id, SUM(pending) AS a, SUM(synced) AS b, SUM(skipped) AS c, SUM(blocked) AS d,
           SUM(failed) AS e, SUM(backfill + 1000000 * incremental + 1000000000000 * by_hand) AS f,
           SUM(dead) AS g
    FROM mirror_counts GROUP BY mirror_id),
counted AS (
    SELECT m.id,
           (SELECT COUNT(*) FROM issue_mappings i
            WHERE i.mirror_id = m.id AND i.sync_status = 'pending') AS a,
           (SELECT COUNT(*) FROM issue_mappings i
            WHERE i.mirror_id = m.id AND i.sync_status = 'synced') AS b,
           (SELECT COUNT(*) FROM issue_mappings i
            WHERE i.mirror_id = m.id AND i.sync_status = 'skipped') AS c,
           (SELECT COUNT(*) FROM issue_mappings i
            WHERE i.mirror_id = m.id AND i.sync_status = 'blocked') AS d,
           (SELECT COUNT(*) FROM issue_mappings i
            WHERE i.mirror_id = m.id AND i.sync_status = 'failed') AS e,
           (SELECT CAST(COALESCE(SUM(CASE w.priority WHEN 0 THEN 1 WHEN 1 THEN 1000000
                                            ELSE 1000000000000 END), 0) AS BIGINT)
            FROM work w WHERE w.mirror_id = m.id AND w.state NOT IN ('done', 'dead')) AS f,
           (SELECT COUNT(*) FROM work w WHERE w.mirror_id = m.id AND w.state = 'dead') AS g
    FROM mirrors m)
SELECT 'mirror ' || n.id || ': ' || COALESCE(k.a || ' ' || k.b || ' ' || k.c || ' ' || k.d || ' '
           || k.e || ' ' || k.f || ' ' || k.g, 'none')
       || ' are kept of ' || n.a || ' ' || n.b || ' ' || n.c || ' ' || n.d || ' ' || n.e || ' '
           || n.f || ' ' || n.g
FROM counted n LEFT JOIN kept k ON k.mirror_id = n.id
WHERE COALESCE(k.a, 0) <> n.a OR COALESCE(k.b, 0) <> n.b OR COALESCE(k.c, 0) <> n.c
   OR COALESCE(k.d, 0) <> n.d OR COALESCE(k.e, 0) <> n.e OR COALESCE(k.f, 0) <> n.f
   OR COALESCE(k.g, 0) <> n.g";

const ERRORS_MISCOUNTED: &str = "\
WITH kept AS (SELECT fingerprint, SUM(jobs) AS jobs FROM error_counts GROUP BY fingerprint),
counted AS (
    SELECT error_fingerprint AS fingerprint, COUNT(*) AS jobs FROM work
    WHERE mirror_id IS NOT NULL AND error_fingerprint IS NOT NULL GROUP BY error_fingerprint)
SELECT 'errors like ' || k.fingerprint || ': ' || k.jobs || ' are kept of ' || COALESCE(n.jobs, 0)
FROM kept k LEFT JOIN counted n ON n.fingerprint = k.fingerprint
WHERE k.jobs <> COALESCE(n.jobs, 0)
UNION ALL
SELECT 'errors like ' || n.fingerprint || ': none are kept of ' || n.jobs
FROM counted n WHERE n.fingerprint NOT IN (SELECT fingerprint FROM kept)
UNION ALL
SELECT w.key || ': ' || w.state || ', with ' || COALESCE(w.last_error, 'no error') || ' and '
       || COALESCE(w.error_fingerprint, 'no fingerprint')
FROM work w
WHERE (w.last_error IS NULL) <> (w.error_fingerprint IS NULL)
   OR (w.state = 'done' AND w.last_error IS NOT NULL)";

const REASONS_MISCOUNTED: &str = "\
WITH kept AS (
    SELECT run_id, outcome, fingerprint, SUM(jobs) AS jobs FROM run_groups
    GROUP BY run_id, outcome, fingerprint),
counted AS (
    SELECT run_id, outcome, fingerprint, COUNT(*) AS jobs FROM run_memberships
    WHERE outcome IN ('failed', 'skipped') GROUP BY run_id, outcome, fingerprint)
SELECT 'run ' || n.run_id || ': ' || COALESCE(k.jobs, 0) || ' are kept of ' || n.jobs || ' '
       || n.outcome || ' like ' || COALESCE(n.fingerprint, 'nothing')
FROM counted n LEFT JOIN kept k
     ON k.run_id = n.run_id AND k.outcome = n.outcome AND k.fingerprint = n.fingerprint
WHERE COALESCE(k.jobs, 0) <> n.jobs
UNION ALL
SELECT 'run ' || k.run_id || ': ' || k.jobs || ' are kept of none ' || k.outcome || ' like '
       || k.fingerprint
FROM kept k LEFT JOIN counted n
     ON n.run_id = k.run_id AND n.outcome = k.outcome AND n.fingerprint = k.fingerprint
WHERE n.run_id IS NULL AND k.jobs <> 0";
