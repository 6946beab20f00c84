//! The difference in the issue itself.

use super::{
    people::Places,
    step::{IssueEdit, NewIssue, Plan, Step},
};
use crate::{
    desired::{Desired, Observed},
    ids::UserId,
    issue::{Label, State},
    labels::{exclusive, scope},
    preserve::{Kept, Origin},
    provenance::alike,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a target besides what the issue shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// Labels on this issue that were absent before we added them.
    pub owned_labels: BTreeSet<String>,
    /// People who were not assigned before we assigned them.
    pub owned_assignees: BTreeSet<UserId>,
    /// People whom this target does not let be assigned (learnt from answers).
    pub not_assignable: BTreeSet<UserId>,
    /// Labels that the target project can use; `None` when nobody has looked.
    pub target_labels: Option<BTreeSet<String>>,
    /// Only labels that the target project has are put on.
    pub only_existing_labels: bool,
    /// Labels of one scope exclude each other here (learnt from an answer).
    pub scoped_exclusive: bool,
    /// Fields that the target drops without a word (learnt from answers): `weight`, `labels`, …
    pub dropped: BTreeSet<String>,
    /// Seconds of logged time carried so far; `None` when that knowledge was lost.
    pub carried_spent: Option<i64>,
    /// The target has shown that it keeps a confidential issue confidential.
    pub confidential_proven: bool,
    /// The text of the neutral first create (marker included) where confidentiality must be proven.
    pub neutral_description: String,
    /// What it is asked to keep of the original's number and times.
    pub kept: Kept,
}

/// The title of an issue whose text waits for proof that it stays hidden.
pub const NEUTRAL_TITLE: &str = "Mirrored issue";

impl Known {
    pub(super) fn takes(&self, field: &str) -> bool {
        !self.dropped.contains(field)
    }

    fn has_label(&self, title: &str) -> bool {
        self.target_labels
            .as_ref()
            .is_some_and(|there| there.contains(title))
    }
}

/// The steps that turn `observed` (`None`: there is no issue yet) into `desired`, but for notes.
pub fn diff(desired: &Desired, observed: Option<&Observed>, known: &Known) -> Plan {
    let Some(observed) = observed else {
        return create(desired, known);
    };
    let mut steps = Vec::new();
    if desired.confidential && !observed.confidential && known.takes("confidential") {
        steps.push(Step::Restrict);
    }
    let edit = edit(desired, observed, known);
    let places = Places::of(desired, Some(observed), known);
    steps.extend(new_labels(desired, &places, &edit.add_labels, known));
    if !edit.is_empty() {
        steps.push(Step::UpdateIssue(edit));
    }
    steps.extend(time(desired, observed, known));
    steps.extend(state(desired, observed, known));
    if !desired.confidential && observed.confidential && known.takes("confidential") {
        steps.push(Step::Open);
    }
    Plan { steps }
}

/// A create, and what has to follow it.
fn create(desired: &Desired, known: &Known) -> Plan {
    let places = Places::of(desired, None, known);
    let titles = wanted(desired, &places, known);
    let neutral = desired.confidential && !known.confidential_proven;
    let Origin {
        iid, created_at, ..
    } = desired.origin;
    let iid = (known.kept.iid && known.takes("iid")).then_some(iid);
    let created_at = (known.kept.created_at && known.takes("created_at")).then_some(created_at);
    let new = if neutral {
        NewIssue {
            title: NEUTRAL_TITLE.to_owned(),
            description: known.neutral_description.clone(),
            labels: Vec::new(),
            due_date: None,
            confidential: true,
            weight: None,
            issue_type: desired.issue_type.clone(),
            iid,
            created_at,
            neutral,
            assignees: Vec::new(),
        }
    } else {
        NewIssue {
            title: desired.title.clone(),
            description: desired.description.clone(),
            labels: titles,
            due_date: desired.due_date.filter(|_| known.takes("due_date")),
            confidential: desired.confidential,
            weight: desired.weight.filter(|_| known.takes("weight")),
            issue_type: desired.issue_type.clone(),
            iid,
            created_at,
            neutral,
            assignees: places.assigned.iter().copied().cloned().collect(),
        }
    };
    let expected = expected(&new);
    let mut after = known.clone();
    after.owned_labels = new.labels.iter().cloned().collect();
    after.owned_assignees = new.assignees.iter().map(|account| account.id).collect();
    after.carried_spent = Some(0);
    let mut steps: Vec<Step> = new_labels(desired, &places, &new.labels, known).collect();
    if let Some(existing) = &mut after.target_labels {
        existing.extend(new.labels.iter().cloned());
    }
    steps.push(Step::CreateIssue(new));
    steps.extend(diff(desired, Some(&expected), &after).steps);
    Plan { steps }
}

/// What a created issue will look like, if the target takes every field.
pub fn expected(new: &NewIssue) -> Observed {
    Observed {
        title: new.title.clone(),
        description: new.description.clone(),
        state: State::Opened,
        issue_type: new.issue_type.clone(),
        due_date: new.due_date,
        confidential: new.confidential,
        weight: new.weight,
        has_weight: true,
        labels: new.labels.iter().cloned().collect(),
        assignees: new
            .assignees
            .iter()
            .map(|account| (account.id, account.username.clone()))
            .collect(),
        estimate: 0,
        spent: 0,
        locked: false,
    }
}

/// The labels that the issue should carry here. A confidential issue brings none that the target
/// does not have yet: a new label is visible to everybody who sees the project. Nor does any where
/// people want no new ones.
fn wanted(desired: &Desired, places: &Places<'_>, known: &Known) -> Vec<String> {
    if !known.takes("labels") {
        return Vec::new();
    }
    let titles: Vec<String> = places
        .labels(desired)
        .map(|label| &label.title)
        .filter(|title| {
            let creates = !desired.confidential && !known.only_existing_labels;
            creates || known.has_label(title)
        })
        .cloned()
        .collect();
    if known.scoped_exclusive {
        exclusive(&titles).into_iter().map(str::to_owned).collect()
    } else {
        titles
    }
}

pub(super) fn new_labels<'a>(
    desired: &'a Desired,
    places: &Places<'a>,
    add: &'a [String],
    known: &'a Known,
) -> impl Iterator<Item = Step> + 'a {
    let details: BTreeMap<&str, _> = places
        .labels(desired)
        .map(|label| (label.title.as_str(), label))
        .collect();
    add.iter()
        .filter(|title| {
            known
                .target_labels
                .as_ref()
                .is_some_and(|there| !there.contains(*title))
        })
        .filter_map(move |title| details.get(title.as_str()).map(|label| Label::clone(label)))
        // Without a colour there is nothing to say that auto-creation would not say.
        .filter(|label| label.color.is_some())
        .map(Step::CreateLabel)
}

pub(super) fn edit(desired: &Desired, observed: &Observed, known: &Known) -> IssueEdit {
    let mut edit = IssueEdit::default();
    if desired.title != observed.title {
        edit.title = Some(desired.title.clone());
    }
    if !alike(&desired.description, &observed.description) {
        edit.description = Some(desired.description.clone());
    }
    if desired.due_date != observed.due_date && known.takes("due_date") {
        edit.due_date = Some(desired.due_date);
    }
    if desired.weight != observed.weight && observed.has_weight && known.takes("weight") {
        edit.weight = Some(desired.weight);
    }
    if desired.issue_type != observed.issue_type && known.takes("issue_type") {
        edit.issue_type = Some(desired.issue_type.clone());
    }
    if desired.locked != observed.locked && known.takes("discussion_locked") {
        edit.locked = Some(desired.locked);
    }
    let places = Places::of(desired, Some(observed), known);
    (edit.assign, edit.unassign) = places.changes(observed, known);
    if known.takes("labels") {
        (edit.add_labels, edit.remove_labels) = label_changes(desired, &places, observed, known);
    }
    edit
}

/// Only labels that we own are taken off, but for a scope that the source uses: that one is ours
/// whole, since the source says which of its labels holds.
fn label_changes(
    desired: &Desired,
    places: &Places<'_>,
    observed: &Observed,
    known: &Known,
) -> (Vec<String>, Vec<String>) {
    let wanted = wanted(desired, places, known);
    let scopes: BTreeSet<&str> = wanted.iter().filter_map(|title| scope(title)).collect();
    let add = wanted
        .iter()
        .filter(|title| !observed.labels.contains(*title))
        .cloned()
        .collect();
    let remove = observed
        .labels
        .iter()
        .filter(|title| !wanted.contains(title))
        .filter(|title| {
            known.owned_labels.contains(*title)
                || scope(title).is_some_and(|scope| scopes.contains(scope))
        })
        .cloned()
        .collect();
    (add, remove)
}

fn state(desired: &Desired, observed: &Observed, known: &Known) -> Option<Step> {
    if desired.state == observed.state || !known.takes("state") {
        return None;
    }
    let kept = known.kept.closed_at && known.takes("closed_at");
    let closed_at = desired.origin.closed_at.filter(|_| kept);
    Some(match (desired.state, closed_at) {
        (State::Closed, Some(at)) => Step::CloseAsOf(at),
        (state, _) => Step::SetState(state),
    })
}

fn time(desired: &Desired, observed: &Observed, known: &Known) -> Vec<Step> {
    let mut steps = Vec::new();
    if desired.estimate != observed.estimate && known.takes("time_estimate") {
        steps.push(Step::SetTimeEstimate(desired.estimate));
    }
    if let Some(carried) = known.carried_spent.filter(|_| known.takes("time_spent")) {
        // GitLab refuses a total below zero: somebody on the target took off what we brought.
        let step = (desired.spent - carried).max(-observed.spent);
        if step != 0 {
            steps.push(Step::AddSpentTime(step));
        }
    }
    steps
}
