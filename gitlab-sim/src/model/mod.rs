//! The state of a simulated GitLab and the rules by which it changes.

mod founding;
mod issue;
mod issue_edits;
mod journal;
mod labels;
mod mentions;
mod note_edits;
mod people;
mod project;
mod rights;
mod system_notes;
mod world;

pub use issue::{
    Award, Issue, IssueEdit, IssueLink, IssueSpec, IssueState, IssueType, LabelEvent, Note,
    NoteSpec, StateEvent, Timelog,
};
pub use issue_edits::MAX_TIME;
pub use journal::{Change, ChangeKind, ExecutedCommand, Notification, Via};
pub use labels::{DEFAULT_COLOR, scope};
pub use people::{AccessLevel, Token, TokenSpec, User, UserId, UserSpec};
pub use project::{
    Content, Epic, FeatureAccess, Group, Home, Iteration, Label, LabelSpec, Milestone,
    MilestoneSpec, Project, ProjectId, ProjectSpec, Upload, Visibility,
};
pub use rights::Actor;
pub use system_notes::MAX_NOTES;
pub use world::{EditError, World};
