//! How SQLite goes about the statements that are run all the time, which must not grow with what
//! is on record.

use super::{
    claim::{ANYTHING, CLAIM, LOOKS, OUT, WAITING},
    lease::STOPS_ASKED,
    sweep::SWEEP,
};
use crate::sql::Text;
use sqlx::{Connection, Row, SqlSafeStr, SqliteConnection};

/// How SQLite goes about it.
async fn way_of(text: impl Into<Text>) -> Vec<String> {
    let mut memory = SqliteConnection::connect(":memory:").await.unwrap();
    for migration in crate::open::SCHEMA.iter() {
        let sql = migration.sql.clone().into_sql_str();
        sqlx::raw_sql(sql).execute(&mut memory).await.unwrap();
    }
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text.into().sqlite));
    let mut query = sqlx::query(explain);
    for _ in 0..5 {
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
            "SEARCH work USING COVERING INDEX work_due (run_at<?)",
            "SEARCH work USING COVERING INDEX work_checks (run_at<?)"
        ]
    );
    let way = way_of(LOOKS).await;
    assert!(
        way.iter().any(|step| step.contains("INDEX work_checks")),
        "{way:#?}"
    );
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
    let way = way_of(OUT).await;
    assert!(
        way.iter().any(|step| step.contains("INDEX work_leased")),
        "{way:#?}"
    );
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
