//! What is known of each issue of a mirror.

use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{Body, Path, Query},
    page::{Page, paged},
    problem::{FieldError, Kind, Problem},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use mirror_core::{
    errand::Errand,
    ids::{Iid, MirrorId},
    job::{Job, Priority},
    merge::{Resolution, What},
};
use mirror_store::{Attempt, IssueFilter, KeptEdit, ListedIssue, RunKind, RunRequest, Unlinked};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// How they stand, as the list filters.
const STATUSES: [&str; 7] = [
    "pending",
    "synced",
    "skipped",
    "unlinked",
    "failed",
    "conflict",
    "target_modified",
];
/// Attempts that are shown.
const ATTEMPTS: u32 = 50;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, unlink))
        .routes(routes!(resolve))
        .routes(routes!(resync))
}

/// What is known of an issue. Titles and texts are not on record.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueMapping)]
pub(super) struct Shown {
    id: i64,
    source_iid: i64,
    source_id: i64,
    /// Its copy's number.
    target_iid: Option<i64>,
    target_id: Option<i64>,
    /// `pending`, `synced`, `skipped`, `unlinked`, `failed`.
    status: String,
    /// Why it is left out, or what went wrong.
    reason: Option<String>,
    /// Edits on the target that wait for a person.
    conflicts: i64,
    /// The source issue is the copy: made by the other half of a pair.
    is_reverse: bool,
    last_synced_at: Option<DateTime<Utc>>,
    source_updated_at: Option<DateTime<Utc>>,
    target_updated_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<ListedIssue> for Shown {
    fn from(row: ListedIssue) -> Self {
        Self {
            id: row.id,
            source_iid: row.source_issue_iid,
            source_id: row.source_issue_id,
            target_iid: row.target_issue_iid,
            target_id: row.target_issue_id,
            status: if row.sync_status == "blocked" {
                "unlinked".to_owned()
            } else {
                row.sync_status
            },
            reason: row.sync_error,
            conflicts: row.conflicts,
            is_reverse: row.is_reverse,
            last_synced_at: row.last_synced_at,
            source_updated_at: row.source_updated_at,
            target_updated_at: row.target_updated_at,
            created_at: row.created_at,
        }
    }
}

/// An edit on the target that is kept there.
#[derive(Serialize, ToSchema)]
#[schema(as = TargetEdit)]
pub(super) struct Edit {
    field: &'static str,
    /// The source's comment, if it is one.
    note_id: Option<i64>,
    /// The source has changed there, too: a person is to decide.
    conflict: bool,
    /// What the source says; none: it is confidential.
    source: Option<String>,
    /// What the target says; none: it is confidential.
    target: Option<String>,
    /// What a person decided, not carried out yet.
    resolution: Option<&'static str>,
    found_at: DateTime<Utc>,
}

impl From<KeptEdit> for Edit {
    fn from(kept: KeptEdit) -> Self {
        let (field, note_id) = match kept.edit.what {
            What::Field(field) => (field.name(), None),
            What::Comment(note) => ("comment", Some(note.0)),
        };
        let (source, target) = kept.edit.values.unzip();
        Self {
            field,
            note_id,
            conflict: kept.edit.conflict,
            source,
            target,
            resolution: kept.resolution.map(Resolution::name),
            found_at: kept.found_at,
        }
    }
}

/// One try at a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct Try {
    /// Which worker.
    worker: Option<String>,
    started_at: Option<DateTime<Utc>>,
    ended_at: DateTime<Utc>,
    /// `done`, `snoozed`, `retried`, `given_up`, `crashed`, `handed_back`.
    ending: &'static str,
    /// What it did.
    #[schema(value_type = Option<Object>)]
    outcome: Option<serde_json::Value>,
    /// What went wrong, or what was waited for.
    error: Option<String>,
}

impl From<Attempt> for Try {
    fn from(attempt: Attempt) -> Self {
        let outcome = attempt.outcome.map(serde_json::to_value);
        Self {
            worker: attempt.owner,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            ending: attempt.ending.name(),
            outcome: outcome.and_then(Result::ok).map(|outcome| {
                if outcome.is_object() {
                    outcome
                } else {
                    json!({"outcome": outcome})
                }
            }),
            error: attempt.error,
        }
    }
}

/// All that is known of an issue.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueMappingDetail)]
pub(super) struct Detail {
    #[serde(flatten)]
    issue: Shown,
    /// The job that keeps it in line, if there ever was one.
    job_id: Option<i64>,
    /// Why that is not running, in one sentence.
    why: Option<String>,
    /// Edits on the target that are kept there.
    edits: Vec<Edit>,
    /// How the latest tries went, the latest first.
    attempts: Vec<Try>,
}

/// Which issues are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// `pending`, `synced`, `skipped`, `unlinked`, `failed`; `conflict` (also called
    /// `target_modified`) for edits on the target that wait for a person.
    status: Option<String>,
    /// The one with this number in the source project. (Titles are not on record.)
    #[param(minimum = 1)]
    iid: Option<i64>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id.
    after: Option<i64>,
}

/// A mirror's issues
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/issues", tag = "issues",
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
    let status = query.status.as_deref();
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        let detail = format!("{status} is none of {}", STATUSES.join(", "));
        return Err(Problem::new(Kind::BadRequest, format!("status: {detail}"))
            .with(vec![FieldError::at("status", detail)]));
    }
    let conflict = matches!(status, Some("conflict" | "target_modified"));
    let filter = IssueFilter {
        status: match status {
            Some("unlinked") => Some("blocked".to_owned()),
            Some(status) if !conflict => Some(status.to_owned()),
            Some(_) | None => None,
        },
        conflict,
        iid: query.iid.map(Iid),
        after: wanted.after,
        offset: wanted.offset,
    };
    let store = &state.store;
    store.listed_mirror(MirrorId(id)).await?;
    let rows = store
        .listed_issues(MirrorId(id), &filter, wanted.limit)
        .await?;
    Ok(paged(&uri, &wanted, rows, |row| row.id, Shown::from))
}

async fn find(state: &ApiState, mirror: MirrorId, mapping: i64) -> Result<ListedIssue, Problem> {
    let row = state.store.listed_issue(mirror, mapping).await?;
    row.ok_or_else(|| Problem::not_found("issue of this mirror"))
}

/// All that is known of an issue
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}", tag = "issues",
    params(("mirror_id" = i64, Path), ("mapping_id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path((mirror, mapping)): Path<(i64, i64)>,
) -> Result<Json<Detail>, Problem> {
    let (store, mirror) = (&state.store, MirrorId(mirror));
    let row = find(&state, mirror, mapping).await?;
    let iid = Iid(row.source_issue_iid);
    let key = Job::SyncIssue { mirror, iid }.key();
    let job = store.job_called(&key).await?;
    let (mut why, mut attempts) = (None, Vec::new());
    if let Some(job) = &job {
        why = Some(super::jobs::sentence(&state, job).await?);
        attempts = store.attempts(job.work, ATTEMPTS).await?;
    }
    let edits = store.edits(mirror, iid).await?;
    Ok(Json(Detail {
        issue: row.into(),
        job_id: job.map(|job| job.work.0),
        why,
        edits: edits.into_iter().map(Edit::from).collect(),
        attempts: attempts.into_iter().map(Try::from).collect(),
    }))
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
    Operator(caller): Operator,
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
    let what = (caller.name.as_str(), "issue.resolve", object.as_str());
    let after = json!({"resolution": resolution.name(), "decided": decided});
    trail.record(store, what, (None, Some(after))).await?;
    Ok(Json(Decided { decided }))
}

/// Look at an issue now
///
/// One that was unlinked is put back into the mirror.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}/resync",
    tag = "issues", params(("mirror_id" = i64, Path), ("mapping_id" = i64, Path)),
    responses((status = 202, body = super::sync::Accepted), (status = 404)))]
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
    let what = (caller.name.as_str(), "issue.resync", object.as_str());
    let after = json!({"job_id": requested.run.0, "relinked": back == Unlinked::Done(iid)});
    trail.record(store, what, (None, Some(after))).await?;
    let accepted = super::sync::Accepted::of(mirror, requested);
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
            body = super::errands::Shown), (status = 404),
        (status = 409, description = "A job of it is out at a worker just now")))]
pub(super) async fn unlink(
    Operator(caller): Operator,
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
        return super::errands::ask(&state, &trail, &errand, &caller.name, &headers).await;
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
    let what = (caller.name.as_str(), "issue.unlink", object.as_str());
    let before = json!({"target_iid": row.target_issue_iid, "status": row.sync_status});
    trail.record(store, what, (Some(before), None)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
