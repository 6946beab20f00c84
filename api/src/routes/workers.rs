//! Which processes work.

use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::Path,
    problem::Problem,
};
use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use mirror_store::Worker;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(drain))
}

/// A process that works.
#[derive(Serialize, ToSchema)]
#[schema(as = Worker)]
pub(super) struct Shown {
    /// Of this one start.
    name: String,
    host: String,
    pid: i64,
    version: String,
    /// Jobs now.
    running: i64,
    /// Jobs at once.
    concurrency: i64,
    started_at: DateTime<Utc>,
    heartbeat_at: DateTime<Utc>,
    /// It takes no new work.
    draining: bool,
}

impl From<Worker> for Shown {
    fn from(worker: Worker) -> Self {
        Self {
            name: worker.name,
            host: worker.host,
            pid: worker.pid,
            version: worker.version,
            running: worker.running,
            concurrency: worker.concurrency,
            started_at: worker.started_at,
            heartbeat_at: worker.heartbeat_at,
            draining: worker.draining,
        }
    }
}

/// Workers that gave a sign of life lately
#[utoipa::path(get, path = "/api/workers", tag = "operations",
    responses((status = 200, body = [Shown])))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
) -> Result<Json<Vec<Shown>>, Problem> {
    let workers = state.store.workers().await?;
    Ok(Json(workers.into_iter().map(Shown::from).collect()))
}

/// Have a worker leave in good order
///
/// Within seconds it takes no new work, ends what it does, and works no more. A process that is nothing but
/// a worker ends then.
#[utoipa::path(post, path = "/api/workers/{name}/drain", tag = "operations",
    params(("name" = String, Path)),
    responses((status = 202, description = "It was asked to"), (status = 404)))]
pub(super) async fn drain(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    if !state.store.ask_drain(&name).await? {
        return Err(Problem::not_found("worker"));
    }
    let object = format!("worker/{name}");
    trail
        .record(&state.store, "worker.drain", &object, (None, None))
        .await?;
    Ok(StatusCode::ACCEPTED)
}
