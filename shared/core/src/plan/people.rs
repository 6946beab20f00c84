//! Who is to be assigned, and who is told of by a label instead.

use super::{
    diff::{Known, edit, new_labels},
    step::{IssueEdit, Step},
};
use crate::{
    desired::{Assignee, Desired, Observed},
    issue::Label,
    people::Account,
};

/// The field of targets that keep one assignee of several.
pub const SEVERAL_ASSIGNEES: &str = "several_assignees";

/// Of the people who should be assigned those who will be, and those who will not.
pub(super) struct Places<'a> {
    pub(super) assigned: Vec<&'a Account>,
    told: Vec<&'a Label>,
}

impl<'a> Places<'a> {
    pub(super) fn of(desired: &'a Desired, there: Option<&Observed>, known: &Known) -> Self {
        let is_there = |account: &Account| {
            there.is_some_and(|there| there.assignees.contains_key(&account.id))
        };
        let takes = |account: &Account| {
            known.takes("assignees") && !known.not_assignable.contains(&account.id)
        };
        let people = desired.assignees.iter().map(|assignee| &assignee.account);
        let mut assigned: Vec<&Account> = Vec::new();
        for account in people.filter(|account| is_there(account) || takes(account)) {
            // Two of the source may be one here.
            if !assigned.contains(&account) {
                assigned.push(account);
            }
        }
        if !known.takes(SEVERAL_ASSIGNEES) {
            let theirs = there.is_some_and(|there| has_theirs(there, known));
            let one = assigned.iter().find(|account| is_there(account));
            let first = assigned.first().filter(|_| !theirs);
            assigned = one.or(first).copied().into_iter().collect();
        }
        let is_told = |assignee: &&Assignee| !assigned.contains(&&assignee.account);
        let others = desired.assignees.iter().filter(is_told);
        let brought = |label: &&Label| desired.labels.iter().any(|own| own.title == label.title);
        let told = others
            .filter_map(|assignee| assignee.label.as_ref())
            .filter(|label| !brought(label));
        Self {
            told: told.collect(),
            assigned,
        }
    }

    /// Every label that the issue should carry.
    pub(super) fn labels(&self, desired: &'a Desired) -> impl Iterator<Item = &'a Label> {
        desired.labels.iter().chain(self.told.clone())
    }

    /// Whom to assign, and whom of ours not any more.
    pub(super) fn changes(&self, there: &Observed, known: &Known) -> (Vec<Account>, Vec<Account>) {
        let new = |account: &&&Account| !there.assignees.contains_key(&account.id);
        let assign = self.assigned.iter().filter(new);
        let ours = there.assignees.iter().filter(|(id, _)| {
            known.takes("assignees")
                && known.owned_assignees.contains(id)
                && !self.assigned.iter().any(|account| account.id == **id)
        });
        let unassign = ours.map(|(id, username)| Account {
            id: *id,
            username: username.clone(),
        });
        (
            assign.map(|account| (*account).clone()).collect(),
            unassign.collect(),
        )
    }
}

/// The target's people assigned somebody.
fn has_theirs(there: &Observed, known: &Known) -> bool {
    let assigned = there.assignees.keys();
    assigned
        .into_iter()
        .any(|id| !known.owned_assignees.contains(id))
}

/// Every label that the issue should carry on a target that shows this.
pub fn labels<'a>(
    desired: &'a Desired,
    observed: Option<&Observed>,
    known: &Known,
) -> Vec<&'a Label> {
    Places::of(desired, observed, known)
        .labels(desired)
        .collect()
}

/// What follows once an answer has shown whom the target does not let be assigned.
pub fn reassign(desired: &Desired, observed: &Observed, known: &Known) -> Vec<Step> {
    let IssueEdit {
        add_labels,
        remove_labels,
        assign,
        unassign,
        ..
    } = edit(desired, observed, known);
    let edit = IssueEdit {
        add_labels,
        remove_labels,
        assign,
        unassign,
        ..IssueEdit::default()
    };
    let places = Places::of(desired, Some(observed), known);
    let mut steps: Vec<Step> = new_labels(desired, &places, &edit.add_labels, known).collect();
    if !edit.is_empty() {
        steps.push(Step::UpdateIssue(edit));
    }
    steps
}
