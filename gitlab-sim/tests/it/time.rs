use gitlab_sim::Sim;
use serde_json::{Value, json};

use crate::site::{Reply, Site};

async fn say(site: &Site, what: &str, duration: &str) -> Reply {
    site.post(
        "owner",
        &format!("/projects/1/issues/1/{what}"),
        json!({ "duration": duration }),
    )
    .await
}

#[tokio::test]
async fn durations_know_units_and_a_bare_number_means_hours() {
    let site = Site::new();
    site.issue("x");
    for (text, seconds) in [
        ("90s", 90),
        ("3600", 3_600 * 3_600),
        ("1h30m", 5_400),
        ("1d", 8 * 3_600),
        ("1w", 5 * 8 * 3_600),
        ("1mo", 20 * 8 * 3_600),
        ("1w 2d 3h 4m 5s", 144_000 + 57_600 + 10_800 + 240 + 5),
    ] {
        let reply = say(&site, "time_estimate", text).await;
        assert_eq!(
            (reply.status, reply.json()["time_estimate"].as_i64()),
            (200, Some(seconds)),
            "{text}"
        );
    }
    let refused = say(&site, "time_estimate", "soon").await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn add_spent_time_answers_201_and_the_others_200() {
    let site = Site::new();
    site.issue("x");
    assert_eq!(say(&site, "add_spent_time", "1h").await.status, 201);
    assert_eq!(say(&site, "reset_spent_time", "").await.status, 200);
    assert_eq!(say(&site, "time_estimate", "1h").await.status, 200);
    let reset = say(&site, "reset_time_estimate", "").await;
    assert_eq!(
        (reset.status, reset.json()),
        (
            200,
            json!({
                "time_estimate": 0, "total_time_spent": 0,
                "human_time_estimate": Value::Null, "human_total_time_spent": Value::Null,
            })
        )
    );
    assert_eq!(
        site.get("guest", "/projects/1/issues/1/time_stats")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn one_signed_difference_corrects_and_below_zero_is_400() {
    let site = Site::new();
    site.issue("x");
    say(&site, "add_spent_time", "2m").await;
    let less = say(&site, "add_spent_time", "-90s").await;
    assert_eq!(
        (less.status, less.json()["total_time_spent"].as_i64()),
        (201, Some(30))
    );
    let below = say(&site, "add_spent_time", "-31s").await;
    let expected =
        json!({ "message": { "base": ["Time to subtract exceeds the total time spent"] } });
    assert_eq!((below.status, below.json()), (400, expected));
    let notes = site
        .get("owner", "/projects/1/issues/1/notes?sort=asc")
        .await
        .json();
    assert_eq!(notes[0]["body"], "added 2m of time spent");
    assert_eq!(notes[1]["body"], "subtracted 1m 30s of time spent");
}

#[tokio::test]
async fn totals_are_clamped_to_four_years() {
    let site = Site::new();
    site.issue("x");
    let spent = say(&site, "add_spent_time", "126230500s").await;
    assert_eq!(spent.json()["total_time_spent"], 126_230_400);
    let estimate = say(&site, "time_estimate", "126230500s").await;
    assert_eq!(estimate.json()["time_estimate"], 126_230_400);
}

#[tokio::test]
async fn an_estimate_of_zero_is_understood_by_newer_versions_only() {
    let older = Site::with(Sim::builder().version("15.6.0"));
    older.issue("x");
    assert_eq!(say(&older, "time_estimate", "0").await.status, 400);
    let newer = Site::new();
    newer.issue("x");
    say(&newer, "time_estimate", "1h").await;
    assert_eq!(
        say(&newer, "time_estimate", "0").await.json()["time_estimate"],
        0
    );
}

#[tokio::test]
async fn writing_needs_a_planner_and_a_short_summary() {
    let site = Site::new();
    site.issue("x");
    let path = "/projects/1/issues/1/add_spent_time";
    assert_eq!(
        site.post("guest", path, json!({ "duration": "1h" }))
            .await
            .status,
        403
    );
    let long = json!({ "duration": "1h", "summary": "x".repeat(256) });
    assert_eq!(site.post("planner", path, long).await.status, 400);
    let fits = json!({ "duration": "1h", "summary": "x".repeat(255) });
    assert_eq!(site.post("planner", path, fits).await.status, 201);
}

#[tokio::test]
async fn neither_value_is_a_parameter_of_create_or_update() {
    let site = Site::new();
    let body = json!({ "title": "x", "time_estimate": 3_600, "total_time_spent": 60 });
    let made = site.post("owner", "/projects/1/issues", body).await.json();
    assert_eq!(made["time_stats"]["time_estimate"], 0);
    let refused = site
        .put(
            "owner",
            "/projects/1/issues/1",
            json!({ "time_estimate": 3_600 }),
        )
        .await;
    assert_eq!(refused.status, 400);
}
