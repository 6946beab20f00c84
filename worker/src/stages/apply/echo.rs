//! Compares the answer to a write with what was asked: GitLab drops without a word what token,
//! role or edition do not allow.

use super::{
    super::{case::Case, preserve},
    assignees, lost_to_its_scope,
};
use crate::{SyncError, events::Notice};
use mirror_core::{
    desired::Observed,
    issue::Issue,
    plan::{IssueEdit, NewIssue},
};
use mirror_gitlab::IssueChange;
use mirror_store::TargetFact;

/// After a create.
pub(crate) async fn of_create(
    case: &mut Case<'_>,
    asked: &NewIssue,
    echo: &Issue,
) -> Result<(), SyncError> {
    let edit = IssueEdit {
        title: Some(asked.title.clone()),
        description: Some(asked.description.clone()),
        add_labels: asked.labels.clone(),
        remove_labels: Vec::new(),
        due_date: asked.due_date.map(Some),
        weight: asked.weight.map(Some),
        issue_type: Some(asked.issue_type.clone()),
        locked: None,
        assign: asked.assignees.clone(),
        unassign: Vec::new(),
    };
    if asked.iid.is_some_and(|iid| iid != echo.iid) {
        case.dropped("iid").await?;
    }
    if asked
        .created_at
        .is_some_and(|at| !preserve::same(Some(echo.created_at), at))
    {
        case.dropped("created_at").await?;
    }
    of_update(case, &edit, echo).await
}

/// After a change.
pub(crate) async fn of_update(
    case: &mut Case<'_>,
    asked: &IssueEdit,
    echo: &Issue,
) -> Result<(), SyncError> {
    let altered = asked
        .title
        .as_ref()
        .is_some_and(|title| *title != echo.title)
        || asked
            .description
            .as_ref()
            .is_some_and(|text| *text != echo.description);
    if altered {
        case.notice(Notice::TextAltered);
    }
    if asked.due_date.is_some_and(|day| day != echo.due_date) {
        case.dropped("due_date").await?;
    }
    match asked.weight {
        Some(weight) if weight != echo.weight => case.dropped("weight").await?,
        Some(Some(_)) => case.taken("weight").await?,
        Some(None) | None => {}
    }
    if asked
        .issue_type
        .as_ref()
        .is_some_and(|kind| *kind != echo.issue_type)
    {
        case.dropped("issue_type").await?;
    }
    if asked.locked.is_some_and(|locked| locked != echo.locked) {
        case.dropped("discussion_locked").await?;
    }
    assignees::answered(case, asked, echo).await?;
    labels(case, &asked.add_labels, echo).await
}

async fn labels(case: &mut Case<'_>, asked: &[String], echo: &Issue) -> Result<(), SyncError> {
    let there = echo.labels.iter().cloned().collect();
    let missing: Vec<&String> = asked
        .iter()
        .filter(|title| !echo.labels.contains(title))
        .collect();
    let (scoped, refused): (Vec<&String>, Vec<&String>) = missing
        .into_iter()
        .partition(|title| lost_to_its_scope(title, &there));
    if !scoped.is_empty() && case.target.scoped_exclusive != Some(true) {
        case.learn(TargetFact::ScopedExclusive(true)).await?;
    }
    if !refused.is_empty() && refused.len() == asked.len() {
        case.dropped("labels").await?;
    } else {
        for title in refused {
            case.dropped(&format!("label:{title}")).await?;
        }
    }
    Ok(())
}

/// Whether the answer shows a change that nobody asked for: somebody edited the issue between our
/// look and our write. (How what was asked for came out is another matter, and so are labels that
/// others put on, and people whom they assigned.)
pub(super) fn shows_anothers_edit(
    before: &Observed,
    asked: &IssueChange,
    after: &Observed,
) -> bool {
    let mut expected = before.clone();
    if asked.title.is_some() {
        expected.title.clone_from(&after.title);
    }
    if asked.description.is_some() {
        expected.description.clone_from(&after.description);
    }
    if asked.state_event.is_some() {
        expected.state = after.state;
    }
    if asked.issue_type.is_some() {
        expected.issue_type.clone_from(&after.issue_type);
    }
    if asked.due_date.is_some() {
        expected.due_date = after.due_date;
    }
    if asked.confidential.is_some() {
        expected.confidential = after.confidential;
    }
    if asked.weight.is_some() {
        expected.weight = after.weight;
    }
    if asked.locked.is_some() {
        expected.locked = after.locked;
    }
    let replaced = asked.assignees.is_none()
        && before
            .assignees
            .keys()
            .any(|user| !after.assignees.contains_key(user));
    expected.assignees.clone_from(&after.assignees);
    let taken_off = before.labels.iter().any(|title| {
        !after.labels.contains(title)
            && !asked.remove_labels.contains(title)
            && !lost_to_its_scope(title, &after.labels)
    });
    expected.labels.clone_from(&after.labels);
    taken_off || replaced || expected != *after
}
