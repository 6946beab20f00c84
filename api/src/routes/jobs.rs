//! What is owed, and why it is not done.

use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{Path, Query},
    page::{Page, paged},
    problem::{Kind, Problem},
    why::why,
    words::JobWord,
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ids::{InstanceId, MirrorId, WorkId};
use mirror_store::{JobEntry, JobFilter, WorkState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(tell_why))
        .routes(routes!(retry))
        .routes(routes!(cancel))
}

/// A job that is owed.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct Shown {
    id: i64,
    /// What it is about.
    #[schema(example = "sync_issue/7/123")]
    key: String,
    mirror_id: i64,
    /// `pending`, `paused`, `queued`, `running`, `dead`, `done`.
    state: &'static str,
    /// `by_hand`, `incremental`, `backfill`.
    queue: &'static str,
    /// When it is or was due.
    run_at: DateTime<Utc>,
    /// What it waits for, where its last try ended with a time of its own.
    waiting_for: Option<String>,
    /// Failures since it last succeeded.
    attempts: i64,
    /// Who runs it, or ran it last.
    worker: Option<String>,
    last_error: Option<String>,
    /// Errors that read alike but for numbers have the same.
    error_fingerprint: Option<String>,
    updated_at: DateTime<Utc>,
}

impl From<JobEntry> for Shown {
    fn from(job: JobEntry) -> Self {
        Self {
            id: job.work.0,
            key: job.key,
            mirror_id: job.mirror.0,
            state: state_name(job.state),
            queue: super::queues::name_of(job.priority),
            run_at: job.run_at,
            waiting_for: job.waiting_for,
            attempts: job.attempts,
            worker: job.owner,
            last_error: job.last_error,
            error_fingerprint: job.error_fingerprint,
            updated_at: job.updated_at,
        }
    }
}

fn state_name(state: Option<WorkState>) -> &'static str {
    match state {
        None => "done",
        Some(WorkState::Pending) => "pending",
        Some(WorkState::Paused) => "paused",
        Some(WorkState::Queued) => "queued",
        Some(WorkState::Running) => "running",
        Some(WorkState::Dead) => "dead",
    }
}

/// Which jobs. What is not given does not matter.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = JobFilter)]
pub(super) struct Which {
    #[schema(inline)]
    pub(super) state: Option<JobWord>,
    /// `scan_mirror`, `sync_issue`, `transfer_upload`, `check_instance`.
    pub(super) kind: Option<String>,
    pub(super) mirror_id: Option<i64>,
    /// Of mirrors that have this instance as an end.
    pub(super) instance_id: Option<i64>,
    /// First owed so many seconds ago or earlier.
    pub(super) older_than_seconds: Option<u32>,
    /// Whose last error reads like this.
    pub(super) error_fingerprint: Option<String>,
}

impl Which {
    pub(super) fn filter(&self, state: &ApiState) -> JobFilter {
        let age = self.older_than_seconds;
        JobFilter {
            state: self.state.map(Into::into),
            kind: self.kind.clone(),
            mirror: self.mirror_id.map(MirrorId),
            instance: self.instance_id.map(InstanceId),
            before: age.map(|age| state.store.now() - TimeDelta::seconds(i64::from(age))),
            fingerprint: self.error_fingerprint.clone(),
            after: None,
            offset: 0,
        }
    }
}

/// Which jobs are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// All that are not done where it is left out.
    #[param(inline)]
    state: Option<JobWord>,
    /// `scan_mirror`, `sync_issue`, `transfer_upload`, `check_instance`.
    kind: Option<String>,
    mirror_id: Option<i64>,
    /// Of mirrors that have this instance as an end.
    instance_id: Option<i64>,
    /// First owed so many seconds ago or earlier.
    older_than_seconds: Option<u32>,
    /// Whose last error reads like this.
    error_fingerprint: Option<String>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id.
    after: Option<i64>,
}

/// Jobs of all mirrors that are not done
///
/// In the order in which they were first owed.
#[utoipa::path(get, path = "/api/jobs", tag = "operations", params(ListQuery),
    responses((status = 200, body = [Shown])))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let wanted = Page::wanted(query.page, query.per_page, query.after)?;
    let which = Which {
        state: query.state,
        kind: query.kind,
        mirror_id: query.mirror_id,
        instance_id: query.instance_id,
        older_than_seconds: query.older_than_seconds,
        error_fingerprint: query.error_fingerprint,
    };
    let filter = JobFilter {
        after: wanted.after.map(WorkId),
        offset: wanted.offset,
        ..which.filter(&state)
    };
    let rows = state.store.jobs(&filter, wanted.limit).await?;
    Ok(paged(&uri, &wanted, rows, |job| job.work.0, Shown::from))
}

async fn find(state: &ApiState, id: i64) -> Result<JobEntry, Problem> {
    let job = state.store.job(WorkId(id)).await?;
    job.ok_or_else(|| Problem::not_found("job"))
}

/// A job
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "operations", params(("id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    Ok(Json(find(&state, id).await?.into()))
}

/// Why a job is not running.
#[derive(Serialize, ToSchema)]
pub(super) struct Why {
    /// One sentence, and what to do where something is to be done.
    pub(super) sentence: String,
    job: Shown,
    /// Why its mirror rests, if it does.
    mirror_paused: Option<String>,
    /// Why its queue rests, if it does.
    queue_paused: Option<String>,
    /// A limit's own time, before which it does not run.
    not_before: Option<DateTime<Utc>>,
    /// Until when its worker, or its ticket, is waited for.
    lease_until: Option<DateTime<Utc>>,
    /// Workers that are alive.
    workers: usize,
}

impl Why {
    pub(super) async fn of(state: &ApiState, job: JobEntry) -> Result<Self, Problem> {
        let store = &state.store;
        let workers = store.workers().await?.len();
        let queue_paused = store.queue_rests(job.priority).await?;
        let queue = super::queues::name_of(job.priority);
        let sentence = match (&queue_paused, job.state) {
            (Some(reason), Some(WorkState::Pending)) => format!(
                "its queue {queue} rests: {reason}; `POST /api/queues/{queue}/resume` ends that"
            ),
            (Some(_) | None, _) => why(&job, store.now(), workers),
        };
        Ok(Self {
            sentence,
            mirror_paused: job.paused.clone(),
            queue_paused,
            not_before: job.not_before,
            lease_until: job.lease_until,
            workers,
            job: job.into(),
        })
    }
}

/// Why is it not running?
#[utoipa::path(get, path = "/api/jobs/{id}/why", tag = "operations", params(("id" = i64, Path)),
    responses((status = 200, body = Why), (status = 404)))]
pub(super) async fn tell_why(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Why>, Problem> {
    let job = find(&state, id).await?;
    Ok(Json(Why::of(&state, job).await?))
}

/// Make a job due at once
///
/// A dead letter gets its attempts back.
#[utoipa::path(post, path = "/api/jobs/{id}/retry", tag = "operations", params(("id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404),
        (status = 409, description = "It is out at a worker")))]
pub(super) async fn retry(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    let store = &state.store;
    let job = find(&state, id).await?;
    if !store.retry_job(job.work).await? {
        let detail = "it is out at a worker; wait until that is done";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    state.signals.owed();
    let object = format!("job/{id}");
    let before = json!({"key": job.key, "state": state_name(job.state)});
    trail
        .record(store, "job.retry", &object, (Some(before), None))
        .await?;
    Ok(Json(find(&state, id).await?.into()))
}

/// Until when a job is put off: its mirror's next turn.
pub(super) async fn next_turn(state: &ApiState, job: &JobEntry) -> Result<DateTime<Utc>, Problem> {
    let schedule = state.store.schedule(job.mirror).await?;
    let later = state.store.now() + schedule.interval;
    Ok(schedule.next_scan_at.unwrap_or(later))
}

/// Put a job off until its mirror's next turn
///
/// If it runs it stops before its next write. It stays owed.
#[utoipa::path(post, path = "/api/jobs/{id}/cancel", tag = "operations", params(("id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404),
        (status = 409, description = "It is done or dead")))]
pub(super) async fn cancel(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    let store = &state.store;
    let job = find(&state, id).await?;
    let until = next_turn(&state, &job).await?;
    if !store.put_off_job(job.work, until).await? {
        let detail = format!("it is {} and cannot be put off", state_name(job.state));
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let object = format!("job/{id}");
    let before = json!({"key": job.key, "state": state_name(job.state)});
    let after = json!({"until": until});
    trail
        .record(store, "job.cancel", &object, (Some(before), Some(after)))
        .await?;
    Ok(Json(find(&state, id).await?.into()))
}
