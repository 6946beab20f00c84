//! The description of the API that is committed, and served, is of this code.

use crate::state;
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use mirror_api::{openapi, router};
use serde_json::Value;
use std::collections::BTreeSet;
use tower::ServiceExt;

const COMMITTED: &str = include_str!("../../openapi.json");

#[test]
fn the_description_that_is_committed_is_of_this_code() {
    let committed: Value = serde_json::from_str(COMMITTED).unwrap();
    let generated = serde_json::to_value(openapi()).unwrap();
    assert!(
        committed == generated,
        "api/openapi.json is of another state; write it anew with \
         `cargo run -p mirror-api --example openapi > api/openapi.json`"
    );
}

#[tokio::test]
async fn it_is_served_with_pages_for_reading_that_ask_nobody_else() {
    let router = router(state().await);
    for (path, part) in [
        (
            "/api/openapi.json",
            "\"/api/mirrors/{mirror_id}/issue-sync\"",
        ),
        ("/api/reference/", "swagger-ui-bundle.js"),
        ("/api/reference/swagger-initializer.js", "/api/openapi.json"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains(part), "{path}");
        assert!(!body.contains("src=\"http"), "{path} asks elsewhere");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_tag() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut seen = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{at}");
            assert!(operation["tags"][0].is_string(), "{at}");
            assert!(operation["responses"]["default"].is_object(), "{at}");
            seen.insert(at);
        }
    }
    assert!(seen.len() > 60, "{}", seen.len());
}
