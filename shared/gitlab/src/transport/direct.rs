//! A service of this very process in the network's place: the simulation runs on it.

use super::{ByteStream, Incoming, Outgoing, Transport, TransportError, TransportErrorKind};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::BodyDataStream;
use mirror_core::ports::BoxFuture;
use std::error::Error;
use tower::{Service, ServiceExt};

/// Calls a [`tower::Service`] (a router, say) without a network between.
#[derive(Clone, Debug)]
pub struct DirectTransport<S, F> {
    service: S,
    body: F,
}

impl<S, F> DirectTransport<S, F> {
    /// `body` turns pieces into the service's own kind of body: `axum::body::Body::from_stream`.
    pub fn new(service: S, body: F) -> Self {
        Self { service, body }
    }
}

impl<S, F, I, O> Transport for DirectTransport<S, F>
where
    S: Service<http::Request<I>, Response = http::Response<O>> + Clone + Send + Sync + 'static,
    S::Error: Error + Send + Sync + 'static,
    S::Future: Send,
    F: Fn(ByteStream) -> I + Send + Sync + 'static,
    I: Send + 'static,
    O: http_body::Body<Data = Bytes> + Send + 'static,
    O::Error: Error + Send + Sync + 'static,
{
    fn send<'a>(
        &'a self,
        request: http::Request<Outgoing>,
    ) -> BoxFuture<'a, Result<http::Response<Incoming>, TransportError>> {
        let (mut parts, body) = request.into_parts();
        if let Some(length) = body.length().filter(|length| *length > 0) {
            parts
                .headers
                .insert(http::header::CONTENT_LENGTH, length.into());
        }
        let request = http::Request::from_parts(parts, (self.body)(body.into_stream()));
        let answer = self.service.clone().oneshot(request);
        Box::pin(async move {
            let response = answer.await.map_err(|error| broken(&error))?;
            Ok(response.map(|body| {
                BodyDataStream::new(Box::pin(body))
                    .map_err(|error| broken(&error))
                    .boxed()
            }))
        })
    }
}

fn broken(error: &(dyn Error + 'static)) -> TransportError {
    TransportError::caused_by(TransportErrorKind::Interrupted, error)
}
