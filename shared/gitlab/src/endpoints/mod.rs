//! What the client can ask and do, one file a resource.

mod fields;
mod hooks;
mod issues;
mod labels;
mod links;
mod notes;
mod project;
mod reactions;
mod time;
mod uploads;
mod users;

pub use hooks::{Hook, HookSpec};
pub use issues::{IssueChange, IssuePage, IssueQuery, NewIssue, Sort, StateEvent};
pub use labels::{CreatedLabel, LabelEvent};
pub use notes::{NewNote, NoteReply};
pub use uploads::{Download, Uploaded};
