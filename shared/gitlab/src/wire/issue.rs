//! An issue as GitLab writes it (facts section 1, "Response fields", and section 8).

use chrono::{DateTime, NaiveDate, Utc};
use mirror_core::{
    ids::{Iid, IssueId, ProjectId, UserId},
    issue::{Epic, Issue, IssueType, Iteration, Label, Milestone, State, TimeStats, User},
};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(crate) struct WireIssue {
    id: IssueId,
    iid: Iid,
    project_id: ProjectId,
    title: String,
    description: Option<String>,
    state: String,
    #[serde(rename = "type")]
    upper_type: Option<String>,
    issue_type: Option<String>,
    confidential: Option<bool>,
    labels: Option<Vec<LabelForm>>,
    due_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    weight: Option<Option<i64>>,
    milestone: Option<WireMilestone>,
    iteration: Option<WireIteration>,
    epic: Option<WireEpic>,
    assignees: Option<Vec<WireUser>>,
    assignee: Option<WireUser>,
    author: Option<WireUser>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    user_notes_count: Option<i64>,
    web_url: Option<String>,
    references: Option<WireReferences>,
    time_stats: Option<WireTime>,
    discussion_locked: Option<bool>,
    upvotes: Option<u64>,
    downvotes: Option<u64>,
    moved_to_id: Option<IssueId>,
}

/// A reaction.
#[derive(Deserialize)]
pub(crate) struct WireAward {
    pub(crate) name: String,
}

/// A label is its title, or with `with_labels_details=true` an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum LabelForm {
    Title(String),
    Details(WireLabel),
}

#[derive(Deserialize)]
pub(crate) struct WireLabel {
    name: String,
    color: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct WireMilestone {
    title: String,
    due_date: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct WireIteration {
    title: Option<String>,
    start_date: Option<NaiveDate>,
    due_date: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct WireEpic {
    title: Option<String>,
}

#[derive(Deserialize)]
struct WireReferences {
    full: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct WireUser {
    id: UserId,
    username: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct WireTime {
    time_estimate: Option<i64>,
    total_time_spent: Option<i64>,
}

/// Tells a field that is absent (`None`) from one that is null (`Some(None)`).
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(field).map(Some)
}

impl From<WireIssue> for Issue {
    fn from(wire: WireIssue) -> Self {
        let (labels, label_details) = labels(wire.labels.unwrap_or_default());
        let full_reference = wire
            .references
            .and_then(|references| references.full)
            .unwrap_or_else(|| format!("#{}", wire.iid));
        Self {
            id: wire.id,
            iid: wire.iid,
            project_id: wire.project_id,
            title: wire.title,
            description: wire.description.unwrap_or_default(),
            state: state(&wire.state, wire.closed_at),
            issue_type: issue_type(wire.issue_type.or(wire.upper_type)),
            confidential: wire.confidential.unwrap_or(false),
            labels,
            label_details,
            due_date: wire.due_date,
            weight: wire.weight.flatten(),
            has_weight: wire.weight.is_some(),
            milestone: wire.milestone.map(|milestone| Milestone {
                title: milestone.title,
                due_date: milestone.due_date,
            }),
            iteration: wire.iteration.map(|iteration| Iteration {
                title: iteration.title.filter(|title| !title.is_empty()),
                start_date: iteration.start_date,
                due_date: iteration.due_date,
            }),
            // An epic that the token may not see comes as an object without a title.
            epic: wire
                .epic
                .and_then(|epic| epic.title)
                .map(|title| Epic { title }),
            assignees: wire
                .assignees
                .unwrap_or_else(|| wire.assignee.into_iter().collect())
                .into_iter()
                .map(User::from)
                .collect(),
            author: author(wire.author),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
            closed_at: wire.closed_at,
            user_notes_count: wire.user_notes_count.unwrap_or(0),
            web_url: wire.web_url.unwrap_or_default(),
            full_reference,
            time: wire.time_stats.map(TimeStats::from).unwrap_or_default(),
            locked: wire.discussion_locked.unwrap_or(false),
            reactions: votes(wire.upvotes, wire.downvotes),
            moved_to_id: wire.moved_to_id,
        }
    }
}

fn votes(up: Option<u64>, down: Option<u64>) -> BTreeMap<String, u64> {
    let counts = [("thumbsup", up), ("thumbsdown", down)].into_iter();
    let given = counts.filter_map(|(name, count)| Some((name.to_owned(), count?)));
    given.filter(|(_, count)| *count > 0).collect()
}

fn labels(forms: Vec<LabelForm>) -> (Vec<String>, Vec<Label>) {
    let mut titles = Vec::with_capacity(forms.len());
    let mut details = Vec::new();
    for form in forms {
        match form {
            LabelForm::Title(title) => titles.push(title),
            LabelForm::Details(label) => {
                titles.push(label.name.clone());
                details.push(label.into());
            }
        }
    }
    (titles, details)
}

/// Old versions know `reopened`; of a state yet to come, the closing date tells the side.
fn state(name: &str, closed_at: Option<DateTime<Utc>>) -> State {
    match name {
        "closed" => State::Closed,
        "opened" | "reopened" => State::Opened,
        _ if closed_at.is_some() => State::Closed,
        _ => State::Opened,
    }
}

/// `issue_type` is in lower case; versions without it may have `type` in upper case, and the
/// oldest know nothing but issues.
fn issue_type(name: Option<String>) -> IssueType {
    name.map_or(IssueType::Issue, |name| {
        IssueType::from_name(&name.to_ascii_lowercase())
    })
}

/// GitLab gives what a deleted user wrote to the ghost; where it names nobody, so do we.
pub(crate) fn author(user: Option<WireUser>) -> User {
    user.map_or_else(
        || User {
            id: UserId(0),
            username: "ghost".to_owned(),
            name: "Ghost User".to_owned(),
        },
        User::from,
    )
}

impl From<WireUser> for User {
    fn from(wire: WireUser) -> Self {
        let username = wire.username.unwrap_or_default();
        Self {
            id: wire.id,
            name: wire.name.unwrap_or_else(|| username.clone()),
            username,
        }
    }
}

impl From<WireLabel> for Label {
    fn from(wire: WireLabel) -> Self {
        Self {
            title: wire.name,
            color: wire.color.filter(|color| !color.is_empty()),
            description: wire.description.filter(|text| !text.is_empty()),
        }
    }
}

impl From<WireTime> for TimeStats {
    fn from(wire: WireTime) -> Self {
        Self {
            estimate: wire.time_estimate.unwrap_or(0),
            spent: wire.total_time_spent.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extra: &str) -> Issue {
        let json = format!(
            r#"{{"id":1,"iid":2,"project_id":3,"title":"t","state":"opened",
                "created_at":"2026-01-02T03:04:05.678Z","updated_at":"2026-01-02T05:04:05.678+02:00"{extra}}}"#
        );
        serde_json::from_str::<WireIssue>(&json).unwrap().into()
    }

    #[test]
    fn the_barest_issue_is_an_ordinary_one_of_ce() {
        let issue = read("");
        assert_eq!(issue.description, "");
        assert_eq!(issue.issue_type, IssueType::Issue);
        assert_eq!((issue.has_weight, issue.weight), (false, None));
        assert_eq!(issue.created_at, issue.updated_at);
        assert_eq!(issue.author.username, "ghost");
    }

    #[test]
    fn a_weight_that_is_null_is_not_a_weight_that_is_absent() {
        assert!(read(r#","weight":null"#).has_weight);
        assert_eq!(read(r#","weight":5"#).weight, Some(5));
    }

    #[test]
    fn labels_come_as_titles_or_as_objects() {
        assert_eq!(read(r#","labels":["a","b"]"#).labels, ["a", "b"]);
        let detailed = read(r##","labels":[{"name":"a","color":"#fff000","description":null}]"##);
        assert_eq!(detailed.labels, ["a"]);
        assert_eq!(detailed.label_details[0].color.as_deref(), Some("#fff000"));
    }

    #[test]
    fn kinds_states_and_people_of_any_version_are_read() {
        assert_eq!(
            read(r#","type":"TEST_CASE""#).issue_type,
            IssueType::TestCase
        );
        assert_eq!(
            read(r#","type":"OBJECTIVE","issue_type":"objective""#).issue_type,
            IssueType::Other("objective".to_owned())
        );
        assert_eq!(state("reopened", None), State::Opened);
        assert_eq!(
            read(r#","assignee":{"id":7,"username":"ann"}"#).assignees[0].name,
            "ann"
        );
    }
}
