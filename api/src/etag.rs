//! Two operators never overwrite each other silently: what is configured has a revision.

use crate::problem::{Kind, Problem};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A thing as it stands at a revision.
#[derive(Debug)]
pub(crate) struct Tagged<T>(pub(crate) i64, pub(crate) T);

fn tag(revision: i64) -> String {
    format!("\"{revision}\"")
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        if let Ok(tag) = HeaderValue::from_str(&tag(self.0)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        let kept = HeaderValue::from_static("no-cache");
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
        response
    }
}

impl<T: Serialize> Tagged<T> {
    /// Only that nothing has changed, if the caller knows this revision.
    pub(crate) fn unless_known(self, headers: &HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH);
        let known = known.and_then(|known| known.to_str().ok());
        let tag = tag(self.0);
        let is_known = known.is_some_and(|known| {
            known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        });
        let mut response = self.into_response();
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        response
    }
}

/// The revision that a change was decided on (`If-Match`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IfMatch {
    /// Whatever it is by now (`*`).
    Any,
    /// This one.
    Revision(i64),
    /// None that ever was one of ours.
    Strange,
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(given) = parts.headers.get(header::IF_MATCH) else {
            return Err(Problem::new(
                Kind::PreconditionRequired,
                "send If-Match with the ETag that you read, so that nobody's change is overwritten \
                 unseen; `*` overwrites",
            ));
        };
        let given = given.to_str().unwrap_or_default().trim();
        if given == "*" {
            return Ok(Self::Any);
        }
        let bare = given
            .strip_prefix('"')
            .and_then(|tag| tag.strip_suffix('"'));
        let revision = bare.and_then(|tag| tag.parse().ok());
        Ok(revision.map_or(Self::Strange, Self::Revision))
    }
}

impl IfMatch {
    /// The revision that the record must stand at; `None`: any.
    pub(crate) fn expected(self) -> Result<Option<i64>, Problem> {
        match self {
            Self::Any => Ok(None),
            Self::Revision(revision) => Ok(Some(revision)),
            Self::Strange => Err(changed()),
        }
    }
}

/// It has changed since it was read.
pub(crate) fn changed() -> Problem {
    Problem::new(
        Kind::PreconditionFailed,
        "it has changed since it was read; read it again and decide on that",
    )
}
