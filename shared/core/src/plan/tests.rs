//! The laws of the difference, against a target that obeys and against targets that do not.

use super::{
    diff::{NEUTRAL_TITLE, expected},
    *,
};
use crate::{
    desired::{Desired, Observed},
    ids::Iid,
    issue::{IssueType, Label, State},
    labels::scope,
    people::Account,
    preserve::{Kept, Origin},
};
use chrono::{DateTime, NaiveDate};
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

/// A target in the small: does what a step asks, under the edition's rules.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) issue: Option<Observed>,
    labels: BTreeSet<String>,
    scoped: bool,
    pub(super) known: Known,
}

impl Target {
    /// One that holds this already.
    pub(super) fn holding(desired: &Desired) -> Self {
        let mut target = Self {
            issue: None,
            labels: BTreeSet::new(),
            scoped: false,
            known: Known::default(),
        };
        target.bring_in_line(desired);
        target
    }

    fn put_on(&mut self, titles: &[String]) {
        let Some(issue) = &mut self.issue else { return };
        for title in titles {
            if self.scoped && scope(title).is_some() {
                issue.labels.retain(|there| scope(there) != scope(title));
            }
            issue.labels.insert(title.clone());
            self.labels.insert(title.clone());
        }
        self.known.target_labels = Some(self.labels.clone());
    }

    fn obey(&mut self, step: &Step) {
        match step {
            Step::CreateLabel(label) => {
                assert!(
                    self.labels.insert(label.title.clone()),
                    "created twice: {label:?}"
                );
            }
            Step::CreateIssue(new) => {
                self.issue = Some(Observed {
                    labels: BTreeSet::new(),
                    assignees: BTreeMap::new(),
                    ..expected(new)
                });
                self.assign(&new.assignees, &[]);
                self.put_on(&new.labels);
                self.known.owned_labels.extend(new.labels.iter().cloned());
                self.known.carried_spent = Some(0);
                self.known.confidential_proven |= new.confidential;
            }
            Step::UpdateIssue(edit) => self.edit(edit),
            Step::AddSpentTime(step) => {
                let issue = self.issue.as_mut().unwrap();
                issue.spent += step;
                assert!(issue.spent >= 0);
                *self.known.carried_spent.as_mut().unwrap() += step;
            }
            Step::Restrict => self.issue.as_mut().unwrap().confidential = true,
            Step::Open => self.issue.as_mut().unwrap().confidential = false,
            Step::DeleteIssue => self.issue = None,
            Step::SetState(state) => self.issue.as_mut().unwrap().state = *state,
            Step::CloseAsOf(_) => self.issue.as_mut().unwrap().state = State::Closed,
            Step::SetTimeEstimate(seconds) => self.issue.as_mut().unwrap().estimate = *seconds,
            Step::TransferUpload { .. }
            | Step::CreateNote(_)
            | Step::UpdateNote { .. }
            | Step::DeleteNote { .. }
            | Step::WithdrawNote { .. }
            | Step::SetResolved { .. }
            | Step::CreateLink { .. }
            | Step::RemoveLink { .. } => panic!("not of the issue itself: {step:?}"),
        }
    }

    /// The whole list is sent: those who stay, and the new ones.
    fn assign(&mut self, more: &[Account], fewer: &[Account]) {
        let several = self.known.takes(SEVERAL_ASSIGNEES);
        let people = &mut self.issue.as_mut().unwrap().assignees;
        for account in fewer {
            assert!(people.remove(&account.id).is_some(), "{account:?}");
            assert!(self.known.owned_assignees.remove(&account.id));
        }
        for account in more {
            assert!(
                several || people.is_empty(),
                "{account:?} besides {people:?}"
            );
            people.insert(account.id, account.username.clone());
            self.known.owned_assignees.insert(account.id);
        }
    }

    fn edit(&mut self, edit: &IssueEdit) {
        self.assign(&edit.assign, &edit.unassign);
        self.put_on(&edit.add_labels);
        self.known
            .owned_labels
            .extend(edit.add_labels.iter().cloned());
        let issue = self.issue.as_mut().unwrap();
        for title in &edit.remove_labels {
            issue.labels.remove(title);
            self.known.owned_labels.remove(title);
        }
        if let Some(title) = &edit.title {
            issue.title.clone_from(title);
        }
        if let Some(description) = &edit.description {
            issue.description.clone_from(description);
        }
        if let Some(day) = edit.due_date {
            issue.due_date = day;
        }
        if let Some(weight) = edit.weight {
            issue.weight = weight;
        }
        if let Some(kind) = &edit.issue_type {
            issue.issue_type = kind.clone();
        }
        if let Some(locked) = edit.locked {
            issue.locked = locked;
        }
    }

    pub(super) fn bring_in_line(&mut self, desired: &Desired) -> Plan {
        self.known.target_labels = Some(self.labels.clone());
        let plan = diff(desired, self.issue.as_ref(), &self.known);
        for step in &plan.steps {
            self.obey(step);
        }
        plan
    }
}

fn label_title() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "[xy]::[12]"]
}

prop_compose! {
    pub(super) fn desired()(
        title in "[a-z]{1,5}", body in "[a-z]{0,5}", closed: bool, confidential: bool,
        due in proptest::option::of(1u32..28), weight in proptest::option::of(0i64..5),
        estimate in 0i64..3, spent in 0i64..50, titles in vec(label_title(), 0..4),
        task: bool, locked: bool,
    ) -> Desired {
        let mut seen = BTreeSet::new();
        Desired {
            title,
            description: body,
            state: if closed { State::Closed } else { State::Opened },
            issue_type: if task { IssueType::Task } else { IssueType::Issue },
            due_date: due.and_then(|day| NaiveDate::from_ymd_opt(2026, 1, day)),
            confidential, weight, estimate, spent, locked,
            labels: titles
                .into_iter()
                .filter(|title| seen.insert(title.clone()))
                .map(|title| Label { title, color: Some("#112233".into()), description: None })
                .collect(),
            assignees: Vec::new(),
            notes: Vec::new(),
            cut: BTreeSet::new(),
            threads: Vec::new(),
            origin: origin(closed),
        }
    }
}

prop_compose! {
    pub(super) fn fresh_target()(scoped: bool, labels in vec(label_title(), 0..3), proven: bool) -> Target {
        Target {
            issue: None,
            labels: labels.into_iter().collect(),
            scoped,
            known: Known {
                scoped_exclusive: scoped,
                confidential_proven: proven,
                neutral_description: "marker".into(),
                ..Known::default()
            },
        }
    }
}

proptest! {
    #[test]
    fn one_round_converges_and_a_second_is_empty(
        mut target in fresh_target(), rounds in vec(desired(), 1..5)
    ) {
        for desired in &rounds {
            target.bring_in_line(desired);
            let again = target.bring_in_line(desired);
            prop_assert!(again.is_empty(), "{again:?} after {desired:?}");
            let issue = target.issue.as_ref().unwrap();
            prop_assert_eq!(&issue.title, &desired.title);
            prop_assert_eq!(issue.state, desired.state);
            prop_assert_eq!(issue.confidential, desired.confidential);
            prop_assert_eq!(issue.weight, desired.weight);
            prop_assert_eq!(issue.spent, desired.spent);
            prop_assert_eq!(issue.locked, desired.locked);
        }
    }

    #[test]
    fn labels_of_the_targets_people_stay(
        mut target in fresh_target(), first in desired(), second in desired()
    ) {
        target.bring_in_line(&first);
        target.issue.as_mut().unwrap().labels.insert("theirs".into());
        target.bring_in_line(&second);
        prop_assert!(target.issue.as_ref().unwrap().labels.contains("theirs"));
    }

    #[test]
    fn time_logged_on_the_target_is_kept(
        mut target in fresh_target(), first in desired(), second in desired(), theirs in 1i64..100
    ) {
        target.bring_in_line(&first);
        target.issue.as_mut().unwrap().spent += theirs;
        target.bring_in_line(&second);
        prop_assert_eq!(target.issue.as_ref().unwrap().spent, second.spent + theirs);
    }

    #[test]
    fn nothing_confidential_is_public_at_any_step(
        mut target in fresh_target(), before in desired(), mut after in desired()
    ) {
        target.bring_in_line(&before);
        after.confidential = true;
        after.title = "secret".into();
        after.description = "secret".into();
        let existed = target.labels.clone();
        target.known.target_labels = Some(target.labels.clone());
        for step in diff(&after, target.issue.as_ref(), &target.known).steps {
            target.obey(&step);
            let issue = target.issue.as_ref().unwrap();
            prop_assert!(issue.confidential || issue.title != "secret");
        }
        prop_assert_eq!(existed, target.labels, "a new label would be public");
    }

    #[test]
    fn where_no_label_is_to_be_created_none_is_and_it_is_quiet_all_the_same(
        mut target in fresh_target(), rounds in vec(desired(), 1..5)
    ) {
        target.known.only_existing_labels = true;
        let existed = target.labels.clone();
        for desired in &rounds {
            target.bring_in_line(desired);
            let again = target.bring_in_line(desired);
            prop_assert!(again.is_empty(), "{again:?} after {desired:?}");
            prop_assert_eq!(&existed, &target.labels);
        }
    }

    #[test]
    fn the_first_confidential_issue_is_created_neutral(desired in desired()) {
        let desired = Desired { confidential: true, ..desired };
        let plan = diff(&desired, None, &Known { neutral_description: "m".into(), ..Known::default() });
        let Some(Step::CreateIssue(new)) = plan.steps.first() else { panic!("{plan:?}") };
        prop_assert_eq!(&new.title, NEUTRAL_TITLE);
        prop_assert_eq!(&new.description, "m");
        prop_assert!(new.labels.is_empty());
    }

    #[test]
    fn number_and_times_are_asked_for_once_and_only_where_they_are_taken(
        desired in desired(), iid: bool, created_at: bool, closed_at: bool, drops: bool,
    ) {
        let kept = Kept { iid, created_at, closed_at };
        let dropped = ["iid", "created_at", "closed_at"].map(str::to_owned);
        let known = Known {
            kept,
            dropped: dropped.into_iter().filter(|_| drops).collect(),
            confidential_proven: true,
            ..Known::default()
        };
        let plan = diff(&desired, None, &known);
        let new = plan.steps.iter().find_map(|step| {
            if let Step::CreateIssue(new) = step { Some(new.clone()) } else { None }
        });
        let new = new.unwrap();
        prop_assert_eq!(new.iid, (iid && !drops).then_some(Iid(7)));
        prop_assert_eq!(new.created_at, (created_at && !drops).then_some(DateTime::UNIX_EPOCH));
        let closes = plan.steps.iter().any(|step| matches!(step, Step::CloseAsOf(_)));
        prop_assert_eq!(closes, closed_at && !drops && desired.state == State::Closed);
        let there = expected(&new);
        let done = Observed { state: desired.state, ..there };
        let again = diff(&desired, Some(&done), &Known { carried_spent: None, ..known });
        let of_these = |step: &Step| matches!(step, Step::CreateIssue(_) | Step::CloseAsOf(_));
        prop_assert!(!again.steps.iter().any(of_these));
    }
}

pub(super) fn blank() -> Desired {
    Desired {
        title: String::new(),
        description: String::new(),
        state: State::Opened,
        issue_type: IssueType::Issue,
        due_date: None,
        confidential: false,
        weight: None,
        estimate: 0,
        spent: 0,
        locked: false,
        labels: Vec::new(),
        assignees: Vec::new(),
        notes: Vec::new(),
        cut: BTreeSet::new(),
        threads: Vec::new(),
        origin: origin(false),
    }
}

fn origin(closed: bool) -> Origin {
    Origin {
        iid: Iid(7),
        created_at: DateTime::UNIX_EPOCH,
        closed_at: closed.then_some(DateTime::UNIX_EPOCH),
    }
}

#[test]
fn scoped_labels_that_vanish_are_not_fought_for() {
    let label = |title: &str| Label {
        title: title.into(),
        color: None,
        description: None,
    };
    let desired = Desired {
        labels: vec![label("p::1"), label("p::2")],
        ..blank()
    };
    let known = Known {
        scoped_exclusive: true,
        target_labels: Some(["p::1", "p::2"].map(String::from).into()),
        ..Known::default()
    };
    let mut observed = match diff(&desired, None, &known).steps.as_slice() {
        [Step::CreateIssue(new)] => expected(new),
        other => panic!("{other:?}"),
    };
    assert_eq!(observed.labels, ["p::2".to_owned()].into());
    assert!(diff(&desired, Some(&observed), &known).is_empty());
    observed.labels = ["p::1".to_owned()].into();
    assert_eq!(diff(&desired, Some(&observed), &known).steps.len(), 1);
}
