//! One thing to send, and a list of them.

use crate::{
    desired::Place,
    ids::{Iid, NoteId},
    issue::{IssueType, Label, State},
    issue_links::LinkKind,
    people::Account,
};
use chrono::{DateTime, NaiveDate, Utc};

/// Everything that one job is going to send to the target, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Nothing to send.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Adds steps at the end, but for those that come last of all: the opening, and a time that any
    /// other step would move.
    pub fn add_before_last(&mut self, more: Vec<Step>) {
        let last = |step: &Step| matches!(step, Step::CloseAsOf(_) | Step::Open);
        let at = self.steps.iter().position(last);
        let at = at.unwrap_or(self.steps.len());
        self.steps.splice(at..at, more);
    }

    /// Requests that it costs, when all goes well.
    pub fn requests(&self) -> u64 {
        self.steps.iter().map(Step::requests).sum()
    }
}

/// One thing to send. The order of the variants is not the order of sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Carry a file from source to target.
    TransferUpload {
        /// The file's name.
        filename: String,
        /// Only a confidential issue or an internal comment mentions it.
        hidden: bool,
    },
    /// Create a label with the source's colour and description.
    CreateLabel(Label),
    /// Create the issue.
    CreateIssue(NewIssue),
    /// Make it confidential, before anything else is written.
    Restrict,
    /// Change fields.
    UpdateIssue(IssueEdit),
    /// Close or reopen.
    SetState(State),
    /// Close it as of the time its original was closed.
    CloseAsOf(DateTime<Utc>),
    /// Set the estimate, in seconds; 0 clears it.
    SetTimeEstimate(i64),
    /// Add a signed difference of logged seconds.
    AddSpentTime(i64),
    /// Write a comment.
    CreateNote(NewNote),
    /// Change a comment.
    UpdateNote {
        /// Its source.
        source_note: NoteId,
        /// The comment.
        target_note: NoteId,
        /// The new body.
        body: String,
    },
    /// Delete a comment whose original is gone.
    DeleteNote {
        /// What it was the copy of.
        source_note: NoteId,
        /// The comment.
        target_note: NoteId,
    },
    /// Take the text out of a comment whose original is gone, and which somebody has answered.
    WithdrawNote {
        /// What it was the copy of.
        source_note: NoteId,
        /// The comment.
        target_note: NoteId,
        /// What is to stand there instead.
        body: String,
    },
    /// Resolve a thread, or open it again.
    SetResolved {
        /// The source's thread.
        discussion: String,
        /// Which of the two.
        resolved: bool,
    },
    /// Link it to another issue's mirror.
    CreateLink {
        /// The other source issue.
        other: Iid,
        /// What it is to that one.
        kind: LinkKind,
    },
    /// Remove a link of ours to another issue's mirror.
    RemoveLink {
        /// The other source issue.
        other: Iid,
    },
    /// Make it public, after everything else.
    Open,
    /// Delete the issue, whose original is gone.
    DeleteIssue,
}

impl Step {
    /// Hides the issue, and brings nothing of it: it goes before everything else, files among it.
    pub fn goes_ahead(&self) -> bool {
        match self {
            Self::Restrict => true,
            Self::CreateIssue(new) => new.neutral,
            Self::TransferUpload { .. }
            | Self::CreateLabel(_)
            | Self::UpdateIssue(_)
            | Self::SetState(_)
            | Self::CloseAsOf(_)
            | Self::SetTimeEstimate(_)
            | Self::AddSpentTime(_)
            | Self::CreateNote(_)
            | Self::UpdateNote { .. }
            | Self::DeleteNote { .. }
            | Self::WithdrawNote { .. }
            | Self::SetResolved { .. }
            | Self::CreateLink { .. }
            | Self::RemoveLink { .. }
            | Self::Open
            | Self::DeleteIssue => false,
        }
    }

    /// Requests that it costs, when all goes well.
    pub fn requests(&self) -> u64 {
        match self {
            // One to read the file, one to write it.
            Self::TransferUpload { .. } => 2,
            // The comments on the target are read first: others may have written there.
            Self::Open => 2,
            // One to find it, one to take it away.
            Self::RemoveLink { .. } => 2,
            Self::CreateNote(note) => 1 + u64::from(note.neutral_first),
            Self::CreateLabel(_)
            | Self::CreateIssue(_)
            | Self::Restrict
            | Self::UpdateIssue(_)
            | Self::SetState(_)
            | Self::CloseAsOf(_)
            | Self::SetTimeEstimate(_)
            | Self::AddSpentTime(_)
            | Self::UpdateNote { .. }
            | Self::DeleteNote { .. }
            | Self::WithdrawNote { .. }
            | Self::SetResolved { .. }
            | Self::CreateLink { .. }
            | Self::DeleteIssue => 1,
        }
    }
}

/// A new issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIssue {
    /// Title.
    pub title: String,
    /// Description; begins with the marker.
    pub description: String,
    /// Titles; the last of a scope wins where scoped labels are licensed.
    pub labels: Vec<String>,
    /// The day it is due.
    pub due_date: Option<NaiveDate>,
    /// Hidden from the public from the start.
    pub confidential: bool,
    /// Planning weight.
    pub weight: Option<i64>,
    /// Type.
    pub issue_type: IssueType,
    /// The number it is to have; `None`: the next one.
    pub iid: Option<Iid>,
    /// When it is to have been created; `None`: now.
    pub created_at: Option<DateTime<Utc>>,
    /// It holds nothing of the issue: the first confidential one on a target.
    pub neutral: bool,
    /// Who is assigned.
    pub assignees: Vec<Account>,
}

/// Changed fields of an issue; `None` leaves a field alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IssueEdit {
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Labels to put on.
    pub add_labels: Vec<String>,
    /// Labels to take off, of those we own.
    pub remove_labels: Vec<String>,
    /// Due date; the inner `None` clears it.
    pub due_date: Option<Option<NaiveDate>>,
    /// Weight; the inner `None` clears it.
    pub weight: Option<Option<i64>>,
    /// Type.
    pub issue_type: Option<IssueType>,
    /// Whether only members may comment.
    pub locked: Option<bool>,
    /// Who is assigned besides those who are. (GitLab knows whole lists only: what is sent is the
    /// list of those who stay, and these.)
    pub assign: Vec<Account>,
    /// Who is not any more, of those whom we assigned.
    pub unassign: Vec<Account>,
}

impl IssueEdit {
    /// Changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A new comment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewNote {
    /// Its source.
    pub source_note: NoteId,
    /// The source's thread.
    pub discussion: String,
    /// Where in its thread.
    pub place: Place,
    /// Body; begins with the marker.
    pub body: String,
    /// Hidden from the public.
    pub internal: bool,
    /// Written with nothing but its marker first, and filled once the answer has shown that it is
    /// internal: the first one on a target.
    pub neutral_first: bool,
    /// When it is to have been written; `None`: now.
    pub created_at: Option<DateTime<Utc>>,
}
