//! An answer's body that neither hangs for ever nor ends too early unnoticed.

use crate::transport::{ByteStream, TransportError, TransportErrorKind};
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt};
use mirror_core::ports::{BoxFuture, Clock};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// Wraps a body: each wait for a piece is bounded by the clock, and a body shorter than its
/// `Content-Length` ends in an error instead of an end.
pub(crate) struct Guarded {
    inner: ByteStream,
    clock: Arc<dyn Clock>,
    patience: Duration,
    // Made only when there really is something to wait for.
    timer: Option<BoxFuture<'static, ()>>,
    left: Option<u64>,
    over: bool,
}

impl Guarded {
    pub(crate) fn new(
        inner: ByteStream,
        clock: Arc<dyn Clock>,
        patience: Duration,
        length: Option<u64>,
    ) -> Self {
        Self {
            inner,
            clock,
            patience,
            timer: None,
            left: length,
            over: false,
        }
    }

    fn end(&mut self, error: TransportError) -> Poll<Option<Result<Bytes, TransportError>>> {
        self.over = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Guarded {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        match this.inner.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                this.timer = None;
                this.left = this
                    .left
                    .map(|left| left.saturating_sub(piece.len() as u64));
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Some(Err(error))) => this.end(error),
            Poll::Ready(None) => match this.left {
                Some(missing) if missing > 0 => this.end(TransportError::new(
                    TransportErrorKind::Interrupted,
                    format!("the body ended {missing} bytes short of its announced length"),
                )),
                Some(_) | None => {
                    this.over = true;
                    Poll::Ready(None)
                }
            },
            Poll::Pending => {
                let timer = this
                    .timer
                    .get_or_insert_with(|| this.clock.sleep(this.patience));
                match timer.poll_unpin(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => {
                        let waited =
                            format!("no further byte within {} s", this.patience.as_secs());
                        this.end(TransportError::new(TransportErrorKind::TimedOut, waited))
                    }
                }
            }
        }
    }
}
