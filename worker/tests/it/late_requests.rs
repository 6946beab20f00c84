//! Requests that arrive late, or never, and logged time, which has no marker (rules 8 and 19).

use crate::support::{Stage, World, a_talk, issue};
use gitlab_sim::{AccessLevel, Fault, FaultRule, HookVerdict, Phase, When};
use mirror_worker::Settings;
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_request_delivered_late_is_waited_for_and_leaves_one() {
    let after = Duration::from_secs(40);
    for path in ["/issues$", "/notes$", "/discussions$"] {
        for fault in [Fault::Land { after }, Fault::LandBehindProxy { after }] {
            let world = World::new().await;
            let iid = a_talk(&world);
            world.strike("POST", path, fault.clone());
            let begun = world.now();
            world.run().await;
            world.assert_mirrored([iid]);
            assert!(!world.waits().is_empty(), "{path} {fault:?}");
            let waited = world.now() - begun;
            assert!(waited >= Settings::default().late_landing, "{waited}");
            world.all_went_well().await;
        }
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again_only_when_it_can_land_no_more() {
    let faults = [
        Fault::Reset,
        Fault::ErrorBefore(502),
        Fault::Hang { effect: false },
    ];
    for path in ["/issues$", "/notes$", "/discussions$"] {
        for fault in faults.clone() {
            let world = World::new().await;
            let iid = a_talk(&world);
            let posts = |world: &World| {
                let requests = world.target.requests();
                let end = path.trim_end_matches('$');
                let posts = requests
                    .into_iter()
                    .filter(|request| request.method == "POST" && request.path.ends_with(end));
                posts.map(|request| request.at).collect::<Vec<_>>()
            };
            world.strike("POST", path, fault.clone());
            world.run().await;
            world.assert_mirrored([iid]);
            let times = posts(&world);
            let apart = times[1] - times[0];
            assert!(
                apart >= Settings::default().late_landing,
                "{path} {fault:?}: {apart}"
            );
            world.all_went_well().await;
        }
    }
}

/// A request may wait for its turn long after it was decided: what counts is when it left.
#[tokio::test]
async fn a_request_that_waited_for_its_turn_is_waited_for_from_then_on() {
    for path in ["/issues$", "/notes$", "/add_spent_time$"] {
        let world = World::new().await;
        let iid = a_talk(&world);
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
        let refusal = Fault::TooManyRequests {
            headers: false,
            retry_after: Some(25),
            application: false,
        };
        let after = Duration::from_secs(58);
        for (nth, fault) in [(1, refusal), (2, Fault::Land { after })] {
            let rule = FaultRule::new("POST", path, When::Nth(nth), fault);
            world.target.fail(rule);
        }
        world.run().await;
        world.assert_mirrored([iid]);
        world.later(300);
        world.run().await;
        world.assert_mirrored([iid]);
        let end = path.trim_end_matches('$');
        let once = if path == "/notes$" { 2 } else { 1 };
        // One was refused for its rate.
        assert_eq!(world.count("POST", end), once + 1, "{path}");
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_twin_that_landed_after_all_patience_is_put_away() {
    for role in [AccessLevel::Owner, AccessLevel::Maintainer] {
        let world = World::on(Stage::new().target_role(role)).await;
        let iid = a_talk(&world);
        world.strike(
            "POST",
            "/issues$",
            Fault::Land {
                after: Duration::from_secs(200),
            },
        );
        world.run().await;
        assert_eq!(world.count("POST", "/issues"), 2);
        world.assert_mirrored([iid]);
        let mapped = world.copy(iid).issue.iid;
        world.later(300);
        assert_eq!(
            world.copies_of(iid).len(),
            2,
            "the first one landed after all"
        );
        world.run().await;
        let left = world.copy(iid).issue.iid;
        assert_eq!(left, mapped, "the mapped one stays");
        world.later(300);
        world.run().await;
        world.assert_mirrored([iid]);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_twin_is_put_away_although_its_original_was_deleted_meanwhile() {
    let mut world = World::new().await;
    let iid = a_talk(&world);
    let after = Duration::from_secs(200);
    world.strike("POST", "/issues$", Fault::Land { after });
    world.killed_after(2, "POST", "/issues").await;
    let (from, alice) = (world.from.project, world.alice);
    world
        .source
        .edit(|sim| sim.delete_issue(from, iid, alice).unwrap());
    world.run().await;
    let mapped = world.copy(iid).issue.iid;
    world.later(300);
    assert_eq!(
        world.copies_of(iid).len(),
        2,
        "the first one landed after all"
    );
    world.run().await;
    assert_eq!(world.copy(iid).issue.iid, mapped, "the mapped one stays");
}

#[tokio::test]
async fn a_comments_twin_that_landed_after_all_patience_is_deleted() {
    let world = World::new().await;
    let iid = a_talk(&world);
    world.strike(
        "POST",
        "/notes$",
        Fault::Land {
            after: Duration::from_secs(200),
        },
    );
    world.run().await;
    world.assert_mirrored([iid]);
    world.later(300);
    let said = world.copy(iid).notes().len();
    assert_eq!(said, 4, "one of them landed after all");
    world.run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn logged_time_is_not_counted_twice_when_its_answer_is_lost() {
    for fault in [
        Fault::LoseResponse,
        Fault::ErrorAfter(500),
        Fault::Reset,
        Fault::Hang { effect: true },
        Fault::ErrorBefore(502),
        Fault::Land {
            after: Duration::from_secs(30),
        },
    ] {
        let world = World::new().await;
        let iid = world.write(issue(world.alice, "Work"));
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
        world.strike("POST", "/add_spent_time$", fault.clone());
        world.run().await;
        assert_eq!(world.copy(iid).issue.time_spent(), 600, "{fault:?}");
        world.later(600);
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, -200, None).unwrap());
        world.strike("POST", "/add_spent_time$", fault.clone());
        world.run().await;
        assert_eq!(world.copy(iid).issue.time_spent(), 400, "{fault:?}");
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn time_logged_by_others_meanwhile_does_not_hide_that_ours_arrived() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Work"));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    let (from, to, tom) = (world.from.project, world.to.project, world.tom);
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
    let target = world.target.clone();
    world.target.set_hook(Arc::new(move |event| {
        let lost = event.phase == Phase::After && event.path.ends_with("/add_spent_time");
        if lost {
            target.clear_hook();
            target.edit(|sim| sim.log_time(to, copy, tom, 50, None).unwrap());
        }
        Box::pin(async move {
            if lost {
                HookVerdict::Reset
            } else {
                HookVerdict::Go
            }
        })
    }));
    world.run().await;
    assert_eq!(world.copy(iid).issue.time_spent(), 650);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_comment_sent_again_after_another_step_came_first_is_watched_too() {
    let world = World::new().await;
    let iid = a_talk(&world);
    let after = Duration::from_secs(100);
    world.strike("POST", "/notes$", Fault::Land { after });
    world.owe_scan().await;
    while world.waits().is_empty() {
        assert!(world.round(1).await);
    }
    let (from, alice) = (world.from.project, world.alice);
    world
        .source
        .edit(|sim| sim.log_time(from, iid, alice, 60, None).unwrap());
    world.later(61);
    world.work().await;
    world.assert_mirrored([iid]);
    world.later(100);
    assert_eq!(
        world.copy(iid).notes().len(),
        4,
        "the first one landed after all"
    );
    world.run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}
