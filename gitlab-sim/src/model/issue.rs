//! An issue with everything that hangs on it.

use chrono::{DateTime, NaiveDate, Utc};

use super::people::UserId;
use super::project::ProjectId;

/// Open or closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssueState {
    /// Still to do.
    #[default]
    Opened,
    /// Done or given up.
    Closed,
}

impl IssueState {
    /// The word that the API shows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}

/// The kinds that an issue list contains (facts section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssueType {
    /// The ordinary kind.
    #[default]
    Issue,
    /// An incident.
    Incident,
    /// A test case (Ultimate).
    TestCase,
    /// A task.
    Task,
}

impl IssueType {
    /// The lower-case word of `issue_type`; `type` is the same in upper case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Incident => "incident",
            Self::TestCase => "test_case",
            Self::Task => "task",
        }
    }

    /// The type of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Issue, Self::Incident, Self::TestCase, Self::Task]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// An issue.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Global id.
    pub id: u64,
    /// Number within the project.
    pub iid: u64,
    /// The project.
    pub project: ProjectId,
    /// Title.
    pub title: String,
    /// Text; `None` shows as `null`.
    pub description: Option<String>,
    /// Open or closed.
    pub state: IssueState,
    /// Kind.
    pub issue_type: IssueType,
    /// Who wrote it.
    pub author: UserId,
    /// Who works on it.
    pub assignees: Vec<UserId>,
    /// Ids of its labels.
    pub labels: Vec<u64>,
    /// Id of its milestone.
    pub milestone: Option<u64>,
    /// Id of its iteration.
    pub iteration: Option<u64>,
    /// Id of its epic.
    pub epic: Option<u64>,
    /// Weight (Premium).
    pub weight: Option<i64>,
    /// Health (Ultimate): `on_track`, `needs_attention`, `at_risk`.
    pub health_status: Option<String>,
    /// Day it is due.
    pub due_date: Option<NaiveDate>,
    /// Whether only planners and up, author and assignees see it.
    pub confidential: bool,
    /// Whether only members may comment.
    pub discussion_locked: Option<bool>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed, as far as GitLab notices (facts section 2).
    pub updated_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who closed it.
    pub closed_by: Option<UserId>,
    /// Estimate in seconds.
    pub time_estimate: i64,
    /// Logged time, oldest first.
    pub timelogs: Vec<Timelog>,
    /// Comments and system notes, oldest first.
    pub notes: Vec<Note>,
    /// When which label came or went.
    pub label_events: Vec<LabelEvent>,
    /// When it was closed and reopened.
    pub state_events: Vec<StateEvent>,
    /// Global id of the issue it was moved to.
    pub moved_to: Option<u64>,
    /// Reactions.
    pub awards: Vec<Award>,
    /// The address of somebody outside who wrote it by mail to the service desk.
    pub service_desk_reply_to: Option<String>,
}

impl Issue {
    /// Logged time in seconds.
    #[must_use]
    pub fn time_spent(&self) -> i64 {
        self.timelogs.iter().map(|log| log.seconds).sum()
    }

    /// Comments without system notes: what `user_notes_count` counts.
    #[must_use]
    pub fn user_notes_count(&self) -> usize {
        self.notes.iter().filter(|note| !note.system).count()
    }

    /// A note by its id.
    #[must_use]
    pub fn note(&self, id: u64) -> Option<&Note> {
        self.notes.iter().find(|note| note.id == id)
    }
}

/// One entry of logged time.
#[derive(Clone, Debug)]
pub struct Timelog {
    /// Who logged it.
    pub user: UserId,
    /// Seconds; negative takes back.
    pub seconds: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What for.
    pub summary: Option<String>,
}

/// A comment, or a system note about a change.
#[derive(Clone, Debug)]
pub struct Note {
    /// Global id.
    pub id: u64,
    /// 40 hexadecimal digits, shared by the notes of one thread.
    pub discussion: String,
    /// Whether it is part of a thread (`DiscussionNote`) and not a comment on its own.
    pub threaded: bool,
    /// Text.
    pub body: String,
    /// Who wrote it.
    pub author: UserId,
    /// Whether GitLab wrote it about a change.
    pub system: bool,
    /// Whether only planners and up see it.
    pub internal: bool,
    /// Whether nobody sees it through the API although it counts for paging: a system note about
    /// something the reader may not see (facts section 2).
    pub invisible: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Who settled the thread, and when.
    pub resolved: Option<(UserId, DateTime<Utc>)>,
    /// The issue (project, iid) whose text made this cross-reference note.
    pub mentioned_by: Option<(ProjectId, u64)>,
}

/// A label that came or went.
#[derive(Clone, Debug)]
pub struct LabelEvent {
    /// Global id.
    pub id: u64,
    /// Who did it.
    pub user: UserId,
    /// The label's id.
    pub label: u64,
    /// True for `add`, false for `remove`.
    pub added: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// A closing or reopening.
#[derive(Clone, Debug)]
pub struct StateEvent {
    /// Global id.
    pub id: u64,
    /// Who did it.
    pub user: UserId,
    /// `opened` stands for reopened.
    pub state: IssueState,
    /// When.
    pub at: DateTime<Utc>,
}

/// A reaction.
#[derive(Clone, Debug)]
pub struct Award {
    /// Global id.
    pub id: u64,
    /// Such as `thumbsup`.
    pub name: String,
    /// Who reacted.
    pub user: UserId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Two issues that belong together.
#[derive(Clone, Debug)]
pub struct IssueLink {
    /// Global id.
    pub id: u64,
    /// Where it starts.
    pub source: (ProjectId, u64),
    /// Where it ends.
    pub target: (ProjectId, u64),
    /// `relates_to` or `blocks`, seen from the source.
    pub blocks: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What to make of a new issue that another user writes.
#[derive(Clone, Debug, Default)]
pub struct IssueSpec {
    /// Who writes it.
    pub author: UserId,
    /// Title.
    pub title: String,
    /// Text.
    pub description: Option<String>,
    /// Kind.
    pub issue_type: IssueType,
    /// Open or closed.
    pub state: IssueState,
    /// Titles of labels; unknown ones become project labels of the default colour.
    pub labels: Vec<String>,
    /// Who works on it.
    pub assignees: Vec<UserId>,
    /// Id of its milestone.
    pub milestone: Option<u64>,
    /// Id of its iteration.
    pub iteration: Option<u64>,
    /// Id of its epic.
    pub epic: Option<u64>,
    /// Weight.
    pub weight: Option<i64>,
    /// Day it is due.
    pub due_date: Option<NaiveDate>,
    /// Whether it is confidential.
    pub confidential: bool,
    /// Estimate in seconds.
    pub time_estimate: i64,
}

/// A change by another user: only what is `Some` changes.
#[derive(Clone, Debug, Default)]
pub struct IssueEdit {
    /// New title.
    pub title: Option<String>,
    /// New text; `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// New state.
    pub state: Option<IssueState>,
    /// New kind.
    pub issue_type: Option<IssueType>,
    /// The whole new list of labels, by title.
    pub labels: Option<Vec<String>>,
    /// The whole new list of assignees.
    pub assignees: Option<Vec<UserId>>,
    /// New milestone.
    pub milestone: Option<Option<u64>>,
    /// New iteration.
    pub iteration: Option<Option<u64>>,
    /// New epic.
    pub epic: Option<Option<u64>>,
    /// New weight.
    pub weight: Option<Option<i64>>,
    /// New due date.
    pub due_date: Option<Option<NaiveDate>>,
    /// New confidentiality.
    pub confidential: Option<bool>,
    /// Whether the discussion is locked.
    pub discussion_locked: Option<bool>,
    /// New estimate in seconds.
    pub time_estimate: Option<i64>,
}

/// What to make of a new comment.
#[derive(Clone, Debug, Default)]
pub struct NoteSpec {
    /// Who writes it.
    pub author: UserId,
    /// Text.
    pub body: String,
    /// Whether only planners and up see it.
    pub internal: bool,
    /// Whether it starts a thread.
    pub thread: bool,
    /// The note that it answers; the answered comment becomes a thread.
    pub reply_to: Option<u64>,
}

impl NoteSpec {
    /// An ordinary comment.
    #[must_use]
    pub fn new(author: UserId, body: &str) -> Self {
        Self {
            author,
            body: body.to_owned(),
            ..Self::default()
        }
    }
}
