//! Identities. All are 64-bit; GitLab's and ours never mix, because each is a type of its own.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A GitLab instance, as our database numbers it.
    InstanceId;
    /// A mirror (one-way, source project to target project), as our database numbers it.
    MirrorId;
    /// A row of owed work, as our database numbers it.
    WorkId;
    /// A large file that is carried by a job of its own.
    TransferId;
    /// One recorded intention to create something on a target.
    IntentId;
    /// One run: a scan and the jobs it caused.
    RunId;
    /// One errand: something a person wants of a GitLab.
    ErrandId;
    /// A GitLab project's numeric id. A path may be renamed, this never changes.
    ProjectId;
    /// A GitLab issue's id, unique in its instance.
    IssueId;
    /// A GitLab issue's number within its project, the one people say (`#12`).
    Iid;
    /// A GitLab note's id, unique in its instance.
    NoteId;
    /// A GitLab user's id.
    UserId;
    /// The id of a link between two GitLab issues.
    LinkId;
}

/// The number that grows with every dispatch of a row of work: the fencing token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketNumber(pub i64);

/// The host and path by which a GitLab names itself in `web_url`, without scheme and without a
/// trailing slash: `gitlab.example`, `forge.example:8443/gitlab`. Fixed when the instance is
/// registered, so that a changed scheme or an alias does not change who an issue is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceName(pub String);

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
