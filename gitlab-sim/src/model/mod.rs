//! The state of a simulated GitLab and the rules by which it changes.

mod edit_error;
mod founding;
mod hooks;
mod issue;
mod issue_edits;
mod journal;
mod labels;
mod logged_time;
mod mentions;
mod note_edits;
mod people;
mod project;
mod relations;
mod rights;
mod system_notes;
mod world;

pub use edit_error::EditError;
pub use hooks::ProjectHook;
pub use issue::{
    Award, Issue, IssueEdit, IssueLink, IssueSpec, IssueState, IssueType, LabelEvent, Note,
    NoteSpec, StateEvent, Timelog,
};
pub use journal::{Change, ChangeKind, ExecutedCommand, Notification, Via};
pub use labels::{DEFAULT_COLOR, scope};
pub use logged_time::MAX_TIME;
pub use people::{AccessLevel, Token, TokenSpec, User, UserId, UserSpec};
pub use project::{
    Content, Epic, FeatureAccess, Group, Home, Iteration, Label, LabelSpec, Milestone,
    MilestoneSpec, Project, ProjectId, ProjectSpec, Upload, Visibility,
};
pub use rights::Actor;
pub use system_notes::MAX_NOTES;
pub use world::World;
