//! Sync jobs: what they were asked for, and doing it again.

use crate::service::Service;
use axum::http::{Method, StatusCode};
use mirror_core::{job::Job, outcome::Outcome};
use mirror_store::{End, Role};
use serde_json::json;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

impl Service {
    /// Brings all that is owed to its end, as this; what it was.
    async fn work_off(&self, end: End<'_>) -> Vec<String> {
        let store = &self.state.store;
        let mut keys = Vec::new();
        for claimed in store.claim(100, 100, LEASE).await.unwrap() {
            let started = store.start(claimed.ticket, "worker", LEASE).await.unwrap();
            let started = started.unwrap();
            keys.push(started.job.as_ref().map(Job::key).unwrap());
            store.end(&started.fence, end).await.unwrap();
        }
        store.complete_runs().await.unwrap();
        keys.sort();
        keys
    }
}

#[tokio::test]
async fn what_was_asked_for_is_told_and_done_again_and_nothing_else_is() {
    let service = Service::new().await;
    let (mirror, _) = service.mirror().await;
    let token = service.token("operator", Role::Operator).await;
    let headers = [("authorization", token.as_str())];
    let sync = format!("/api/mirrors/{mirror}/issue-sync/sync");
    let body = json!({"issue_iids": [7, 3, 7]});
    let accepted = service
        .send(Method::POST, &sync, &headers, Some(body))
        .await;
    let accepted = accepted.is(StatusCode::ACCEPTED).body;
    let url = accepted["url"].as_str().unwrap();
    let issues = [3, 7].map(|iid| format!("sync_issue/{mirror}/{iid}"));

    let early = service
        .ask(Method::POST, &format!("{url}/retry"), &headers)
        .await;
    early.is(StatusCode::CONFLICT);
    assert_eq!(
        service.work_off(End::GiveUp { error: "refused" }).await,
        issues
    );
    let ended = service
        .ask(Method::GET, url, &headers)
        .await
        .is(StatusCode::OK)
        .body;
    let expected = json!({"sync_type": "incremental", "issue_iids": [3, 7]});
    assert_eq!(
        (&ended["parameters"], &ended["counts"]["failed"]),
        (&expected, &json!(2))
    );

    let again = service
        .ask(Method::POST, &format!("{url}/retry"), &headers)
        .await;
    let again = again.is(StatusCode::ACCEPTED).body;
    let outcome = &Outcome::Unchanged;
    assert_eq!(service.work_off(End::Done { outcome }).await, issues);
    let again = again["url"].as_str().unwrap();
    let again = service
        .ask(Method::GET, again, &headers)
        .await
        .is(StatusCode::OK)
        .body;
    assert_eq!(
        (&again["status"], &again["parameters"]),
        (&json!("completed"), &expected)
    );
}
