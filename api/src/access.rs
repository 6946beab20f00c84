//! Who may do what.

use crate::problem::{Kind, Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use mirror_store::Role;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    /// As the audit names them: `token:ci`, `user:anna`.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
}

/// Somebody who may look.
#[derive(Clone, Debug)]
pub(crate) struct Viewer(pub(crate) Caller);

/// Somebody who may look and have things done.
#[derive(Clone, Debug)]
pub(crate) struct Operator(pub(crate) Caller);

/// Somebody who may change who reaches what.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) Caller);

macro_rules! only {
    ($($who:ident),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $who {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                caller(parts, Role::$who).map(Self)
            }
        }
    )*};
}

only!(Viewer, Operator, Admin);

/// The caller, as the layer around all routes found out.
fn caller(parts: &Parts, needed: Role) -> Result<Caller, Problem> {
    let Some(caller) = parts.extensions.get::<Caller>() else {
        return Err(Problem::new(
            Kind::Unauthorized,
            "send `Authorization: Bearer TOKEN`; an administrator makes one with `issue-mirror \
             token create`",
        ));
    };
    if caller.role < needed {
        return Err(Problem::new(
            Kind::Forbidden,
            format!(
                "this takes the role {}, and {} has {}",
                needed.name(),
                caller.name,
                caller.role.name()
            ),
        ));
    }
    Ok(caller.clone())
}
