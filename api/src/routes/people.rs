//! Who people of the source are on the target.

use super::rules;
use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{Body, Path, Query},
    etag::{IfMatch, Tagged},
    problem::{FieldError, Problem},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use mirror_core::{
    ids::MirrorId,
    rules::{Document, UserDocument},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show, map, replace, remove))
}

/// Somebody of the source, and who that is on the target.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserMapping {
    /// The username at the source.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = "^[!-?A-~]+$",
        example = "anna"
    )]
    source_username: String,
    /// The username on the target.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = "^[!-?A-~]+$",
        example = "anna.b"
    )]
    target_username: String,
}

/// Who people of the source are on the target.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserMap {
    /// Who is mentioned on the source is mentioned on the target, if the map names them.
    #[serde(default)]
    mentions: bool,
    /// Whom it names; they are assigned on the target, too.
    #[serde(default)]
    mappings: Vec<UserMapping>,
}

impl From<UserDocument> for UserMap {
    fn from(document: UserDocument) -> Self {
        let mappings = document.map.into_iter();
        Self {
            mentions: document.mentions,
            mappings: mappings
                .map(|(source_username, target_username)| UserMapping {
                    source_username,
                    target_username,
                })
                .collect(),
        }
    }
}

fn put(document: &mut UserDocument, mapping: UserMapping, at: &str) -> Option<FieldError> {
    let named = |name: &str, field: &str| {
        let fits = !name.is_empty()
            && name.len() <= 255
            && !name.contains(|one: char| one.is_whitespace() || one.is_control() || one == '@');
        (!fits).then(|| FieldError::at(format!("{at}/{field}"), "give a username, without @"))
    };
    let wrong = named(&mapping.source_username, "source_username")
        .or_else(|| named(&mapping.target_username, "target_username"));
    if wrong.is_none() {
        document
            .map
            .insert(mapping.source_username, mapping.target_username);
    }
    wrong
}

/// Who is who
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/users", tag = "issue sync",
    params(("mirror_id" = i64, Path)),
    responses((status = 200, body = UserMap, headers(("ETag" = String))),
        (status = 304, description = "It stands as at If-None-Match"), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (settings, document) = rules::read(&state, MirrorId(id)).await?;
    let shown = UserMap::from(document.users);
    Ok(Tagged(settings.revision, shown).unless_known(&headers))
}

/// Say who somebody is
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/users", tag = "issue sync",
    request_body = UserMapping, params(("mirror_id" = i64, Path)),
    responses((status = 200, body = UserMap, headers(("ETag" = String))), (status = 404),
        (status = 412, description = "Somebody else changed the rules just now"),
        (status = 422)))]
pub(super) async fn map(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    Body(mapping): Body<UserMapping>,
) -> Result<Response, Problem> {
    let edit = |document: &mut Document| match put(&mut document.users, mapping, "") {
        Some(error) => Err(Problem::invalid(vec![error])),
        None => Ok(()),
    };
    let id = MirrorId(id);
    let (revision, now) = rules::change(&state, &trail, "users.map", id, None, edit).await?;
    Ok(Tagged(revision, UserMap::from(now.users)).into_response())
}

/// Say who is who
#[utoipa::path(put, path = "/api/mirrors/{mirror_id}/issue-sync/users", tag = "issue sync",
    request_body = UserMap, params(("mirror_id" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = UserMap, headers(("ETag" = String))), (status = 404),
        (status = 412), (status = 422), (status = 428)))]
pub(super) async fn replace(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Body(wanted): Body<UserMap>,
) -> Result<Response, Problem> {
    let edit = |document: &mut Document| {
        document.users = UserDocument {
            mentions: wanted.mentions,
            ..UserDocument::default()
        };
        let mut errors = Vec::new();
        for (at, mapping) in wanted.mappings.into_iter().enumerate() {
            errors.extend(put(
                &mut document.users,
                mapping,
                &format!("/mappings/{at}"),
            ));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(errors))
        }
    };
    let (id, known) = (MirrorId(id), Some(if_match));
    let (revision, now) = rules::change(&state, &trail, "users.update", id, known, edit).await?;
    Ok(Tagged(revision, UserMap::from(now.users)).into_response())
}

/// Whom.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whom {
    /// The username at the source.
    source_username: String,
}

/// Say nothing of somebody any more
#[utoipa::path(delete, path = "/api/mirrors/{mirror_id}/issue-sync/users", tag = "issue sync",
    params(("mirror_id" = i64, Path), Whom),
    responses((status = 204, description = "Nothing is said of them any more"),
        (status = 404, description = "Nothing was said of them"),
        (status = 412, description = "Somebody else changed the rules just now")))]
pub(super) async fn remove(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    Query(whom): Query<Whom>,
) -> Result<StatusCode, Problem> {
    let edit = |document: &mut Document| match document.users.map.remove(&whom.source_username) {
        Some(_) => Ok(()),
        None => Err(Problem::not_found("user among the mappings")),
    };
    let id = MirrorId(id);
    rules::change(&state, &trail, "users.unmap", id, None, edit).await?;
    Ok(StatusCode::NO_CONTENT)
}
