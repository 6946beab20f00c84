//! The instance itself, the sender, the sender's token.

use serde_json::{Value, json};

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities;
use super::page::paginate;
use crate::model::{User, World};

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

/// Users, newest first: of one name, or with words in their names.
pub(crate) fn users(world: &World, call: &Call) -> Reply {
    call.user()?;
    let named = call.params.text("username");
    let words = call.params.text("search").map(|text| text.to_lowercase());
    let found = world.users().values().rev().filter(|user| {
        let wanted = |name: &String| name.eq_ignore_ascii_case(&user.username);
        named.as_ref().is_none_or(wanted) && has_words(user, words.as_deref())
    });
    let page = paginate(world, call, found.collect())?;
    let rows = page.rows.into_iter();
    let rows = rows.map(|user| entities::user(world, user.id)).collect();
    Ok(Answer::ok(rows).with_all(page.headers))
}

/// Whether words stand in what somebody is called; none stand everywhere.
pub(crate) fn has_words(user: &User, words: Option<&str>) -> bool {
    words.is_none_or(|words| {
        let names = [&user.username, &user.name];
        names.iter().any(|name| name.to_lowercase().contains(words))
    })
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
