//! How the databases go about the statements that are run all the time, which must not grow with
//! what is on record.

use super::{
    claim::{ANYTHING, CLAIM, LOOKS, OUT, WAITING},
    claim_errands::{ERRANDS, ERRANDS_OUT},
    lease::STOPS_ASKED,
    sweep::SWEEP,
};
use crate::{sql::Text, testing::TestDatabase, url::Kind};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, Row, SqlSafeStr, SqliteConnection};

/// How SQLite goes about it.
pub(crate) async fn way_of(text: impl Into<Text>) -> Vec<String> {
    let mut memory = SqliteConnection::connect(":memory:").await.unwrap();
    for migration in crate::open::SCHEMA.iter() {
        let sql = migration.sql.clone().into_sql_str();
        sqlx::raw_sql(sql).execute(&mut memory).await.unwrap();
    }
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text.into().sqlite));
    let mut query = sqlx::query(explain);
    for _ in 0..7 {
        query = query.bind(0i64);
    }
    let rows = query.fetch_all(&mut memory).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

fn step<'w>(way: &'w [String], begins: &str) -> Option<&'w String> {
    way.iter()
        .find(|step| format!("{step} ").starts_with(begins))
}

#[tokio::test]
async fn that_nothing_is_due_is_one_probe() {
    let way = way_of(ANYTHING).await;
    let probes: Vec<_> = way.iter().filter(|step| step.contains(" work ")).collect();
    assert_eq!(
        probes,
        [
            "SEARCH work USING INDEX work_due (run_at<?)",
            "SEARCH work USING COVERING INDEX work_checks (run_at<?)",
            "SEARCH work USING COVERING INDEX work_errands (run_at<?)"
        ]
    );
    for (text, index) in [
        (LOOKS, "INDEX work_checks"),
        (ERRANDS, "INDEX work_errands"),
    ] {
        let way = way_of(text).await;
        assert!(way.iter().any(|step| step.contains(index)), "{way:#?}");
    }
}

#[tokio::test]
async fn what_waits_is_found_by_its_index_and_never_walked_through() {
    for text in [Text::from(WAITING), CLAIM] {
        let way = way_of(text).await;
        for walked in ["SCAN c ", "SCAN w ", "SCAN work ", "SCAN m "] {
            assert_eq!(step(&way, walked), None, "{way:#?}");
        }
        let probe = step(&way, "SEARCH c ").unwrap();
        assert!(probe.contains("COVERING INDEX work_pending"), "{way:#?}");
    }
}

#[tokio::test]
async fn what_is_out_is_counted_in_an_index_of_that_alone() {
    for text in [OUT, ERRANDS_OUT] {
        let way = way_of(text).await;
        let probe = way.iter().any(|step| step.contains("INDEX work_leased"));
        assert!(probe, "{way:#?}");
    }
}

#[tokio::test]
async fn what_was_lost_is_found_among_what_is_out() {
    for text in [SWEEP, STOPS_ASKED.into()] {
        let way = way_of(text).await;
        let probe = way.iter().any(|step| step.contains("INDEX work_leased"));
        assert!(
            probe && step(&way, "SCAN work ").is_none_or(|scan| scan.contains("work_leased")),
            "{way:#?}"
        );
    }
}

/// A thousand mirrors, one of which had everything done when statistics were gathered, and has
/// everything to do now.
const UNFORESEEN: &str = "
INSERT INTO instances (name, api_base, created_at, updated_at)
VALUES ('gitlab.a', 'https://gitlab.a', 'epoch', 'epoch');
INSERT INTO mirrors (source_instance_id, source_project_id, source_path, target_instance_id,
                     target_project_id, target_path, created_at, updated_at)
SELECT i.id, n, 'a', i.id, 1000000 + n, 'b', 'epoch', 'epoch'
FROM instances i, generate_series(1, 1000) n;
INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket,
                  rerun_changed, created_at, updated_at)
SELECT 'sync_issue', 'sync_issue/1/' || n, (SELECT MIN(id) FROM mirrors), 0, 'done', 'epoch', 0, 0,
       0, false, 'epoch', 'epoch'
FROM generate_series(1, 50000) n;
ANALYZE;
UPDATE work SET state = 'pending';";

#[tokio::test]
async fn a_server_does_so_too_when_its_statistics_tell_of_other_times() {
    let database = TestDatabase::create().await;
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let Kind::Postgres(address) = database.url().kind() else {
        panic!("a server");
    };
    let mut server = PgConnection::connect_with(address).await.unwrap();
    sqlx::raw_sql(UNFORESEEN)
        .execute(&mut server)
        .await
        .unwrap();
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let explain = |text: &str| sqlx::AssertSqlSafe(format!("EXPLAIN {text}"));
    let waiting = sqlx::query(explain(WAITING)).bind(now);
    let waiting = waiting.bind(i64::MIN).bind(i64::MAX);
    let hands = sqlx::types::Json([(1_i64, 0_i64, 9_i64)]);
    let claim = sqlx::query(explain(CLAIM.postgres)).bind(now).bind(hands);
    let claim = claim.bind(now).bind(9_i64);
    for query in [waiting, claim] {
        let rows = query.fetch_all(&mut server).await.unwrap();
        let way: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let walks = |step: &&String| step.contains("work_due") || step.contains("Seq Scan on work");
        assert_eq!(way.iter().find(walks), None, "{way:#?}");
        assert!(
            way.iter().any(|step| step.contains("work_pending")),
            "{way:#?}"
        );
    }
}
