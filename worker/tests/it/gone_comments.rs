//! Comments that were deleted at the source go on the target: only ours, and only those that are
//! proven to be gone (rule 13, decision 32).

use crate::support::{World, issue, note};
use gitlab_sim::{AccessLevel, Fault, FaultRule, HookVerdict, IssueEdit, NoteSpec, Phase, When};
use mirror_core::ids::Iid;
use mirror_worker::{Mode, Notice, Settings};
use std::sync::Arc;

impl World {
    /// Deletes a comment of the source, which moves nothing else there.
    pub(crate) fn unsay(&self, iid: u64, said: u64) {
        let (project, by) = (self.from.project, self.alice);
        self.source
            .edit(|sim| sim.delete_note(project, iid, said, by))
            .unwrap();
    }

    /// The issue is listed again.
    pub(crate) fn retitle(&self, iid: u64, title: &str) {
        let title = Some(title.to_owned());
        self.edit(
            iid,
            IssueEdit {
                title,
                ..IssueEdit::default()
            },
        );
    }

    fn source_role(&self, role: AccessLevel) {
        let (project, bot) = (self.from.project, self.from.token_user);
        self.source.edit(|sim| {
            let home = sim.project_mut(project).unwrap();
            home.members.insert(bot, role);
        });
    }

    fn fail_on_target(&self, method: &str, path: &str, when: When, fault: Fault) {
        self.target.fail(FaultRule::new(method, path, when, fault));
    }
}

/// An issue with comments, mirrored a while ago.
async fn mirrored<const N: usize>(bodies: [&str; N]) -> (World, u64, [u64; N]) {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let said = bodies.map(|body| world.say(iid, note(world.alice, body)));
    world.run().await;
    world.later(600);
    (world, iid, said)
}

#[tokio::test]
async fn a_deleted_comment_goes_when_its_issue_is_listed_next() {
    let (world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
    world.unsay(iid, first);
    world.retitle(iid, "Talk, edited");
    let writes = world.next_run().await;
    let deletes = writes.iter().filter(|write| write.starts_with("DELETE"));
    assert_eq!((writes.len(), deletes.count()), (2, 1), "{writes:?}");
    world.assert_mirrored([iid]);
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_deleted_comment_of_a_quiet_issue_is_found_by_the_full_sweep() {
    let (mut world, iid, [first, second]) = mirrored(["Wrong.", "Wrong, too."]).await;
    world.later(86_400);
    world.run().await;
    for said in [first, second] {
        world.unsay(iid, said);
        assert_eq!(world.run_in_full().await.len(), 1);
        world.assert_mirrored([iid]);
    }
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn deleting_and_adding_at_once_hides_nothing() {
    let (world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
    world.unsay(iid, first);
    world.say(iid, note(world.alice, "Instead."));
    world.next_run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn comments_of_the_targets_people_stay() {
    let (mut world, iid, [first]) = mirrored(["Wrong."]).await;
    let copy = world.copy(iid).issue.iid;
    let theirs = world.say_on_target(copy, note(world.tom, "On its own."));
    world.unsay(iid, first);
    world.run_in_full().await;
    assert_eq!(world.copy(iid).notes().len(), 0);
    assert!(world.target_issue(copy).note(theirs).is_some());
    assert_eq!(world.notices(), []);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_copy_that_somebody_answered_stays_without_its_text_and_says_why() {
    let (mut world, iid, [first]) = mirrored(["The password is rabbit."]).await;
    let copy = world.copy(iid);
    let (copy, there) = (copy.issue.iid, copy.notes()[0].1.id);
    let answer = NoteSpec {
        reply_to: Some(there),
        ..note(world.tom, "Is it?")
    };
    let answer = world.say_on_target(copy, answer);
    world.unsay(iid, first);
    world.run_in_full().await;
    let issue = world.target_issue(copy);
    let left = &issue.note(there).unwrap().body;
    assert!(left.ends_with("deleted at the source.*"), "{left}");
    assert!(!left.contains("rabbit"), "{left}");
    assert_eq!(issue.note(answer).unwrap().body, "Is it?");
    assert_eq!(world.notices(), [Notice::AnsweredCommentGone]);
    assert_eq!(world.run_in_full().await, Vec::<String>::new());
    world.lose_state().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn the_rest_of_a_thread_goes_on_without_what_began_it() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Wrong.");
    let second = world.answer(iid, first, "Why?");
    world.run().await;
    world.later(600);
    world.unsay(iid, first);
    world.answer(iid, second, "I see.");
    world.resolve(iid, second, true);
    world.next_run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn internal_comments_out_of_a_lowered_roles_sight_are_not_taken_for_deleted() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let internal = NoteSpec {
        internal: true,
        ..note(world.alice, "Among us.")
    };
    let hidden = world.say(iid, internal);
    let open = world.say(iid, note(world.alice, "For all."));
    world.run().await;
    world.later(600);
    world.source_role(AccessLevel::Guest);
    world.unsay(iid, open);
    world.retitle(iid, "Talk, edited");
    world.next_run().await;
    let copy = world.copy(iid);
    let there: Vec<u64> = copy.notes().iter().map(|(of, _)| *of).collect();
    assert_eq!(there, [hidden], "what everybody may see is gone for all");
    world.source_role(AccessLevel::Reporter);
    world.unsay(iid, hidden);
    world.retitle(iid, "Talk, edited again");
    world.next_run().await;
    assert_eq!(world.copy(iid).notes().len(), 0);
    world.all_went_well().await;
}

#[tokio::test]
async fn internal_copies_out_of_the_target_tokens_sight_are_not_taken_for_deleted() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let internal = NoteSpec {
        internal: true,
        ..note(world.alice, "Among us.")
    };
    let said = world.say(iid, internal);
    world.run().await;
    world.later(600);
    world.unsay(iid, said);
    let (to, bot) = (world.to.project, world.to.token_user);
    for (role, copies) in [(AccessLevel::Guest, 1), (AccessLevel::Owner, 0)] {
        world.target.edit(|sim| {
            let home = sim.project_mut(to).unwrap();
            home.members.insert(bot, role);
        });
        world.cx.store.resume_mirror(world.mirror).await.unwrap();
        world.run_in_full().await;
        assert_eq!(world.copy(iid).notes().len(), copies);
    }
    assert!(world.failures()[0].contains("Planner"));
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn comments_of_an_issue_that_goes_out_of_sight_meanwhile_stay() {
    let (world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
    world.source_role(AccessLevel::Guest);
    world.unsay(iid, first);
    world.retitle(iid, "Talk, edited");
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    world.source.set_hook(Arc::new(move |event| {
        let asked = event.phase == Phase::Before && event.path.contains("/notes/");
        if asked {
            // It becomes confidential, just before its comment is asked for.
            let hide = IssueEdit {
                confidential: Some(true),
                ..IssueEdit::default()
            };
            source.edit(|sim| sim.edit_issue(from, iid, alice, hide).unwrap());
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.next_run().await;
    assert!(world.source_issue(iid).confidential, "it was asked for");
    assert_eq!(world.copy(iid).notes().len(), 2);
    assert_eq!(world.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn a_source_that_does_not_answer_deletes_nothing() {
    let (world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
    world.unsay(iid, first);
    world.retitle(iid, "Talk, edited");
    let fault = Fault::ErrorBefore(503);
    let rule = FaultRule::new("GET", "/notes/", When::Always, fault);
    world.source.fail(rule);
    world.next_run().await;
    assert_eq!(world.copy(iid).notes().len(), 2);
    assert!(!world.failures().is_empty());
    world.source.clear_faults();
    world.retitle(iid, "Talk, edited again");
    world.next_run().await;
    assert_eq!(world.copy(iid).notes().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_cut_off_deletes_nothing() {
    let (world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
    world.retitle(iid, "Talk, edited");
    let rule = FaultRule::new("GET", "/discussions", When::Next(3), Fault::Truncate(1));
    world.source.fail(rule);
    world.next_run().await;
    world.assert_mirrored([iid]);
    assert!(world.copy(iid).notes().iter().any(|(of, _)| *of == first));
}

#[tokio::test]
async fn a_comment_that_a_list_lacks_and_the_source_shows_when_asked_stays() {
    let (world, iid, [first, _]) = mirrored(["Right.", "Right, too."]).await;
    let (source, from) = (world.source.clone(), world.from.project);
    let show = move |shown: bool| {
        source.edit(|sim| {
            let project = sim.project_mut(from).unwrap();
            let issue = project.issues.get_mut(&iid).unwrap();
            let mut notes = issue.notes.iter_mut();
            notes.find(|note| note.id == first).unwrap().invisible = !shown;
        });
    };
    show(false);
    world.retitle(iid, "Talk, edited");
    world.source.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.path.contains("/notes/") {
            show(true);
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.next_run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_comment_that_is_deleted_while_its_copy_is_under_way_goes_too() {
    let after = std::time::Duration::from_secs(20);
    for fault in [Fault::Land { after }, Fault::LoseResponse] {
        let (world, iid, []) = mirrored([]).await;
        let said = world.say(iid, note(world.alice, "Wrong."));
        world.fail_on_target("POST", "/notes$", When::Nth(1), fault);
        world.owe_scan().await;
        while world.writes().is_empty() || world.unfinished().await.is_empty() {
            assert!(world.round(1).await);
            if !world.copy(iid).notes().is_empty() {
                break;
            }
        }
        world.unsay(iid, said);
        world.work().await;
        world.next_run().await;
        assert_eq!(world.copy(iid).notes().len(), 0);
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn most_of_many_comments_wait_for_a_person_to_say_so() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let said: Vec<u64> = (0..15)
        .map(|n| world.say(iid, note(world.alice, &format!("Comment {n}."))))
        .collect();
    world.run().await;
    world.later(600);
    for said in &said[..12] {
        world.unsay(iid, *said);
    }
    world.retitle(iid, "Talk, edited");
    assert_eq!(world.next_run().await.len(), 1, "the title");
    assert_eq!(world.notices(), [Notice::CommentsGone { count: 12 }]);
    assert_eq!(world.copy(iid).notes().len(), 15);
    world.later(600);
    let only = Settings {
        only: Some(Iid(i64::try_from(iid).unwrap())),
        ..Settings::default()
    };
    world.restart_with(only, Mode::Sync).await;
    world.run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_lost_answer_to_a_delete_changes_nothing() {
    for fault in [Fault::LoseResponse, Fault::Reset, Fault::ErrorAfter(502)] {
        let (world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
        world.unsay(iid, first);
        world.retitle(iid, "Talk, edited");
        world.fail_on_target("DELETE", "/notes/", When::Nth(1), fault);
        world.next_run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn what_the_target_does_not_let_go_of_is_told_once() {
    let (world, iid, [first]) = mirrored(["Wrong."]).await;
    world.unsay(iid, first);
    world.retitle(iid, "Talk, edited");
    world.fail_on_target("DELETE", "/notes/", When::Always, Fault::ErrorBefore(403));
    world.next_run().await;
    world.retitle(iid, "Talk, edited again");
    assert_eq!(world.next_run().await.len(), 1, "the title");
    let told = world.notices();
    assert!(
        matches!(told.as_slice(), [Notice::CommentStays { .. }]),
        "{told:?}"
    );
    world.all_went_well().await;
}

#[tokio::test]
async fn what_was_deleted_on_both_sides_is_quiet() {
    let (mut world, iid, [first, _]) = mirrored(["Wrong.", "Right."]).await;
    let copy = world.copy(iid);
    let (to, tom, there) = (world.to.project, world.tom, copy.notes()[0].1.id);
    world
        .target
        .edit(|sim| sim.delete_note(to, copy.issue.iid, there, tom))
        .unwrap();
    world.unsay(iid, first);
    for _ in 0..2 {
        assert_eq!(world.run_in_full().await, Vec::<String>::new());
    }
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn what_was_deleted_while_the_state_was_lost_goes_too() {
    for all in [false, true] {
        let (mut world, iid, [first, second]) = mirrored(["Wrong.", "Right."]).await;
        world.lose_state().await;
        world.unsay(iid, first);
        if all {
            world.unsay(iid, second);
        }
        world.next_run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.next_run().await, Vec::<String>::new());
        world.all_went_well().await;
    }
}
