//! Errands that are asked for, under keys and without.

use crate::service::Service;
use axum::http::{Method, StatusCode, header};
use mirror_core::errand::Errand;
use mirror_store::Role;
use serde_json::{Value, json};

#[tokio::test]
async fn a_plan_is_asked_for_and_looked_up() {
    let service = Service::new().await;
    let (mirror, _) = service.mirror().await;
    let operator = service.token("ops", Role::Operator).await;
    let as_operator = [("authorization", operator.as_str())];
    let path = format!("/api/mirrors/{mirror}/issue-sync/plan");
    let ask = async |body| {
        let asked = service.send(Method::POST, &path, &as_operator, body).await;
        asked.is(StatusCode::ACCEPTED)
    };
    let whole = ask(None).await;
    assert_eq!(whole.body["kind"], "plan");
    assert_eq!(whole.body["state"], "waiting");
    assert_eq!(whole.body["mirror_id"], mirror.0);
    let place = whole.headers[header::LOCATION].to_str().unwrap();
    let found = service.ask(Method::GET, place, &as_operator).await;
    assert_eq!(found.is(StatusCode::OK).body, whole.body);
    let named = ask(Some(json!({"issue_iids": [5, 3, 5]}))).await;
    let errand: Errand = serde_json::from_value(named.body["parameters"].clone()).unwrap();
    let iids = [3, 5].map(mirror_core::ids::Iid).to_vec();
    assert_eq!(errand, Errand::Plan { mirror, iids });
}

#[tokio::test]
async fn what_cannot_be_planned_is_refused_with_its_place() {
    let service = Service::new().await;
    let (mirror, _) = service.mirror().await;
    let operator = service.token("ops", Role::Operator).await;
    let as_operator = [("authorization", operator.as_str())];
    let ask = async |mirror: i64, body: Value| {
        let path = format!("/api/mirrors/{mirror}/issue-sync/plan");
        let asked = service.send(Method::POST, &path, &as_operator, Some(body));
        asked.await
    };
    ask(999, json!({})).await.is(StatusCode::NOT_FOUND);
    let many: Vec<i64> = (1..=1_001).collect();
    for (body, pointer) in [
        (json!({"issue_iids": [1, 0]}), "/issue_iids/1"),
        (json!({"issue_iids": many}), "/issue_iids"),
    ] {
        let refused = ask(mirror.0, body).await;
        let refused = refused.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let full = ask(mirror.0, json!({"sync_type": "full"})).await;
    assert!(full.status.is_client_error(), "{full:?}");
    let errands = service.ask(Method::GET, "/api/errands", &as_operator).await;
    assert_eq!(errands.body, json!([]));
}

#[tokio::test]
async fn a_key_is_checked_and_means_one_thing_wherever_something_is_asked_for() {
    let service = Service::new().await;
    let (mirror, instance) = service.mirror().await;
    let operator = service.token("ops", Role::Operator).await;
    let plan = format!("/api/mirrors/{mirror}/issue-sync/plan");
    let hook = format!("/api/mirrors/{mirror}/hooks/register");
    let project = |path: &str| {
        json!({"source": {"instance_id": 1, "project": path},
                                      "target": {"instance_id": 2, "project": "c/d"}})
    };
    let ask = async |path: &str, key: &str, body: &Value| {
        let headers = [
            ("authorization", operator.as_str()),
            ("idempotency-key", key),
        ];
        let body = (!body.is_null()).then(|| body.clone());
        service.send(Method::POST, path, &headers, body).await
    };
    let check = format!("/api/instances/{instance}/check");
    for (path, body, other) in [
        (plan.as_str(), json!({}), Some(json!({"issue_iids": [7]}))),
        (
            hook.as_str(),
            json!({"url": "https://m/a"}),
            Some(json!({"url": "https://m/b"})),
        ),
        ("/api/mirrors", project("a/b"), Some(project("a/c"))),
        (check.as_str(), Value::Null, None),
    ] {
        for bad in ["", &"k".repeat(256)] {
            let refused = ask(path, bad, &body).await;
            refused.is(StatusCode::BAD_REQUEST);
        }
        let first = ask(path, "once", &body).await.is(StatusCode::ACCEPTED);
        let again = ask(path, "once", &body).await.is(StatusCode::ACCEPTED);
        assert_eq!(first.body["id"], again.body["id"], "{path}");
        if let Some(other) = other {
            let refused = ask(path, "once", &other).await;
            refused.is(StatusCode::UNPROCESSABLE_ENTITY);
            let apart = ask(path, "twice", &other).await;
            let apart = apart.is(StatusCode::ACCEPTED);
            assert_ne!(first.body["id"], apart.body["id"], "{path}");
        }
    }
}
