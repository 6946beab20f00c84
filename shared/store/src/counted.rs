//! Records from before anything was kept count of.

use crate::{
    testing::{MISCOUNTED, TestDatabase},
    url::Kind,
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection, migrate::Migrator,
};

/// The first step that counts.
const COUNTS: i64 = 27;

/// A mirror with an issue that has been through, one that was given up, and a scan that is owed still.
const BEFORE: &str = "
INSERT INTO instances (name, api_base, created_at, updated_at)
VALUES ('gitlab.a', 'https://gitlab.a', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00');
INSERT INTO mirrors (source_instance_id, source_project_id, source_path, target_instance_id,
                     target_project_id, target_path, created_at, updated_at)
SELECT id, 1, 'a', id, 2, 'b', created_at, created_at FROM instances;
INSERT INTO issue_mappings (mirror_id, source_issue_id, source_issue_iid, owned_labels, sync_status,
                            created_at, updated_at)
SELECT id, 1, 1, '[]', 'synced', created_at, created_at FROM mirrors;
INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket,
                  rerun_changed, created_at, updated_at)
SELECT 'sync_issue', 'sync_issue/1/1', id, 0, 'done', created_at, 0, 0, 1, 1 < 0, created_at, created_at
FROM mirrors;
INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket,
                  rerun_changed, last_error, created_at, updated_at)
SELECT 'sync_issue', 'sync_issue/1/2', id, 0, 'dead', created_at, 0, 0, 1, 1 < 0, '502 for 2', created_at,
       created_at
FROM mirrors;
INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket,
                  rerun_changed, created_at, updated_at)
SELECT 'scan_mirror', 'scan_mirror/1', id, 0, 'pending', created_at, 0, 0, 1, 1 < 0, created_at,
       created_at
FROM mirrors;
INSERT INTO issue_sync_jobs (mirror_id, job_type, status, started_at)
SELECT id, 'full_sync', 'running', created_at FROM mirrors;
INSERT INTO run_memberships (run_id, work_id, generation, settled_at, outcome, comments, error)
SELECT r.id, w.id, 0, r.started_at, CASE w.state WHEN 'dead' THEN 'failed' ELSE 'created' END, 2,
       w.last_error
FROM issue_sync_jobs r, work w WHERE w.state <> 'pending';
INSERT INTO run_memberships (run_id, work_id, generation)
SELECT r.id, w.id, 0 FROM issue_sync_jobs r, work w WHERE w.state = 'pending';";

const KEPT: &str = "\
SELECT (SELECT CAST(SUM(processed) AS BIGINT) FROM run_counts),
       (SELECT CAST(SUM(created) AS BIGINT) FROM run_counts),
       (SELECT CAST(SUM(comments) AS BIGINT) FROM run_counts),
       (SELECT CAST(SUM(open) AS BIGINT) FROM run_counts),
       (SELECT CAST(SUM(synced) AS BIGINT) FROM mirror_counts),
       (SELECT CAST(SUM(backfill + incremental + by_hand) AS BIGINT) FROM mirror_counts),
       (SELECT CAST(SUM(dead) AS BIGINT) FROM mirror_counts),
       (SELECT CAST(SUM(jobs) AS BIGINT) FROM error_counts),
       (SELECT CAST(SUM(jobs) AS BIGINT) FROM run_groups WHERE outcome = 'failed')";

type Kept = (i64, i64, i64, i64, i64, i64, i64, i64, i64);
const EXPECTED: Kept = (2, 1, 4, 1, 1, 1, 1, 1, 1);

/// The steps of a schema before anything was counted, or from then on, as one text.
fn steps(schema: &Migrator, counting: bool) -> AssertSqlSafe<String> {
    let steps = schema
        .iter()
        .filter(|step| (step.version >= COUNTS) == counting);
    let texts = steps.map(|step| step.sql.clone().into_sql_str().as_str().to_owned());
    AssertSqlSafe(texts.collect::<Vec<_>>().join("\n"))
}

mod what_was_there_before_is_counted {
    use super::*;

    #[tokio::test]
    async fn in_a_file() {
        let mut memory = SqliteConnection::connect(":memory:").await.unwrap();
        let schema = &crate::open::SCHEMA;
        for text in [
            steps(schema, false),
            AssertSqlSafe(BEFORE.to_owned()),
            steps(schema, true),
        ] {
            sqlx::raw_sql(text).execute(&mut memory).await.unwrap();
        }
        let kept: Kept = sqlx::query_as(KEPT).fetch_one(&mut memory).await.unwrap();
        assert_eq!(kept, EXPECTED);
        for text in MISCOUNTED {
            let wrong: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut memory).await.unwrap();
            assert_eq!(wrong, []);
        }
    }

    #[tokio::test]
    async fn on_a_server() {
        let database = TestDatabase::create().await;
        let database = database.unwrap_or_else(|error| panic!("{error}"));
        let Kind::Postgres(address) = database.url().kind() else {
            panic!("a server");
        };
        let mut server = PgConnection::connect_with(address).await.unwrap();
        let schema = &crate::schema::SCHEMA;
        let anew = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;".to_owned();
        for text in [
            AssertSqlSafe(anew),
            steps(schema, false),
            AssertSqlSafe(BEFORE.to_owned()),
            steps(schema, true),
        ] {
            sqlx::raw_sql(text).execute(&mut server).await.unwrap();
        }
        let kept: Kept = sqlx::query_as(KEPT).fetch_one(&mut server).await.unwrap();
        assert_eq!(kept, EXPECTED);
        for text in MISCOUNTED {
            let wrong: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut server).await.unwrap();
            assert_eq!(wrong, []);
        }
    }
}
