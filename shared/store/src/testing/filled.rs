//! A record with as much in it as a large deployment has after a while, made in a moment.

use crate::{Store, StoreError, database::PATIENCE, sql::Text};
use mirror_core::ids::{MirrorId, RunId};

/// What there is to look at in a record that was filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filled {
    /// The run that is under way, with a membership for each issue.
    pub running: RunId,
    /// The first of those that have ended.
    pub ended: RunId,
    /// The first of the mirror's issues, by the id of its mapping; the others follow.
    pub issue: i64,
    /// The first of its jobs; the others follow.
    pub job: i64,
}

/// The tables, each with as many rows as wanted. `$1` is the mirror, `$2` the rows.
macro_rules! rows {
    ($table:literal, $values:literal) => {
        Text {
            sqlite: rows!(
                @ $table,
                "'2026-01-' || printf('%02d', 1 + i / 86400) || 'T' \
                 || printf('%02d:%02d:%02d', i / 3600 % 24, i / 60 % 60, i % 60) || '+00:00'",
                $values
            ),
            postgres: rows!(
                @ $table,
                "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second'",
                $values
            ),
        }
    };
    (@ $table:literal, $at:literal, $values:literal) => {
        concat!(
            "WITH RECURSIVE counted (i) AS (SELECT CAST(1 AS BIGINT) \
             UNION ALL SELECT i + 1 FROM counted WHERE i < $2), \
             n AS (SELECT i, ",
            $at,
            " AS at, CAST($1 AS BIGINT) AS mirror FROM counted) INSERT INTO ",
            $table,
            " ",
            $values
        )
    };
}

const TABLES: [Text; 10] = [
    rows!(
        "issue_mappings",
        "(mirror_id, source_issue_id, source_issue_iid, target_issue_id, target_issue_iid, \
          source_read_at, source_updated_at, source_content_hash, owned_labels, title, sync_status, \
          sync_error, last_synced_at, created_at, updated_at) \
         SELECT mirror, 1000 + i, i, 2000 + i, i, at, at, \
                'v1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', '[]', \
                'Wheel ' || i || ' squeaks when it turns', \
                CASE WHEN i % 1000 = 0 THEN 'failed' WHEN i % 50 = 0 THEN 'skipped' \
                     ELSE 'synced' END, \
                CASE WHEN i % 1000 = 0 THEN 'the target answered 502' END, at, at, at FROM n"
    ),
    rows!(
        "work",
        "(kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket, \
          rerun_changed, last_error, error_fingerprint, created_at, updated_at) \
         SELECT 'sync_issue', 'sync_issue/' || mirror || '/' || i, mirror, i % 2, \
                CASE WHEN i % 100 = 0 THEN 'dead' WHEN i % 3 = 0 THEN 'done' ELSE 'pending' END, \
                at, 0, 0, 1, i < 0, CASE WHEN i % 100 = 0 THEN 'the target answered 502' END, \
                CASE WHEN i % 100 = 0 THEN '00000000000005' || (10 + i % 11) END, at, at FROM n"
    ),
    rows!(
        "work_attempts",
        "(work_id, ticket, owner, started_at, ended_at, ending) \
         SELECT (SELECT MIN(id) FROM work WHERE mirror_id = $1) + i - 1, 1, 'worker', at, at, \
                'done' FROM n"
    ),
    rows!(
        "issue_sync_jobs",
        "(mirror_id, job_type, status, requested_by, issues_processed, issues_unchanged, \
          started_at, completed_at) \
         SELECT mirror, 'incremental_sync', \
                CASE WHEN i % 1000 = 0 THEN 'partial' ELSE 'completed' END, 'schedule', 100, 100, \
                at, at FROM n"
    ),
    rows!(
        "issue_sync_jobs",
        "(mirror_id, job_type, status, requested_by, started_at) \
         SELECT mirror, 'full_sync', 'running', 'somebody', at FROM n WHERE i = 1"
    ),
    rows!(
        "run_memberships",
        "(run_id, work_id, is_issue, generation, settled_at, outcome, api_calls, error, \
          fingerprint) \
         SELECT (SELECT MAX(id) FROM issue_sync_jobs), \
                (SELECT MIN(id) FROM work WHERE mirror_id = $1) + i - 1, i > 0, 0, \
                CASE WHEN i % 4 > 0 THEN at END, \
                CASE WHEN i % 1000 = 1 THEN 'failed' WHEN i % 50 = 2 THEN 'skipped' \
                     WHEN i % 4 > 0 THEN 'unchanged' END, 3, \
                CASE WHEN i % 1000 = 1 THEN 'the target answered 502' \
                     WHEN i % 50 = 2 THEN 'outside what the mirror takes' END, \
                CASE WHEN i % 1000 = 1 THEN 'failed 502' WHEN i % 50 = 2 THEN 'left out' END \
         FROM n"
    ),
    rows!(
        "run_groups",
        "(run_id, outcome, fingerprint, why, example, jobs) \
         SELECT (SELECT MIN(id) FROM issue_sync_jobs WHERE mirror_id = $1) + i - 1, 'failed', \
                'failed 502', 'the target answered 502', \
                (SELECT MIN(id) FROM work WHERE mirror_id = $1), 1 FROM n"
    ),
    rows!(
        "target_edits",
        "(issue_mapping_id, field, source_note_id, conflict, source_digest, target_digest, \
          resolution, found_at) \
         SELECT (SELECT MIN(id) FROM issue_mappings WHERE mirror_id = $1) + i - 1, 'title', 0, \
                i > 0, 'one', 'other', CASE WHEN i % 1000 > 0 THEN 'use_source' END, at FROM n"
    ),
    rows!(
        "audit",
        "(at, who, what, object) \
         SELECT at, 'user:' || (i % 50), \
                CASE WHEN i % 3 = 0 THEN 'mirror.update' ELSE 'job.retry' END, \
                'mirror/' || (i % 1000) FROM n"
    ),
    rows!(
        "errands",
        "(kind, mirror_id, parameters, state, asked_by, asked_at, ended_at) \
         SELECT 'check_instance', mirror, '{\"check_instance\": {}}', 'done', 'somebody', at, at \
         FROM n"
    ),
];

const WHERE: &str = "\
SELECT (SELECT MAX(id) FROM issue_sync_jobs WHERE mirror_id = $1 AND status = 'running'),
       (SELECT MIN(id) FROM issue_sync_jobs WHERE mirror_id = $1),
       (SELECT MIN(id) FROM issue_mappings WHERE mirror_id = $1),
       (SELECT MIN(id) FROM work WHERE mirror_id = $1)";

/// Gives a mirror that has nothing yet so many issues, jobs, tries, runs, decisions and errands, and as
/// many changes on record.
///
/// # Errors
/// Only if the database fails.
pub async fn fill(store: &Store, mirror: MirrorId, rows: i64) -> Result<Filled, StoreError> {
    for text in TABLES {
        let mut tx = store.begin(PATIENCE).await?;
        tx.query(text).bind(mirror.0).bind(rows).execute().await?;
        tx.commit().await?;
    }
    let (running, ended, issue, job): (i64, i64, i64, i64) =
        store.read(WHERE).bind(mirror.0).fetch_one().await?;
    Ok(Filled {
        running: RunId(running),
        ended: RunId(ended),
        issue,
        job,
    })
}
