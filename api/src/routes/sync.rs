//! A mirror's issues, looked at now; and how they stand.

use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{MaybeBody, Path},
    idempotency,
    problem::{FieldError, Kind, Problem},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority},
};
use mirror_store::{Answered, Requested, RunKind, RunRequest, StatusCount};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{
    ToSchema,
    openapi::{Array, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Issues that one request may name.
const MOST_ISSUES: usize = 1_000;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(sync))
        .routes(routes!(status))
}

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SyncType {
    /// Everything, field by field.
    Full,
    /// What changed.
    #[default]
    Incremental,
}

/// Numbers of issues.
fn iids() -> Array {
    let iid = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1));
    ArrayBuilder::new()
        .items(iid)
        .max_items(Some(MOST_ISSUES))
        .description(Some(
            "Only these issues, by their numbers in the source project.",
        ))
        .build()
}

impl SyncType {
    pub(super) fn of(kind: RunKind) -> Self {
        match kind {
            RunKind::Full => Self::Full,
            RunKind::Incremental | RunKind::SingleIssue => Self::Incremental,
        }
    }
}

/// What to look at now.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SyncRequest {
    #[schema(inline, default = "incremental")]
    sync_type: SyncType,
    /// Only these issues, by their numbers in the source project.
    #[schema(schema_with = iids)]
    issue_iids: Vec<i64>,
}

/// The job that looks.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct Accepted {
    job_id: i64,
    /// Where it tells how it goes.
    url: String,
    /// One of this kind was under way and looks again at what was asked for.
    coalesced: bool,
}

impl Accepted {
    pub(super) fn of(mirror: i64, requested: Requested) -> Self {
        Self {
            job_id: requested.run.0,
            url: format!("/api/mirrors/{mirror}/issue-sync/jobs/{}", requested.run),
            coalesced: requested.coalesced,
        }
    }
}

/// Look for changes now
///
/// One of the same kind that is under way is joined, and the answer says so. With `Idempotency-Key` the
/// same request sent again within a day is answered as the first time.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/sync", tag = "issue sync",
    request_body = SyncRequest,
    params(("mirror_id" = i64, Path), idempotency::KeyHeader),
    responses((status = 202, body = Accepted, headers(("Location" = String))), (status = 404),
        (status = 422, description = "Something in it cannot be, or the key was used otherwise")))]
pub(super) async fn sync(
    Operator(caller): Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    headers: HeaderMap,
    MaybeBody(request): MaybeBody<SyncRequest>,
) -> Result<Response, Problem> {
    check(&request)?;
    let (store, mirror) = (&state.store, MirrorId(id));
    let scope = format!("{} /api/mirrors/{id}/issue-sync/sync", caller.name);
    let key = idempotency::key(&headers)?;
    let digest = idempotency::digest(&request);
    if let Some(key) = &key {
        match store.answered(&scope, key, &digest).await? {
            Answered::Never => {}
            Answered::Before(answer) => {
                let accepted = serde_json::from_str(&answer).map_err(|_| {
                    Problem::new(
                        Kind::Conflict,
                        "the key was used by another version; give another",
                    )
                })?;
                return Ok(accept(accepted));
            }
            Answered::Otherwise => return Err(idempotency::used_otherwise()),
        }
    }
    let issues = request.issue_iids.iter().copied().map(Iid).collect();
    let (kind, jobs) = jobs(mirror, request.sync_type, issues);
    let request = RunRequest {
        mirror,
        kind,
        jobs: &jobs,
        priority: Priority::ByHand,
        by: &caller.name,
    };
    let requested = store.request_run(&request).await?;
    state.signals.owed();
    let accepted = Accepted::of(id, requested);
    if let Some(key) = &key {
        let answer = serde_json::to_string(&accepted).unwrap_or_default();
        store.keep_answer(&scope, key, &digest, &answer).await?;
    }
    let object = format!("mirror/{id}");
    let after = json!({"job_id": accepted.job_id, "kind": kind.name()});
    trail
        .record(store, "mirror.sync", &object, (None, Some(after)))
        .await?;
    Ok(accept(accepted))
}

fn check(request: &SyncRequest) -> Result<(), Problem> {
    check_iids(&request.issue_iids)?;
    if !request.issue_iids.is_empty() && request.sync_type == SyncType::Full {
        let detail = "single issues are looked at whole anyway; leave it out";
        return Err(wrong("/sync_type", detail));
    }
    Ok(())
}

/// Issues that a request names.
pub(super) fn check_iids(iids: &[i64]) -> Result<(), Problem> {
    if iids.len() > MOST_ISSUES {
        let detail = "name 1000 issues at most, or none for all";
        return Err(wrong("/issue_iids", detail));
    }
    match iids.iter().position(|iid| *iid < 1) {
        Some(at) => {
            let pointer = format!("/issue_iids/{at}");
            Err(wrong(&pointer, "numbers of issues begin with 1"))
        }
        None => Ok(()),
    }
}

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::invalid(vec![FieldError::at(pointer, detail)])
}

/// What a run begins with that looks at these issues, or at all.
pub(super) fn jobs(
    mirror: MirrorId,
    sync_type: SyncType,
    mut issues: Vec<Iid>,
) -> (RunKind, Vec<Job>) {
    if issues.is_empty() {
        let kind = match sync_type {
            SyncType::Full => RunKind::Full,
            SyncType::Incremental => RunKind::Incremental,
        };
        return (kind, vec![Job::ScanMirror { mirror }]);
    }
    issues.sort_unstable();
    issues.dedup();
    let issues = issues.into_iter();
    let jobs = issues.map(|iid| Job::SyncIssue { mirror, iid });
    (RunKind::SingleIssue, jobs.collect())
}

fn accept(accepted: Accepted) -> Response {
    let place = [(header::LOCATION, accepted.url.clone())];
    (StatusCode::ACCEPTED, place, Json(accepted)).into_response()
}

/// How a mirror's issues stand.
#[derive(Serialize, ToSchema)]
pub(super) struct Status {
    enabled: bool,
    /// Why it rests, if it does.
    paused: Option<String>,
    /// When its latest run ended.
    last_sync_at: Option<DateTime<Utc>>,
    /// `success`, `partial`, `failed`.
    last_sync_status: Option<String>,
    last_sync_error: Option<String>,
    /// When it is looked at next by itself.
    next_sync_at: Option<DateTime<Utc>>,
    /// How long ago it was last seen whole, in seconds.
    lag_seconds: Option<i64>,
    /// Jobs that wait for their time or their turn.
    owed: u64,
    running: u64,
    /// Jobs that were given up.
    failed: u64,
    /// Copies that a person has to release.
    removals_held: Option<i64>,
    /// Issues by how they stand.
    statistics: BTreeMap<String, i64>,
}

/// How a mirror's issues stand
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/status", tag = "issue sync",
    params(("mirror_id" = i64, Path)), responses((status = 200, body = Status), (status = 404)))]
pub(super) async fn status(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Status>, Problem> {
    let (store, id) = (&state.store, MirrorId(id));
    let row = store.listed_mirror(id).await?;
    let due = store.due(id).await?;
    let counts = store.count_by_status(id).await?;
    let statistics = counts
        .into_iter()
        .map(|StatusCount { status, issues }| (status.to_owned(), issues));
    Ok(Json(Status {
        enabled: row.next_scan_at.is_some(),
        paused: row.paused,
        lag_seconds: row
            .last_sync_at
            .map(|last| (store.now() - last).num_seconds()),
        last_sync_at: row.last_sync_at,
        last_sync_status: row.last_sync_status,
        last_sync_error: row.last_sync_error,
        next_sync_at: row.next_scan_at,
        owed: due.pending + due.paused + due.queued,
        running: due.running,
        failed: due.dead,
        removals_held: row.removals_held,
        statistics: statistics.collect(),
    }))
}
