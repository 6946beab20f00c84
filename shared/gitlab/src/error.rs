//! What went wrong with one request, and what that says about its effect.

use crate::{call::Subject, transport::TransportError, transport::TransportErrorKind};
use chrono::{DateTime, Utc};
use http::StatusCode;
use mirror_core::ids::ProjectId;
use std::{collections::BTreeMap, fmt};

/// What went wrong with one request. Names the request (never its query, never the token), the
/// status and GitLab's own words.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    subject: Subject,
    status: Option<StatusCode>,
    kind: ErrorKind,
    message: Option<String>,
    retry_at: Option<DateTime<Utc>>,
}

/// What kind of thing went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// 401: the token is unknown, or no longer good.
    Unauthorized {
        /// Where GitLab said why.
        fault: Option<TokenFault>,
    },
    /// 403: the token lacks a scope.
    InsufficientScope {
        /// The scopes that would do, where GitLab named them.
        needed: Vec<String>,
    },
    /// 403: the token's user may not.
    Forbidden,
    /// 404: not there, or not for this token's user.
    NotFound,
    /// 301 of a renamed project addressed by its path (facts section 1, "Errors").
    Moved {
        /// The project's number, which never changes.
        project: ProjectId,
    },
    /// 405: among others a write to a renamed project addressed by its path.
    MethodNotAllowed,
    /// 409.
    Conflict(Conflict),
    /// 400 or 422: GitLab finds fault with the content.
    Validation {
        /// What it says of each field, where it said so field by field.
        fields: BTreeMap<String, Vec<String>>,
    },
    /// Taken for spam.
    Spam {
        /// A person could solve a captcha for it.
        captcha: bool,
    },
    /// 413: over the instance's size limit.
    TooLarge,
    /// Refused for its rate, or not sent because the limit is known to be used up.
    Throttled {
        /// When it may be sent again.
        until: DateTime<Utc>,
    },
    /// 5xx.
    Unavailable {
        /// Whether GitLab itself answered, in its own form, so that the request is over; a proxy's
        /// answer says nothing about what becomes of it.
        own_answer: bool,
    },
    /// No answer.
    Transport(TransportError),
    /// The stream given to be uploaded broke off, so that the request never was complete.
    Input(TransportError),
    /// An answer that cannot be read: not JSON, of another shape, over the size cap, cut pages.
    Malformed {
        /// In which way.
        what: String,
    },
    /// An answer that leads elsewhere: another address of the instance, most often `https`.
    Redirected {
        /// Scheme and host it leads to.
        to: String,
    },
    /// A web address that asks for a sign-in: tokens of the API are not accepted there (facts
    /// section 6).
    SignIn,
    /// The list changed while it was read, every time it was walked: what is absent from it is not
    /// proven absent.
    UnprovenWalk,
    /// Cannot be a request at all: a token or a path that no URL or header can hold.
    Unsendable {
        /// In which way.
        what: String,
    },
    /// Any other refusal, by its status.
    Refused,
}

/// What GitLab says of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenFault {
    /// Past its last day.
    Expired,
    /// Revoked by a person.
    Revoked,
}

/// The meanings of a 409.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Conflict {
    /// `409 Conflict: Resource lock`: somebody edited at the same time; sending again is right.
    Lock,
    /// `Duplicated issue`: the preset `iid` is taken.
    DuplicateIid,
    /// A label of this name exists.
    LabelExists,
    /// Anything else.
    Other,
}

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
    pub(crate) fn new(subject: &Subject, kind: ErrorKind) -> Self {
        let retry_at = match &kind {
            ErrorKind::Throttled { until } => Some(*until),
            ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict(_)
            | ErrorKind::Validation { .. }
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Unavailable { .. }
            | ErrorKind::Transport(_)
            | ErrorKind::Input(_)
            | ErrorKind::Malformed { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::SignIn
            | ErrorKind::UnprovenWalk
            | ErrorKind::Unsendable { .. }
            | ErrorKind::Refused => None,
        };
        Self(Box::new(Inner {
            subject: subject.clone(),
            status: None,
            kind,
            message: None,
            retry_at,
        }))
    }

    pub(crate) fn malformed(subject: &Subject, what: impl Into<String>) -> Self {
        Self::new(subject, ErrorKind::Malformed { what: what.into() })
    }

    pub(crate) fn unsendable(subject: &Subject, what: impl Into<String>) -> Self {
        Self::new(subject, ErrorKind::Unsendable { what: what.into() })
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_message(mut self, message: Option<String>) -> Self {
        self.0.message = message;
        self
    }

    pub(crate) fn with_retry_at(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.0.retry_at = at.or(self.0.retry_at);
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The status, where there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// GitLab's own words, shortened, on one line.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The request, `GET /projects/7/issues/3`.
    pub fn request(&self) -> String {
        self.0.subject.to_string()
    }

    /// Host (and port) of the instance asked.
    pub fn instance(&self) -> &str {
        self.0.subject.instance()
    }

    /// The earliest time at which sending again makes sense, where the answer or the known limits
    /// tell one; by this process's clock. Such a failure is a wait, not a fault.
    pub fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.0.retry_at
    }

    /// Whether the same request may succeed later, with nothing changed by a person.
    pub fn is_transient(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { .. }
            | ErrorKind::UnprovenWalk
            | ErrorKind::Conflict(Conflict::Lock) => true,
            ErrorKind::Transport(error) | ErrorKind::Input(error) => error.is_transient(),
            ErrorKind::Refused => {
                self.0.status == Some(StatusCode::REQUEST_TIMEOUT)
                    || self.0.status == Some(StatusCode::TOO_EARLY)
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
            | ErrorKind::Unsendable { .. } => false,
        }
    }

    /// What may have become of the request.
    pub fn fate(&self) -> Fate {
        match &self.0.kind {
            ErrorKind::Transport(error) => match error.kind() {
                TransportErrorKind::CouldNotConnect | TransportErrorKind::Tls => Fate::NotSent,
                TransportErrorKind::TimedOut
                | TransportErrorKind::Interrupted
                | TransportErrorKind::Cut => Fate::Unknown,
            },
            ErrorKind::Input(_) | ErrorKind::Unsendable { .. } => Fate::NotSent,
            ErrorKind::Throttled { .. } if self.0.status.is_none() => Fate::NotSent,
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
            Fate::Decided => self.0.status.is_some_and(|status| status.is_server_error()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Transport(error) | ErrorKind::Input(error) => Some(error),
            ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict(_)
            | ErrorKind::Validation { .. }
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { .. }
            | ErrorKind::Malformed { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::SignIn
            | ErrorKind::UnprovenWalk
            | ErrorKind::Unsendable { .. }
            | ErrorKind::Refused => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            subject,
            status,
            kind,
            message,
            ..
        } = &*self.0;
        write!(f, "{subject} on {}", subject.instance())?;
        if let Some(status) = status {
            write!(f, " answered {}", status.as_u16())?;
        }
        write!(f, ": {kind}")?;
        if let Some(message) = message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized { fault } => f.write_str(match fault {
                None => "the token is not accepted",
                Some(TokenFault::Expired) => "the token has expired",
                Some(TokenFault::Revoked) => "the token was revoked",
            }),
            Self::InsufficientScope { needed } if needed.is_empty() => {
                f.write_str("the token lacks a scope")
            }
            Self::InsufficientScope { needed } => {
                write!(
                    f,
                    "the token lacks a scope ({} would do)",
                    needed.join(" or ")
                )
            }
            Self::Forbidden => f.write_str("the token's user may not do this"),
            Self::NotFound => f.write_str("not found, or not for this token's user"),
            Self::Moved { project } => write!(f, "the project was renamed; its id is {project}"),
            Self::MethodNotAllowed => f.write_str("not allowed in this place"),
            Self::Conflict(conflict) => f.write_str(match conflict {
                Conflict::Lock => "edited by somebody else at the same time",
                Conflict::DuplicateIid => "the issue number is taken",
                Conflict::LabelExists => "the label exists",
                Conflict::Other => "conflict",
            }),
            Self::Validation { .. } => f.write_str("refused by validation"),
            Self::Spam { captcha: false } => f.write_str("taken for spam"),
            Self::Spam { captcha: true } => {
                f.write_str("taken for spam unless a captcha is solved")
            }
            Self::TooLarge => f.write_str("over the instance's size limit"),
            Self::Throttled { until } => {
                write!(f, "over the rate limit until {}", until.format("%FT%TZ"))
            }
            Self::Unavailable { own_answer: true } => f.write_str("an error inside GitLab"),
            Self::Unavailable { own_answer: false } => {
                f.write_str("an error in front of GitLab, or GitLab is down")
            }
            Self::Transport(_) => f.write_str("no answer"),
            Self::Input(_) => f.write_str("the file to be uploaded broke off"),
            Self::Malformed { what } => write!(f, "unreadable answer, {what}"),
            Self::Redirected { to } => write!(f, "the answer leads to {to}, which is not followed"),
            Self::SignIn => f.write_str("the web address asks for a sign-in and takes no token"),
            Self::UnprovenWalk => f.write_str("the list kept changing while it was read"),
            Self::Unsendable { what } => write!(f, "cannot be sent, {what}"),
            Self::Refused => f.write_str("refused"),
        }
    }
}
