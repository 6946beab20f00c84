//! What may have become of a request that failed, and whether to try again.

use super::{Conflict, Error, ErrorKind};
use crate::transport::TransportErrorKind;
use http::StatusCode;

/// What may have become of a request that failed (for a create: law "at most one").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// No byte of it was sent, or not all of it: it cannot have had any effect.
    NotSent,
    /// It is over, GitLab itself having answered, with whatever status: no effect will come later,
    /// though a 500 may have left one.
    Decided,
    /// It may have had its effect, or may still have it.
    Unknown,
}

impl Error {
    /// Whether the same request may succeed later, with nothing changed by a person.
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { .. }
            | ErrorKind::UnprovenWalk
            | ErrorKind::Conflict(Conflict::Lock) => true,
            ErrorKind::Transport(error) | ErrorKind::Input(error) => error.is_transient(),
            ErrorKind::Refused => {
                self.status() == Some(StatusCode::REQUEST_TIMEOUT)
                    || self.status() == Some(StatusCode::TOO_EARLY)
            }
            ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict(
                Conflict::DuplicateIid | Conflict::LabelExists | Conflict::Other,
            )
            | ErrorKind::Validation { .. }
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Malformed { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::SignIn
            | ErrorKind::Withdrawn
            | ErrorKind::Unsendable { .. } => false,
        }
    }

    /// What may have become of the request.
    pub fn fate(&self) -> Fate {
        match self.kind() {
            ErrorKind::Transport(error) => match error.kind() {
                TransportErrorKind::CouldNotConnect | TransportErrorKind::Tls => Fate::NotSent,
                TransportErrorKind::TimedOut
                | TransportErrorKind::Interrupted
                | TransportErrorKind::Cut => Fate::Unknown,
            },
            ErrorKind::Input(_) | ErrorKind::Unsendable { .. } | ErrorKind::Withdrawn => {
                Fate::NotSent
            }
            ErrorKind::Throttled { .. } if self.status().is_none() => Fate::NotSent,
            ErrorKind::Unavailable { own_answer: false } | ErrorKind::Malformed { .. } => {
                Fate::Unknown
            }
            ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { own_answer: true }
            | ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict(_)
            | ErrorKind::Validation { .. }
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Redirected { .. }
            | ErrorKind::SignIn
            | ErrorKind::UnprovenWalk
            | ErrorKind::Refused => Fate::Decided,
        }
    }

    /// Whether a create that failed this way may have had its effect all the same, so that it is
    /// looked for before it is sent again. A 500 in GitLab's own form is over, yet may have left
    /// its effect behind.
    pub fn outcome_unknown(&self) -> bool {
        match self.fate() {
            Fate::NotSent => false,
            Fate::Unknown => true,
            Fate::Decided => self.status().is_some_and(|status| status.is_server_error()),
        }
    }
}
