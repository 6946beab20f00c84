//! What the simulated GitLab remembers for a judge: changes, notifications, executed commands.

use chrono::{DateTime, Utc};

use super::people::UserId;
use super::project::ProjectId;

/// Who caused a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A request to the API.
    Api,
    /// The world itself: another user's edit made through [`crate::Sim::edit`].
    Edit,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new issue.
    IssueCreated,
    /// These fields of an issue.
    IssueUpdated(Vec<&'static str>),
    /// An issue was deleted.
    IssueDeleted,
    /// A new comment.
    NoteCreated(u64),
    /// A comment's text.
    NoteUpdated(u64),
    /// A comment was deleted.
    NoteDeleted(u64),
    /// Seconds were logged.
    TimeLogged(i64),
    /// A thread was settled or opened again.
    DiscussionResolved(bool),
    /// A new label, by title.
    LabelCreated(String),
    /// A label was changed.
    LabelUpdated(String),
    /// A label was deleted.
    LabelDeleted(String),
    /// A new milestone.
    MilestoneCreated(String),
    /// A new file, by its path.
    Uploaded(String),
    /// Somebody reacted with this emoji.
    Reacted(String),
    /// Issues were linked or unlinked.
    Linked(bool),
    /// A hook was made or changed, by its address.
    HookSet(String),
    /// A hook was deleted.
    HookRemoved(String),
}

/// One change, in order of happening.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: UserId,
    /// By which way.
    pub via: Via,
    /// Where.
    pub project: ProjectId,
    /// On which issue, if on one.
    pub issue: Option<u64>,
    /// What.
    pub kind: ChangeKind,
}

/// Somebody was told something: mail and to-do.
#[derive(Clone, Debug)]
pub struct Notification {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose text caused it.
    pub by: UserId,
    /// By which way that text came.
    pub via: Via,
    /// Where.
    pub project: ProjectId,
    /// On which issue.
    pub issue: u64,
    /// In which comment; `None` is the title or description.
    pub note: Option<u64>,
    /// The mentioned name as written, without `@`.
    pub mentioned: String,
    /// Who has that name or is in that group; may be nobody.
    pub recipients: Vec<UserId>,
}

/// A quick action that ran.
#[derive(Clone, Debug)]
pub struct ExecutedCommand {
    /// When.
    pub at: DateTime<Utc>,
    /// With whose rights.
    pub by: UserId,
    /// Where.
    pub project: ProjectId,
    /// On which issue.
    pub issue: u64,
    /// Whether it stood in a comment and not in a description.
    pub in_note: bool,
    /// Name, lower case, without the slash.
    pub name: String,
    /// The rest of its line.
    pub args: String,
}
