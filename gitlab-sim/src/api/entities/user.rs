use serde_json::{Value, json};

use super::moment;
use crate::api::auth::expired;
use crate::model::{AccessLevel, Token, User, UserId, World};

/// A user as others see them.
pub(crate) fn user(world: &World, id: UserId) -> Value {
    let Some(user) = world.user(id) else {
        return ghost(world);
    };
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "state": if user.banned { "banned" } else { "active" },
        "avatar_url": format!("{}/uploads/-/system/user/avatar/{}/avatar.png", world.base_url(), user.id),
        "web_url": format!("{}/{}", world.base_url(), user.username),
    })
}

/// Stands in for deleted users, as GitLab's own ghost does.
fn ghost(world: &World) -> Value {
    json!({
        "id": 0,
        "username": "ghost",
        "name": "Ghost User",
        "state": "active",
        "avatar_url": format!("{}/assets/ghost.png", world.base_url()),
        "web_url": format!("{}/ghost", world.base_url()),
    })
}

/// The sender's own account.
pub(crate) fn current_user(world: &World, owner: &User) -> Value {
    let mut value = user(world, owner.id);
    if let Value::Object(map) = &mut value {
        map.insert("created_at".into(), json!(moment(owner.created_at)));
        map.insert("bot".into(), json!(owner.bot));
        map.insert("is_admin".into(), json!(owner.admin));
        map.insert(
            "email".into(),
            json!(format!("{}@example.com", owner.username)),
        );
        map.insert("bio".into(), json!(""));
        map.insert("locked".into(), json!(false));
        map.insert("external".into(), json!(false));
    }
    value
}

/// A project member.
pub(crate) fn member(world: &World, id: UserId, level: AccessLevel) -> Value {
    let mut value = user(world, id);
    if let Value::Object(map) = &mut value {
        map.insert("access_level".into(), json!(level.number()));
        map.insert("expires_at".into(), Value::Null);
        map.insert("membership_state".into(), json!("active"));
    }
    value
}

/// A token, without its secret.
pub(crate) fn token(world: &World, token: &Token) -> Value {
    json!({
        "id": token.id,
        "name": format!("token {}", token.id),
        "revoked": token.revoked,
        "created_at": moment(token.created_at),
        "description": Value::Null,
        "scopes": token.scopes,
        "user_id": token.user,
        "last_used_at": moment(world.now()),
        "active": !token.revoked && !expired(world, token),
        "expires_at": token.expires_at,
    })
}
