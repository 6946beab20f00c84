//! Levels of urgency, as queues.

use super::mirrors::Rest;
use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{MaybeBody, Path},
    problem::Problem,
};
use axum::{Json, extract::State};
use mirror_core::job::Priority;
use mirror_store::Queue;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// A queue.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
pub(super) struct Shown {
    /// `by_hand`, `incremental`, `backfill`; the most urgent first.
    name: &'static str,
    /// Jobs that wait for their time or their turn.
    depth: i64,
    /// How long the one that is due longest has been due; none: all wait for a later time.
    oldest_runnable_seconds: Option<u64>,
    /// Handed out and running.
    in_flight: i64,
    /// Why it rests, if it does.
    paused: Option<String>,
}

fn name(priority: Priority) -> &'static str {
    match priority {
        Priority::ByHand => "by_hand",
        Priority::Incremental => "incremental",
        Priority::Backfill => "backfill",
    }
}

/// By the number in the record.
pub(super) fn name_of(number: i64) -> &'static str {
    match number {
        0 => name(Priority::Backfill),
        1 => name(Priority::Incremental),
        _ => name(Priority::ByHand),
    }
}

impl From<Queue> for Shown {
    fn from(queue: Queue) -> Self {
        Self {
            name: name(queue.priority),
            depth: queue.pending,
            oldest_runnable_seconds: queue.oldest_due.map(|due| due.as_secs()),
            in_flight: queue.queued + queue.running,
            paused: queue.paused,
        }
    }
}

/// Queues
#[utoipa::path(get, path = "/api/queues", tag = "operations",
    responses((status = 200, body = [Shown])))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
) -> Result<Json<Vec<Shown>>, Problem> {
    let queues = state.store.queues().await?;
    Ok(Json(queues.into_iter().map(Shown::from).collect()))
}

/// Let a queue rest
///
/// Nothing of it is handed out; what is out may end.
#[utoipa::path(post, path = "/api/queues/{name}/pause", tag = "operations", request_body = Rest,
    params(("name" = String, Path)),
    responses((status = 200, body = Shown), (status = 404), (status = 422)))]
pub(super) async fn pause(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(given): Path<String>,
    MaybeBody(rest): MaybeBody<Rest>,
) -> Result<Json<Shown>, Problem> {
    let reason = rest.checked()?;
    set(&state, &trail, &given, Some(&reason)).await
}

/// End a queue's rest
#[utoipa::path(post, path = "/api/queues/{name}/resume", tag = "operations",
    params(("name" = String, Path)), responses((status = 200, body = Shown), (status = 404)))]
pub(super) async fn resume(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(given): Path<String>,
) -> Result<Json<Shown>, Problem> {
    set(&state, &trail, &given, None).await
}

async fn set(
    state: &ApiState,
    trail: &Trail,
    given: &str,
    reason: Option<&str>,
) -> Result<Json<Shown>, Problem> {
    let all = [Priority::ByHand, Priority::Incremental, Priority::Backfill];
    let priority = all.into_iter().find(|priority| name(*priority) == given);
    let priority = priority.ok_or_else(|| Problem::not_found("queue"))?;
    let store = &state.store;
    store.pause_queue(priority, reason).await?;
    state.signals.owed();
    let what = if reason.is_some() {
        "queue.pause"
    } else {
        "queue.resume"
    };
    let object = format!("queue/{given}");
    let after = Some(json!({"paused": reason}));
    trail.record(store, what, &object, (None, after)).await?;
    let queues = store.queues().await?;
    let queue = queues.into_iter().find(|queue| queue.priority == priority);
    let queue = queue.ok_or_else(|| Problem::not_found("queue"))?;
    Ok(Json(queue.into()))
}
