//! The instance itself, the sender, the sender's token.

use serde_json::{Value, json};

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities;
use crate::model::World;

/// Edition and version; `enterprise` tells the code base, not the licence (facts section 8).
pub(crate) fn metadata(world: &World, call: &Call) -> Reply {
    call.user()?;
    if !world.settings.version.at_least(15, 2) {
        return Err(ApiError::no_route());
    }
    Ok(Answer::ok(json!({
        "version": world.settings.version_text(),
        "revision": "c401a659d0c",
        "kas": { "enabled": false, "externalUrl": Value::Null, "version": Value::Null },
        "enterprise": world.settings.edition.enterprise(),
    })))
}

/// The older way to ask for the version.
pub(crate) fn version(world: &World, call: &Call) -> Reply {
    call.user()?;
    let version = world.settings.version_text();
    Ok(Answer::ok(
        json!({ "version": version, "revision": "c401a659d0c" }),
    ))
}

/// The sender.
pub(crate) fn current_user(world: &World, call: &Call) -> Reply {
    let user = world
        .user(call.user()?)
        .ok_or_else(ApiError::unauthorized)?;
    Ok(Answer::ok(entities::current_user(world, user)))
}

/// Another user.
pub(crate) fn user(world: &World, call: &Call, id: &str) -> Reply {
    call.user()?;
    let found = id.parse().ok().filter(|id| world.user(*id).is_some());
    let id = found.ok_or_else(|| ApiError::missing("User"))?;
    Ok(Answer::ok(entities::user(world, id)))
}

/// The token that the request was sent with.
pub(crate) fn own_token(world: &World, call: &Call) -> Reply {
    let id = call.identity.token.ok_or_else(ApiError::unauthorized)?;
    let token = world
        .tokens
        .iter()
        .find(|token| token.id == id)
        .ok_or_else(ApiError::unauthorized)?;
    Ok(Answer::ok(entities::token(world, token)))
}
