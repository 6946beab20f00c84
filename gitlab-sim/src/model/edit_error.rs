//! What can stand against an edit.

use super::people::UserId;
use super::project::ProjectId;

/// Why an edit could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No user has this id.
    #[error("no user {0}")]
    NoSuchUser(UserId),
    /// No project has this id.
    #[error("no project {0}")]
    NoSuchProject(ProjectId),
    /// The project has no issue of this iid.
    #[error("no issue {1} in project {0}")]
    NoSuchIssue(ProjectId, u64),
    /// The issue has no note of this id.
    #[error("no note {0}")]
    NoSuchNote(u64),
    /// No label has this title or id.
    #[error("no label `{0}`")]
    NoSuchLabel(String),
    /// A preset iid is taken.
    #[error("issue {0} is there already")]
    DuplicateIid(u64),
    /// The issue holds as many notes as GitLab allows, 5,000 with system notes (facts section 2).
    #[error("the issue is full of notes")]
    TooManyNotes,
    /// No link has this id.
    #[error("no such link")]
    NoSuchLink,
    /// More time taken back than was logged (facts section 7).
    #[error("more time taken back than was logged")]
    TimeBelowZero,
    /// A label of this title is there already.
    #[error("label `{0}` is there already")]
    LabelExists(String),
}
