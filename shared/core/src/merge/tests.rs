//! The laws of the merge.

use super::*;
use crate::{
    desired::Place,
    issue::{IssueType, Label},
};
use chrono::{DateTime, NaiveDate};
use proptest::{collection::btree_set, option, prelude::*};

fn swapped(merged: Merged) -> Merged {
    match merged {
        Merged::Follow => Merged::Edited,
        Merged::Edited => Merged::Follow,
        Merged::Settled | Merged::Both => merged,
    }
}

prop_compose! {
    fn observed()(
        title in "[ab]", description in "[ab]", closed: bool, confidential: bool, task: bool,
        due in option::of(1u32..3), weight in option::of(0i64..2), estimate in 0i64..2,
        labels in btree_set("[xyz]", 0..3),
    ) -> Observed {
        Observed {
            title, description, confidential, weight, estimate, labels,
            state: if closed { State::Closed } else { State::Opened },
            issue_type: if task { IssueType::Task } else { IssueType::Issue },
            due_date: due.and_then(|day| NaiveDate::from_ymd_opt(2026, 1, day)),
            has_weight: true,
            spent: 0,
        }
    }
}

/// A source that would look like that.
fn desired(like: &Observed, note: &str) -> Desired {
    Desired {
        title: like.title.clone(),
        description: like.description.clone(),
        state: like.state,
        issue_type: like.issue_type.clone(),
        due_date: like.due_date,
        confidential: like.confidential,
        weight: like.weight,
        estimate: like.estimate,
        spent: 0,
        labels: like
            .labels
            .iter()
            .map(|title| Label {
                title: title.clone(),
                color: None,
                description: None,
            })
            .collect(),
        notes: vec![DesiredNote {
            source_note: NoteId(1),
            discussion: "d".into(),
            place: Place::Plain,
            body: note.to_owned(),
            internal: false,
            created_at: DateTime::UNIX_EPOCH,
        }],
        threads: Vec::new(),
    }
}

/// A target that obeys, with labels of its own people left on.
fn obey(merge: &Merge, target: &Observed, ours: &BTreeSet<String>) -> Observed {
    let to = &merge.desired;
    let wanted: BTreeSet<String> = to.labels.iter().map(|label| label.title.clone()).collect();
    let theirs = target.labels.difference(ours).cloned();
    Observed {
        title: to.title.clone(),
        description: to.description.clone(),
        state: to.state,
        issue_type: to.issue_type.clone(),
        due_date: to.due_date,
        confidential: to.confidential,
        weight: to.weight,
        estimate: to.estimate,
        labels: theirs.chain(wanted).collect(),
        ..target.clone()
    }
}

fn in_line(like: &Observed) -> Base {
    let source = desired(like, "n");
    let merge = Merge::nothing_edited(&source);
    Base::after(None, &merge, &source, like, &BTreeMap::new())
}

proptest! {
    #[test]
    fn one_field_is_merged_alike_seen_from_either_side(
        base in option::of((0u8..3, 0u8..3)), source in 0u8..3, target in 0u8..3,
    ) {
        let base_here = base.as_ref().map(|(source, target)| (source, target));
        let base_there = base.as_ref().map(|(source, target)| (target, source));
        let here = merge(base_here, &source, &target);
        let there = merge(base_there, &target, &source);
        if base.is_some() {
            prop_assert_eq!(here, swapped(there));
        } else {
            prop_assert_eq!(here, there, "without a base both sides count alike");
        }
    }

    #[test]
    fn a_field_that_only_one_side_left_moves_and_no_other(
        source_then in 0u8..3, target_then in 0u8..3, source in 0u8..3, target in 0u8..3,
    ) {
        let merged = merge(Some((&source_then, &target_then)), &source, &target);
        let alone = source != source_then && target == target_then && source != target;
        prop_assert_eq!(merged == Merged::Follow, alone);
        if (source, target) == (source_then, target_then) {
            prop_assert_eq!(merged, Merged::Settled);
        }
    }

    #[test]
    fn where_nobody_edited_the_source_is_followed_whole(then in observed(), now in observed()) {
        let source = desired(&now, "n");
        let merge = Merge::issue(Some(&in_line(&then)), &source, &then);
        prop_assert_eq!(&merge.desired, &source);
        prop_assert!(merge.edited.is_empty());
    }

    #[test]
    fn where_the_source_stands_still_every_edit_stays(then in observed(), now in observed()) {
        let source = desired(&then, "n");
        let merge = Merge::issue(Some(&in_line(&then)), &source, &now);
        let hidden = Observed { confidential: now.confidential || then.confidential, ..now.clone() };
        prop_assert_eq!(obey(&merge, &now, &then.labels), Observed {
            labels: now.labels.clone(),
            ..hidden
        });
        let edited = fields(&source, &now).into_iter().any(|(field, a, b)| {
            a != b && !(field == Field::Confidential && source.confidential)
        });
        let taken_off = !then.labels.is_subset(&now.labels);
        prop_assert_eq!(merge.edited.is_empty(), !(edited || taken_off));
    }

    #[test]
    fn a_second_merge_writes_nothing_and_tells_the_same(
        then in observed(), source in observed(), target in observed(),
    ) {
        let before = in_line(&then);
        let wanted = desired(&source, "n");
        let first = Merge::issue(Some(&before), &wanted, &target);
        let there = obey(&first, &target, &then.labels);
        let after = Base::after(Some(&before), &first, &wanted, &there, &BTreeMap::new());
        let second = Merge::issue(Some(&after), &wanted, &there);
        prop_assert_eq!(obey(&second, &there, &source.labels), there.clone());
        prop_assert_eq!(&second.edited, &first.edited);
        let third = Base::after(Some(&after), &second, &wanted, &there, &BTreeMap::new());
        prop_assert_eq!(third, after);
    }

    #[test]
    fn what_is_accepted_stays_until_the_source_changes_there(
        then in observed(), target in observed(), later in observed(),
    ) {
        let before = in_line(&then);
        let wanted = desired(&then, "n");
        let accepted = Base::accepted(Merge::issue(Some(&before), &wanted, &target));
        let there = obey(&accepted, &target, &then.labels);
        let after = Base::after(Some(&before), &accepted, &wanted, &there, &BTreeMap::new());
        let again = Merge::issue(Some(&after), &wanted, &there);
        prop_assert!(again.edited.is_empty());
        prop_assert_eq!(obey(&again, &there, &then.labels), there.clone());
        let changed = desired(&later, "n");
        let moved = Merge::issue(Some(&after), &changed, &there);
        prop_assert!(moved.edited.is_empty());
        if later.title != then.title {
            prop_assert_eq!(moved.desired.title, later.title);
        }
    }

    #[test]
    fn what_is_hidden_at_the_source_is_hidden_whatever_was_edited(
        base in option::of(observed()), mut source in observed(), target in observed(),
    ) {
        source.confidential = true;
        let base = base.map(|base| in_line(&base));
        let merge = Merge::issue(base.as_ref(), &desired(&source, "n"), &target);
        prop_assert!(merge.desired.confidential);
    }

    #[test]
    fn a_comment_is_changed_only_where_its_copy_was_not(
        then in "[ab]", source in "[ab]", target in "[ab]",
    ) {
        let like = observed_sample();
        let old = desired(&like, &then);
        let merge = Merge::nothing_edited(&old);
        let base = Base::after(None, &merge, &old, &like, &BTreeMap::new());
        let new = desired(&like, &source);
        let mut merge = Merge::issue(Some(&base), &new, &like);
        let may = merge.may_change(Some(&base), &new.notes[0], &target);
        prop_assert_eq!(may, target == then || target == source);
        prop_assert_eq!(merge.edited.contains(&Field::Comments), !may);
    }
}

fn observed_sample() -> Observed {
    Observed {
        title: "t".into(),
        description: "d".into(),
        state: State::Opened,
        issue_type: IssueType::Issue,
        due_date: None,
        confidential: false,
        weight: None,
        has_weight: true,
        labels: BTreeSet::new(),
        estimate: 0,
        spent: 0,
    }
}

#[test]
fn without_a_base_what_differs_stays() {
    let there = observed_sample();
    let mut source = desired(&there, "n");
    source.title = "another".into();
    let merge = Merge::issue(None, &source, &there);
    assert_eq!(merge.desired.title, "t");
    assert_eq!(merge.edited, BTreeSet::from([Field::Title]));
    let untouched = Base::untouched(&source, &there);
    let merge = Merge::issue(Some(&untouched), &source, &there);
    assert_eq!(
        (merge.desired.title.as_str(), merge.edited.len()),
        ("another", 0)
    );
}
