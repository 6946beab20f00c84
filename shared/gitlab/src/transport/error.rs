//! Why there is no answer.

use std::error::Error;
use thiserror::Error;

/// Why there is no answer, or not all of one.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{} ({cause})", kind.text())]
pub struct TransportError {
    kind: TransportErrorKind,
    cause: String,
}

/// At which point it failed, and so what the other side may have done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransportErrorKind {
    /// Name look-up, TCP or proxy failed: no byte of the request was sent.
    CouldNotConnect,
    /// The other side's certificate is not trusted, or TLS failed: no byte of the request was sent.
    Tls,
    /// No answer, or no further piece of it, within the time allowed.
    TimedOut,
    /// The connection broke: reset, closed too early, a body shorter than announced.
    Interrupted,
    /// Ended by ourselves, on purpose: a file over its size limit, say.
    Cut,
}

impl TransportErrorKind {
    fn text(self) -> &'static str {
        match self {
            Self::CouldNotConnect => "could not connect",
            Self::Tls => "no secure connection",
            Self::TimedOut => "timed out",
            Self::Interrupted => "connection interrupted",
            Self::Cut => "cut off",
        }
    }
}

impl TransportError {
    /// An error with its cause in words, without any secret and without a URL's query.
    pub fn new(kind: TransportErrorKind, cause: impl Into<String>) -> Self {
        Self {
            kind,
            cause: cause.into(),
        }
    }

    /// An error caused by another one, named by the innermost of its sources: the outer ones only
    /// tell through which layers of a library it came.
    pub fn caused_by(kind: TransportErrorKind, error: &(dyn Error + 'static)) -> Self {
        Self::new(kind, innermost(error).to_string())
    }

    /// At which point it failed.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// The cause in words.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// Whether the same may succeed later, with nothing changed by a person.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            TransportErrorKind::CouldNotConnect
            | TransportErrorKind::TimedOut
            | TransportErrorKind::Interrupted => true,
            TransportErrorKind::Tls | TransportErrorKind::Cut => false,
        }
    }

    pub(crate) fn redacted(self, token: &crate::Token) -> Self {
        Self {
            cause: token.redact(&self.cause),
            ..self
        }
    }
}

/// The chain of sources, looking into I/O errors too, whose own `source` skips what they wrap.
pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped: Option<&'a (dyn Error + 'static)> = error
            .downcast_ref::<std::io::Error>()
            .and_then(|io| io.get_ref())
            .map(|inner| inner as &(dyn Error + 'static));
        match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}
