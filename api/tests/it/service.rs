//! A service that is asked within the process, and who may ask it.

use crate::timed_state;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use mirror_api::{ApiState, credential, password, router};
use mirror_core::ids::{InstanceId, InstanceName, MirrorId, ProjectId};
use mirror_runtime::{SystemEntropy, testing::ManualClock};
use mirror_store::{MirrorEnd, NewMirror, NewToken, NewUser, Role};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "four plain words here";
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A service, and what one asks of it.
pub(crate) struct Service {
    pub(crate) state: ApiState,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) router: Router,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The cookie that it sets, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.headers[header::SET_COOKIE].to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    /// The query of the next page, if there is one.
    pub(crate) fn next_page(&self) -> Option<String> {
        let links = self.headers[header::LINK].to_str().unwrap();
        let link = links
            .split(", ")
            .find(|link| link.contains("rel=\"next\""))?;
        let query = link.split_once('?').unwrap().1;
        Some(format!("?{}", query.split_once('>').unwrap().0))
    }

    pub(crate) fn csrf(&self) -> String {
        self.body["csrf"].as_str().unwrap().to_owned()
    }
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::behind("").await
    }

    /// Behind these proxies.
    pub(crate) async fn behind(proxies: &str) -> Self {
        let (mut state, clock) = timed_state().await;
        state.proxies = proxies.parse().unwrap();
        Self {
            router: router(state.clone()),
            state,
            clock,
        }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(method, path, headers, None).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let answer = self.asked(method, path, headers, body).await;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// The answer, not read yet.
    pub(crate) async fn asked(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response {
        let body = body.map(|body| body.to_string());
        let json = [(header::CONTENT_TYPE.as_str(), "application/json")];
        let json = json.into_iter().filter(|_| body.is_some());
        let headers: Vec<_> = headers.iter().copied().chain(json).collect();
        self.told(method, path, &headers, &body.unwrap_or_default())
            .await
    }

    /// The answer to exactly this, not read yet.
    pub(crate) async fn told(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = "192.0.2.7:50000".parse().unwrap();
        let request = request.extension(ConnectInfo(peer));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A token made at the record, as its holder sends it.
    pub(crate) async fn token(&self, name: &str, role: Role) -> String {
        let minted = credential::token(&SystemEntropy);
        let new = NewToken {
            name: &name.parse().unwrap(),
            role,
            digest: &minted.digest,
            hint: credential::hint(&minted.secret),
            created_by: "cli:root",
            expires_at: Some(self.state.store.now() + DAY),
        };
        self.state.store.create_token(&new).await.unwrap();
        format!("Bearer {}", minted.secret)
    }

    pub(crate) async fn user(&self, name: &str, role: Role) {
        let hashed = password::hashed(PASSWORD, &SystemEntropy).await.unwrap();
        let new = NewUser {
            name: &name.parse().unwrap(),
            role,
            password: &hashed,
        };
        self.state.store.create_user(&new).await.unwrap();
    }

    pub(crate) async fn log_in(
        &self,
        name: &str,
        password: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = json!({"name": name, "password": password});
        self.send(Method::POST, "/api/session", headers, Some(body))
            .await
    }

    async fn end(&self, instance: &str, project: i64) -> MirrorEnd {
        let name = InstanceName(instance.to_owned());
        let base = format!("https://{instance}/");
        let registered = self.state.store.register_instance(&name, &base, &[]);
        MirrorEnd {
            instance: registered.await.unwrap(),
            project: ProjectId(project),
            path: "group/project".to_owned(),
        }
    }

    /// A mirror, and the instance of its source.
    pub(crate) async fn mirror(&self) -> (MirrorId, InstanceId) {
        let instance = self.end("gitlab.a", 1).await.instance;
        (self.mirror_of(1).await, instance)
    }

    /// Of this project.
    pub(crate) async fn mirror_of(&self, project: i64) -> MirrorId {
        let source = self.end("gitlab.a", project).await;
        let target = self.end("gitlab.b", project).await;
        let new = NewMirror { source, target };
        self.state.store.ensure_mirror(&new).await.unwrap().id
    }
}
