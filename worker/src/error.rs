//! Why a job failed, and what is to become of its work.

use chrono::{DateTime, Utc};
use mirror_core::{ids::MirrorId, outcome::Verdict, retry::MAX_ATTEMPTS};
use mirror_gitlab::ErrorKind;
use mirror_store::StoreError;
use std::{error::Error, fmt};

/// Which end of a mirror.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Where issues come from.
    Source,
    /// Where their copies live.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// A GitLab said no, or nothing.
    #[error("on the {side}")]
    GitLab {
        /// Which.
        side: Side,
        /// What it said.
        source: mirror_gitlab::Error,
    },
    /// A GitLab could not be reached while its mirror was being connected: nothing was tried on
    /// the issue, and nothing counts against it.
    #[error("the {side} GitLab cannot be reached")]
    Unreachable {
        /// Which.
        side: Side,
        /// What became of the request.
        source: mirror_gitlab::Error,
    },
    /// The record could not be read or written.
    #[error("the state could not be kept")]
    Store(#[from] StoreError),
    /// Another worker may hold the row by now.
    #[error("the lease on this work was lost")]
    LeaseLost,
    /// This process is about to end.
    #[error("stopped on request")]
    Stopping,
    /// A create went unanswered, is not to be found, and may still take effect.
    #[error("a request went unanswered and may still take effect until {until}")]
    MayStillLand {
        /// When it is safe to send again.
        until: DateTime<Utc>,
    },
    /// The source changed since it was read: the job begins anew, with what is true now.
    #[error("the source changed while it was being mirrored")]
    Stale,
    /// The target turned out to take something else than was thought: the job begins anew.
    #[error("the target takes other fields than was thought; the copy is made to say so")]
    Relearnt,
    /// Other work comes first, whose end sets this free.
    #[error("{0}")]
    Waits(&'static str),
    /// A long thread is created in parts, so that others have their turn between them.
    #[error("a part of its comments is there; the others follow when others have had their turn")]
    MoreToCome,
    /// Project or token are at fault, not this issue.
    #[error("{reason}")]
    AtFault {
        /// What, and the mend.
        reason: String,
    },
    /// The mirror's rules were changed, and some process may not know it yet.
    #[error("its rules were changed; everything is looked at anew once every worker has them")]
    RulesToCome {
        /// When every process has them.
        until: DateTime<Utc>,
    },
    /// What it needs is known to be there later only.
    #[error("{why}")]
    Later {
        /// When.
        until: DateTime<Utc>,
        /// What is waited for.
        why: String,
    },
    /// A person must decide.
    #[error("{0}")]
    PersonNeeded(String),
    /// This process has no connection for the mirror.
    #[error("mirror {0} is not connected in this process")]
    NotConnected(MirrorId),
}

/// How long a row rests that nobody here can work on.
const ELSEWHERE: chrono::TimeDelta = chrono::TimeDelta::minutes(15);
/// How long a row rests whose instance is away; whoever comes first tries it for all its mirror.
const AWAY: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

impl SyncError {
    /// What is to become of the work, at its `attempt`-th failure (1 is the first). `None`: it goes
    /// back as it was, no attempt burnt. `now` is the record's time, `here` this process's: what the
    /// client says of limits is by the latter, and the two may be far apart.
    pub fn verdict(
        &self,
        attempt: i64,
        now: DateTime<Utc>,
        here: DateTime<Utc>,
    ) -> Option<Verdict> {
        let or_give_up = |transient: bool| {
            if transient && attempt < MAX_ATTEMPTS {
                Verdict::Retry
            } else {
                Verdict::GiveUp
            }
        };
        Some(match self {
            Self::GitLab { source, .. } if *source.kind() == ErrorKind::Withdrawn => return None,
            Self::GitLab { source, .. } => match source.retry_at() {
                Some(at) => Verdict::Snooze(now.checked_add_signed(at - here).unwrap_or(at)),
                None => or_give_up(source.is_transient()),
            },
            Self::Unreachable { .. } => Verdict::Snooze(now + AWAY),
            Self::Store(error) if error.is_fenced() => return None,
            Self::Store(error) => or_give_up(error.is_transient()),
            // The mirror rests, and its rows with it; who mends it and runs again waits for nothing.
            Self::AtFault { .. } | Self::LeaseLost | Self::Stopping => return None,
            Self::MayStillLand { until }
            | Self::RulesToCome { until }
            | Self::Later { until, .. } => Verdict::Snooze(*until),
            Self::Stale | Self::Relearnt => Verdict::Snooze(now),
            // Behind everything that is due by now.
            Self::MoreToCome => Verdict::Snooze(now + chrono::TimeDelta::milliseconds(1)),
            Self::Waits(_) => Verdict::Wait,
            Self::PersonNeeded(_) => Verdict::GiveUp,
            Self::NotConnected(_) => Verdict::Snooze(now + ELSEWHERE),
        })
    }

    /// Whether the project or the token may be at fault rather than the issue: then that is checked
    /// before the failure counts.
    pub(crate) fn suspect(&self) -> Option<Side> {
        let Self::GitLab { side, source } = self else {
            return None;
        };
        let suspicious = match source.kind() {
            ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::MethodNotAllowed => true,
            ErrorKind::Conflict(_)
            | ErrorKind::Validation { .. }
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { .. }
            | ErrorKind::Transport(_)
            | ErrorKind::Input(_)
            | ErrorKind::Malformed { .. }
            | ErrorKind::SignIn
            | ErrorKind::UnprovenWalk
            | ErrorKind::Unsendable { .. }
            | ErrorKind::Withdrawn
            | ErrorKind::Refused => false,
        };
        suspicious.then_some(*side)
    }

    /// The same failure for somebody else who waited for it; `None` where it is its first finder's
    /// alone.
    pub(crate) fn again(&self) -> Option<Self> {
        Some(match self {
            Self::GitLab { side, source } => Self::GitLab {
                side: *side,
                source: source.clone(),
            },
            Self::Unreachable { side, source } => Self::Unreachable {
                side: *side,
                source: source.clone(),
            },
            Self::AtFault { reason } => Self::AtFault {
                reason: reason.clone(),
            },
            Self::Store(_)
            | Self::LeaseLost
            | Self::Stopping
            | Self::MayStillLand { .. }
            | Self::RulesToCome { .. }
            | Self::Later { .. }
            | Self::Stale
            | Self::Relearnt
            | Self::Waits(_)
            | Self::MoreToCome
            | Self::PersonNeeded(_)
            | Self::NotConnected(_) => return None,
        })
    }

    /// The same, seen from the other end where an instance is one mirror's source and another's
    /// target.
    pub(crate) fn on_side(mut self, seen_from: Side) -> Self {
        if let Self::GitLab { side, .. } | Self::Unreachable { side, .. } = &mut self {
            *side = seen_from;
        }
        self
    }

    /// The ends of which what is known may be no longer true.
    pub(crate) fn doubts(&self) -> &'static [Side] {
        match self {
            Self::GitLab { side, source } if source.retry_at().is_none() => {
                let away = matches!(source.kind(), ErrorKind::Transport(_));
                if !away && !source.is_transient() && self.suspect().is_none() {
                    return &[];
                }
                match side {
                    Side::Source => &[Side::Source],
                    Side::Target => &[Side::Target],
                }
            }
            Self::AtFault { .. } => &[Side::Source, Side::Target],
            Self::GitLab { .. }
            | Self::Unreachable { .. }
            | Self::Store(_)
            | Self::LeaseLost
            | Self::Stopping
            | Self::MayStillLand { .. }
            | Self::RulesToCome { .. }
            | Self::Later { .. }
            | Self::Stale
            | Self::Relearnt
            | Self::Waits(_)
            | Self::MoreToCome
            | Self::PersonNeeded(_)
            | Self::NotConnected(_) => &[],
        }
    }

    /// The error and its causes, on one line.
    pub fn story(&self) -> String {
        let mut story = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            story.push_str(": ");
            story.push_str(&error.to_string());
            cause = error.source();
        }
        story
    }
}

/// Says which side an answer came from.
pub(crate) trait On<T> {
    fn on(self, side: Side) -> Result<T, SyncError>;
}

impl<T> On<T> for Result<T, mirror_gitlab::Error> {
    fn on(self, side: Side) -> Result<T, SyncError> {
        self.map_err(|source| SyncError::GitLab { side, source })
    }
}
