//! The same for all jobs that match.

use super::jobs::{Which, next_turn};
use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::Body,
    problem::{FieldError, Problem},
};
use axum::{Json, extract::State};
use mirror_store::JobFilter;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Jobs that one request changes at most.
const MOST: usize = 10_000;
const BATCH: u32 = 200;
/// Kinds of errors that are told at most.
const ERRORS: u32 = 1_000;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(act))
        .routes(routes!(errors))
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Due at once; dead letters get their attempts back.
    Retry,
    /// Put off until their mirrors' next turns.
    Cancel,
}

/// What to do with all jobs that match.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkJobs {
    #[schema(inline)]
    action: Action,
    filter: Which,
    /// Only tell how many it would be.
    #[serde(default)]
    dry_run: bool,
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub(super) struct ActedJobs {
    /// Jobs that match.
    matched: usize,
    /// Jobs that it was done to; others were out at a worker, or over.
    changed: usize,
    /// There are more than one request changes: send it again.
    more: bool,
}

/// Retry or cancel all jobs that match
#[utoipa::path(post, path = "/api/jobs/bulk", tag = "operations", request_body = BulkJobs,
    responses((status = 200, body = ActedJobs), (status = 400), (status = 422)))]
pub(super) async fn act(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Body(bulk): Body<BulkJobs>,
) -> Result<Json<ActedJobs>, Problem> {
    let which = &bulk.filter;
    let named = which.state.is_some()
        || which.kind.is_some()
        || which.mirror_id.is_some()
        || which.instance_id.is_some()
        || which.older_than_seconds.is_some()
        || which.error_fingerprint.is_some();
    if !named {
        let detail = "say which jobs: by state, kind, mirror, instance, age or error";
        return Err(Problem::invalid(vec![FieldError::at("/filter", detail)]));
    }
    let store = &state.store;
    let mut filter = which.filter(&state);
    let mut acted = ActedJobs {
        matched: 0,
        changed: 0,
        more: false,
    };
    while !acted.more {
        let jobs = store.jobs(&filter, BATCH).await?;
        let Some(last) = jobs.last() else { break };
        filter = JobFilter {
            after: Some(last.work),
            ..filter
        };
        acted.matched += jobs.len();
        for job in jobs.iter().filter(|_| !bulk.dry_run) {
            let done = match bulk.action {
                Action::Retry => store.retry_job(job.work).await?,
                Action::Cancel => {
                    let until = next_turn(&state, job).await?;
                    store.put_off_job(job.work, until).await?
                }
            };
            acted.changed += usize::from(done);
        }
        acted.more = acted.matched >= MOST;
    }
    state.signals.owed();
    if !bulk.dry_run {
        let name = match bulk.action {
            Action::Retry => "job.retry",
            Action::Cancel => "job.cancel",
        };
        let after = json!({"changed": acted.changed, "state": which.state, "kind": which.kind,
                           "mirror_id": which.mirror_id});
        trail
            .record(store, name, "jobs", (None, Some(after)))
            .await?;
    }
    Ok(Json(acted))
}

/// Errors that read alike.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorGroup {
    fingerprint: String,
    /// One of them.
    example: String,
    jobs: i64,
}

/// What goes wrong just now
///
/// Errors of jobs that are not done, those that read alike together, the most frequent first.
#[utoipa::path(get, path = "/api/jobs/errors", tag = "operations",
    responses((status = 200, body = [ErrorGroup])))]
pub(super) async fn errors(
    _: Viewer,
    State(state): State<ApiState>,
) -> Result<Json<Vec<ErrorGroup>>, Problem> {
    let errors = state.store.job_errors(ERRORS).await?.into_iter();
    let groups = errors.map(|one| ErrorGroup {
        fingerprint: one.fingerprint,
        example: one.example,
        jobs: one.jobs,
    });
    Ok(Json(groups.collect()))
}
