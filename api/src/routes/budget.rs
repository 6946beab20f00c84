//! What may still be sent to a GitLab.

use crate::{
    ApiState,
    access::Viewer,
    body::Path,
    problem::{Kind, Problem},
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use mirror_core::ids::InstanceId;
use mirror_queue::budget::BucketView;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What a GitLab lets through, and who spends it.
#[derive(Serialize, ToSchema)]
#[schema(as = Budget)]
pub(super) struct Shown {
    /// One for each token's user and class of requests. In a process of its own the API knows those
    /// that went through Redis; with `all` those of this process.
    buckets: Vec<Bucket>,
    /// Jobs that are out on it just now, by mirror.
    spenders: Vec<Spender>,
}

/// Requests of one class that one user may send.
#[derive(Serialize, ToSchema)]
pub(super) struct Bucket {
    /// Whose token.
    user: String,
    /// Of which requests: `api`, `notes`, `issues`, `search`, `uploads`.
    class: &'static str,
    /// Requests in a period; none: no limit is known.
    limit: Option<u64>,
    period_seconds: u64,
    /// Of ours that it may be counting now.
    used: u64,
    /// What may still be sent.
    remaining: Option<u64>,
    /// When more will remain.
    resets_at: Option<DateTime<Utc>>,
    /// Nothing goes before this time.
    closed_until: Option<DateTime<Utc>>,
}

/// A mirror that has jobs out.
#[derive(Serialize, ToSchema)]
pub(super) struct Spender {
    mirror_id: i64,
    /// Handed out and running.
    jobs: i64,
}

impl From<BucketView> for Bucket {
    fn from(view: BucketView) -> Self {
        Self {
            user: view.account.user,
            class: view.class.name(),
            limit: view.limit,
            period_seconds: view.period.as_secs(),
            used: view.used,
            remaining: view.remaining,
            resets_at: view.resets_at,
            closed_until: view.closed_until,
        }
    }
}

/// What may still be sent to a GitLab
#[utoipa::path(get, path = "/api/instances/{id}/budget", tag = "instances",
    params(("id" = i64, Path)), responses((status = 200, body = Shown), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    let id = InstanceId(id);
    state.store.instance_entry(id).await?;
    let buckets = state.budget.buckets().await.map_err(|error| {
        tracing::warn!(%error, "Redis does not answer");
        Problem::new(Kind::Unavailable, "Redis does not answer; try again").after(2)
    })?;
    let buckets = buckets.into_iter();
    let out = state.store.out_on(id).await?;
    Ok(Json(Shown {
        buckets: buckets
            .filter(|view| view.account.instance == id)
            .map(Bucket::from)
            .collect(),
        spenders: out
            .into_iter()
            .map(|(mirror_id, jobs)| Spender { mirror_id, jobs })
            .collect(),
    }))
}
