//! The laws of the merge.

use super::*;
use crate::{
    desired::{Desired, DesiredNote, Observed, Place},
    ids::Iid,
    issue::{IssueType, Label, State},
    preserve::Origin,
};
use chrono::{DateTime, NaiveDate};
use proptest::{collection::btree_set, option, prelude::*};
use std::collections::BTreeSet;

const PROTECT: Ways = Ways {
    on_edit: EditPolicy::Protect,
    flows_back: false,
};

const MARKER: &str = "<!-- issue-mirror:1 mirror path=gitlab.a;1;2;3 to=gitlab.b;4 mac=x -->";

fn swapped(merged: Merged) -> Merged {
    match merged {
        Merged::Follow => Merged::Kept,
        Merged::Kept => Merged::Follow,
        Merged::Settled | Merged::Conflict => merged,
    }
}

fn framed(text: &str, footer: &str) -> String {
    format!("{MARKER}\n\n{text}\n\n---\n\nMirrored from {footer}")
}

prop_compose! {
    pub(super) fn observed()(
        title in "[ab]", text in "[ab]", footer in "[ab]", closed: bool, confidential: bool,
        task: bool, locked: bool,
        due in option::of(1u32..3), weight in option::of(0i64..2), estimate in 0i64..2,
        labels in btree_set("[xyz]", 0..3),
    ) -> Observed {
        Observed {
            title, description: framed(&text, &footer), confidential, weight, estimate, labels,
            locked,
            state: if closed { State::Closed } else { State::Opened },
            issue_type: if task { IssueType::Task } else { IssueType::Issue },
            due_date: due.and_then(|day| NaiveDate::from_ymd_opt(2026, 1, day)),
            has_weight: true,
            spent: 0,
            assignees: BTreeMap::new(),
        }
    }
}

/// A target that its people edited: what is not theirs to edit is as it was.
fn edited(then: &Observed, edit: &Observed) -> Observed {
    let of = |issue: &Observed| {
        crate::render::Parts::of(&issue.description)
            .footer
            .to_owned()
    };
    let footer = of(then);
    let text = crate::render::Parts::of(&edit.description).text;
    Observed {
        description: format!("{MARKER}\n\n{text}\n\n{footer}"),
        ..edit.clone()
    }
}

/// A source that would look like that.
pub(super) fn desired(like: &Observed) -> Desired {
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
        locked: like.locked,
        labels: like
            .labels
            .iter()
            .map(|title| Label {
                title: title.clone(),
                color: None,
                description: None,
            })
            .collect(),
        notes: Vec::new(),
        cut: BTreeSet::new(),
        threads: Vec::new(),
        assignees: Vec::new(),
        origin: Origin {
            iid: Iid(1),
            created_at: DateTime::UNIX_EPOCH,
            closed_at: None,
        },
    }
}

/// A target that obeys, with labels of its own people left on.
pub(super) fn obey(merge: &Merge, target: &Observed, ours: &BTreeSet<String>) -> Observed {
    let to = field::as_shown(&merge.desired, true);
    let theirs = target.labels.difference(ours).cloned();
    Observed {
        labels: theirs.chain(to.labels.clone()).collect(),
        ..to
    }
}

pub(super) fn in_line(like: &Observed) -> Base {
    let mut base = Base::default();
    base.settle(None, &desired(like), like);
    base
}

fn merged(base: &Base, source: &Observed, target: &Observed) -> Merge {
    Merge::issue(
        PROTECT,
        Some(base),
        &Decisions::new(),
        (&desired(source), target),
    )
}

/// What a person decided about all that a merge kept.
fn decide(merge: &Merge, resolution: Resolution) -> Decisions {
    let edits = merge.edits.iter();
    edits
        .map(|edit| {
            let sides = edit.sides.clone();
            (edit.what, Decided { resolution, sides })
        })
        .collect()
}

fn whats(merge: &Merge) -> BTreeSet<What> {
    merge.edits.iter().map(|edit| edit.what).collect()
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
        prop_assert_eq!(here, swapped(there));
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
        let merge = merged(&in_line(&then), &now, &then);
        prop_assert_eq!(&merge.desired, &desired(&now));
        prop_assert!(merge.edits.is_empty());
    }

    #[test]
    fn where_the_source_stands_still_every_edit_stays(then in observed(), edit in observed()) {
        let now = edited(&then, &edit);
        let merge = merged(&in_line(&then), &then, &now);
        let hidden = Observed { confidential: now.confidential || then.confidential, ..now.clone() };
        prop_assert_eq!(obey(&merge, &now, &then.labels), Observed {
            labels: now.labels.clone(),
            ..hidden
        });
        prop_assert!(merge.edits.iter().all(|edit| !edit.conflict));
    }

    #[test]
    fn a_second_merge_writes_nothing_and_tells_the_same(
        then in observed(), source in observed(), edit in observed(),
    ) {
        let target = edited(&then, &edit);
        let first = merged(&in_line(&then), &source, &target);
        let there = obey(&first, &target, &then.labels);
        let mut after = first.base.clone();
        after.settle(Some(&first), &desired(&source), &there);
        let second = merged(&after, &source, &there);
        prop_assert_eq!(obey(&second, &there, &source.labels), there.clone());
        prop_assert_eq!(whats(&second), whats(&first));
        let mut again = second.base.clone();
        again.settle(Some(&second), &desired(&source), &there);
        prop_assert_eq!(again, after);
    }

    #[test]
    fn what_a_person_decides_holds_and_is_told_no_more(
        then in observed(), source in observed(), edit in observed(), use_source: bool,
    ) {
        let target = edited(&then, &edit);
        let before = in_line(&then);
        let found = merged(&before, &source, &target);
        let resolution = if use_source { Resolution::UseSource } else { Resolution::UseTarget };
        let decisions = decide(&found, resolution);
        let wanted = desired(&source);
        let merge = Merge::issue(PROTECT, Some(&found.base), &decisions, (&wanted, &target));
        prop_assert!(merge.edits.is_empty(), "{:?}", merge.edits);
        if use_source {
            prop_assert_eq!(&merge.desired, &wanted);
        } else {
            prop_assert_eq!(&merge.desired, &found.desired);
        }
        let there = obey(&merge, &target, &then.labels);
        let mut after = merge.base.clone();
        after.settle(Some(&merge), &wanted, &there);
        let again = merged(&after, &source, &there);
        prop_assert!(again.edits.is_empty(), "{:?}", again.edits);
        prop_assert_eq!(obey(&again, &there, &source.labels), there);
    }

    #[test]
    fn a_decision_is_void_once_the_target_says_something_else(
        then in observed(), source in observed(), one in observed(), other in observed(),
    ) {
        let (one, other) = (edited(&then, &one), edited(&then, &other));
        let found = merged(&in_line(&then), &source, &one);
        let decisions = decide(&found, Resolution::UseSource);
        let merge = Merge::issue(PROTECT, Some(&found.base), &decisions, (&desired(&source), &other));
        let lost = other.title != merge.desired.title && other.title != one.title
            && other.title != then.title;
        prop_assert!(!lost, "{} became {}", other.title, merge.desired.title);
    }

    #[test]
    fn what_was_sent_and_arrived_unheard_of_is_ours(
        then in observed(), source in observed(), later in observed(), arrived: bool,
    ) {
        let mut base = in_line(&then);
        let first = merged(&base, &source, &then);
        let asked = Observed { labels: then.labels.clone(), ..obey(&first, &then, &then.labels) };
        base.about_to_send(&then, &asked);
        let there = if arrived { asked } else { then.clone() };
        let second = merged(&base, &later, &there);
        prop_assert!(second.edits.is_empty(), "{:?}", second.edits);
        prop_assert_eq!(&second.desired, &desired(&later));
    }

    #[test]
    fn what_is_hidden_at_the_source_is_hidden_whatever_was_edited(
        base in option::of(observed()), mut source in observed(), target in observed(),
    ) {
        source.confidential = true;
        let base = base.map(|base| in_line(&base));
        let merge = Merge::issue(PROTECT, base.as_ref(), &Decisions::new(), (&desired(&source), &target));
        prop_assert!(merge.desired.confidential);
        prop_assert!(merge.edits.iter().all(|edit| edit.values.is_none()));
    }

    #[test]
    fn without_a_base_nothing_that_differs_is_overwritten(
        source in observed(), target in observed(),
    ) {
        let wanted = desired(&source);
        let merge = Merge::issue(PROTECT, None, &Decisions::new(), (&wanted, &target));
        prop_assert!(merge.edits.iter().all(|edit| edit.conflict));
        let there = obey(&merge, &target, &BTreeSet::new());
        let hidden = target.confidential || source.confidential;
        let untouched = Observed {
            labels: there.labels.clone(),
            description: there.description.clone(),
            confidential: hidden,
            ..target.clone()
        };
        prop_assert_eq!(&there, &untouched);
        prop_assert!(there.labels.is_superset(&target.labels));
        let text = |issue: &Observed| crate::render::Parts::of(&issue.description).text.to_owned();
        prop_assert!(text(&there).starts_with(&text(&target)));
    }

    #[test]
    fn a_target_that_nobody_edited_follows(source in observed(), target in observed()) {
        let merge = merged(&Base::untouched(&target), &source, &target);
        prop_assert!(merge.edits.is_empty());
        prop_assert_eq!(merge.desired, desired(&source));
    }

    #[test]
    fn a_comment_is_changed_only_where_its_copy_was_not(
        then in "[ab]", source in "[ab]", target in "[ab]", known: bool,
    ) {
        let base = known.then(|| copied(&then, &then));
        let compared = comment(base.as_ref(), &Decisions::new(), &note(&source), &target, false);
        let may = source == target || (known && target == then);
        prop_assert_eq!(compared.follows, may);
        prop_assert_eq!(compared.edit.is_none(), may);
    }

    #[test]
    fn what_a_person_decides_about_a_comment_holds(
        then in "[ab]", source in "[ab]", target in "[ab]", use_source: bool, later in "[abc]",
    ) {
        let base = copied(&then, &then);
        let found = comment(Some(&base), &Decisions::new(), &note(&source), &target, false);
        let resolution = if use_source { Resolution::UseSource } else { Resolution::UseTarget };
        let decisions = found.edit.map(|edit| (edit.what, Decided { resolution, sides: edit.sides }));
        let Some(decision) = decisions else { return Ok(()) };
        let decisions = Decisions::from([decision]);
        let decided = comment(Some(&base), &decisions, &note(&source), &target, false);
        prop_assert_eq!(decided.edit, None);
        prop_assert_eq!(decided.follows, use_source);
        if !use_source {
            let none = Decisions::new();
            let after = comment(decided.base.as_ref(), &none, &note(&later), &target, false);
            prop_assert_eq!(after.edit, None);
            prop_assert_eq!(after.follows, later != source);
        }
    }
}

fn note(body: &str) -> DesiredNote {
    DesiredNote {
        source_note: NoteId(1),
        discussion: "d".into(),
        place: Place::Plain,
        body: body.to_owned(),
        internal: false,
        created_at: DateTime::UNIX_EPOCH,
    }
}

fn sample() -> Observed {
    Observed {
        title: "t".into(),
        description: framed("Text.", "a#3."),
        state: State::Opened,
        issue_type: IssueType::Issue,
        due_date: None,
        confidential: false,
        weight: None,
        has_weight: true,
        labels: BTreeSet::new(),
        estimate: 0,
        spent: 0,
        locked: false,
        assignees: BTreeMap::new(),
    }
}

#[test]
fn the_frame_around_an_edited_text_stays_ours() {
    let then = sample();
    let source = Observed {
        description: framed("Text.", "a#3, closed."),
        ..then.clone()
    };
    for (edit, stays) in [
        (framed("Mine.", "a#3."), framed("Mine.", "a#3, closed.")),
        ("Mine.".to_owned(), framed("Mine.", "a#3, closed.")),
        (
            format!("{}\n\nMine.", framed("Text.", "a#3.")),
            format!("{}\n\nMine.", framed("Text.", "a#3.")),
        ),
        (
            format!("{MARKER}\n\nText."),
            framed("Text.", "a#3, closed."),
        ),
    ] {
        let target = Observed {
            description: edit,
            ..then.clone()
        };
        let merge = merged(&in_line(&then), &source, &target);
        assert_eq!(merge.desired.description, stays);
    }
}

#[test]
fn the_record_reads_back_what_was_kept() {
    let then = sample();
    let mut base = in_line(&then);
    let asked = Observed {
        title: "another".into(),
        ..then.clone()
    };
    assert!(base.about_to_send(&then, &asked));
    let text = serde_json::to_string(&base).unwrap();
    let back: Base = serde_json::from_str(&text).unwrap();
    assert_eq!(back, base);
}
