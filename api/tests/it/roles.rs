//! Every route, asked by everybody.

use crate::service::Service;
use axum::http::{StatusCode, header};
use mirror_api::openapi;
use mirror_store::Role;
use std::collections::BTreeMap;

/// What each operation takes; `None`: nobody need say who they are.
const OPERATIONS: &str = "\
GET /api/audit operator
GET /api/errands viewer
GET /api/errands/{errand_id} viewer
GET /api/events viewer
GET /api/instances viewer
POST /api/instances admin
DELETE /api/instances/{id} admin
GET /api/instances/{id} viewer
PUT /api/instances/{id} admin
GET /api/instances/{id}/budget viewer
POST /api/instances/{instance_id}/check operator
GET /api/jobs viewer
POST /api/jobs/bulk operator
GET /api/jobs/errors viewer
GET /api/jobs/{id} viewer
POST /api/jobs/{id}/cancel operator
POST /api/jobs/{id}/retry operator
GET /api/jobs/{id}/why viewer
GET /api/mirrors viewer
POST /api/mirrors operator
POST /api/mirrors/bulk operator
DELETE /api/mirrors/{mirror_id} admin
GET /api/mirrors/{mirror_id} viewer
POST /api/mirrors/{mirror_id}/hooks/register operator
DELETE /api/mirrors/{mirror_id}/issue-sync operator
GET /api/mirrors/{mirror_id}/issue-sync viewer
POST /api/mirrors/{mirror_id}/issue-sync operator
PUT /api/mirrors/{mirror_id}/issue-sync operator
GET /api/mirrors/{mirror_id}/issue-sync/issues viewer
DELETE /api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id} operator
GET /api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id} viewer
POST /api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}/resolve-conflict operator
POST /api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}/resync operator
GET /api/mirrors/{mirror_id}/issue-sync/jobs viewer
GET /api/mirrors/{mirror_id}/issue-sync/jobs/{job_id} viewer
POST /api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}/cancel operator
GET /api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}/errors viewer
POST /api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}/retry operator
DELETE /api/mirrors/{mirror_id}/issue-sync/labels operator
GET /api/mirrors/{mirror_id}/issue-sync/labels viewer
POST /api/mirrors/{mirror_id}/issue-sync/labels operator
PUT /api/mirrors/{mirror_id}/issue-sync/labels operator
GET /api/mirrors/{mirror_id}/issue-sync/milestones viewer
POST /api/mirrors/{mirror_id}/issue-sync/plan operator
GET /api/mirrors/{mirror_id}/issue-sync/status viewer
POST /api/mirrors/{mirror_id}/issue-sync/sync operator
DELETE /api/mirrors/{mirror_id}/issue-sync/users operator
GET /api/mirrors/{mirror_id}/issue-sync/users viewer
POST /api/mirrors/{mirror_id}/issue-sync/users operator
PUT /api/mirrors/{mirror_id}/issue-sync/users operator
POST /api/mirrors/{mirror_id}/pause operator
POST /api/mirrors/{mirror_id}/release operator
POST /api/mirrors/{mirror_id}/resume operator
GET /api/queues viewer
POST /api/queues/{name}/pause operator
POST /api/queues/{name}/resume operator
DELETE /api/session nobody
GET /api/session viewer
POST /api/session nobody
PUT /api/session/password viewer
GET /api/setup nobody
POST /api/setup nobody
GET /api/tokens admin
POST /api/tokens admin
DELETE /api/tokens/{id} admin
GET /api/users admin
POST /api/users admin
DELETE /api/users/{name} admin
GET /api/users/{name} admin
PATCH /api/users/{name} admin
GET /api/workers viewer
POST /api/workers/{name}/drain operator";

fn operations() -> BTreeMap<(String, String), Option<Role>> {
    let lines = OPERATIONS.lines().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap();
        let (method, path, role) = (word(), word(), word());
        let role = match role.as_str() {
            "nobody" => None,
            "viewer" => Some(Role::Viewer),
            "operator" => Some(Role::Operator),
            "admin" => Some(Role::Admin),
            other => panic!("{other}"),
        };
        ((method, path), role)
    });
    lines.collect()
}

impl Service {
    async fn status(&self, method: &str, path: &str, authorization: Option<&str>) -> StatusCode {
        let path = path.replace("{name}", "nobody-of-that-name");
        let path = path.split('/').map(|part| match part.strip_prefix('{') {
            Some(_) => "999",
            None => part,
        });
        let path = path.collect::<Vec<_>>().join("/");
        let headers = authorization.map(|given| (header::AUTHORIZATION.as_str(), given));
        let headers: Vec<_> = headers.into_iter().collect();
        let method = method.parse().unwrap();
        // An answer that never ends is not read.
        self.asked(method, &path, &headers, None).await.status()
    }
}

#[test]
fn the_matrix_names_every_operation() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.push((method.to_uppercase(), path.clone()));
        }
    }
    described.sort();
    let named: Vec<_> = operations().into_keys().collect();
    assert_eq!(described, named);
}

#[tokio::test]
async fn each_route_is_for_its_role_and_those_above_and_for_nobody_else() {
    let service = Service::new().await;
    let mut callers = vec![(None, None)];
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let token = service.token(role.name(), role).await;
        callers.push((Some(role), Some(token)));
    }
    for ((method, path), needed) in operations() {
        for (role, token) in &callers {
            let status = service.status(&method, &path, token.as_deref()).await;
            let at = format!("{method} {path} as {role:?}: {status}");
            assert!(!status.is_server_error(), "{at}");
            let Some(needed) = needed else {
                assert_ne!(status, StatusCode::FORBIDDEN, "{at}");
                continue;
            };
            let expected = match role {
                None => Some(StatusCode::UNAUTHORIZED),
                Some(role) if *role < needed => Some(StatusCode::FORBIDDEN),
                Some(_) => None,
            };
            match expected {
                Some(expected) => assert_eq!(status, expected, "{at}"),
                None => assert!(
                    status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN,
                    "{at}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_nobody_made_is_refused_everywhere() {
    let service = Service::new().await;
    for ((method, path), _) in operations() {
        let status = service
            .status(&method, &path, Some("Bearer imt_made-up"))
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}
