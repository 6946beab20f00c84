//! The one place from which requests leave.

use crate::{
    Client, Error, ErrorKind,
    call::Call,
    calls::{Errand, Sent},
    guarded::Guarded,
    limits, origin,
    transport::{ByteStream, Outgoing, TransportError, TransportErrorKind},
};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use http::{HeaderValue, Request, Response, header};
use mirror_core::{
    ports::{Charge, Observation},
    sent::SentRequest,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::{Instrument, Span, field};

impl Client {
    /// Asks for permission, sends once, learns from the head of the answer, and hands back whatever
    /// the other side said. The body's waits are bounded already.
    pub(crate) async fn send(&self, call: &mut Call) -> Result<Response<ByteStream>, Error> {
        let span = tracing::debug_span!(
            "gitlab.request",
            "http.request.method" = %call.method,
            "url.path" = call.subject.path(),
            "http.response.status_code" = field::Empty,
            instance = call.subject.instance(),
        );
        self.send_in(call, &span).instrument(span.clone()).await
    }

    async fn send_in(&self, call: &mut Call, span: &Span) -> Result<Response<ByteStream>, Error> {
        let charge = self.charge(call);
        if call.counted {
            self.admitted(call, &charge).await?;
        }
        let mut place = Place {
            client: self,
            charge: &charge,
            counted: call.counted,
            told: Observation::default(),
        };
        if !call.reads() && !Errand::current_may_change().await {
            return Err(Error::new(&call.subject, ErrorKind::Withdrawn));
        }
        let (request, input) = self.request(call)?;
        self.shared.calls.sent(call.class);
        let mut under_way = self.under_way(call);
        let response = match self.within_patience(request, &input).await {
            Ok(response) => response,
            Err(error) => {
                place.told.struggling = input.failure().is_none();
                return Err(self.no_answer(call, &input, error));
            }
        };
        let (head, body) = response.into_parts();
        span.record("http.response.status_code", head.status.as_u16());
        if let Some(under_way) = &mut under_way {
            under_way.request.status = Some(head.status.as_u16());
        }
        drop(under_way);
        place.told = limits::observe(head.status, &head.headers, self.shared.clock.now());
        drop(place);
        let length = limits::text(&head.headers, header::CONTENT_LENGTH.as_str())
            .and_then(|length| length.parse().ok());
        let body = Guarded::new(
            body,
            Arc::clone(&self.shared.clock),
            self.shared.options.body_timeout,
            length,
        );
        Ok(Response::from_parts(head, body.boxed()))
    }

    /// The request as it leaves. The token is added here and nowhere else, and only where the
    /// address is the instance's own: an answer can never lead it elsewhere.
    fn request(&self, call: &mut Call) -> Result<(Request<Outgoing>, Input), Error> {
        let unsendable = |what: &str| Error::unsendable(&call.subject, what);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.url.as_str())
            .header(header::ACCEPT, "application/json, */*;q=0.5")
            .header(header::USER_AGENT, &self.shared.options.user_agent);
        if let Some(content_type) = call.payload.content_type() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if call.counted && origin::same(&call.url, &self.shared.base) {
            let token: HeaderValue = self
                .shared
                .token
                .header()
                .ok_or_else(|| unsendable("the token holds characters that no token has"))?;
            request = request.header("private-token", token);
        }
        let body = call
            .payload
            .take()
            .ok_or_else(|| unsendable("its body was sent before"))?;
        let input = Input::default();
        let request = request
            .body(input.watch(body))
            .map_err(|_| Error::unsendable(&call.subject, "its address cannot be written"))?;
        Ok((request, input))
    }

    /// Waits for the head; while a body is still being fetched by the other side, from its last
    /// piece.
    async fn within_patience(
        &self,
        request: Request<Outgoing>,
        input: &Input,
    ) -> Result<Response<ByteStream>, TransportError> {
        let patience = self.shared.options.read_timeout;
        let mut answer = self.shared.transport.send(request);
        let mut seen = input.pieces();
        loop {
            match select(answer, self.shared.clock.sleep(patience)).await {
                Either::Left((answer, _)) => return answer,
                Either::Right(((), unfinished)) => {
                    let pieces = input.pieces();
                    if pieces == seen {
                        let waited = format!("no answer within {} s", patience.as_secs());
                        return Err(TransportError::new(TransportErrorKind::TimedOut, waited));
                    }
                    seen = pieces;
                    answer = unfinished;
                }
            }
        }
    }

    /// Somebody may want to know of it; told when the guard is dropped.
    fn under_way(&self, call: &Call) -> Option<UnderWay<'_>> {
        let teller = Errand::current_sent()?;
        let clock = &self.shared.clock;
        Some(UnderWay {
            client: self,
            teller,
            since: clock.monotonic(),
            request: SentRequest {
                at: clock.now(),
                instance: call.subject.instance().to_owned(),
                method: call.subject.method().to_string(),
                path: call.subject.path().to_owned(),
                status: None,
                took: Duration::ZERO,
            },
        })
    }

    fn no_answer(&self, call: &Call, input: &Input, error: TransportError) -> Error {
        let kind = match input.failure() {
            Some(own) => ErrorKind::Input(own),
            None => ErrorKind::Transport(error.redacted(&self.shared.token)),
        };
        Error::new(&call.subject, kind)
    }
}

/// A place in the limits that a request was given. It is handed back exactly once with what the
/// answer told, however the request ends: by its answer, an error, or because nobody waits for it
/// any more.
struct Place<'a> {
    client: &'a Client,
    charge: &'a Charge,
    counted: bool,
    told: Observation,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.counted {
            if self.told.refused.is_some() {
                self.client.shared.calls.refused();
            }
            self.client.shared.pace.learn(self.charge, &self.told);
        }
    }
}

/// A request that has left. It is told of exactly once, however it ends.
struct UnderWay<'a> {
    client: &'a Client,
    teller: Arc<Sent>,
    since: Duration,
    request: SentRequest,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let now = self.client.shared.clock.monotonic();
        self.request.took = now.saturating_sub(self.since);
        self.teller.ended(self.request.clone());
    }
}

/// Watches the body that is being sent: how far it got, and whether it broke off by itself, which
/// the transport could not tell from a broken connection.
#[derive(Clone, Default)]
struct Input {
    pieces: Arc<AtomicU64>,
    failure: Arc<Mutex<Option<TransportError>>>,
}

impl Input {
    fn watch(&self, body: Outgoing) -> Outgoing {
        let Outgoing::Stream { stream, length } = body else {
            return body;
        };
        let watch = self.clone();
        let stream = stream
            .inspect(move |piece| match piece {
                Ok(_) => {
                    watch.pieces.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => *watch.slot() = Some(error.clone()),
            })
            .boxed();
        Outgoing::Stream { stream, length }
    }

    fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::Relaxed)
    }

    fn failure(&self) -> Option<TransportError> {
        self.slot().clone()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<TransportError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
