//! People who log in.

use super::short_list::part;
use crate::{
    ApiState,
    access::Admin,
    auth::{RoleName, Trail},
    body::{Body, Path, Query},
    page::{Page, paged},
    password::{self, PasswordError},
    problem::{FieldError, Kind, Problem, ProblemBody},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, Utc};
use mirror_store::{Handle, NewUser, StoreError, User, UserChange};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
}

/// Somebody who may log in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct Shown {
    id: i64,
    /// What they log in as.
    #[schema(example = "anna")]
    name: String,
    /// What they may do.
    role: RoleName,
    /// They may not log in.
    disabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Somebody to let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub(super) struct New {
    /// What they log in as: small letters, digits and `. _ - @`.
    #[schema(example = "anna", pattern = r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
    name: String,
    /// What they may do.
    role: RoleName,
    /// Of twelve characters or more.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    password: String,
}

/// What changes about somebody. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub(super) struct Change {
    /// What they may do; counts at once.
    role: Option<RoleName>,
    /// They may not log in; they are logged out.
    disabled: Option<bool>,
    /// Another password; they are logged out everywhere.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    password: Option<String>,
}

impl From<User> for Shown {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            role: user.role.into(),
            disabled: user.disabled,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// As the audit tells of them.
fn told(user: &User) -> Value {
    json!({"name": user.name, "role": user.role.name(), "disabled": user.disabled})
}

fn object(name: &str) -> String {
    format!("user/{name}")
}

/// People who log in
#[utoipa::path(get, path = "/api/users", tag = "access", params(Page),
    responses((status = 200, body = [Shown]), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    _: Admin,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let wanted = page.read()?;
    let rows = part(state.store.users().await?, &wanted, |user| user.id);
    Ok(paged(&uri, &wanted, rows, |user| user.id, Shown::from))
}

/// Let somebody in
#[utoipa::path(post, path = "/api/users", tag = "access", request_body = New,
    responses((status = 201, body = Shown), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
        (status = 409, description = "Another one is called so", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn create(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let name: Result<Handle, _> = new.name.parse();
    let mut errors = Vec::new();
    if let Err(error) = &name {
        errors.push(FieldError::at("/name", error.to_string()));
    }
    if let Err(error) = password::acceptable(&new.password) {
        errors.push(at_password(error));
    }
    let name = match name {
        Ok(name) if errors.is_empty() => name,
        Ok(_) | Err(_) => return Err(Problem::invalid(errors)),
    };
    let hashed = hashed(&state, &new.password).await?;
    let new = NewUser {
        name: &name,
        role: new.role.into(),
        password: &hashed,
    };
    let user = state.store.create_user(&new).await.map_err(refused)?;
    let object = object(&user.name);
    let after = Some(told(&user));
    trail
        .record(&state.store, "user.create", &object, (None, after))
        .await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Somebody
#[utoipa::path(get, path = "/api/users/{name}", tag = "access", params(("name" = String, Path)),
    responses((status = 200, body = Shown), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn show(
    _: Admin,
    State(state): State<ApiState>,
    Path(name): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let user = state.store.user(&name).await?;
    let user = user.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Json(user.into()))
}

/// Change something about somebody
///
/// Nobody takes the role from the last administrator.
#[utoipa::path(patch, path = "/api/users/{name}", tag = "access", request_body = Change,
    params(("name" = String, Path)),
    responses((status = 200, body = Shown), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, description = "The last administrator", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn change(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Path(name): Path<String>,
    Body(change): Body<Change>,
) -> Result<Json<Shown>, Problem> {
    let store = &state.store;
    let hashed = match &change.password {
        Some(password) => Some(hashed(&state, password).await?),
        None => None,
    };
    let wanted = UserChange {
        role: change.role.map(Into::into),
        disabled: change.disabled,
        password: hashed.as_deref(),
    };
    let (before, after) = store.change_user(&name, &wanted).await.map_err(refused)?;
    let what = if hashed.is_some() {
        "user.password"
    } else {
        "user.update"
    };
    let object = object(&name);
    let values = (Some(told(&before)), Some(told(&after)));
    trail.record(store, what, &object, values).await?;
    Ok(Json(after.into()))
}

/// Forget somebody
///
/// What they did stays in the audit. Nobody forgets the last administrator.
#[utoipa::path(delete, path = "/api/users/{name}", tag = "access", params(("name" = String, Path)),
    responses((status = 204, description = "They may not log in any more"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
        (status = 409, description = "The last administrator", body = ProblemBody)))]
pub(super) async fn delete(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let user = state.store.delete_user(&name).await.map_err(refused)?;
    let object = object(&name);
    let before = Some(told(&user));
    trail
        .record(&state.store, "user.delete", &object, (before, None))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn hashed(state: &ApiState, password: &str) -> Result<String, Problem> {
    let hashed = password::hashed(password, &*state.entropy).await;
    hashed.map_err(|error| Problem::invalid(vec![at_password(error)]))
}

fn at_password(error: PasswordError) -> FieldError {
    FieldError::at("/password", error.to_string())
}

fn refused(error: StoreError) -> Problem {
    if matches!(error, StoreError::HandleTaken(_) | StoreError::LastAdmin(_)) {
        return Problem::new(Kind::Conflict, error.to_string());
    }
    if matches!(error, StoreError::NoSuchUser(_)) {
        return Problem::not_found("user");
    }
    error.into()
}
