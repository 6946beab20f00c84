//! A mirror's sync jobs: scans and what they caused, counted.

use super::sync::SyncType;
use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{Path, Query},
    page::{Page, paged},
    problem::{Kind, Problem},
    words::SyncJobWord,
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{MirrorId, RunId},
    job::Priority,
};
use mirror_store::{Run, RunFilter, RunGroup, RunKind, RunRequest, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Groups of errors that are told.
const GROUPS: u32 = 20;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(groups))
        .routes(routes!(cancel))
        .routes(routes!(retry))
}

/// A sync job: a scan, and the jobs that it caused.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncJob)]
pub(super) struct Shown {
    id: i64,
    mirror_id: i64,
    /// `full_sync`, `incremental_sync`, `single_issue`.
    kind: &'static str,
    /// `running`, `completed`, `partial`, `failed`, `interrupted`, `cancelled`.
    status: &'static str,
    /// Who or what asked for it.
    requested_by: String,
    started_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    progress: Progress,
    counts: Counts,
    /// What went wrong with it as a whole.
    error: Option<String>,
}

/// A sync job, and what it was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncJobDetail)]
pub(super) struct Detail {
    #[serde(flatten)]
    job: Shown,
    parameters: Parameters,
}

/// What a sync job was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncJobParameters)]
pub(super) struct Parameters {
    #[schema(inline)]
    sync_type: SyncType,
    /// Only these issues, by all who asked; empty: the whole project.
    issue_iids: Vec<i64>,
}

/// How far it has come.
#[derive(Serialize, ToSchema)]
pub(super) struct Progress {
    /// Jobs that it waits for. A scan that still looks may find more.
    open: i64,
    /// Issues that are through.
    processed: i64,
    /// Of what was found so far.
    percent: i64,
    /// When it will be through at this pace; none: it is, or nothing can be told yet.
    eta: Option<DateTime<Utc>>,
}

/// What it did.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    /// Issues looked at.
    processed: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    /// Left out on purpose.
    skipped: i64,
    failed: i64,
    /// Comments created.
    comments: i64,
    /// Files carried.
    attachments: i64,
    /// Requests sent.
    api_calls: i64,
    /// How often one had to wait: for its turn, for a limit to pass, or after a failure.
    waits: i64,
}

impl Shown {
    fn of(run: Run, now: DateTime<Utc>) -> Self {
        let counts = run.counts;
        let ends = run.status != RunStatus::Running;
        let all = counts.processed + run.open;
        let eta = (!ends && counts.processed > 0 && run.open > 0).then(|| {
            let taken = (now - run.started_at).num_milliseconds().max(0);
            let left = i128::from(taken) * i128::from(run.open) / i128::from(counts.processed);
            let longest = TimeDelta::days(365).num_milliseconds();
            now + TimeDelta::milliseconds(i64::try_from(left).unwrap_or(longest).min(longest))
        });
        Self {
            id: run.id.0,
            mirror_id: run.mirror.0,
            kind: run.kind.name(),
            status: run.status.name(),
            requested_by: run.requested_by,
            started_at: run.started_at,
            completed_at: run.completed_at,
            progress: Progress {
                open: run.open,
                processed: counts.processed,
                percent: match (ends, all) {
                    (true, _) => 100,
                    (false, 0) => 0,
                    (false, all) => counts.processed * 100 / all,
                },
                eta,
            },
            counts: Counts {
                processed: counts.processed,
                created: counts.created,
                updated: counts.updated,
                unchanged: counts.unchanged,
                skipped: counts.skipped,
                failed: counts.failed,
                comments: counts.comments,
                attachments: counts.attachments,
                api_calls: counts.api_calls,
                waits: counts.waits,
            },
            error: run.error_details,
        }
    }
}

/// Which sync jobs are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    #[param(inline)]
    status: Option<SyncJobWord>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id, which are older.
    after: Option<i64>,
}

/// A mirror's sync jobs, latest first
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/jobs", tag = "issue sync",
    params(("mirror_id" = i64, Path), ListQuery),
    responses((status = 200, body = [Shown]), (status = 404)))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<i64>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let wanted = Page::wanted(query.page, query.per_page, query.after)?;
    let store = &state.store;
    store.listed_mirror(MirrorId(id)).await?;
    let filter = RunFilter {
        status: query.status.map(Into::into),
        before: wanted.after.map(RunId),
        offset: wanted.offset,
    };
    let rows = store
        .listed_runs(MirrorId(id), &filter, wanted.limit)
        .await?;
    let now = store.now();
    Ok(paged(
        &uri,
        &wanted,
        rows,
        |run| run.id.0,
        |run| Shown::of(run, now),
    ))
}

async fn find(state: &ApiState, mirror: i64, job: i64) -> Result<Run, Problem> {
    let run = state.store.run(RunId(job)).await?;
    run.filter(|run| run.mirror == MirrorId(mirror))
        .ok_or_else(|| Problem::not_found("sync job of this mirror"))
}

/// A sync job
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}", tag = "issue sync",
    params(("mirror_id" = i64, Path), ("job_id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path((mirror, job)): Path<(i64, i64)>,
) -> Result<Json<Detail>, Problem> {
    let run = find(&state, mirror, job).await?;
    let issues = match run.kind {
        RunKind::Full | RunKind::Incremental => Vec::new(),
        RunKind::SingleIssue => state.store.asked_for(run.id).await?,
    };
    Ok(Json(Detail {
        parameters: Parameters {
            sync_type: SyncType::of(run.kind),
            issue_iids: issues.into_iter().map(|iid| iid.0).collect(),
        },
        job: Shown::of(run, state.store.now()),
    }))
}

/// Jobs that ended alike.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncJobGroup)]
pub(super) struct Group {
    /// The error, or why they were left out.
    why: String,
    jobs: i64,
    /// One of them.
    #[schema(example = "sync_issue/7/123")]
    example: String,
}

/// What went wrong, and what was left out.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncJobGroups)]
pub(super) struct Groups {
    errors: Vec<Group>,
    skipped: Vec<Group>,
}

impl From<RunGroup> for Group {
    fn from(group: RunGroup) -> Self {
        Self {
            why: group.why,
            jobs: group.jobs,
            example: group.example,
        }
    }
}

/// What went wrong in a sync job, and what it left out
///
/// The most frequent first.
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}/errors",
    tag = "issue sync", params(("mirror_id" = i64, Path), ("job_id" = i64, Path)),
    responses((status = 200, body = Groups), (status = 404)))]
pub(super) async fn groups(
    _: Viewer,
    State(state): State<ApiState>,
    Path((mirror, job)): Path<(i64, i64)>,
) -> Result<Json<Groups>, Problem> {
    let run = find(&state, mirror, job).await?;
    let errors = state.store.run_errors(run.id, GROUPS).await?;
    let skipped = state.store.run_skips(run.id, GROUPS).await?;
    Ok(Json(Groups {
        errors: errors.into_iter().map(Group::from).collect(),
        skipped: skipped.into_iter().map(Group::from).collect(),
    }))
}

/// End a sync job
///
/// What it had found is owed still, and waits for the mirror's next turn.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}/cancel",
    tag = "issue sync", params(("mirror_id" = i64, Path), ("job_id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404),
        (status = 409, description = "It has ended already")))]
pub(super) async fn cancel(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path((mirror, job)): Path<(i64, i64)>,
) -> Result<Json<Shown>, Problem> {
    let store = &state.store;
    let run = find(&state, mirror, job).await?;
    let ended = |run: &Run| {
        let detail = format!("it has ended already ({})", run.status.name());
        Problem::new(Kind::Conflict, detail)
    };
    if run.status != RunStatus::Running {
        return Err(ended(&run));
    }
    match store.cancel_run(run.id).await {
        Ok(()) => {}
        Err(mirror_store::StoreError::NoSuchRun(_)) => {
            return Err(ended(&find(&state, mirror, job).await?));
        }
        Err(error) => return Err(error.into()),
    }
    let object = format!("mirror/{mirror}");
    trail
        .record(
            store,
            "sync_job.cancel",
            &object,
            (None, Some(json!({"job_id": job}))),
        )
        .await?;
    let run = find(&state, mirror, job).await?;
    Ok(Json(Shown::of(run, store.now())))
}

/// Do it again
///
/// The issues that it was asked for are looked at anew. Where it was the whole project, dead letters of
/// the mirror get their attempts back as well.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/jobs/{job_id}/retry",
    tag = "issue sync", params(("mirror_id" = i64, Path), ("job_id" = i64, Path)),
    responses((status = 202, body = super::sync::Accepted), (status = 404),
        (status = 409, description = "It is under way still")))]
pub(super) async fn retry(
    Operator(caller): Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path((mirror, job)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let store = &state.store;
    let run = find(&state, mirror, job).await?;
    if run.status == RunStatus::Running {
        let detail = "it is under way still; cancel it first, or wait";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let issues = match run.kind {
        RunKind::Full | RunKind::Incremental => Vec::new(),
        RunKind::SingleIssue => store.asked_for(run.id).await?,
    };
    if issues.is_empty() {
        store.retry_dead(run.mirror).await?;
    }
    let (kind, jobs) = super::sync::jobs(run.mirror, SyncType::of(run.kind), issues);
    let request = RunRequest {
        mirror: run.mirror,
        kind,
        jobs: &jobs,
        priority: Priority::ByHand,
        by: &caller.name,
    };
    let requested = store.request_run(&request).await?;
    state.signals.owed();
    let object = format!("mirror/{mirror}");
    let after = json!({"job_id": job, "again": requested.run.0});
    trail
        .record(store, "sync_job.retry", &object, (None, Some(after)))
        .await?;
    let accepted = super::sync::Accepted::of(mirror, requested);
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}
