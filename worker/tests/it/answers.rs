//! Who answers whom stays as it is at the source, whatever became of what was answered.

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{Fault, FaultRule, NoteSpec, When};
use mirror_worker::{Mode, Settings};

#[tokio::test]
async fn a_comment_that_is_answered_later_becomes_a_thread_and_is_there_once() {
    for fault in [None, Some(Fault::LoseResponse), Some(Fault::Reset)] {
        let world = World::new().await;
        let iid = world.write(issue(world.alice, "Talk"));
        let first = world.say(iid, note(world.alice, "On its own."));
        let other = world.say(iid, note(world.alice, "And this stays so."));
        world.run().await;
        world.later(600);
        let second = world.answer(iid, first, "Not any more.");
        if let Some(fault) = fault.clone() {
            let path = "/discussions/.*/notes";
            let rule = FaultRule::new("POST", path, When::Nth(1), fault);
            world.target.fail(rule);
        }
        world.run().await;
        world.assert_mirrored([iid]);
        let copy = world.copy(iid);
        let threaded: Vec<(u64, bool)> = copy
            .notes()
            .iter()
            .map(|(of, note)| (*of, note.threaded))
            .collect();
        assert_eq!(
            threaded,
            [(first, true), (other, false), (second, true)],
            "{fault:?}"
        );
        assert_eq!(world.next_run().await, Vec::<String>::new());
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn answers_to_what_was_refused_are_a_thread_of_their_own() {
    for internal in [false, true] {
        let world = World::new().await;
        let iid = world.write(issue(world.alice, "Talk"));
        let said = |body: &str| NoteSpec {
            internal,
            thread: true,
            ..note(world.alice, body)
        };
        world.say(iid, note(world.alice, "Before."));
        let first = world.say(iid, said("Refused."));
        let answers = ["One.", "Two."].map(|body| {
            let reply_to = Some(first);
            world.say(
                iid,
                NoteSpec {
                    reply_to,
                    ..said(body)
                },
            )
        });
        let path = if internal { "/notes$" } else { "/discussions$" };
        let nth = When::Nth(if internal { 2 } else { 1 });
        world
            .target
            .fail(FaultRule::new("POST", path, nth, Fault::ErrorBefore(413)));
        world.run().await;
        world.all_went_well().await;
        let copy = world.copy(iid);
        let notes = copy.notes();
        let there: Vec<u64> = notes.iter().map(|(of, _)| *of).collect();
        assert_eq!(there[1..], answers, "internal: {internal}");
        assert_eq!(notes[1].1.discussion, notes[2].1.discussion);
        assert_ne!(notes[0].1.discussion, notes[1].1.discussion);
        world.later(600);
        let third = world.say(
            iid,
            NoteSpec {
                reply_to: Some(first),
                ..said("Three.")
            },
        );
        world.next_run().await;
        let copy = world.copy(iid);
        let (of, note) = copy.notes()[3];
        assert_eq!(of, third);
        assert_eq!(note.discussion, copy.notes()[1].1.discussion);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn an_answer_to_what_the_targets_people_deleted_begins_a_thread() {
    for thread in [false, true] {
        let world = World::new().await;
        let iid = world.write(issue(world.alice, "Talk"));
        let first = world.say(
            iid,
            NoteSpec {
                thread,
                ..note(world.alice, "Unwelcome.")
            },
        );
        let other = world.say(iid, note(world.alice, "And this stays."));
        world.run().await;
        let copy = world.copy(iid);
        let (to, tom, there) = (world.to.project, world.tom, copy.notes()[0].1.id);
        world
            .target
            .edit(|sim| sim.delete_note(to, copy.issue.iid, there, tom))
            .unwrap();
        for _ in 0..2 {
            world.later(600);
            world.answer(iid, first, "Still here?");
            world.run().await;
            world.all_went_well().await;
        }
        let copy = world.copy(iid);
        let notes = copy.notes();
        assert_eq!((notes.len(), notes[0].0), (3, other), "thread: {thread}");
        assert_eq!(notes[1].1.discussion, notes[2].1.discussion);
        assert!(!notes[0].1.threaded && notes[1].1.threaded);
        assert_eq!(world.next_run().await, Vec::<String>::new());
    }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        let step = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = step.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

impl World {
    /// Somebody does something to the comments of a source issue.
    fn stir(&self, iid: u64, dice: &mut Dice) {
        let issue = self.source_issue(iid);
        let notes: Vec<_> = issue.notes.iter().filter(|note| !note.system).collect();
        let Some(picked) = notes.get(dice.below(notes.len() + 1)) else {
            self.say(iid, note(self.alice, "On its own."));
            return;
        };
        let internal = picked.internal;
        match dice.below(8) {
            0 => {
                self.begin_thread(iid, "A thread.");
            }
            1 => {
                self.say(
                    iid,
                    NoteSpec {
                        internal: true,
                        ..note(self.alice, "Among us.")
                    },
                );
            }
            2 | 3 => {
                self.say(
                    iid,
                    NoteSpec {
                        internal,
                        reply_to: Some(picked.id),
                        ..note(self.alice, "An answer.")
                    },
                );
            }
            4 => {
                let (from, by) = (self.from.project, self.alice);
                self.source
                    .edit(|sim| sim.edit_note(from, iid, picked.id, by, "Rephrased."))
                    .unwrap();
            }
            5 => self.unsay(iid, picked.id),
            _ if picked.threaded => self.resolve(iid, picked.id, dice.below(2) == 0),
            _ => {}
        }
    }
}

#[tokio::test]
async fn after_any_edits_of_a_talk_its_copy_is_like_it_and_then_it_is_quiet() {
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let mut world = World::with(Stage::new(), Settings::default(), Mode::Sync).await;
        let iid = world.write(issue(world.alice, "Talk"));
        for _ in 0..6 {
            for _ in 0..5 {
                world.stir(iid, &mut dice);
                world.later(30);
            }
            world.run().await;
            world.later(600);
            if dice.below(4) == 0 {
                world.lose_state().await;
            }
            // A comment deleted meanwhile moves nothing that a listing shows.
            world.run_in_full().await;
            world.assert_mirrored([iid]);
            let writes = world.run_in_full().await;
            assert_eq!(writes, Vec::<String>::new(), "seed {seed}");
        }
        world.all_went_well().await;
        world.assert_no_noise();
    }
}
