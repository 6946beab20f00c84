//! Nothing that changes is missed, whatever the clocks do (rules 5, 11, 12 and 15).

use crate::support::{World, issue, note};
use gitlab_sim::{HookVerdict, IssueEdit, Phase};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn a_touch_that_gitlab_throttled_is_found() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Busy"));
    world.later(5);
    world.run().await;
    for pause in [10, 20, 20] {
        world.later(pause);
        // Within the minute: `updated_at` does not move.
        let before = world.source_issue(iid).updated_at;
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, 60, None).unwrap());
        assert_eq!(world.source_issue(iid).updated_at, before);
    }
    world.later(300);
    world.run().await;
    world.assert_mirrored([iid]);
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(
        world.source_requests().len(),
        1,
        "settled issues are not read for ever"
    );
}

#[tokio::test]
async fn a_comment_edited_within_the_minute_of_the_last_read_is_found() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Busy"));
    let said = world.say(iid, note(world.alice, "Before."));
    world.later(2);
    world.run().await;
    world.later(20);
    let from = world.from.project;
    world.source.edit(|sim| {
        sim.edit_note(from, iid, said, world.alice, "After.")
            .unwrap()
    });
    world.later(600);
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn one_row_from_the_future_does_not_hide_the_present() {
    let world = World::new().await;
    let ahead = world.source.clock().now() + chrono::TimeDelta::days(400);
    let from = world.from.project;
    let future = world.source.edit(|sim| {
        sim.at(ahead, |sim| {
            sim.create_issue(from, issue(world.alice, "From the future"))
        })
    });
    world.run().await;
    world.later(600);
    let iid = world.write(issue(world.alice, "Now"));
    world.run().await;
    world.assert_mirrored([future.unwrap(), iid]);
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            title: Some("Now, edited".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_clock_set_back_hides_nothing() {
    let world = World::new().await;
    let old = world.write(issue(world.alice, "Old"));
    world.run().await;
    for sim in [&world.source, &world.target] {
        sim.clock()
            .set(sim.clock().now() - chrono::TimeDelta::days(3));
    }
    let iid = world.write(issue(world.alice, "After the setting back"));
    world.edit(
        old,
        IssueEdit {
            title: Some("Old, edited".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.assert_mirrored([old, iid]);
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            title: Some("Edited".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.assert_mirrored([iid]);
    world.later(600);
    world.run().await;
    world.later(600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_bulk_edit_of_many_issues_at_one_moment_is_walked_whole() {
    let world = World::new().await;
    for number in 0..250 {
        world.write(issue(world.alice, &format!("Issue {number}")));
    }
    world.run().await;
    world.assert_mirrored(1..=250);
    world.later(3_600);
    for iid in 1..=250 {
        let title = Some(format!("Retitled {iid}"));
        world.edit(
            iid,
            IssueEdit {
                title,
                ..IssueEdit::default()
            },
        );
    }
    world.run().await;
    world.assert_mirrored(1..=250);
    world.all_went_well().await;
    world.later(3_600);
    world.run().await;
    world.later(3_600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn an_issue_edited_while_the_list_is_walked_is_not_missed() {
    for edited in [1, 50, 100, 101, 150, 250] {
        let world = World::new().await;
        gitlab_sim::seed::plain(&world.source, world.from.project, 250, 0).unwrap();
        let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
        let lists = Arc::new(AtomicU64::new(0));
        world.source.set_hook(Arc::new(move |event| {
            let is_list = event.phase == Phase::After && event.path.ends_with("/issues");
            if is_list && lists.fetch_add(1, Ordering::Relaxed) == 1 {
                source.clock().advance(Duration::from_secs(1));
                let title = Some("Edited meanwhile".to_owned());
                let edit = IssueEdit {
                    title,
                    ..IssueEdit::default()
                };
                source.edit(|sim| sim.edit_issue(from, edited, alice, edit).unwrap());
                source
                    .edit(|sim| sim.create_issue(from, issue(alice, "Written meanwhile")))
                    .unwrap();
            }
            Box::pin(async { HookVerdict::Go })
        }));
        world.run().await;
        world.source.clear_hook();
        world.later(300);
        world.run().await;
        world.all_went_well().await;
        world.assert_mirrored(1..=251);
    }
}

#[tokio::test]
async fn an_issue_deleted_while_the_list_is_walked_hides_no_other() {
    let world = World::new().await;
    gitlab_sim::seed::plain(&world.source, world.from.project, 250, 0).unwrap();
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    let lists = Arc::new(AtomicU64::new(0));
    world.source.set_hook(Arc::new(move |event| {
        let is_list = event.phase == Phase::After && event.path.ends_with("/issues");
        if is_list && lists.fetch_add(1, Ordering::Relaxed) == 1 {
            source.edit(|sim| {
                for iid in [1, 2, 99, 100] {
                    sim.delete_issue(from, iid, alice).unwrap();
                }
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    world.source.clear_hook();
    world.assert_mirrored((101..=250).chain(3..=98));
}

#[tokio::test]
async fn a_bulk_edit_grows_a_plateau_while_it_is_walked_and_none_is_missed() {
    let world = World::new().await;
    for number in 0..250 {
        world.write(issue(world.alice, &format!("Issue {number}")));
    }
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    let lists = Arc::new(AtomicU64::new(0));
    world.source.set_hook(Arc::new(move |event| {
        let is_list = event.phase == Phase::After && event.path.ends_with("/issues");
        if is_list && lists.fetch_add(1, Ordering::Relaxed) == 3 {
            // Ten leave the plateau while its pages are read.
            source.clock().advance(Duration::from_secs(90));
            source.edit(|sim| {
                for iid in 241..=250 {
                    let title = Some(format!("Left {iid}"));
                    let edit = IssueEdit {
                        title,
                        ..IssueEdit::default()
                    };
                    sim.edit_issue(from, iid, alice, edit).unwrap();
                }
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    world.source.clear_hook();
    world.later(300);
    world.run().await;
    world.assert_mirrored(1..=250);
}
