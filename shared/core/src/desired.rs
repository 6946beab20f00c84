//! What a mirrored issue should look like, and what it looks like now.

use crate::{
    fingerprint::Fingerprint,
    ids::{NoteId, UserId},
    issue::{Issue, IssueType, Label, State},
    people::Account,
    preserve::Origin,
};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The rendered mirror of one issue: everything that crosses, in the target's terms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desired {
    /// Inert, at most 255 characters.
    pub title: String,
    /// Marker, body, footer; inert.
    pub description: String,
    /// Open or closed.
    pub state: State,
    /// A type that every edition accepts in this place.
    pub issue_type: IssueType,
    /// The day it is due.
    pub due_date: Option<NaiveDate>,
    /// Hidden from the public.
    pub confidential: bool,
    /// Planning weight.
    pub weight: Option<i64>,
    /// Seconds estimated.
    pub estimate: i64,
    /// Seconds logged at the source.
    pub spent: i64,
    /// Only members may comment.
    pub locked: bool,
    /// Labels, the source's own order first.
    pub labels: Vec<Label>,
    /// Who works on it, of those who have an account on the target.
    pub assignees: Vec<Assignee>,
    /// Comments, oldest first.
    pub notes: Vec<DesiredNote>,
    /// Texts that are too long for the target and end in a link to the whole: comments, and `None` for
    /// the description.
    pub cut: BTreeSet<Option<NoteId>>,
    /// Threads that are resolved or not; those that can be neither are not among them.
    pub threads: Vec<DesiredThread>,
    /// Number and times, for the first import; no difference is made later.
    pub origin: Origin,
}

impl Desired {
    /// Digest over every rendered field but the notes and threads, which are recorded one by one.
    pub fn fingerprint(&self) -> String {
        let Self {
            title,
            description,
            state,
            issue_type,
            due_date,
            confidential,
            weight,
            estimate,
            spent,
            locked,
            labels,
            assignees,
            notes: _,
            cut: _,
            threads: _,
            origin: _,
        } = self;
        let mut print = Fingerprint::new("issue/1");
        print
            .text(title)
            .text(description)
            .text(issue_type.as_str());
        print.flag(*state == State::Closed).flag(*confidential);
        print.flag(*locked);
        print
            .number(*weight)
            .number(Some(*estimate))
            .number(Some(*spent));
        print.text(&due_date.map(|day| day.to_string()).unwrap_or_default());
        for label in labels {
            print.text(&label.title);
        }
        for assignee in assignees {
            assignee.print(&mut print);
        }
        print.finish()
    }
}

/// Somebody who should be assigned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignee {
    /// Who.
    pub account: Account,
    /// Tells of them where they cannot be assigned; `None` where no such labels are wanted.
    pub label: Option<Label>,
}

impl Assignee {
    fn print(&self, print: &mut Fingerprint) {
        let label = self.label.as_ref().map(|label| label.title.as_str());
        print.number(Some(self.account.id.0));
        print.text(label.unwrap_or_default());
    }
}

/// The rendered mirror of one comment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DesiredNote {
    /// The source note.
    pub source_note: NoteId,
    /// The source thread.
    pub discussion: String,
    /// Where in its thread it stands.
    pub place: Place,
    /// Marker, header, body; inert.
    pub body: String,
    /// Hidden from the public; fixed at creation.
    pub internal: bool,
    /// When the source note was written.
    pub created_at: DateTime<Utc>,
}

impl DesiredNote {
    /// Digest over every rendered field.
    pub fn fingerprint(&self) -> String {
        let mut print = Fingerprint::new("note/1");
        print.text(&self.body).flag(self.internal);
        print.finish()
    }
}

/// How a thread should stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DesiredThread {
    /// The source thread.
    pub discussion: String,
    /// Resolved, all of it.
    pub resolved: bool,
}

/// Where in its thread a note stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A comment of its own.
    Plain,
    /// The first of a thread.
    Start,
    /// An answer in a thread.
    Reply,
}

/// A mirrored issue as its target shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observed {
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Open or closed.
    pub state: State,
    /// Type.
    pub issue_type: IssueType,
    /// The day it is due.
    pub due_date: Option<NaiveDate>,
    /// Hidden from the public.
    pub confidential: bool,
    /// Planning weight.
    pub weight: Option<i64>,
    /// Whether the instance knows weights.
    pub has_weight: bool,
    /// Titles.
    pub labels: BTreeSet<String>,
    /// Who is assigned, with their usernames.
    pub assignees: BTreeMap<UserId, String>,
    /// Seconds estimated.
    pub estimate: i64,
    /// Seconds logged.
    pub spent: i64,
    /// Only members may comment.
    pub locked: bool,
}

impl From<&Issue> for Observed {
    fn from(issue: &Issue) -> Self {
        Self {
            title: issue.title.clone(),
            description: issue.description.clone(),
            state: issue.state,
            issue_type: issue.issue_type.clone(),
            due_date: issue.due_date,
            confidential: issue.confidential,
            weight: issue.weight,
            has_weight: issue.has_weight,
            labels: issue.labels.iter().cloned().collect(),
            assignees: issue
                .assignees
                .iter()
                .map(|user| (user.id, user.username.clone()))
                .collect(),
            estimate: issue.time.estimate,
            spent: issue.time.spent,
            locked: issue.locked,
        }
    }
}

impl Observed {
    /// Digest of what is observed: two answers with the same digest show the same issue.
    pub fn digest(&self) -> String {
        let Self {
            title,
            description,
            state,
            issue_type,
            due_date,
            confidential,
            weight,
            has_weight: _,
            labels,
            assignees,
            estimate,
            spent,
            locked,
        } = self;
        let mut print = Fingerprint::new("observed/1");
        print
            .text(title)
            .text(description)
            .text(issue_type.as_str());
        print.flag(*state == State::Closed).flag(*confidential);
        print.flag(*locked);
        print
            .number(*weight)
            .number(Some(*estimate))
            .number(Some(*spent));
        print.text(&due_date.map(|day| day.to_string()).unwrap_or_default());
        for label in labels {
            print.text(label);
        }
        for user in assignees.keys() {
            print.number(Some(user.0));
        }
        print.finish()
    }
}
