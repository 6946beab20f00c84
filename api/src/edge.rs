//! The outermost layers: every request gets an id, none may be too large or too slow, and whatever
//! goes wrong is answered as a problem.

use crate::problem::{Kind, Problem};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use mirror_core::ports::Entropy;
use std::{sync::Arc, time::Duration};
use tower_http::{catch_panic::CatchPanicLayer, timeout::RequestBodyTimeoutLayer};

/// The largest body that a resource takes; only hooks have another.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// How long a body may stand still while it arrives.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// The id of a request, in its answer and in the logs.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request at hand.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Puts the layers around all routes.
pub(crate) fn around(router: Router, entropy: Arc<dyn Entropy>) -> Router {
    let named = move |request: Request, next: Next| {
        let id = format!("{:016x}", entropy.next_u64());
        named(id, request, next)
    };
    router
        .fallback(|| async { Problem::new(Kind::NotFound, "there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::MethodNotAllowed, "this path knows no such method")
        })
        .layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE))
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(Problem::new(
                Kind::Internal,
                "this should not have happened; the log has more under the request's id",
            ))
        }))
        .layer(middleware::from_fn(named))
}

/// Gives a request its id, and writes a problem out with it.
async fn named(id: String, mut request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        id,
        method = %request.method(),
        path = request.uri().path()
    );
    request.extensions_mut().insert(RequestId(id.clone()));
    let answered = tracing::Instrument::instrument(next.run(request), span.clone()).await;
    let mut response = match problem_of(&answered) {
        Some(problem) => {
            let _in = span.enter();
            tracing::debug!(kind = ?problem.kind(), detail = problem.detail(), "not served");
            let allow = answered.headers().get(header::ALLOW).cloned();
            let mut response = problem.rendered(&id);
            if let Some(allow) = allow {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            response
        }
        None => answered,
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    let uncached = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(uncached);
    response
}

/// The problem that an answer stands for; layers that know nothing of problems answer by status.
fn problem_of(response: &Response<Body>) -> Option<Problem> {
    let known = response.extensions().get::<Problem>().cloned();
    known.or_else(|| match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Some(too_large(MAX_BODY)),
        _ => None,
    })
}

pub(crate) fn too_large(most: usize) -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("a request may have {} KiB at most", most / 1024),
    )
}
