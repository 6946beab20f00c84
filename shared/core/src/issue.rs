//! What an issue is, on either side: the fields this project reads, in GitLab's own terms.

use crate::ids::{Iid, IssueId, NoteId, ProjectId, UserId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An issue as GitLab shows it to the token that asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// Unique in the instance.
    pub id: IssueId,
    /// Unique in the project.
    pub iid: Iid,
    /// The project it lives in.
    pub project_id: ProjectId,
    /// At most 255 characters.
    pub title: String,
    /// Markdown; an absent description reads as the empty text.
    pub description: String,
    /// Open or closed.
    pub state: State,
    /// `issue`, `incident`, `task`, …
    pub issue_type: IssueType,
    /// Visible to the project's Planner and up, and to author and assignees, only.
    pub confidential: bool,
    /// Titles, in GitLab's order.
    pub labels: Vec<String>,
    /// Colour and description of the labels, where the listing carried them
    /// (`with_labels_details=true`); empty otherwise.
    pub label_details: Vec<Label>,
    /// The day it is due.
    pub due_date: Option<NaiveDate>,
    /// Planning weight; see [`Issue::has_weight`].
    pub weight: Option<i64>,
    /// Whether the instance knows weights at all: the field is absent, not null, on CE.
    pub has_weight: bool,
    /// The milestone it is planned for.
    pub milestone: Option<Milestone>,
    /// The iteration it is planned for (Premium and up).
    pub iteration: Option<Iteration>,
    /// The epic it belongs to (Premium and up).
    pub epic: Option<Epic>,
    /// Who works on it.
    pub assignees: Vec<User>,
    /// Who wrote it.
    pub author: User,
    /// When it was created (may be back-dated by an owner).
    pub created_at: DateTime<Utc>,
    /// When it last changed, but for the throttled changes of the minute after that.
    pub updated_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Comments, without system notes.
    pub user_notes_count: i64,
    /// Its page.
    pub web_url: String,
    /// `group/project#12`.
    pub full_reference: String,
    /// Estimate and time spent.
    pub time: TimeStats,
    /// Only members may comment.
    pub locked: bool,
    /// How many people reacted with what, by the emoji's name; a listing tells of thumbs only.
    pub reactions: BTreeMap<String, u64>,
    /// The issue it was moved to, by id; a moved issue stays closed behind.
    pub moved_to_id: Option<IssueId>,
}

/// Open or closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// `opened`
    Opened,
    /// `closed`
    Closed,
}

/// The kind of work item that an issue is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueType {
    /// An ordinary issue.
    Issue,
    /// An incident.
    Incident,
    /// A test case (Ultimate).
    TestCase,
    /// A task.
    Task,
    /// A kind that this project does not name (`objective`, `key_result`, one yet to come).
    #[serde(untagged)]
    Other(String),
}

impl IssueType {
    /// GitLab's name of it, as in `issue_type`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Issue => "issue",
            Self::Incident => "incident",
            Self::TestCase => "test_case",
            Self::Task => "task",
            Self::Other(name) => name,
        }
    }

    /// Reads GitLab's name of it.
    pub fn from_name(name: &str) -> Self {
        match name {
            "issue" => Self::Issue,
            "incident" => Self::Incident,
            "test_case" => Self::TestCase,
            "task" => Self::Task,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Somebody with an account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// Unique in the instance.
    pub id: UserId,
    /// The name in mentions, without `@`.
    pub username: String,
    /// The name people read.
    pub name: String,
}

/// A label of a project or of one of its groups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Label {
    /// At most 255 characters, no comma; `Bug` and `bug` are two labels.
    pub title: String,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

/// A milestone, as far as a mirror tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Milestone {
    /// Its title.
    pub title: String,
    /// The day it ends.
    pub due_date: Option<NaiveDate>,
}

/// An iteration, as far as a mirror tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iteration {
    /// Its title; iterations made by a cadence have none.
    pub title: Option<String>,
    /// Its first day.
    pub start_date: Option<NaiveDate>,
    /// Its last day.
    pub due_date: Option<NaiveDate>,
}

/// An epic, as far as a mirror tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Epic {
    /// Its title.
    pub title: String,
}

/// Estimate and time spent, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct TimeStats {
    /// Seconds estimated; 0 is none.
    pub estimate: i64,
    /// Seconds logged in all.
    pub spent: i64,
}

/// A thread or a single comment.
#[derive(Clone, PartialEq, Debug)]
pub struct Discussion {
    /// 40 hex digits.
    pub id: String,
    /// A plain comment; a reply would turn it into a thread.
    pub individual: bool,
    /// Oldest first.
    pub notes: Vec<Note>,
}

/// A comment, or a line that GitLab itself wrote.
#[derive(Clone, PartialEq, Debug)]
pub struct Note {
    /// Unique in the instance.
    pub id: NoteId,
    /// Markdown.
    pub body: String,
    /// Who wrote it.
    pub author: User,
    /// When it was written (may be back-dated by an owner).
    pub created_at: DateTime<Utc>,
    /// When it was last edited.
    pub updated_at: DateTime<Utc>,
    /// Written by GitLab, not by a person.
    pub system: bool,
    /// Visible to the project's Planner and up only.
    pub internal: bool,
    /// Whether its thread was resolved with it in it; `None` for what cannot be resolved.
    pub resolved: Option<bool>,
}

impl Discussion {
    /// Whether the thread is resolved: every comment in it that can be is. `None` where none can
    /// be, as in a comment of its own, or before GitLab knew of this for issues.
    pub fn resolved(&self) -> Option<bool> {
        let mut states = self
            .notes
            .iter()
            .filter(|note| !note.system)
            .filter_map(|note| note.resolved);
        let first = states.next()?;
        Some(first && states.all(|resolved| resolved))
    }
}
