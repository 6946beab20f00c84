//! Tokens that programs call the API with.

use super::short_list::part;
use crate::{
    ApiState,
    access::Admin,
    auth::{RoleName, Trail},
    body::{Body, Path, Query},
    credential,
    page::{Page, paged},
    problem::{FieldError, Kind, Problem, ProblemBody},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, Utc};
use mirror_store::{ApiToken, Handle, NewToken, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// A token, without itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct Shown {
    id: i64,
    /// What it is called.
    #[schema(example = "ci")]
    name: String,
    /// What its holder may do.
    role: RoleName,
    /// Its first characters, by which its holder tells which one it is.
    #[schema(example = "imt_x7Qd")]
    begins: String,
    /// Who made it.
    created_by: String,
    created_at: DateTime<Utc>,
    /// From when on it is refused; none: never.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// Since when it is refused.
    revoked_at: Option<DateTime<Utc>>,
    /// It is accepted.
    good: bool,
}

/// A token that was made just now.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeToken {
    /// The token. It is not shown again.
    token: String,
    #[serde(flatten)]
    shown: Shown,
}

/// A token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewApiToken {
    /// What to call it.
    #[schema(example = "ci", pattern = r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
    name: String,
    /// What its holder may do.
    role: RoleName,
    /// From when on it is refused; none: never.
    expires_at: Option<DateTime<Utc>>,
}

fn shown(token: ApiToken, now: DateTime<Utc>) -> Shown {
    Shown {
        good: token.is_good(now),
        id: token.id,
        name: token.name,
        role: token.role.into(),
        begins: token.hint,
        created_by: token.created_by,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
    }
}

/// As the audit tells of it.
fn told(token: &ApiToken) -> Value {
    json!({"name": token.name, "role": token.role.name(), "expires_at": token.expires_at})
}

/// Tokens
///
/// Those that are refused, too.
#[utoipa::path(get, path = "/api/tokens", tag = "access", params(Page),
    responses((status = 200, body = [Shown]), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    _: Admin,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let wanted = page.read()?;
    let now = state.store.now();
    let rows = part(state.store.tokens().await?, &wanted, |token| token.id);
    Ok(paged(
        &uri,
        &wanted,
        rows,
        |token| token.id,
        |token| shown(token, now),
    ))
}

/// Make a token
///
/// It is shown this once.
#[utoipa::path(post, path = "/api/tokens", tag = "access", request_body = NewApiToken,
    responses((status = 201, body = MadeToken), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
        (status = 409, description = "Another one is called so", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    Admin(caller): Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Body(new): Body<NewApiToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let store = &state.store;
    let mut errors = Vec::new();
    let name = new.name.parse::<Handle>();
    if let Err(error) = &name {
        errors.push(FieldError::at("/name", error.to_string()));
    }
    if new.expires_at.is_some_and(|end| end <= store.now()) {
        errors.push(FieldError::at(
            "/expires_at",
            "that is over; give a time to come",
        ));
    }
    let name = match name {
        Ok(name) if errors.is_empty() => name,
        Ok(_) | Err(_) => return Err(Problem::invalid(errors)),
    };
    let minted = credential::token(&*state.entropy);
    let new = NewToken {
        name: &name,
        role: new.role.into(),
        digest: &minted.digest,
        hint: credential::hint(&minted.secret),
        created_by: &caller.name,
        expires_at: new.expires_at,
    };
    let token = store.create_token(&new).await.map_err(refused)?;
    let object = format!("token/{}", token.id);
    trail
        .record(store, "token.create", &object, (None, Some(told(&token))))
        .await?;
    let made = MadeToken {
        token: minted.secret,
        shown: shown(token, store.now()),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Refuse a token from now on
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "access", params(("id" = i64, Path)),
    responses((status = 204, description = "It is refused from now on"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn revoke(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let store = &state.store;
    let token = store.revoke_token(id).await.map_err(refused)?;
    let object = format!("token/{id}");
    trail
        .record(store, "token.revoke", &object, (Some(told(&token)), None))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refused(error: StoreError) -> Problem {
    if matches!(error, StoreError::HandleTaken(_)) {
        return Problem::new(Kind::Conflict, error.to_string());
    }
    if matches!(error, StoreError::NoSuchToken) {
        return Problem::new(Kind::NotFound, error.to_string());
    }
    error.into()
}
