//! The laws of the difference in comments and threads, against a target that obeys.

use super::{tests::blank, *};
use crate::{
    desired::{Desired, DesiredNote, DesiredThread, Place},
    ids::NoteId,
    mapping::NoteMapping,
};
use chrono::DateTime;
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

fn note(id: i64, body: &str, internal: bool) -> DesiredNote {
    DesiredNote {
        source_note: NoteId(id),
        discussion: format!("d{id}"),
        place: Place::Plain,
        body: body.into(),
        internal,
        created_at: DateTime::UNIX_EPOCH,
    }
}

fn three() -> Desired {
    Desired {
        notes: vec![note(1, "a", false), note(2, "b", true), note(3, "c", true)],
        ..blank()
    }
}

/// What is known of an issue's comments, to begin with.
#[derive(Default)]
struct Record {
    notes: BTreeMap<NoteId, NoteMapping>,
    bodies: BTreeMap<NoteId, String>,
    gone: Vec<GoneNote>,
    resolved: BTreeMap<String, bool>,
    does_not_resolve: bool,
    dated: bool,
}

impl Record {
    fn diff(&self, desired: &Desired) -> Vec<Step> {
        let known = KnownNotes {
            recorded: &self.notes,
            bodies: &self.bodies,
            gone: &self.gone,
            resolved: &self.resolved,
            resolves: !self.does_not_resolve,
            internal_proven: false,
            dated: self.dated,
        };
        diff_notes(desired, &known)
    }

    fn copied(notes: &[DesiredNote]) -> Self {
        let notes = notes.iter().map(|note| (note.source_note, copy_of(note)));
        Self {
            notes: notes.collect(),
            ..Self::default()
        }
    }
}

fn copy_of(note: &DesiredNote) -> NoteMapping {
    NoteMapping {
        source_note: note.source_note,
        source_discussion: note.discussion.clone(),
        target_note: Some(NoteId(note.source_note.0 + 100)),
        target_discussion: None,
        fingerprint: Some(note.fingerprint()),
        skipped: None,
        base: None,
    }
}

#[test]
fn only_what_changed_is_written() {
    let desired = three();
    let mut record = Record::copied(&desired.notes);
    record.notes.get_mut(&NoteId(2)).unwrap().fingerprint = Some("old".into());
    let third = record.notes.get_mut(&NoteId(3)).unwrap();
    (third.fingerprint, third.skipped) = (None, Some("refused".into()));
    let steps = record.diff(&desired);
    assert!(
        matches!(
            steps.as_slice(),
            [Step::UpdateNote {
                target_note: NoteId(102),
                ..
            }]
        ),
        "{steps:?}"
    );
}

#[test]
fn only_the_first_internal_note_proves_itself() {
    let steps = Record::default().diff(&three());
    let neutral: Vec<bool> = steps
        .iter()
        .map(|step| {
            matches!(
                step,
                Step::CreateNote(NewNote {
                    neutral_first: true,
                    ..
                })
            )
        })
        .collect();
    assert_eq!(neutral, [false, true, false]);
}

#[test]
fn comments_keep_their_times_where_they_are_asked_to() {
    for dated in [false, true] {
        let record = Record {
            dated,
            ..Record::default()
        };
        for step in record.diff(&three()) {
            let Step::CreateNote(new) = step else {
                panic!("{step:?}");
            };
            assert_eq!(new.created_at, dated.then_some(DateTime::UNIX_EPOCH));
        }
    }
}

#[test]
fn what_is_gone_goes_first_and_an_answered_copy_loses_its_text_only() {
    let desired = three();
    let gone = [None, Some("Gone.".to_owned())]
        .into_iter()
        .zip(8..)
        .map(|(instead, id)| GoneNote {
            source_note: NoteId(id),
            target_note: NoteId(id + 100),
            instead,
        })
        .collect();
    let record = Record {
        gone,
        ..Record::default()
    };
    let steps = record.diff(&desired);
    assert!(
        matches!(
            steps.get(..2),
            Some([
                Step::DeleteNote {
                    target_note: NoteId(108),
                    ..
                },
                Step::WithdrawNote {
                    target_note: NoteId(109),
                    ..
                }
            ])
        ),
        "{steps:?}"
    );
}

#[test]
fn a_target_that_does_not_resolve_threads_is_not_asked_to() {
    let mut record = Record::default();
    let desired = desired(&[Thread {
        notes: 3,
        started: true,
        internal: false,
        resolved: true,
    }]);
    assert_eq!(record.diff(&desired).len(), 3);
    record.does_not_resolve = true;
    assert_eq!(record.diff(&desired).len(), 2);
}

#[test]
fn a_few_comments_go_and_most_of_many_wait_for_a_person() {
    for (going, copies, sweep) in [(1, 1, false), (10, 10, false), (11, 11, true)] {
        assert_eq!(is_sweep(going, copies), sweep, "{going} of {copies}");
    }
    assert!(!is_sweep(50, 100) && is_sweep(51, 100));
}

/// A thread of the source.
#[derive(Clone, Copy, Debug)]
struct Thread {
    /// Which of its three notes are there, as bits.
    notes: u8,
    /// It was begun as a thread, or became one.
    started: bool,
    internal: bool,
    resolved: bool,
}

impl Thread {
    fn ids(self, number: usize) -> Vec<i64> {
        let number = i64::try_from(number).unwrap();
        (0..3)
            .filter(|bit| self.notes & (1 << bit) != 0)
            .map(|bit| 10 * number + bit)
            .collect()
    }

    fn individual(self) -> bool {
        !self.started && self.notes.count_ones() == 1
    }
}

prop_compose! {
    fn thread()(notes in 0u8..8, started: bool, internal: bool, resolved: bool) -> Thread {
        Thread { notes, started, internal, resolved }
    }
}

fn desired(threads: &[Thread]) -> Desired {
    let mut desired = blank();
    for (number, thread) in threads.iter().enumerate() {
        let discussion = format!("d{number}");
        let ids = thread.ids(number);
        for (index, id) in ids.iter().enumerate() {
            desired.notes.push(DesiredNote {
                discussion: discussion.clone(),
                place: match (thread.individual(), index) {
                    (true, _) => Place::Plain,
                    (false, 0) => Place::Start,
                    (false, _) => Place::Reply,
                },
                ..note(*id, "text", thread.internal)
            });
        }
        if !ids.is_empty() && !thread.individual() {
            desired.threads.push(DesiredThread {
                discussion,
                resolved: thread.resolved,
            });
        }
    }
    // In an order that keeps nothing of the threads' together.
    desired.notes.sort_by_key(|note| note.source_note.0 % 10);
    desired
}

/// What stands on the target of one source thread.
#[derive(Default, Debug)]
struct There {
    notes: BTreeSet<NoteId>,
    /// Not only a comment of its own.
    is_thread: bool,
    resolved: bool,
}

/// A target in the small, with what is recorded of it.
struct Target {
    record: Record,
    there: BTreeMap<String, There>,
    refuses: BTreeSet<NoteId>,
}

impl Target {
    fn refusing(refuses: BTreeSet<NoteId>) -> Self {
        Self {
            record: Record::default(),
            there: BTreeMap::new(),
            refuses,
        }
    }

    fn obey(&mut self, step: Step) {
        match step {
            Step::CreateNote(new) => self.create(&new),
            Step::DeleteNote { source_note, .. } => {
                self.record.notes.remove(&source_note);
                for there in self.there.values_mut() {
                    there.notes.remove(&source_note);
                }
            }
            Step::SetResolved {
                discussion,
                resolved,
            } => {
                let there = self.there.entry(discussion.clone()).or_default();
                there.resolved = resolved && there.is_thread;
                self.record.resolved.insert(discussion, resolved);
            }
            Step::TransferUpload { .. }
            | Step::CreateLabel(_)
            | Step::CreateIssue(_)
            | Step::Restrict
            | Step::UpdateIssue(_)
            | Step::SetState(_)
            | Step::CloseAsOf(_)
            | Step::SetTimeEstimate(_)
            | Step::AddSpentTime(_)
            | Step::UpdateNote { .. }
            | Step::WithdrawNote { .. }
            | Step::CreateLink { .. }
            | Step::RemoveLink { .. }
            | Step::Open
            | Step::DeleteIssue => panic!("not of these comments: {step:?}"),
        }
    }

    fn create(&mut self, new: &NewNote) {
        let wanted = DesiredNote {
            discussion: new.discussion.clone(),
            internal: new.internal,
            ..note(new.source_note.0, &new.body, new.internal)
        };
        let mut copy = copy_of(&wanted);
        if self.refuses.contains(&new.source_note) {
            (copy.target_note, copy.skipped) = (None, Some("refused".to_owned()));
        } else {
            let there = self.there.entry(new.discussion.clone()).or_default();
            if there.notes.is_empty() {
                *there = There::default();
            }
            assert!(
                new.place == Place::Reply || there.notes.is_empty(),
                "{new:?} beside {there:?}"
            );
            // GitLab cannot begin a thread with an internal comment.
            there.is_thread |= match new.place {
                Place::Plain => false,
                Place::Start => !new.internal,
                // What it was to answer may have been refused a moment ago.
                Place::Reply => !there.notes.is_empty() || !new.internal,
            };
            // And what is written in a resolved thread is not resolved.
            there.resolved = false;
            there.notes.insert(new.source_note);
        }
        self.record.notes.insert(new.source_note, copy);
    }

    /// One round.
    fn round(&mut self, desired: &Desired) -> usize {
        let wanted: BTreeSet<NoteId> = desired.notes.iter().map(|note| note.source_note).collect();
        let copies = self.record.notes.values();
        self.record.gone = copies
            .filter(|copy| copy.skipped.is_none() && !wanted.contains(&copy.source_note))
            .map(|copy| GoneNote {
                source_note: copy.source_note,
                target_note: copy.target_note.unwrap(),
                instead: None,
            })
            .collect();
        let steps = self.record.diff(desired);
        let count = steps.len();
        for step in steps {
            self.obey(step);
        }
        count
    }

    fn is_in_line(&self, threads: &[Thread]) {
        for (number, thread) in threads.iter().enumerate() {
            let wanted: BTreeSet<NoteId> = thread
                .ids(number)
                .into_iter()
                .map(NoteId)
                .filter(|id| !self.refuses.contains(id))
                .collect();
            let none = There::default();
            let there = self.there.get(&format!("d{number}")).unwrap_or(&none);
            assert_eq!(there.notes, wanted);
            if there.is_thread && !wanted.is_empty() && !thread.individual() {
                let alone = wanted.len() == 1 && thread.internal;
                assert!(there.resolved == thread.resolved || alone, "{there:?}");
            }
            assert!(!there.is_thread || !thread.individual(), "{there:?}");
        }
    }
}

proptest! {
    #[test]
    fn threads_follow_every_edit_and_then_it_is_quiet(
        versions in vec(vec(thread(), 3), 1..4),
        refuses in proptest::collection::btree_set((0i64..3, 0i64..3), 0..3),
    ) {
        let refuses = refuses.into_iter().map(|(thread, bit)| NoteId(10 * thread + bit)).collect();
        let mut target = Target::refusing(refuses);
        let mut before: Option<Vec<Thread>> = None;
        for mut threads in versions {
            for (number, thread) in threads.iter_mut().enumerate() {
                if let Some(was) = before.as_ref().map(|before| before[number]) {
                    // What is internal stays so, and a thread stays a thread.
                    thread.internal = was.internal;
                    thread.started |= was.started || was.notes.count_ones() > 1;
                }
            }
            let desired = desired(&threads);
            target.round(&desired);
            target.is_in_line(&threads);
            prop_assert_eq!(target.round(&desired), 0);
            before = Some(threads);
        }
    }
}
