//! Crashes, lost answers and lost records: nothing of ours is taken for somebody's edit, and nothing
//! of theirs is overwritten.

use super::{in_line, protecting, titled, weighing};
use crate::support::{Stage, World, issue, note};
use gitlab_sim::{
    Fault, FaultRule, HookVerdict, IssueEdit, IssueSpec, IssueState, NoteSpec, Phase, When,
};
use mirror_core::{gone::OnDelete, merge::Resolution, outcome::Outcome, preserve::Preserve};
use mirror_store::Pair;
use mirror_worker::{Mode, Settings};
use std::sync::Arc;

#[tokio::test]
async fn a_write_of_ours_whose_answer_was_lost_is_nobodys_edit() {
    let (world, iid, copy) = in_line().await;
    world.edit(
        iid,
        IssueEdit {
            time_estimate: Some(60),
            state: Some(IssueState::Closed),
            ..titled("Once")
        },
    );
    for (method, path) in [("POST", "/time_estimate$"), ("PUT", "/issues/1$")] {
        let lost = FaultRule::new(method, path, When::Always, Fault::LoseResponse);
        world.target.fail(lost);
    }
    world.owe_scan().await;
    for _ in 0..6 {
        world.round(1).await;
    }
    assert_eq!(world.target_issue(copy).title, "Once");
    world.target.clear_faults();
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            time_estimate: Some(90),
            state: Some(IssueState::Opened),
            ..titled("Twice")
        },
    );
    world.run().await;
    assert_eq!(world.kept(iid).await, []);
    world.assert_mirrored([iid]);
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_nobodys_edit() {
    for path in ["/issues$", "/notes$"] {
        let world = World::with(Stage::new(), protecting(), Mode::Sync).await;
        let iid = world.write(issue(world.alice, "Ours"));
        world.say(iid, note(world.alice, "Hello."));
        world.strike("POST", path, Fault::LoseResponse);
        world.run().await;
        world.later(600);
        world.edit(iid, titled("Ours, edited"));
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.kept(iid).await, []);
        assert_eq!(world.next_run_writes().await, Vec::<String>::new());
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_create_whose_process_died_is_nobodys_edit_although_its_time_was_set() {
    for path in ["/issues", "/notes"] {
        let settings = Settings {
            preserve: Preserve::Auto,
            ..protecting()
        };
        let mut world = World::with(Stage::new(), settings, Mode::Sync).await;
        let iid = world.write(issue(world.alice, "Ours"));
        let said = world.say(iid, note(world.alice, "Hello."));
        // So that the time of creation that is asked for is another than that of the create.
        world.later(600);
        world.killed_after(1, "POST", path).await;
        world.edit(iid, titled("Ours, edited"));
        world.edit_comment(iid, said, "Hello again.");
        world.later(600);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.kept(iid).await, []);
        assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_create_that_says_nothing_yet_is_nobodys_edit() {
    for path in ["/issues", "/notes"] {
        let settings = Settings {
            preserve: Preserve::Auto,
            ..protecting()
        };
        let mut world = World::with(Stage::new(), settings, Mode::Sync).await;
        let iid = world.write(IssueSpec {
            confidential: path == "/issues",
            ..issue(world.alice, "The plan")
        });
        let hidden = NoteSpec {
            internal: true,
            ..note(world.alice, "Among us.")
        };
        world.say(iid, hidden);
        // So that the time of creation that is asked for is another than that of the create.
        world.later(600);
        world.killed_after(1, "POST", path).await;
        world.later(600);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.kept(iid).await, []);
        assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_edit_between_our_look_and_our_write_stays() {
    let (world, iid, copy) = in_line().await;
    world.edit(iid, titled("Edited"));
    let (sim, to, tom) = (world.target.clone(), world.to.project, world.tom);
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.method == "PUT" {
            sim.clear_hook();
            sim.edit(|world| world.edit_issue(to, copy, tom, weighing(8)))
                .unwrap();
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    let issue = world.target_issue(copy);
    assert_eq!((issue.title.as_str(), issue.weight), ("Edited", Some(8)));
    assert_eq!(world.kept(iid).await, [("weight".to_owned(), false)]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_lost_record_overwrites_nothing_that_differs() {
    let (mut world, iid, copy) = in_line().await;
    let same = world.write(issue(world.alice, "The same"));
    world.run().await;
    world.later(600);
    world.edit_target(copy, titled("Theirs"));
    world.lose_state().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.target_issue(copy).title, "Theirs");
    assert_eq!(world.kept(iid).await, [("title".to_owned(), true)]);
    assert_eq!(world.kept(same).await, []);
    world.edit(iid, weighing(6));
    world.edit(same, titled("The same, edited"));
    assert_eq!(world.next_run_writes().await.len(), 2);
    assert_eq!(world.target_issue(copy).weight, Some(6));
    world.decide(iid, Resolution::UseSource).await;
    world.next_run_writes().await;
    world.assert_mirrored([iid, same]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_text_that_lost_its_marker_is_found_again_all_the_same() {
    let (mut world, iid, copy) = in_line().await;
    world.edit_target(
        copy,
        IssueEdit {
            description: Some(Some("All mine.".into())),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    let description = world.target_issue(copy).description.unwrap();
    assert!(description.contains("All mine."), "{description}");
    world.lose_state().await;
    world.later(600);
    world.run().await;
    assert_eq!(world.target_count(), 1);
    let description = world.target_issue(copy).description.unwrap();
    assert!(description.contains("All mine."), "{description}");
    assert_eq!(world.kept(iid).await, [("description".to_owned(), true)]);
    world.all_went_well().await;
}

#[tokio::test]
async fn what_a_person_names_for_a_mirror_is_overwritten_as_was_asked() {
    let world = World::with(Stage::new(), protecting(), Mode::Sync).await;
    let iid = world.write(issue(world.alice, "Ours"));
    let (to, tom) = (world.to.project, world.tom);
    let there = world
        .target
        .edit(|sim| sim.create_issue(to, issue(tom, "Theirs")).unwrap());
    let number = |iid| mirror_core::ids::Iid(i64::try_from(iid).unwrap());
    let pair = Pair {
        source: number(iid),
        target: number(there),
    };
    let asked = world.cx.store.ask_adoptions(world.mirror, &[pair]).await;
    assert_eq!(asked.unwrap(), []);
    world.run().await;
    assert_eq!(world.target_count(), 1);
    world.assert_mirrored([iid]);
    assert_eq!(world.kept(iid).await, []);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_copy_that_was_closed_for_its_original_opens_with_it() {
    let settings = Settings {
        on_delete: OnDelete::Close,
        ..protecting()
    };
    let (mut world, iid, copy) = in_line().await;
    let ban = |world: &World, banned: bool| {
        let alice = world.alice;
        world.source.edit(|sim| match banned {
            true => sim.ban_user(alice),
            false => sim.unban_user(alice),
        });
    };
    let (from, bot) = (world.from.project, world.from.token_user);
    world.source.edit(|sim| {
        let home = sim.project_mut(from).unwrap();
        home.members
            .insert(bot, gitlab_sim::AccessLevel::Maintainer);
    });
    ban(&world, true);
    for _ in 0..3 {
        world.later(3_600);
        world.full_run_writes(settings.clone()).await;
    }
    assert_eq!(world.target_issue(copy).state, IssueState::Closed);
    ban(&world, false);
    world.full_run_writes(settings).await;
    assert_eq!(world.kept(iid).await, []);
    world.assert_mirrored([iid]);
    assert_eq!(world.outcome(iid), Some(Outcome::Updated));
    world.all_went_well().await;
}
