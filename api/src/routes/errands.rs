//! What people want of a GitLab: asked for here, done by a worker, looked up here.

use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{Body, MaybeBody, Path, Query},
    idempotency,
    page::{Page, paged},
    problem::{FieldError, Problem},
    words::ErrandWord,
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use mirror_core::{
    errand::{Errand, NamedProject},
    ids::{ErrandId, InstanceId, MirrorId},
};
use mirror_store::{Answered, Asking, ErrandEntry, ErrandFilter, ErrandState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(check))
        .routes(routes!(connect))
        .routes(routes!(register))
}

/// A project as people name it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectName)]
pub(super) struct Project {
    /// Its instance; needed unless its web address is given.
    instance_id: Option<i64>,
    /// Its web address, its path or its number.
    #[schema(
        min_length = 1,
        max_length = 2_000,
        pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$",
        example = "group/project"
    )]
    project: String,
}

/// A mirror to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMirror {
    /// Read from.
    source: Project,
    /// Written to.
    target: Project,
}

impl Project {
    fn named(self, at: &str, errors: &mut Vec<FieldError>) -> NamedProject {
        let project = self.project.trim().to_owned();
        if project.is_empty() || project.chars().count() > 2_000 || project.contains('\0') {
            let detail = "give the project's web address, its path or its number";
            errors.push(FieldError::at(format!("{at}/project"), detail));
        } else if self.instance_id.is_none() && !project.contains("://") {
            let detail = "say on which instance, or give the project's web address";
            errors.push(FieldError::at(format!("{at}/instance_id"), detail));
        }
        NamedProject {
            instance: self.instance_id.map(InstanceId),
            project,
        }
    }
}

/// What somebody wants of a GitLab, and what came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Errand)]
pub(super) struct Shown {
    id: i64,
    /// `check_instance`, `connect_mirror`, `plan`, `register_hook`, `unlink`.
    kind: String,
    instance_id: Option<i64>,
    mirror_id: Option<i64>,
    /// As it was asked for.
    parameters: Value,
    /// `waiting`, `running`, `done`, `failed`.
    state: &'static str,
    /// What came of it.
    result: Option<Value>,
    /// Why it failed, or what it waits for.
    problem: Option<String>,
    asked_by: String,
    asked_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<ErrandEntry> for Shown {
    fn from(entry: ErrandEntry) -> Self {
        Self {
            id: entry.id.0,
            kind: entry.kind,
            instance_id: entry.instance.map(|id| id.0),
            mirror_id: entry.mirror.map(|id| id.0),
            parameters: entry.parameters,
            state: entry.state.name(),
            result: entry.result,
            problem: entry.problem,
            asked_by: entry.asked_by,
            asked_at: entry.asked_at,
            started_at: entry.started_at,
            ended_at: entry.ended_at,
        }
    }
}

/// What an errand wants.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    CheckInstance,
    ConnectMirror,
    Plan,
    RegisterHook,
    Unlink,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::CheckInstance => "check_instance",
            Self::ConnectMirror => "connect_mirror",
            Self::Plan => "plan",
            Self::RegisterHook => "register_hook",
            Self::Unlink => "unlink",
        }
    }
}

/// Which errands are listed. What is left out does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// What they want.
    #[param(inline)]
    kind: Option<Kind>,
    /// How they stand.
    #[param(inline)]
    state: Option<ErrandWord>,
    /// Those about this mirror.
    mirror_id: Option<i64>,
    /// Those about this instance as a whole.
    instance_id: Option<i64>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id, which are older. `Link` names it.
    after: Option<i64>,
}

/// Where a hook is to tell.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = HookRequest)]
pub(super) struct Register {
    /// This service's address as the source's GitLab reaches it, ending in
    /// `/api/hooks/gitlab/{mirror_id}`.
    #[schema(
        example = "https://mirror.example/api/hooks/gitlab/1",
        pattern = "^https?://[^/?#@\\s]+[^@\\s]*$"
    )]
    url: String,
}

/// Errands, the latest first
#[utoipa::path(get, path = "/api/errands", tag = "errands", params(Which),
    responses((status = 200, body = [Shown]), (status = 400)))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let wanted = Page::wanted(which.page, which.per_page, which.after)?;
    let filter = ErrandFilter {
        kind: which.kind.map(|kind| kind.name().to_owned()),
        state: which.state.map(ErrandState::from),
        mirror: which.mirror_id.map(MirrorId),
        instance: which.instance_id.map(InstanceId),
        before: wanted.after.map(ErrandId),
        offset: wanted.offset,
    };
    let rows = state.store.errands(&filter, wanted.limit).await?;
    Ok(paged(&uri, &wanted, rows, |row| row.id.0, Shown::from))
}

/// An errand
#[utoipa::path(get, path = "/api/errands/{errand_id}", tag = "errands",
    params(("errand_id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    let entry = state.store.errand(ErrandId(id)).await?;
    let entry = entry.ok_or_else(|| Problem::not_found("errand"))?;
    Ok(Json(entry.into()))
}

/// Have an instance checked
#[utoipa::path(post, path = "/api/instances/{instance_id}/check", tag = "errands",
    params(("instance_id" = i64, Path), idempotency::KeyHeader),
    responses((status = 202, body = Shown, headers(("Location" = String))), (status = 404),
        (status = 422, description = "The key was used otherwise")))]
pub(super) async fn check(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let instance = InstanceId(id);
    if state.store.instance(instance).await?.is_none() {
        return Err(Problem::not_found("instance"));
    }
    let errand = Errand::CheckInstance { instance };
    ask(&state, &trail, &errand, &headers).await
}

/// Have a mirror made
///
/// A worker looks both projects up; the errand's result names the mirror, or its problem tells what is in
/// the way. It is not looked at by itself until `POST /api/mirrors/{mirror_id}/issue-sync`.
#[utoipa::path(post, path = "/api/mirrors", tag = "mirrors", request_body = NewMirror,
    params(idempotency::KeyHeader),
    responses((status = 202, body = Shown, headers(("Location" = String))),
        (status = 404, description = "There is no such instance"), (status = 422)))]
pub(super) async fn connect(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    headers: HeaderMap,
    Body(new): Body<NewMirror>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    let source = new.source.named("/source", &mut errors);
    let target = new.target.named("/target", &mut errors);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    for id in [source.instance, target.instance].into_iter().flatten() {
        state.store.instance_entry(id).await?;
    }
    let errand = Errand::ConnectMirror { source, target };
    ask(&state, &trail, &errand, &headers).await
}

/// Have the source tell of changes
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/hooks/register", tag = "errands",
    request_body = Register,
    params(("mirror_id" = i64, Path), idempotency::KeyHeader),
    responses((status = 202, body = Shown, headers(("Location" = String))), (status = 404),
        (status = 422)))]
pub(super) async fn register(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    headers: HeaderMap,
    MaybeBody(request): MaybeBody<Register>,
) -> Result<Response, Problem> {
    let (mirror, url) = (MirrorId(id), request.url);
    state.store.listed_mirror(mirror).await?;
    let address = url::Url::parse(&url).ok();
    if address.is_none_or(|address| !matches!(address.scheme(), "https" | "http")) {
        let detail = "give this service's address, as the source's GitLab reaches it";
        return Err(Problem::invalid(vec![FieldError::at("/url", detail)]));
    }
    let errand = Errand::RegisterHook { mirror, url };
    ask(&state, &trail, &errand, &headers).await
}

/// Asked for under the same key again, it is the same errand.
pub(super) async fn ask(
    state: &ApiState,
    trail: &Trail,
    errand: &Errand,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let store = &state.store;
    let key = idempotency::key(headers)?;
    // Two askers may have thought of the same key.
    let (scope, digest) = (scope(trail.who(), errand), idempotency::digest(errand));
    if let Some(key) = &key
        && store.answered(&scope, key, &digest).await? == Answered::Otherwise
    {
        return Err(idempotency::used_otherwise());
    }
    let own = key.as_ref().map(|key| format!("{} {key}", trail.who()));
    let asked = store
        .ask(&Asking {
            errand,
            by: trail.who(),
            key: own.as_deref(),
        })
        .await?;
    state.signals.owed();
    if let Some(key) = &key {
        let answer = asked.id.to_string();
        store.keep_answer(&scope, key, &digest, &answer).await?;
    }
    let entry = store.errand(asked.id).await?;
    let entry = entry.ok_or_else(|| Problem::not_found("errand"))?;
    let object = format!("errand/{}", asked.id);
    let what = format!("errand.{}", entry.kind);
    let after = json!({"parameters": entry.parameters});
    trail
        .record(store, &what, &object, (None, Some(after)))
        .await?;
    let location = [(header::LOCATION, format!("/api/errands/{}", asked.id))];
    Ok((StatusCode::ACCEPTED, location, Json(Shown::from(entry))).into_response())
}

/// Who sends it, and to where: within it a key means one thing.
fn scope(who: &str, errand: &Errand) -> String {
    let place = match errand {
        Errand::CheckInstance { instance } => format!("/api/instances/{instance}/check"),
        Errand::ConnectMirror { .. } => "/api/mirrors".to_owned(),
        Errand::Plan { mirror, .. } => format!("/api/mirrors/{mirror}/issue-sync/plan"),
        Errand::RegisterHook { mirror, .. } => format!("/api/mirrors/{mirror}/hooks/register"),
        Errand::Unlink {
            mirror, mapping, ..
        } => format!("/api/mirrors/{mirror}/issue-sync/issues/{mapping}"),
    };
    format!("{who} {place}")
}
