//! Answers that never arrive.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode};

/// Marks a response that stands for a cut connection.
///
/// A served socket is closed without a byte of answer. With [`crate::Sim::router`] there is no
/// socket: the response then carries this extension (and status 599, which no GitLab sends, and a
/// body that fails), and an in-process transport turns it into its transport error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLost;

/// The error that a cut body ends with.
#[derive(Debug, thiserror::Error)]
#[error("connection cut by a fault")]
pub(crate) struct Cut;

/// A response that means: no response.
pub(crate) fn lost() -> Response<Body> {
    let broken = stream::once(async { Err::<Bytes, Cut>(Cut) });
    let mut response = Response::new(Body::from_stream(broken));
    *response.status_mut() = StatusCode::from_u16(599).unwrap_or(StatusCode::BAD_GATEWAY);
    response.extensions_mut().insert(ConnectionLost);
    response
}
