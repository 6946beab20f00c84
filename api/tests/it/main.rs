//! What a service tells about itself, asked as a load balancer or Prometheus would.

#![cfg(test)]

mod access;
mod description;
mod errand_list;
mod errands;
mod events;
mod hooks;
mod issue_search;
mod log;
mod roles;
mod service;
mod sync_jobs;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::Response,
};
use http_body_util::BodyExt;
use mirror_api::{ApiState, Metrics, TrustedProxies, router};
use mirror_queue::{budget::Budget, signals::Signals};
use mirror_runtime::{SystemEntropy, testing::ManualClock};
use mirror_store::{Cipher, Store};
use std::sync::Arc;
use tower::ServiceExt;

async fn state() -> ApiState {
    timed_state().await.0
}

/// Everything in memory, and the clock that it goes by.
async fn timed_state() -> (ApiState, Arc<ManualClock>) {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::starting_at(start));
    let state = ApiState {
        store: Store::in_memory(clock.clone()).await.unwrap(),
        cipher: Cipher::new(&[7; 32]),
        redis: None,
        signals: Signals::in_process(),
        budget: Arc::new(Budget::new(clock.clone())),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        metrics: Arc::new(Metrics::new()),
        proxies: TrustedProxies::default(),
    };
    (state, clock)
}

async fn get(router: Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    spoken(router.oneshot(request).await.unwrap()).await
}

/// An answer, read.
async fn spoken(answer: Response) -> (StatusCode, String) {
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_process_that_answers_is_alive() {
    let (status, body) = get(router(state().await), "/healthz").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "alive\n"));
}

#[tokio::test]
async fn a_record_that_answers_is_ready_and_one_that_is_closed_is_not() {
    let state = state().await;
    let (status, body) = get(router(state.clone()), "/readyz").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    let (number, known) = state.store.schema_numbers().await.unwrap();
    assert_eq!(number, known);
    assert_eq!(
        told,
        serde_json::json!({
            "ready": true,
            "database": {"ready": true},
            "migrations": {"ready": true, "detail": format!("schema {known}")},
        })
    );
    state.store.close().await;
    let (status, body) = get(router(state), "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["ready"], false);
    assert_eq!(told["database"]["ready"], false);
    assert!(told["database"]["detail"].is_string());
    assert_eq!(told["migrations"]["ready"], false);
}

#[tokio::test]
async fn metrics_tell_what_was_counted_and_how_the_deployment_stands() {
    let state = state().await;
    state.metrics.written(2, 1);
    state.metrics.failed(true);
    let (status, body) = get(router(state.clone()), "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "issue_mirror_issues_total 1",
        "issue_mirror_written_total{what=\"comments\"} 2",
        "issue_mirror_given_up_total 1",
        "issue_mirror_work{state=\"dead\"} 0",
        "issue_mirror_record_up 1",
        "# EOF",
    ] {
        assert!(body.contains(line), "{line} is not in\n{body}");
    }
    state.store.close().await;
    let (_, body) = get(router(state), "/metrics").await;
    assert!(body.contains("issue_mirror_record_up 0"), "{body}");
}
