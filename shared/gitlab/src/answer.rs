//! What came back: read whole under a cap, told apart, decoded.

use crate::{
    Client, Conflict, Error, ErrorKind, TokenFault,
    call::Call,
    limits,
    message::Words,
    origin,
    transport::{ByteStream, TransportError, TransportErrorKind},
};
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use http::{HeaderMap, Response, StatusCode, header, response::Parts};
use mirror_core::ids::ProjectId;
use serde::de::DeserializeOwned;
use url::Url;

/// A value together with the instance's clock when it gave it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamped<T> {
    /// The value.
    pub value: T,
    /// The instance's own clock, in whole seconds (`Date`); never to be compared with another
    /// machine's.
    pub clock: Option<DateTime<Utc>>,
}

/// A success, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn clock(&self) -> Option<DateTime<Utc>> {
        limits::instance_clock(&self.headers)
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            if error.is_eof() && !self.body.is_empty() {
                // A body without an announced length can be cut off without the carrier noticing.
                let cut = TransportError::new(TransportErrorKind::Interrupted, shape(&error));
                let kind = ErrorKind::Transport(cut);
                return Error::new(&call.subject, kind).with_status(self.status);
            }
            let what = if limits::is(&self.headers, "html") {
                "an HTML page instead of JSON (a sign-in in front of the API?)".to_owned()
            } else {
                // The parser's words name a field and a place, and quote no content.
                shape(&error)
            };
            Error::malformed(&call.subject, what).with_status(self.status)
        })
    }
}

/// A JSON error without the value it stumbled over: that may be confidential text.
pub(crate) fn shape(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io | serde_json::error::Category::Eof => {
            "JSON that ends early"
        }
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "JSON of another shape",
    };
    match (error.line(), error.column()) {
        (0, _) => what.to_owned(),
        (line, column) => format!("{what} (line {line}, column {column})"),
    }
}

impl Client {
    /// Sends, reads the whole answer, and sends again where that is right.
    pub(crate) async fn exchange(&self, call: &mut Call) -> Result<Answer, Error> {
        let mut patience = self.patience();
        loop {
            let error = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match self.again(&mut patience, call, &error) {
                Some(wait) => self.wait_to_retry(&error, wait).await,
                None => return Err(error),
            }
        }
    }

    /// The same for an answer whose body is handed on as it comes: it is sent again only until
    /// there is one. Redirects are left to the caller.
    pub(crate) async fn open(&self, call: &mut Call) -> Result<Response<ByteStream>, Error> {
        let mut patience = self.patience();
        loop {
            let error = match self.opened_once(call).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match self.again(&mut patience, call, &error) {
                Some(wait) => self.wait_to_retry(&error, wait).await,
                None => return Err(error),
            }
        }
    }

    async fn wait_to_retry(&self, error: &Error, wait: std::time::Duration) {
        tracing::debug!(error = %error, wait_ms = wait.as_millis(), "sending again");
        self.shared.calls.retried();
        self.pause(wait).await;
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        mut call: Call,
    ) -> Result<Stamped<T>, Error> {
        let answer = self.exchange(&mut call).await?;
        Ok(Stamped {
            value: answer.decode(&call)?,
            clock: answer.clock(),
        })
    }

    async fn once(&self, call: &mut Call) -> Result<Answer, Error> {
        let response = self.send(call).await?;
        let (head, body) = response.into_parts();
        let body = self.whole(call, head.status, body).await?;
        if head.status.is_success() {
            return Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            });
        }
        Err(self.refusal(call, &head, &body))
    }

    async fn opened_once(&self, call: &mut Call) -> Result<Response<ByteStream>, Error> {
        let response = self.send(call).await?;
        if response.status().is_success() || response.status().is_redirection() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = self.whole(call, head.status, body).await?;
        Err(self.refusal(call, &head, &body))
    }

    async fn whole(
        &self,
        call: &Call,
        status: StatusCode,
        mut body: ByteStream,
    ) -> Result<Bytes, Error> {
        let cap = self.shared.options.body_cap;
        let mut whole = BytesMut::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| {
                let kind = ErrorKind::Transport(error.redacted(&self.shared.token));
                Error::new(&call.subject, kind).with_status(status)
            })?;
            if (whole.len() + piece.len()) as u64 > cap {
                return Err(Error::over_cap(&call.subject, cap).with_status(status));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// What an answer that is no success means.
    pub(crate) fn refusal(&self, call: &Call, head: &Parts, body: &[u8]) -> Error {
        let body = self.shared.token.redact(&String::from_utf8_lossy(body));
        let words = Words::read(&body, limits::is(&head.headers, "html"));
        let now = self.shared.clock.now();
        let refused = limits::observe(head.status, &head.headers, now).refused;
        let retry_at = refused.map(|refusal| self.after(limits::wait(&refusal)));
        let kind = match (head.status, retry_at) {
            (StatusCode::TOO_MANY_REQUESTS, Some(until)) => ErrorKind::Throttled { until },
            (status, _) if status.is_redirection() => self.redirection(call, &head.headers),
            (status, _) => meaning(status, &words, &head.headers),
        };
        Error::new(&call.subject, kind)
            .with_status(head.status)
            .with_message(words.message)
            .with_retry_at(retry_at)
    }

    /// A renamed project's new address, or one that is not followed.
    fn redirection(&self, call: &Call, headers: &HeaderMap) -> ErrorKind {
        let target = limits::text(headers, header::LOCATION.as_str())
            .and_then(|location| call.url.join(location).ok());
        match target {
            None => ErrorKind::Malformed {
                what: "a redirection that leads nowhere".to_owned(),
            },
            Some(target) => match project_in(&target) {
                Some(project) => ErrorKind::Moved { project },
                None if target.path().ends_with("/users/sign_in") => ErrorKind::SignIn,
                None => ErrorKind::Redirected {
                    to: format!("{}://{}", target.scheme(), origin::name(&target)),
                },
            },
        }
    }
}

fn meaning(status: StatusCode, words: &Words, headers: &HeaderMap) -> ErrorKind {
    let spam =
        words.captcha || words.mention("recognized as spam") || words.mention("spam detected");
    match status {
        _ if spam && status.is_client_error() => ErrorKind::Spam {
            captcha: words.captcha,
        },
        StatusCode::UNAUTHORIZED => ErrorKind::Unauthorized {
            fault: token_fault(words),
        },
        StatusCode::FORBIDDEN if words.code.as_deref() == Some("insufficient_scope") => {
            ErrorKind::InsufficientScope {
                needed: words.scopes.clone(),
            }
        }
        StatusCode::FORBIDDEN => ErrorKind::Forbidden,
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorKind::MethodNotAllowed,
        StatusCode::CONFLICT => ErrorKind::Conflict(conflict(words)),
        StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::TooLarge,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => ErrorKind::Validation {
            fields: words.fields.clone(),
        },
        status if status.is_server_error() => ErrorKind::Unavailable {
            own_answer: own(status, words, headers),
        },
        _ => ErrorKind::Refused,
    }
}

/// Whether GitLab itself spoke. Its application never answers 502 or 504; its 503 is told from a
/// gateway's, which may speak JSON too, by the header that it puts on all its answers.
fn own(status: StatusCode, words: &Words, headers: &HeaderMap) -> bool {
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => false,
        StatusCode::SERVICE_UNAVAILABLE => words.own && headers.contains_key("x-gitlab-meta"),
        _ => words.own,
    }
}

fn token_fault(words: &Words) -> Option<TokenFault> {
    if words.mention("expired") {
        Some(TokenFault::Expired)
    } else if words.mention("revoked") {
        Some(TokenFault::Revoked)
    } else {
        None
    }
}

fn conflict(words: &Words) -> Conflict {
    if words.mention("resource lock") {
        Conflict::Lock
    } else if words.mention("duplicated issue") {
        Conflict::DuplicateIid
    } else if words.mention("label already exists") {
        Conflict::LabelExists
    } else {
        Conflict::Other
    }
}

/// The number in `…/api/v4/projects/42…`. Only the number is believed, not the host: the request
/// for it goes to our own instance.
fn project_in(target: &Url) -> Option<ProjectId> {
    let (_, rest) = target.path().split_once("/api/v4/projects/")?;
    let number = rest.split('/').next()?;
    number.parse().ok().map(ProjectId)
}
