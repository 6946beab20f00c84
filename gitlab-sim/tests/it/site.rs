//! A simulated GitLab with people in it, and a client that says exactly what is sent.

use std::time::Duration;

use axum::body::Body;
use chrono::{DateTime, TimeZone, Utc};
use gitlab_sim::{
    AccessLevel, ConnectionLost, IssueSpec, ProjectSpec, Sim, SimBuilder, SimClock, TokenSpec,
    UserSpec,
};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) struct Site {
    pub(crate) sim: Sim,
    pub(crate) clock: SimClock,
    pub(crate) project: u64,
    pub(crate) owner: u64,
    pub(crate) planner: u64,
    pub(crate) guest: u64,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) lost: bool,
    pub(crate) body_broke: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn iids(&self) -> Vec<u64> {
        self.json()
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| row["iid"].as_u64().expect("iid"))
            .collect()
    }
}

pub(crate) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0)
        .single()
        .expect("a moment")
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(Sim::builder())
    }

    pub(crate) fn with(builder: SimBuilder) -> Self {
        let clock = SimClock::manual(start());
        let sim = builder.clock(clock.clone()).build();
        let owner = sim.add_user(UserSpec::new("olga", "Olga Owner"));
        let planner = sim.add_user(UserSpec::new("paul", "Paul Planner"));
        let guest = sim.add_user(UserSpec::new("gina", "Gina Guest"));
        let stranger = sim.add_user(UserSpec::new("sam", "Sam Stranger"));
        let members = [
            (owner, AccessLevel::Owner),
            (planner, AccessLevel::Planner),
            (guest, AccessLevel::Guest),
        ];
        let project = sim.add_project(ProjectSpec::new("team/project", &members));
        let people = [
            (owner, "owner"),
            (planner, "planner"),
            (guest, "guest"),
            (stranger, "stranger"),
        ];
        for (user, secret) in people {
            sim.add_token(user, TokenSpec::api(secret));
        }
        Self {
            sim,
            clock,
            project,
            owner,
            planner,
            guest,
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// An issue written by the planner; the clock does not move.
    pub(crate) fn issue(&self, title: &str) -> u64 {
        let spec = IssueSpec {
            author: self.planner,
            title: title.to_owned(),
            ..IssueSpec::default()
        };
        self.sim
            .edit(|world| world.create_issue(self.project, spec))
            .expect("a project")
    }

    pub(crate) fn updated_at(&self, iid: u64) -> DateTime<Utc> {
        self.sim
            .world(|world| world.issue(self.project, iid).expect("an issue").updated_at)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self
            .sim
            .router()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let (bytes, body_broke) = match body.collect().await {
            Ok(collected) => (collected.to_bytes(), false),
            Err(_) => (bytes::Bytes::new(), true),
        };
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            lost: parts.extensions.get::<ConnectionLost>().is_some(),
            body_broke,
        }
    }

    pub(crate) fn request(
        method: &str,
        token: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v4{path}"));
        if !token.is_empty() {
            request = request.header("PRIVATE-TOKEN", token);
        }
        let body = match body {
            Some(json) => {
                request = request.header("Content-Type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        request.body(body).expect("a request")
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Reply {
        self.send(Self::request("GET", token, path, None)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(Self::request("POST", token, path, Some(&body)))
            .await
    }

    pub(crate) async fn put(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(Self::request("PUT", token, path, Some(&body)))
            .await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Reply {
        self.send(Self::request("DELETE", token, path, None)).await
    }
}
