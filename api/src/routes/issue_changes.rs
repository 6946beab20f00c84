//! What people decide about an issue of a mirror.

use super::{errands, issues::find, sync::Accepted};
use crate::{
    ApiState,
    access::Operator,
    auth::Trail,
    body::{Body, Path, Query},
    problem::{Kind, Problem},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use mirror_core::{
    errand::Errand,
    ids::{Iid, MirrorId},
    job::{Job, Priority},
    merge::Resolution,
};
use mirror_store::{RunKind, RunRequest, Unlinked};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(unlink))
        .routes(routes!(resolve))
        .routes(routes!(resync))
}

/// Which side holds.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    UseSource,
    UseTarget,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    #[schema(inline)]
    resolution: Side,
}

/// What was decided.
#[derive(Serialize, ToSchema)]
pub(super) struct Decided {
    /// So many edits; the issue's next job, which is due at once, sees to them.
    decided: u64,
}

/// Decide which side holds
#[utoipa::path(post, tag = "issues", request_body = Decision,
    path = "/api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}/resolve-conflict",
    params(("mirror_id" = i64, Path), ("mapping_id" = i64, Path)),
    responses((status = 200, body = Decided), (status = 404),
        (status = 409, description = "Nothing of it was edited on the target"), (status = 422)))]
pub(super) async fn resolve(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path((mirror, mapping)): Path<(i64, i64)>,
    Body(decision): Body<Decision>,
) -> Result<Json<Decided>, Problem> {
    let (store, mirror) = (&state.store, MirrorId(mirror));
    let row = find(&state, mirror, mapping).await?;
    let resolution = match decision.resolution {
        Side::UseSource => Resolution::UseSource,
        Side::UseTarget => Resolution::UseTarget,
    };
    let iid = Iid(row.source_issue_iid);
    let decided = store.resolve_conflict(mirror, iid, resolution).await?;
    if decided == 0 {
        let detail = "nothing of it was edited on the target, or all is decided";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    state.signals.owed();
    let object = format!("mirror/{mirror}/issue/{iid}");
    let after = json!({"resolution": resolution.name(), "decided": decided});
    trail
        .record(store, "issue.resolve", &object, (None, Some(after)))
        .await?;
    Ok(Json(Decided { decided }))
}

/// Look at an issue now
///
/// One that was unlinked is put back into the mirror.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}/resync",
    tag = "issues", params(("mirror_id" = i64, Path), ("mapping_id" = i64, Path)),
    responses((status = 202, body = Accepted), (status = 404)))]
pub(super) async fn resync(
    Operator(caller): Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path((mirror, mapping)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let (store, id) = (&state.store, MirrorId(mirror));
    let row = find(&state, id, mapping).await?;
    let iid = Iid(row.source_issue_iid);
    let back = store.relink_issue(id, mapping).await?;
    let request = RunRequest {
        mirror: id,
        kind: RunKind::SingleIssue,
        jobs: &[Job::SyncIssue { mirror: id, iid }],
        priority: Priority::ByHand,
        by: &caller.name,
    };
    let requested = store.request_run(&request).await?;
    state.signals.owed();
    let object = format!("mirror/{mirror}/issue/{iid}");
    let after = json!({"job_id": requested.run.0, "relinked": back == Unlinked::Done(iid)});
    trail
        .record(store, "issue.resync", &object, (None, Some(after)))
        .await?;
    let accepted = Accepted::of(mirror, requested);
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// What becomes of the copy.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UnlinkQuery {
    /// The copy is deleted, too.
    #[serde(default)]
    #[param(default = false)]
    delete_target: bool,
}

/// Take an issue out of the mirror
///
/// Nothing of it crosses any more, and its copy stays as it is. The mapping stays, as `unlinked`, so
/// that the copy is never made again; `resync` puts the issue back. With `delete_target` a worker
/// deletes the copy, too, if it is ours.
#[utoipa::path(delete, path = "/api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}",
    tag = "issues", params(("mirror_id" = i64, Path), ("mapping_id" = i64, Path), UnlinkQuery),
    responses((status = 204, description = "It is out of the mirror"),
        (status = 202, description = "The copy is deleted by this errand",
            body = errands::Shown), (status = 404),
        (status = 409, description = "A job of it is out at a worker just now")))]
pub(super) async fn unlink(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path((mirror, mapping)): Path<(i64, i64)>,
    Query(query): Query<UnlinkQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (store, mirror) = (&state.store, MirrorId(mirror));
    let row = find(&state, mirror, mapping).await?;
    if query.delete_target {
        let errand = Errand::Unlink {
            mirror,
            mapping,
            delete_target: true,
        };
        return errands::ask(&state, &trail, &errand, &headers).await;
    }
    match store.unlink_issue(mirror, mapping).await? {
        Unlinked::Done(_) => {}
        Unlinked::Nothing => return Ok(StatusCode::NO_CONTENT.into_response()),
        Unlinked::Busy => {
            let detail = "a job of it is out at a worker just now; try again in a moment";
            return Err(Problem::new(Kind::Conflict, detail));
        }
    }
    let object = format!("mirror/{mirror}/issue/{}", row.source_issue_iid);
    let before = json!({"target_iid": row.target_issue_iid, "status": row.sync_status});
    trail
        .record(store, "issue.unlink", &object, (Some(before), None))
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
