//! Another password for whoever is logged in.

use super::session::{Who, gate, logged_in, wrong};
use crate::{
    ApiState,
    access::Viewer,
    auth::{Client, LoggedIn, Trail},
    body::Body,
    password,
    problem::{FieldError, Kind, Problem, ProblemBody},
};
use axum::{Extension, extract::State, response::Response};
use mirror_store::UserChange;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(change))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnPassword {
    /// The one that is good now.
    #[schema(format = Password)]
    old: String,
    /// The one that is to be good from now on, of twelve characters or more.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    new: String,
}

/// Change my password
///
/// Logs me out everywhere else. An old password that is wrong counts as an attempt to log in.
#[utoipa::path(put, path = "/api/session/password", tag = "access", request_body = OwnPassword,
    responses((status = 200, body = Who),
        (status = 401, description = "The old password is wrong", body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, description = "Too many attempts", body = ProblemBody)))]
pub(super) async fn change(
    _: Viewer,
    State(state): State<ApiState>,
    Extension(client): Extension<Client>,
    session: Option<Extension<LoggedIn>>,
    trail: Trail,
    Body(body): Body<OwnPassword>,
) -> Result<Response, Problem> {
    let Some(Extension(LoggedIn { session, .. })) = session else {
        let detail = "a token has no password; log in to change yours";
        return Err(Problem::new(Kind::Forbidden, detail));
    };
    let (store, name) = (&state.store, session.user.name.as_str());
    let invalid = |error: password::PasswordError| {
        Problem::invalid(vec![FieldError::at("/new", error.to_string())])
    };
    password::acceptable(&body.new).map_err(invalid)?;
    gate(&state, name, &client).await?;
    let known = store.password_of(name).await?;
    let hashed = known.as_ref().map(|(_, hashed)| hashed.as_str());
    if !password::is_right(&body.old, hashed).await {
        return Err(wrong(&client));
    }
    store.login_succeeded(name, &client.counted()).await?;
    let hashed = password::hashed(&body.new, &*state.entropy).await;
    let hashed = hashed.map_err(invalid)?;
    let change = UserChange {
        password: Some(&hashed),
        ..UserChange::default()
    };
    let (_, user) = store.change_user(name, &change).await?;
    let object = format!("user/{name}");
    trail
        .record(store, "user.password", &object, (None, None))
        .await?;
    let answer = logged_in(&state, &client, &trail, &user, &hashed).await?;
    answer.ok_or_else(|| wrong(&client))
}
