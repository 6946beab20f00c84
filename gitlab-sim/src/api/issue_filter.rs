//! The filters and orders of issue lists (facts section 1, list).

use std::cmp::{Ordering, Reverse};

use chrono::{DateTime, Utc};

use super::answer::ApiError;
use super::call::Call;
use super::params::Params;
use crate::model::{Issue, IssueState, IssueType, World};

/// What rows a list contains.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    state: Option<IssueState>,
    iids: Option<Vec<u64>>,
    author: Option<Option<u64>>,
    assignee: Option<Assignee>,
    labels: Option<Labels>,
    milestone: Option<Milestone>,
    search: Option<(String, Vec<&'static str>)>,
    created: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    updated: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    confidential: Option<bool>,
    issue_type: Option<IssueType>,
    without: Option<Box<Filter>>,
}

#[derive(Debug)]
enum Assignee {
    Nobody,
    Anybody,
    User(Option<u64>),
}

#[derive(Debug)]
enum Labels {
    None,
    Any,
    All(Vec<String>),
}

#[derive(Debug)]
enum Milestone {
    None,
    Any,
    Titled(String),
}

impl Filter {
    /// Reads the parameters; `default_scope` is that of the endpoint.
    pub(crate) fn read(world: &World, call: &Call, default_scope: &str) -> Result<Self, ApiError> {
        let params = &call.params;
        let mut filter = Self::read_fields(world, params)?;
        filter.state = match params.text("state").as_deref() {
            None | Some("all") => None,
            Some("opened") => Some(IssueState::Opened),
            Some("closed") => Some(IssueState::Closed),
            Some(_) => return Err(ApiError::error(400, "state does not have a valid value")),
        };
        let scope = params
            .text("scope")
            .unwrap_or_else(|| default_scope.to_owned());
        match scope.as_str() {
            "created_by_me" | "created-by-me" => filter.author = Some(call.actor().user),
            "assigned_to_me" | "assigned-to-me" => {
                filter.assignee = Some(Assignee::User(call.actor().user))
            }
            "all" => {}
            _ => return Err(ApiError::error(400, "scope does not have a valid value")),
        }
        let negated = params.nested("not");
        filter.without = Some(Box::new(Self::read_fields(world, &negated)?));
        Ok(filter)
    }

    fn read_fields(world: &World, params: &Params) -> Result<Self, ApiError> {
        let named = |name: &str| world.user_named(name).map(|user| user.id);
        let author = match (params.id("author_id")?, params.text("author_username")) {
            (Some(id), _) => Some(Some(id)),
            (None, Some(name)) => Some(named(&name)),
            (None, None) => None,
        };
        let assignee = match (
            params.text("assignee_id").as_deref(),
            params.list("assignee_username"),
        ) {
            (Some("None"), _) => Some(Assignee::Nobody),
            (Some("Any"), _) => Some(Assignee::Anybody),
            (Some(id), _) => Some(Assignee::User(id.parse().ok())),
            (None, Some(names)) => Some(Assignee::User(names.first().and_then(|name| named(name)))),
            (None, None) => None,
        };
        let labels = params
            .list("labels")
            .filter(|titles| !titles.is_empty())
            .map(|titles| match titles.first().map(String::as_str) {
                Some("None" | "No label") => Labels::None,
                Some("Any" | "Any label") => Labels::Any,
                _ => Labels::All(titles),
            });
        let milestone = params.text("milestone").map(|title| match title.as_str() {
            "None" => Milestone::None,
            "Any" => Milestone::Any,
            _ => Milestone::Titled(title),
        });
        let places = params
            .text("in")
            .unwrap_or_else(|| "title,description".to_owned());
        let places = ["title", "description"]
            .into_iter()
            .filter(|one| places.contains(one))
            .collect();
        let issue_type =
            match params.text("issue_type") {
                None => None,
                Some(word) => Some(IssueType::from_word(&word).ok_or_else(|| {
                    ApiError::error(400, "issue_type does not have a valid value")
                })?),
            };
        Ok(Self {
            state: None,
            iids: params.ids("iids"),
            author,
            assignee,
            labels,
            milestone,
            search: params
                .text("search")
                .filter(|text| !text.is_empty())
                .map(|text| (text, places)),
            created: (
                params.moment("created_after")?,
                params.moment("created_before")?,
            ),
            updated: (
                params.moment("updated_after")?,
                params.moment("updated_before")?,
            ),
            confidential: params.boolean("confidential")?,
            issue_type,
            without: None,
        })
    }

    /// Whether a list with this filter contains the issue.
    pub(crate) fn admits(&self, world: &World, issue: &Issue) -> bool {
        self.checks(world, issue)
            .into_iter()
            .flatten()
            .all(|passed| passed)
            && self.without.as_ref().is_none_or(|without| {
                !without
                    .checks(world, issue)
                    .into_iter()
                    .flatten()
                    .any(|matched| matched)
            })
    }

    /// One verdict for each given condition; both bounds of a time are inclusive, at the full
    /// precision of the column.
    fn checks(&self, world: &World, issue: &Issue) -> [Option<bool>; 13] {
        [
            self.state.map(|state| issue.state == state),
            self.iids.as_ref().map(|iids| iids.contains(&issue.iid)),
            self.author.map(|author| author == Some(issue.author)),
            self.assignee.as_ref().map(|assignee| match assignee {
                Assignee::Nobody => issue.assignees.is_empty(),
                Assignee::Anybody => !issue.assignees.is_empty(),
                Assignee::User(user) => user.is_some_and(|user| issue.assignees.contains(&user)),
            }),
            self.labels.as_ref().map(|labels| match labels {
                Labels::None => issue.labels.is_empty(),
                Labels::Any => !issue.labels.is_empty(),
                Labels::All(titles) => {
                    let present = world.label_titles(issue);
                    titles.iter().all(|title| present.contains(title))
                }
            }),
            self.milestone.as_ref().map(|wanted| match wanted {
                Milestone::None => issue.milestone.is_none(),
                Milestone::Any => issue.milestone.is_some(),
                Milestone::Titled(title) => issue
                    .milestone
                    .and_then(|id| world.milestone(id))
                    .is_some_and(|one| one.title == *title),
            }),
            self.search
                .as_ref()
                .map(|(text, places)| found_in(issue, text, places)),
            self.created.0.map(|bound| issue.created_at >= bound),
            self.created.1.map(|bound| issue.created_at <= bound),
            self.updated.0.map(|bound| issue.updated_at >= bound),
            self.updated.1.map(|bound| issue.updated_at <= bound),
            self.confidential.map(|flag| issue.confidential == flag),
            self.issue_type.map(|kind| issue.issue_type == kind),
        ]
    }
}

/// Every word is the beginning of a word in the text, as full-text search has it. Runs of 50 and
/// more characters are not indexed (facts section 13).
fn found_in(issue: &Issue, text: &str, places: &[&str]) -> bool {
    let mut body = String::new();
    if places.contains(&"title") {
        body.push_str(&issue.title.to_lowercase());
    }
    body.push(' ');
    if places.contains(&"description") {
        body.push_str(&issue.description.as_deref().unwrap_or("").to_lowercase());
    }
    let indexed: Vec<&str> = body
        .split_whitespace()
        .filter(|run| run.len() < 50)
        .flat_map(|run| run.split(|letter: char| !letter.is_alphanumeric()))
        .collect();
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .all(|word| indexed.iter().any(|candidate| candidate.starts_with(word)))
}

/// Sorts as asked; ties by id descending, whatever the direction.
pub(crate) fn sort(issues: &mut [&Issue], params: &Params) -> Result<(), ApiError> {
    let ascending = match params.text("sort").as_deref() {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(ApiError::error(400, "sort does not have a valid value")),
    };
    let order = params
        .text("order_by")
        .unwrap_or_else(|| "created_at".to_owned());
    let by: fn(&Issue, &Issue) -> Ordering = match order.as_str() {
        "created_at" => |a, b| a.created_at.cmp(&b.created_at),
        "updated_at" => |a, b| a.updated_at.cmp(&b.updated_at),
        "due_date" | "milestone_due" => |a, b| a.due_date.cmp(&b.due_date),
        "title" => |a, b| a.title.to_lowercase().cmp(&b.title.to_lowercase()),
        "weight" => |a, b| a.weight.cmp(&b.weight),
        "popularity" => |a, b| a.awards.len().cmp(&b.awards.len()),
        "priority" | "label_priority" => |a, b| a.labels.len().cmp(&b.labels.len()),
        "relative_position" => |a, b| a.id.cmp(&b.id),
        _ => return Err(ApiError::error(400, "order_by does not have a valid value")),
    };
    issues.sort_by(|a, b| {
        let primary = by(a, b);
        let directed = if ascending {
            primary
        } else {
            primary.reverse()
        };
        directed.then_with(|| Reverse(a.id).cmp(&Reverse(b.id)))
    });
    Ok(())
}
