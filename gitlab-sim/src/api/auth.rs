//! Who sends a request (facts section 11).

use http::{HeaderMap, Method};
use serde_json::json;

use super::answer::{Answer, ApiError};
use super::call::Identity;
use crate::model::{Actor, Token, World};

/// The secret that a request carries, in either header.
pub(crate) fn secret(headers: &HeaderMap) -> Option<&str> {
    let private = headers
        .get("private-token")
        .and_then(|value| value.to_str().ok());
    let bearer = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    private.or(bearer)
}

/// Finds the sender; no token at all is somebody without an account.
pub(crate) fn identify(world: &World, secret: Option<&str>) -> Result<Identity, ApiError> {
    let Some(secret) = secret else {
        return Ok(Identity {
            actor: Actor {
                user: None,
                admin: false,
            },
            token: None,
        });
    };
    let token = world
        .tokens
        .iter()
        .find(|token| token.secret == secret)
        .ok_or_else(ApiError::unauthorized)?;
    if token.revoked {
        return Err(invalid(
            "Token was revoked. You have to re-authorize from the user.",
        ));
    }
    if expired(world, token) {
        return Err(invalid(
            "Token is expired. You can either do re-authorization or token refresh.",
        ));
    }
    Ok(Identity {
        actor: Actor::of_user(world, token.user),
        token: Some(token.id),
    })
}

/// Whether the token's last day is over.
pub(crate) fn expired(world: &World, token: &Token) -> bool {
    token
        .expires_at
        .is_some_and(|day| day <= world.now().date_naive())
}

fn invalid(description: &str) -> ApiError {
    let body = json!({ "error": "invalid_token", "error_description": description });
    Answer::json(401, body).into()
}

/// Whether the token's scopes suffice for this request.
pub(crate) fn check_scope(
    world: &World,
    identity: &Identity,
    method: &Method,
    segments: &[String],
) -> Result<(), ApiError> {
    let Some(token) = identity
        .token
        .and_then(|id| world.tokens.iter().find(|one| one.id == id))
    else {
        return Ok(());
    };
    let has = |scope: &str| token.scopes.iter().any(|one| one == scope);
    let reads = *method == Method::GET || *method == Method::HEAD;
    let own_user = matches!(segments, [only] if only == "user") && has("read_user");
    let itself =
        matches!(segments, [first, last] if first == "personal_access_tokens" && last == "self");
    if has("api") || (reads && (has("read_api") || own_user || itself)) {
        return Ok(());
    }
    let scope = if reads { "api read_api" } else { "api" };
    let body = json!({
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": scope,
    });
    Err(Answer::json(403, body).into())
}
