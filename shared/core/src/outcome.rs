//! How a job ended, and what is to become of its work.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a job that succeeded did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A mirror of the issue was created.
    Created,
    /// The mirror was changed.
    Updated,
    /// Nothing was to be done.
    Unchanged,
    /// Left out, on purpose.
    Skipped(SkipReason),
    /// A scan: so many issues were found due.
    Scanned {
        /// Issues owed.
        owed: u64,
    },
    /// A large file was seen to; the issues that waited for it go on.
    Carried,
    /// A look at a mirror that was at fault: it goes on, unless a person had it rest.
    Checked {
        /// It rested until now.
        resumed: bool,
    },
    /// An errand ended; what came of it stands in its own record.
    Errand,
}

/// Why something is left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Closed before it was ever mirrored, and `--include-closed` is off.
    ClosedBeforeFirstSync,
    /// The mirror's rules do not take it.
    OutsideFilter {
        /// The condition that it does not meet.
        why: String,
    },
    /// It has a copy, but the mirror's rules take it no more.
    LeftFilter {
        /// The condition that it does not meet any more.
        why: String,
        /// Its copy was closed, not only left as it is.
        closed: bool,
    },
    /// A person took it out of the mirror.
    Unlinked,
    /// It is itself a copy that this deployment (or a pair's other half) made.
    IsACopy,
    /// Confidential, and the target's token could not prove that it can keep a secret.
    ConfidentialNotProven {
        /// What is missing, and its mend.
        why: String,
    },
    /// Gone, or not visible to the token.
    Unreadable,
    /// Gone at the source, as was proven.
    Deleted,
    /// Gone at the source together with so many that a person is to release their copies.
    Held {
        /// How many wait, this one among them.
        count: u64,
    },
    /// The target refuses it for good.
    Refused {
        /// GitLab's own words.
        why: String,
    },
    /// It is to keep its number, and cannot.
    NumberTaken {
        /// The target issue that has it.
        target_iid: i64,
    },
    /// Someone else's object carries our marker; a person must look.
    MarkerByStranger {
        /// The target issue that carries it.
        target_iid: i64,
    },
    /// The target's people have moved its copy to another project; nothing more is written on it.
    TargetMoved {
        /// The copy that was moved.
        target_iid: i64,
    },
}

const LEFT_AND_CLOSED: &str = "left what the mirror takes, and its copy was closed";

impl SkipReason {
    /// Whether a reason, as it was recorded, says that a copy was closed because its issue left.
    pub fn tells_of_closing(recorded: &str) -> bool {
        recorded.starts_with(LEFT_AND_CLOSED)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedBeforeFirstSync => f.write_str("closed before it was first mirrored"),
            Self::OutsideFilter { why } => write!(f, "outside what the mirror takes: {why}"),
            Self::LeftFilter { why, closed: true } => write!(f, "{LEFT_AND_CLOSED}: {why}"),
            Self::LeftFilter { why, closed: false } => write!(
                f,
                "left what the mirror takes, and its copy stays as it is: {why}"
            ),
            Self::Unlinked => f.write_str("taken out of the mirror by a person"),
            Self::IsACopy => f.write_str("is itself a mirrored copy"),
            Self::ConfidentialNotProven { why } => write!(f, "confidential: {why}"),
            Self::Unreadable => f.write_str("gone, or hidden from the token"),
            Self::Deleted => f.write_str("deleted at the source"),
            Self::Held { count } => write!(
                f,
                "gone at the source like {count} in all, too many for their copies to follow \
                 unasked; look there, then run `issue-mirror mirrors release`"
            ),
            Self::Refused { why } => write!(f, "refused by the target: {why}"),
            Self::TargetMoved { target_iid } => write!(
                f,
                "its copy #{target_iid} was moved to another project there, and is not written to \
                 any more"
            ),
            Self::NumberTaken { target_iid } => write!(
                f,
                "another issue of the target has its number, #{target_iid}; with `--preserve auto` \
                 it gets the next one"
            ),
            Self::MarkerByStranger { target_iid } => {
                write!(
                    f,
                    "target issue #{target_iid} carries its marker but was written by a stranger"
                )
            }
        }
    }
}

/// What becomes of a row of work after a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Finished.
    Done,
    /// Until another row of work ends, which sets this one free; no attempt is burnt.
    Wait,
    /// Throttled or paused: again at that time, and no attempt is burnt.
    Snooze(DateTime<Utc>),
    /// Failed for a cause that may pass: again later, one attempt more.
    Retry,
    /// Failed for good: a dead letter, retried by hand only.
    GiveUp,
}
