use std::time::Duration;

use gitlab_sim::{RateLimits, Sim, Window};
use serde_json::json;

use crate::site::Site;

const MINUTE: Duration = Duration::from_secs(60);

fn limited(limits: RateLimits) -> Site {
    let site = Site::with(Sim::builder().limits(limits));
    site.issue("x");
    site
}

async fn statuses(site: &Site, count: usize) -> Vec<u16> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(site.get("owner", "/version").await.status);
    }
    seen
}

#[tokio::test]
async fn fixed_windows_start_with_the_epochs_minutes_so_two_bursts_may_meet() {
    let site = limited(RateLimits {
        api: Some((2, MINUTE)),
        ..RateLimits::default()
    });
    site.advance(59);
    assert_eq!(statuses(&site, 3).await, [200, 200, 429]);
    site.advance(1);
    assert_eq!(statuses(&site, 3).await, [200, 200, 429]);
}

#[tokio::test]
async fn a_sliding_window_looks_back_and_a_refused_request_counts_too() {
    let limits = RateLimits {
        api: Some((2, MINUTE)),
        window: Window::Sliding,
        ..RateLimits::default()
    };
    let site = limited(limits);
    site.advance(59);
    assert_eq!(statuses(&site, 3).await, [200, 200, 429]);
    site.advance(1);
    assert_eq!(statuses(&site, 1).await, [429]);
    site.advance(59);
    assert_eq!(
        statuses(&site, 1).await,
        [200],
        "only the refusal of a minute ago is left"
    );
    assert_eq!(statuses(&site, 1).await, [429]);
}

#[tokio::test]
async fn racks_refusal_is_plain_text_with_headers() {
    let site = limited(RateLimits {
        api: Some((1, MINUTE)),
        ..RateLimits::default()
    });
    site.advance(20);
    statuses(&site, 1).await;
    let refused = site.get("owner", "/version").await;
    assert_eq!((refused.status, refused.text.trim()), (429, "Retry later"));
    assert_eq!(refused.header("retry-after"), Some("40"));
    assert_eq!(refused.header("ratelimit-limit"), Some("1"));
    assert_eq!(refused.header("ratelimit-observed"), Some("2"));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    let end = (crate::site::start().timestamp() + 60).to_string();
    assert_eq!(refused.header("ratelimit-reset"), Some(end.as_str()));
    assert_eq!(
        refused.header("ratelimit-resettime"),
        Some("Sun, 01 Mar 2026 12:01:00 GMT")
    );
    assert_eq!(
        site.get("planner", "/version").await.status,
        200,
        "counted per user"
    );
}

#[tokio::test]
async fn headers_can_be_missing_or_on_every_answer() {
    let silent = RateLimits {
        api: Some((1, MINUTE)),
        api_headers: false,
        ..RateLimits::default()
    };
    let site = limited(silent);
    statuses(&site, 1).await;
    let refused = site.get("owner", "/version").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, None));
    let talkative = RateLimits {
        headers_on_every_answer: true,
        api: Some((9, MINUTE)),
        ..RateLimits::default()
    };
    let answered = limited(talkative).get("owner", "/version").await;
    assert_eq!(answered.header("ratelimit-remaining"), Some("8"));
    assert_eq!(answered.header("retry-after"), None);
}

#[tokio::test]
async fn the_application_limiter_answers_json_without_headers() {
    let limits = RateLimits {
        notes: Some((1, MINUTE)),
        issues: Some((1, MINUTE)),
        search: Some((1, MINUTE)),
        ..RateLimits::default()
    };
    let site = limited(limits);
    let text = "This endpoint has been requested too many times. Try again later.";
    let expected = json!({ "message": { "error": text } });
    let notes = "/projects/1/issues/1/notes";
    assert_eq!(
        site.post("owner", notes, json!({ "body": "a" }))
            .await
            .status,
        201
    );
    let refused = site.post("owner", notes, json!({ "body": "b" })).await;
    assert_eq!((refused.status, refused.json()), (429, expected));
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(
        site.post("owner", "/projects/1/issues", json!({ "title": "a" }))
            .await
            .status,
        201
    );
    let by_path = "/projects/team%2Fproject/issues";
    assert_eq!(
        site.post("owner", by_path, json!({ "title": "b" }))
            .await
            .status,
        429
    );
    assert_eq!(
        site.post("planner", by_path, json!({ "title": "b" }))
            .await
            .status,
        201,
        "per user"
    );
    assert_eq!(
        site.get("owner", "/projects/1/issues?search=x")
            .await
            .status,
        200
    );
    assert_eq!(
        site.get("owner", "/projects/1/issues?search=x")
            .await
            .status,
        429
    );
    assert_eq!(site.get("owner", "/projects/1/issues").await.status, 200);
}

#[tokio::test]
async fn newest_versions_tell_the_whole_interval() {
    let limits = RateLimits {
        notes: Some((0, MINUTE)),
        application_retry_after: true,
        ..RateLimits::default()
    };
    let site = limited(limits);
    let refused = site
        .post(
            "owner",
            "/projects/1/issues/1/notes",
            json!({ "body": "a" }),
        )
        .await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("60"))
    );
}
