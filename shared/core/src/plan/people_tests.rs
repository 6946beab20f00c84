//! Who is assigned, against targets that keep several assignees, or one.

use super::{
    tests::{Target, blank, desired, fresh_target},
    *,
};
use crate::{
    desired::{Assignee, Desired},
    ids::UserId,
    issue::Label,
    people::Account,
};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeSet;

/// Somebody of the source's; `5` and `6` are one on the target.
fn person(number: i64) -> Assignee {
    let title = format!("Assigned: s{number}");
    Assignee {
        account: Account {
            id: UserId(number.min(5)),
            username: format!("t{}", number.min(5)),
        },
        label: Some(Label {
            title,
            color: None,
            description: None,
        }),
    }
}

prop_compose! {
    fn assigned()(desired in desired(), people in vec(1i64..7, 0..4)) -> Desired {
        let mut seen = BTreeSet::new();
        let people = people.into_iter().filter(|number| seen.insert(*number));
        Desired { assignees: people.map(person).collect(), confidential: false, ..desired }
    }
}

prop_compose! {
    fn target_with_people()(target in fresh_target(), one: bool, refused in vec(1i64..6, 0..2)) -> Target {
        let mut target = target;
        if one {
            target.known.dropped.insert(SEVERAL_ASSIGNEES.to_owned());
        }
        target.known.not_assignable = refused.into_iter().map(UserId).collect();
        target
    }
}

fn there(target: &Target) -> BTreeSet<UserId> {
    let issue = target.issue.as_ref().unwrap();
    issue.assignees.keys().copied().collect()
}

proptest! {
    #[test]
    fn everybody_is_assigned_or_told_of_and_then_it_is_quiet(
        mut target in target_with_people(), rounds in vec(assigned(), 1..5)
    ) {
        for desired in &rounds {
            target.bring_in_line(desired);
            let again = target.bring_in_line(desired);
            prop_assert!(again.is_empty(), "{again:?} after {desired:?}");
            let labels = &target.issue.as_ref().unwrap().labels;
            for assignee in &desired.assignees {
                let told = labels.contains(&assignee.label.as_ref().unwrap().title);
                let assigned = there(&target).contains(&assignee.account.id);
                prop_assert!(told != assigned, "{assignee:?}");
            }
            let wanted: BTreeSet<UserId> = desired.assignees.iter().map(|one| one.account.id).collect();
            prop_assert!(there(&target).is_subset(&wanted));
        }
    }

    #[test]
    fn whom_the_targets_people_assigned_stays(
        mut target in target_with_people(), first in assigned(), second in assigned()
    ) {
        target.bring_in_line(&first);
        let one = target.known.dropped.contains(SEVERAL_ASSIGNEES);
        let people = &mut target.issue.as_mut().unwrap().assignees;
        if one {
            people.clear();
        }
        people.insert(UserId(99), "theirs".into());
        target.bring_in_line(&second);
        prop_assert!(there(&target).contains(&UserId(99)));
        prop_assert!(target.bring_in_line(&second).is_empty());
    }
}

#[test]
fn who_was_there_before_us_is_not_ours_to_take_off() {
    let both = Desired {
        assignees: vec![person(1), person(2)],
        ..blank()
    };
    let mut target = Target::holding(&blank());
    let people = &mut target.issue.as_mut().unwrap().assignees;
    people.insert(UserId(1), "t1".into());
    let plan = target.bring_in_line(&both);
    let [Step::UpdateIssue(edit)] = plan.steps.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(edit.assign, [person(2).account]);
    let plan = target.bring_in_line(&blank());
    let [Step::UpdateIssue(edit)] = plan.steps.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(edit.unassign, [person(2).account]);
    assert_eq!(there(&target), [UserId(1)].into());
}

#[test]
fn whom_an_answer_shows_not_to_be_assignable_is_told_of_by_a_label() {
    let desired = Desired {
        assignees: vec![person(1)],
        title: "Another".into(),
        ..blank()
    };
    let mut target = Target::holding(&blank());
    target.known.not_assignable = [UserId(1)].into();
    let observed = target.issue.clone().unwrap();
    let steps = reassign(&desired, &observed, &target.known);
    let [Step::UpdateIssue(edit)] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert_eq!(edit.add_labels, ["Assigned: s1"]);
    assert_eq!((&edit.title, edit.assign.len()), (&None, 0));
}

#[test]
fn where_the_target_does_not_take_assignees_those_who_are_there_stay() {
    let mut target = Target::holding(&Desired {
        assignees: vec![person(1)],
        ..blank()
    });
    target.known.dropped.insert("assignees".to_owned());
    assert!(target.bring_in_line(&blank()).is_empty());
    assert_eq!(there(&target), [UserId(1)].into());
}
