//! Which project goes where.

use crate::{
    ApiState,
    access::{Admin, Operator, Viewer},
    auth::Trail,
    body::{MaybeBody, Path, Query},
    page::{Page, paged},
    problem::{Kind, Problem},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, Utc};
use mirror_core::ids::MirrorId;
use mirror_store::ListedMirror;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(release))
}

/// A project at one end of a mirror.
#[derive(Serialize, ToSchema)]
pub(super) struct End {
    instance_id: i64,
    project_id: i64,
    /// As last seen; it may have been renamed since.
    #[schema(example = "group/project")]
    path: String,
}

/// A one-way mirror.
#[derive(Serialize, ToSchema)]
#[schema(as = Mirror)]
pub(super) struct Shown {
    id: i64,
    /// Read from.
    source: End,
    /// Written to.
    target: End,
    /// Its issues are looked at by themselves, at its intervals.
    enabled: bool,
    /// Why it rests, if it does.
    paused: Option<String>,
    /// It rests for a fault, and goes on by itself when that is mended.
    at_fault: bool,
    /// The mirror in the opposite direction that it is a pair with.
    pair_id: Option<i64>,
    /// Copies of what is gone at the source that a person has to release.
    removals_held: Option<i64>,
    next_sync_at: Option<DateTime<Utc>>,
    last_sync_at: Option<DateTime<Utc>>,
    /// `success`, `partial`, `failed`.
    last_sync_status: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<ListedMirror> for Shown {
    fn from(row: ListedMirror) -> Self {
        Self {
            id: row.id,
            source: End {
                instance_id: row.source_instance_id,
                project_id: row.source_project_id,
                path: row.source_path,
            },
            target: End {
                instance_id: row.target_instance_id,
                project_id: row.target_project_id,
                path: row.target_path,
            },
            enabled: row.next_scan_at.is_some(),
            paused: row.paused,
            at_fault: row.at_fault,
            pair_id: row.pair_id,
            removals_held: row.removals_held,
            next_sync_at: row.next_scan_at,
            last_sync_at: row.last_sync_at,
            last_sync_status: row.last_sync_status,
            created_at: row.created_at,
        }
    }
}

/// Which mirrors are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Those that have this instance as an end.
    instance_id: Option<i64>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id.
    after: Option<i64>,
}

/// Mirrors
#[utoipa::path(get, path = "/api/mirrors", tag = "mirrors", params(ListQuery),
    responses((status = 200, body = [Shown])))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let wanted = Page::wanted(query.page, query.per_page, query.after)?;
    let after = wanted.after.unwrap_or(0);
    let rows = state
        .store
        .listed_mirrors(after, query.instance_id, wanted.limit, wanted.offset)
        .await?;
    Ok(paged(&uri, &wanted, rows, |row| row.id, Shown::from))
}

/// A mirror
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}", tag = "mirrors",
    params(("mirror_id" = i64, Path)), responses((status = 200, body = Shown), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    let row = state.store.listed_mirror(MirrorId(id)).await?;
    Ok(Json(row.into()))
}

/// Forget a mirror
///
/// With all that is on record of it; nothing changes on either GitLab. Declared again it finds its
/// copies by their markers.
#[utoipa::path(delete, path = "/api/mirrors/{mirror_id}", tag = "mirrors",
    params(("mirror_id" = i64, Path)),
    responses((status = 204, description = "It is forgotten"), (status = 404),
        (status = 409, description = "It is half of a pair")))]
pub(super) async fn delete(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let (store, id) = (&state.store, MirrorId(id));
    let row = store.listed_mirror(id).await?;
    if let Some(pair) = row.pair_id {
        let detail = format!(
            "it is a pair with mirror {pair}; end that first with `issue-mirror mirrors unpair {id}`"
        );
        return Err(Problem::new(Kind::Conflict, detail));
    }
    store.delete_mirror(id).await?;
    let before = json!({"source": row.source_path, "target": row.target_path});
    let object = format!("mirror/{id}");
    trail
        .record(store, "mirror.delete", &object, (Some(before), None))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why something rests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rest {
    /// For whoever looks.
    #[serde(default = "a_person")]
    #[schema(
        max_length = 500,
        pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$",
        default = "a person paused it"
    )]
    pub(super) reason: String,
}

fn a_person() -> String {
    "a person paused it".to_owned()
}

impl Rest {
    pub(super) fn checked(self) -> Result<String, Problem> {
        crate::wrong::short("/reason", &self.reason, 500)?;
        Ok(self.reason)
    }
}

/// Let a mirror rest
///
/// Nothing of it is handed out; what runs may end.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/pause", tag = "mirrors", request_body = Rest,
    params(("mirror_id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404), (status = 422)))]
pub(super) async fn pause(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    MaybeBody(rest): MaybeBody<Rest>,
) -> Result<Json<Shown>, Problem> {
    let reason = rest.checked()?;
    rests(&state, &trail, MirrorId(id), Some(&reason)).await
}

/// End a mirror's rest
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/resume", tag = "mirrors",
    params(("mirror_id" = i64, Path)), responses((status = 200, body = Shown), (status = 404)))]
pub(super) async fn resume(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    rests(&state, &trail, MirrorId(id), None).await
}

async fn rests(
    state: &ApiState,
    trail: &Trail,
    id: MirrorId,
    reason: Option<&str>,
) -> Result<Json<Shown>, Problem> {
    let store = &state.store;
    let before = store.listed_mirror(id).await?.paused;
    let what = match reason {
        Some(reason) => {
            store.pause_mirror(id, reason).await?;
            "mirror.pause"
        }
        None => {
            store.resume_mirror(id).await?;
            state.signals.owed();
            "mirror.resume"
        }
    };
    let values = (
        Some(json!({"paused": before})),
        Some(json!({"paused": reason})),
    );
    let object = format!("mirror/{id}");
    trail.record(store, what, &object, values).await?;
    Ok(Json(store.listed_mirror(id).await?.into()))
}

/// Copies that were released.
#[derive(Serialize, ToSchema)]
pub(super) struct Released {
    /// So many issues' copies follow now.
    released: usize,
}

/// Release what the breaker holds
///
/// Closes or deletes the copies of what is gone at the source, although it is much. Look there first.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/release", tag = "mirrors",
    params(("mirror_id" = i64, Path)), responses((status = 200, body = Released), (status = 404)))]
pub(super) async fn release(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<Json<Released>, Problem> {
    let (store, id) = (&state.store, MirrorId(id));
    store.listed_mirror(id).await?;
    let released = store.release_removals(id).await?;
    state.signals.owed();
    let object = format!("mirror/{id}");
    let after = Some(json!({"released": released}));
    trail
        .record(store, "mirror.release", &object, (None, after))
        .await?;
    Ok(Json(Released { released }))
}
