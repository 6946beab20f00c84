//! Logging in and out, and how the first administrator comes in.

use super::own_password;
use crate::{
    ApiState,
    access::{Caller, Viewer},
    auth::{Client, LoggedIn, RoleName, Trail, cookie},
    body::Body,
    credential, password,
    problem::{FieldError, Kind, Problem, ProblemBody},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_store::{Handle, LoginGate, NewUser, Role, StoreError, User};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(log_in, who, log_out))
        .routes(routes!(is_open, set_up))
        .merge(own_password::router())
}

/// Somebody who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// Their name.
    #[schema(example = "anna")]
    name: String,
    /// Their password.
    #[schema(format = Password)]
    password: String,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Who {
    /// As the audit names them: `user:anna`, `token:ci`.
    #[schema(example = "user:anna")]
    name: String,
    /// What they may do.
    role: RoleName,
    /// What is to be sent as `X-CSRF-Token` with every change; none where a token is used.
    csrf: Option<String>,
    /// When they have to log in again, at the latest.
    expires_at: Option<DateTime<Utc>>,
}

/// Log in
///
/// Answers with a cookie. Five attempts in a quarter of an hour that fail for one name, or twenty from
/// one address, close the door for the rest of it.
#[utoipa::path(post, path = "/api/session", tag = "access", security(()), request_body = Login,
    responses(
        (status = 200, body = Who),
        (status = 401, description = "Name or password is wrong", body = ProblemBody),
        (status = 429, description = "Too many attempts", body = ProblemBody)))]
pub(super) async fn log_in(
    State(state): State<ApiState>,
    Extension(client): Extension<Client>,
    trail: Trail,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    gate(&state, &login.name, &client).await?;
    let known = state.store.password_of(&login.name).await?;
    let hashed = known.as_ref().map(|(_, hashed)| hashed.as_str());
    let right = password::is_right(&login.password, hashed).await;
    let known = known.filter(|(user, _)| right && !user.disabled);
    let Some((user, hashed)) = known else {
        return Err(wrong(&client));
    };
    let answer = logged_in(&state, &client, &trail, &user, &hashed).await?;
    let answer = answer.ok_or_else(|| wrong(&client))?;
    let counted = client.counted();
    state.store.login_succeeded(&login.name, &counted).await?;
    Ok(answer)
}

/// Counts the attempt, and refuses one too many.
pub(super) async fn gate(state: &ApiState, name: &str, client: &Client) -> Result<(), Problem> {
    match state.store.begin_login(name, &client.counted()).await? {
        LoginGate::Open => Ok(()),
        LoginGate::ClosedUntil(until) => {
            tracing::warn!(
                client.address = client.name(),
                "too many attempts to log in"
            );
            let wait = (until - state.store.now()).max(TimeDelta::seconds(1));
            let seconds = wait.num_seconds().unsigned_abs() + 1;
            let detail = "too many attempts to log in; wait";
            Err(Problem::new(Kind::TooManyRequests, detail).after(seconds))
        }
    }
}

/// The same, whatever was wrong.
pub(super) fn wrong(client: &Client) -> Problem {
    tracing::warn!(
        client.address = client.name(),
        "an attempt to log in failed"
    );
    Problem::new(Kind::Unauthorized, "name or password is wrong")
}

/// Begins a session. None: the password was changed, or the user disabled, meanwhile.
pub(super) async fn logged_in(
    state: &ApiState,
    client: &Client,
    trail: &Trail,
    user: &User,
    hashed: &str,
) -> Result<Option<Response>, Problem> {
    let store = &state.store;
    let minted = credential::session(&*state.entropy);
    if !store.start_session(&minted.digest, user.id, hashed).await? {
        return Ok(None);
    }
    let name = format!("user:{}", user.name);
    let object = format!("user/{}", user.name);
    trail
        .of(&name)
        .record(store, "session.create", &object, (None, None))
        .await?;
    let session = store.session(&minted.digest).await?;
    let who = Who {
        name,
        role: user.role.into(),
        csrf: Some(credential::csrf(&minted.secret)),
        expires_at: session.map(|session| session.expires_at),
    };
    let mut answer = Json(who).into_response();
    if let Some(cookie) = cookie::set(&minted.secret, client.secure) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(Some(answer))
}

/// Who am I?
#[utoipa::path(get, path = "/api/session", tag = "access",
    responses((status = 200, body = Who), (status = 401, body = ProblemBody)))]
pub(super) async fn who(
    Viewer(Caller { name, role }): Viewer,
    logged_in: Option<Extension<LoggedIn>>,
) -> Json<Who> {
    let logged_in = logged_in.map(|Extension(logged_in)| logged_in);
    Json(Who {
        name,
        role: role.into(),
        expires_at: logged_in.as_ref().map(|one| one.session.expires_at),
        csrf: logged_in.map(|one| one.csrf),
    })
}

/// Log out
#[utoipa::path(delete, path = "/api/session", tag = "access",
    responses((status = 204, description = "Nobody is logged in here any more")))]
pub(super) async fn log_out(
    State(state): State<ApiState>,
    Extension(client): Extension<Client>,
    logged_in: Option<Extension<LoggedIn>>,
) -> Result<Response, Problem> {
    if let Some(Extension(logged_in)) = logged_in {
        state.store.end_session(&logged_in.digest).await?;
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::cleared(client.secure) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Whether the first administrator is still to come.
#[derive(Serialize, ToSchema)]
pub(super) struct Setup {
    /// Nobody was let in yet.
    open: bool,
}

/// Is the first administrator still to come?
#[utoipa::path(get, path = "/api/setup", tag = "access", security(()),
    responses((status = 200, body = Setup)))]
pub(super) async fn is_open(State(state): State<ApiState>) -> Result<Json<Setup>, Problem> {
    let open = state.store.is_nobodys().await?;
    Ok(Json(Setup { open }))
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    /// The code that the service told in its log when it started.
    #[schema(example = "7KQ2M-0ZD4V-XW3BA-9RTEN")]
    code: String,
    /// What they log in as.
    #[schema(example = "anna", pattern = r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
    name: String,
    /// Their password, of twelve characters or more.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    password: String,
}

/// Become the first administrator
///
/// By the code that the service told in its log when it started. Works once, and logs them in.
#[utoipa::path(post, path = "/api/setup", tag = "access", security(()), request_body = First,
    responses(
        (status = 200, body = Who),
        (status = 403, description = "The code is not good", body = ProblemBody),
        (status = 422, body = ProblemBody),
        (status = 429, description = "Too many attempts", body = ProblemBody)))]
pub(super) async fn set_up(
    State(state): State<ApiState>,
    Extension(client): Extension<Client>,
    trail: Trail,
    Body(first): Body<First>,
) -> Result<Response, Problem> {
    gate(&state, &first.name, &client).await?;
    let store = &state.store;
    let invalid = |pointer: &str, why: String| Problem::invalid(vec![FieldError::at(pointer, why)]);
    let name: Handle = first
        .name
        .parse()
        .map_err(|error| invalid("/name", format!("{error}")))?;
    if !store.is_nobodys().await? {
        return Err(closed());
    }
    let hashed = password::hashed(&first.password, &*state.entropy)
        .await
        .map_err(|error| invalid("/password", error.to_string()))?;
    let new = NewUser {
        name: &name,
        role: Role::Admin,
        password: &hashed,
    };
    let digest = credential::setup_digest(&first.code);
    let user = match store.set_up(&digest, &new).await {
        Err(StoreError::SetupClosed) => return Err(closed()),
        user => user?,
    };
    store
        .login_succeeded(&first.name, &client.counted())
        .await?;
    let (who, object) = (format!("user:{name}"), format!("user/{name}"));
    let after = json!({"name": user.name, "role": user.role.name(), "disabled": false});
    trail
        .of(&who)
        .record(store, "setup", &object, (None, Some(after)))
        .await?;
    let answer = logged_in(&state, &client, &trail, &user, &hashed).await?;
    answer.ok_or_else(|| wrong(&client))
}

fn closed() -> Problem {
    Problem::new(Kind::Forbidden, StoreError::SetupClosed.to_string())
}
