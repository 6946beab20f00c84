//! Issues: list, read, create, change.

use super::fields::{Fields, timestamp};
use crate::{Client, Error, Stamped, call::Call, page::PER_PAGE, wire::WireIssue};
use chrono::{DateTime, NaiveDate, Utc};
use http::Method;
use mirror_core::{
    ids::{Iid, ProjectId, UserId},
    issue::{Issue, IssueType, State},
    ports::Class,
};
use serde_json::Value;

/// Which issues to list, and which page of them. All states are listed, in the order of
/// `updated_at`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssueQuery {
    /// Changed at or after this time: inclusive (facts section 1, "List").
    pub updated_after: Option<DateTime<Utc>>,
    /// Changed at or before this time: inclusive.
    pub updated_before: Option<DateTime<Utc>>,
    /// Only these; empty is all.
    pub iids: Vec<Iid>,
    /// Oldest or newest change first.
    pub sort: Sort,
    /// From 1.
    pub page: u32,
    /// At most 100.
    pub per_page: u32,
    /// Colour and description of the labels, too.
    pub with_label_details: bool,
    /// Only by this author.
    pub author_id: Option<UserId>,
    /// Only of this kind.
    pub issue_type: Option<IssueType>,
    /// Only with these words; charged to [`Class::Search`].
    pub search: Option<String>,
}

/// By `updated_at`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sort {
    /// Oldest change first.
    Asc,
    /// Newest change first.
    Desc,
}

impl Default for IssueQuery {
    fn default() -> Self {
        Self {
            updated_after: None,
            updated_before: None,
            iids: Vec::new(),
            sort: Sort::Asc,
            page: 1,
            per_page: PER_PAGE,
            with_label_details: false,
            author_id: None,
            issue_type: None,
            search: None,
        }
    }
}

/// One page of a list of issues.
#[derive(Clone, PartialEq, Debug)]
pub struct IssuePage {
    /// In the order asked for. A token that may not read issues gets none, and no error.
    pub issues: Vec<Issue>,
    /// The next page, if there is one; a short page is not the last one for that.
    pub next_page: Option<u32>,
    /// Issues in all; not told beyond 10,000.
    pub total: Option<u64>,
    /// The instance's own clock when it answered.
    pub clock: Option<DateTime<Utc>>,
}

/// An issue to be created. A target may drop what the token or the edition does not allow, without
/// a word: compare the answer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NewIssue {
    /// At most 255 characters.
    pub title: String,
    /// At most 1 MiB. Where it is blank the project's template would take its place.
    pub description: String,
    /// Created where they do not exist and the token may.
    pub labels: Vec<String>,
    /// The day it is due.
    pub due_date: Option<NaiveDate>,
    /// Hidden from everybody below Planner.
    pub confidential: bool,
    /// Where the edition knows it.
    pub weight: Option<i64>,
    /// `None` leaves it to GitLab: an ordinary issue.
    pub issue_type: Option<IssueType>,
    /// Who works on it; of several the target may keep one, and of whom it does not let see it none.
    pub assignees: Vec<UserId>,
    /// A number of its own choice; owners only. Taken: a conflict.
    pub iid: Option<Iid>,
    /// Back-dating; owners only.
    pub created_at: Option<DateTime<Utc>>,
}

/// A change of an issue; what is `None` or empty stays. A change of nothing is not sent.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct IssueChange {
    /// At most 255 characters.
    pub title: Option<String>,
    /// At most 1 MiB.
    pub description: Option<String>,
    /// Added to those it has.
    pub add_labels: Vec<String>,
    /// Taken from those it has.
    pub remove_labels: Vec<String>,
    /// `Some(None)` clears it.
    pub due_date: Option<Option<NaiveDate>>,
    /// `Some(None)` clears it.
    pub weight: Option<Option<i64>>,
    /// Hides or shows it.
    pub confidential: Option<bool>,
    /// Closes or reopens it.
    pub state_event: Option<StateEvent>,
    /// Another kind.
    pub issue_type: Option<IssueType>,
    /// Lets only members comment, or everybody again.
    pub locked: Option<bool>,
    /// Everybody who works on it from now on.
    pub assignees: Option<Vec<UserId>>,
    /// Back-dating, also of the close time (facts section 1, "Update"); owners only, and a change
    /// of this alone is none.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Closes or reopens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StateEvent {
    /// `close`
    Close,
    /// `reopen`
    Reopen,
}

impl Client {
    /// One page of a project's issues.
    pub async fn issues(&self, project: ProjectId, query: &IssueQuery) -> Result<IssuePage, Error> {
        let call = query.apply(self.in_project(Method::GET, project, "/issues"));
        let page = self
            .page_of::<WireIssue>(call, query.page, query.per_page)
            .await?;
        Ok(IssuePage {
            issues: page.rows.into_iter().map(Issue::from).collect(),
            next_page: page.next,
            total: page.total,
            clock: page.clock,
        })
    }

    /// One issue.
    pub async fn issue(&self, project: ProjectId, iid: Iid) -> Result<Stamped<Issue>, Error> {
        let call = self.in_issue(Method::GET, project, iid, "");
        let found: Stamped<WireIssue> = self.get(call).await?;
        Ok(Stamped {
            value: found.value.into(),
            clock: found.clock,
        })
    }

    /// Creates an issue; back comes what GitLab made of it. Never sent twice by itself, unless it
    /// was refused unread.
    pub async fn create_issue(&self, project: ProjectId, new: &NewIssue) -> Result<Issue, Error> {
        let call = self
            .in_project(Method::POST, project, "/issues")
            .class(Class::Issues)
            .json(&new.to_json());
        let created: Stamped<WireIssue> = self.get(call).await?;
        Ok(created.value.into())
    }

    /// Changes an issue; back comes what GitLab made of it. A lock held by somebody else is waited
    /// for.
    pub async fn update_issue(
        &self,
        project: ProjectId,
        iid: Iid,
        change: &IssueChange,
    ) -> Result<Issue, Error> {
        let call = self
            .in_issue(Method::PUT, project, iid, "")
            .json(&change.to_json());
        let changed: Stamped<WireIssue> = self.get(call).await?;
        Ok(changed.value.into())
    }

    /// Deletes an issue; owners only. One that is gone already is [`crate::ErrorKind::NotFound`].
    pub async fn delete_issue(&self, project: ProjectId, iid: Iid) -> Result<(), Error> {
        let mut call = self.in_issue(Method::DELETE, project, iid, "");
        self.exchange(&mut call).await.map(drop)
    }
}

impl IssueQuery {
    fn apply(&self, call: Call) -> Call {
        let mut pairs: Vec<(&str, String)> = vec![
            ("state", "all".to_owned()),
            ("scope", "all".to_owned()),
            ("order_by", "updated_at".to_owned()),
            ("sort", self.sort.name().to_owned()),
        ];
        pairs.extend(
            self.updated_after
                .map(|at| ("updated_after", timestamp(at))),
        );
        pairs.extend(
            self.updated_before
                .map(|at| ("updated_before", timestamp(at))),
        );
        pairs.extend(self.iids.iter().map(|iid| ("iids[]", iid.to_string())));
        pairs.extend(self.author_id.map(|id| ("author_id", id.to_string())));
        pairs.extend(
            self.issue_type
                .iter()
                .map(|kind| ("issue_type", kind.as_str().to_owned())),
        );
        pairs.extend(self.search.iter().map(|words| ("search", words.clone())));
        if self.with_label_details {
            pairs.push(("with_labels_details", "true".to_owned()));
        }
        let call = call.query(pairs);
        if self.search.is_some() {
            return call.class(Class::Search);
        }
        call
    }
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

impl From<State> for StateEvent {
    /// What leads to a state.
    fn from(state: State) -> Self {
        match state {
            State::Opened => Self::Reopen,
            State::Closed => Self::Close,
        }
    }
}

impl StateEvent {
    fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reopen => "reopen",
        }
    }
}

impl NewIssue {
    fn to_json(&self) -> Value {
        Fields::default()
            .with("title", Some(self.title.as_str()))
            .with("description", Some(self.description.as_str()))
            .with("labels", titles(&self.labels))
            .with("due_date", self.due_date.map(|day| day.to_string()))
            .with("confidential", self.confidential.then_some(true))
            .with("weight", self.weight)
            .with(
                "issue_type",
                self.issue_type.as_ref().map(IssueType::as_str),
            )
            .with(
                "assignee_ids",
                (!self.assignees.is_empty()).then(|| numbers(&self.assignees)),
            )
            .with("iid", self.iid.map(|iid| iid.0))
            .with("created_at", self.created_at.map(timestamp))
            .into_json()
    }
}

impl IssueChange {
    fn to_json(&self) -> Value {
        // A day is cleared by an empty text, which every version takes.
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        Fields::default()
            .with("title", self.title.as_deref())
            .with("description", self.description.as_deref())
            .with("add_labels", titles(&self.add_labels))
            .with("remove_labels", titles(&self.remove_labels))
            .with("due_date", self.due_date.map(day))
            .with("weight", self.weight)
            .with("confidential", self.confidential)
            .with("state_event", self.state_event.map(StateEvent::name))
            .with(
                "issue_type",
                self.issue_type.as_ref().map(IssueType::as_str),
            )
            .with("discussion_locked", self.locked)
            .with("assignee_ids", self.assignees.as_deref().map(everybody))
            .with("updated_at", self.updated_at.map(timestamp))
            .into_json()
    }
}

fn numbers(users: &[UserId]) -> Vec<i64> {
    users.iter().map(|user| user.0).collect()
}

/// Nobody is written as user 0: an empty list may be taken for none given.
fn everybody(users: &[UserId]) -> Vec<i64> {
    if users.is_empty() {
        return vec![0];
    }
    numbers(users)
}

/// Comma-separated, as every version takes them; of one scope the last one wins (facts section 5).
fn titles(labels: &[String]) -> Option<String> {
    (!labels.is_empty()).then(|| labels.join(","))
}
