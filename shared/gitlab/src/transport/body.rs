//! A carrier of requests, and the bodies it carries.

use super::TransportError;
use bytes::Bytes;
use futures_util::{StreamExt, stream, stream::BoxStream};
use http_body::{Body, Frame, SizeHint};
use mirror_core::ports::BoxFuture;
use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

/// Pieces of a body, as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes, TransportError>>;

/// The body of an answer.
pub type Incoming = ByteStream;

/// Carries one request to the host it names, and back comes what that host answered. Redirects
/// are not followed, nothing is retried unless it is certain that it was not processed.
pub trait Transport: Send + Sync + 'static {
    /// Sends; the future ends with the head of the answer.
    fn send<'a>(
        &'a self,
        request: http::Request<Outgoing>,
    ) -> BoxFuture<'a, Result<http::Response<Incoming>, TransportError>>;
}

/// The body of a request.
pub enum Outgoing {
    /// None.
    Empty,
    /// In memory.
    Bytes(Bytes),
    /// Piece by piece.
    Stream {
        /// The pieces.
        stream: ByteStream,
        /// Their bytes in all, where that is known beforehand: sent as `Content-Length`.
        length: Option<u64>,
    },
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}

impl Outgoing {
    /// The body's length, where it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream { length, .. } => *length,
        }
    }

    /// As pieces, whatever the form.
    pub fn into_stream(self) -> ByteStream {
        match self {
            Self::Empty => stream::empty().boxed(),
            Self::Bytes(bytes) => stream::once(async { Ok(bytes) }).boxed(),
            Self::Stream { stream, .. } => stream,
        }
    }
}

/// A stream of known or unknown length in the form that HTTP libraries take; a known length
/// becomes `Content-Length` instead of chunks.
pub(super) struct Sized {
    // A body must be `Sync` to be sent, a stream is not: nothing ever waits for this lock, since
    // only the owner reaches it.
    stream: Mutex<ByteStream>,
    left: Option<u64>,
}

impl Sized {
    pub(super) fn new(stream: ByteStream, length: Option<u64>) -> Self {
        Self {
            stream: Mutex::new(stream),
            left: length,
        }
    }
}

impl Body for Sized {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let stream = self
            .stream
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let next = stream.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(piece))) = &next {
            self.left = self
                .left
                .map(|left| left.saturating_sub(piece.len() as u64));
        }
        next.map_ok(Frame::data)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
