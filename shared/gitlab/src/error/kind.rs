//! What can go wrong.

use crate::transport::TransportError;
use chrono::{DateTime, Utc};
use mirror_core::ids::ProjectId;
use std::{collections::BTreeMap, fmt};

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
    /// An answer that cannot be read: not JSON, of another shape, over the cap, pages
    /// cut.
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
    /// Not sent: by the time that its turn had come whoever asked for it might change nothing any
    /// more.
    Withdrawn,
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
            Self::Withdrawn => f.write_str("not sent, its time was over"),
            Self::Refused => f.write_str("refused"),
        }
    }
}
