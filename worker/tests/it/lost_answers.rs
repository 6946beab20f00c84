//! At most one copy, whatever becomes of an answer (law 4; rules 7, 8 and 9).

use crate::support::{World, issue, note};
use gitlab_sim::{Fault, FaultRule, HookVerdict, IssueSpec, NoteSpec, Phase, When};
use mirror_worker::{Mode, Settings};
use std::{sync::Arc, time::Duration};

impl World {
    /// The next such request goes wrong.
    fn strike(&self, method: &str, path: &str, fault: Fault) {
        let rule = FaultRule::new(method, path, When::Next(1), fault);
        self.target.fail(rule);
    }

    fn count(&self, method: &str, end: &str) -> usize {
        let requests = self.target_requests();
        let these = requests
            .iter()
            .filter(|request| request.starts_with(method));
        these.filter(|request| request.ends_with(end)).count()
    }
}

/// An issue with three comments, one of them a thread's answer.
fn a_talk(world: &World) -> u64 {
    let alice = world.alice;
    let iid = world.write(issue(alice, "A talk"));
    let first = world.say(
        iid,
        NoteSpec {
            thread: true,
            ..note(alice, "One.")
        },
    );
    world.say(iid, note(alice, "Two."));
    world.say(
        iid,
        NoteSpec {
            reply_to: Some(first),
            ..note(alice, "Three.")
        },
    );
    iid
}

#[tokio::test]
async fn lost_create_response_is_adopted() {
    for path in [
        "/issues$",
        "/notes$",
        "/discussions$",
        "/discussions/[0-9a-f]+/notes$",
    ] {
        let world = World::new().await;
        let iid = a_talk(&world);
        world.strike("POST", path, Fault::LoseResponse);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.target_count(), 1, "{path}");
        assert_eq!(
            world.waits(),
            Vec::<String>::new(),
            "{path}: what is there is not waited for"
        );
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn an_answer_cut_off_is_a_lost_answer() {
    for path in ["/issues$", "/notes$", "/discussions$"] {
        let world = World::new().await;
        let iid = a_talk(&world);
        world.strike("POST", path, Fault::Truncate(20));
        world.run().await;
        world.assert_mirrored([iid]);
        world.all_went_well().await;
    }
}

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

#[tokio::test]
async fn a_request_without_an_answer_is_given_up_looked_up_and_adopted() {
    for path in ["/issues$", "/notes$"] {
        let world = World::new().await;
        let iid = a_talk(&world);
        let other = world.write(issue(world.alice, "Another"));
        world.strike("POST", path, Fault::Hang { effect: true });
        world.run().await;
        world.assert_mirrored([iid, other]);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn an_error_inside_gitlab_after_the_effect_is_looked_up_at_once() {
    for path in ["/issues$", "/notes$", "/discussions$"] {
        let world = World::new().await;
        let iid = a_talk(&world);
        world.strike("POST", path, Fault::ErrorAfter(500));
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.waits(), Vec::<String>::new());
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn an_error_inside_gitlab_before_the_effect_is_decided_and_sent_again() {
    for path in ["/issues$", "/notes$", "/discussions$"] {
        let world = World::new().await;
        let iid = a_talk(&world);
        world.strike("POST", path, Fault::ErrorBefore(500));
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(
            world.waits(),
            Vec::<String>::new(),
            "GitLab has answered: nothing lands late"
        );
        assert_eq!(world.failures().len(), 1);
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn a_lookup_that_fails_is_no_proof_of_absence() {
    for (path, lookup) in [("/issues$", "/issues$"), ("/notes$", "/discussions$")] {
        let world = World::new().await;
        let iid = a_talk(&world);
        let target = world.target.clone();
        let lost = regex_lite(path);
        world.target.set_hook(Arc::new(move |event| {
            if event.phase == Phase::After && event.method == "POST" && event.path.ends_with(lost) {
                target.clear_hook();
                let rule = FaultRule::new("GET", lookup, When::Next(6), Fault::ErrorBefore(500));
                target.fail(rule);
                return Box::pin(async { HookVerdict::Reset });
            }
            Box::pin(async { HookVerdict::Go })
        }));
        world.run().await;
        world.assert_mirrored([iid]);
        assert!(!world.failures().is_empty(), "the look-up failed");
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

fn regex_lite(pattern: &str) -> &'static str {
    match pattern {
        "/issues$" => "/issues",
        _ => "/notes",
    }
}

#[tokio::test]
async fn one_answer_in_five_is_lost_and_nothing_is_missing_or_double() {
    for seed in 1..=3 {
        let settings = Settings {
            include_closed: true,
            ..Settings::default()
        };
        let stage = crate::support::Stage::new();
        let world = World::with(stage, settings, Mode::Sync).await;
        gitlab_sim::seed::rich(&world.source, world.from.project, 60, seed).unwrap();
        let rule = FaultRule::new("POST", ".", When::Share(0.2), Fault::LoseResponse);
        world.target.fail(rule);
        world.run_wide(4).await;
        assert_eq!(world.unfinished().await, Vec::new());
        world.target.clear_faults();
        world.assert_mirrored(1..=60);
        world.assert_no_noise();
        world.later(300);
        world.run().await;
        world.forget_requests();
        world.later(300);
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new());
    }
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
async fn a_twin_that_landed_after_all_patience_is_put_away() {
    use gitlab_sim::AccessLevel;
    for role in [AccessLevel::Owner, AccessLevel::Maintainer] {
        let world = World::on(crate::support::Stage::new().target_role(role)).await;
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
async fn lost_state_costs_no_duplicate_and_no_write() {
    let world = {
        let mut world = World::new().await;
        gitlab_sim::seed::plain(&world.source, world.from.project, 30, 3).unwrap();
        let iid = world.write(IssueSpec {
            labels: vec!["bug".into()],
            weight: Some(2),
            ..issue(world.alice, "Rich")
        });
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
        world.run().await;
        world.lose_state().await;
        world
    };
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.assert_all_mirrored();
    world.all_went_well().await;
    world.later(600);
    world.edit(
        31,
        gitlab_sim::IssueEdit {
            labels: Some(vec!["other".into()]),
            ..Default::default()
        },
    );
    world.run().await;
    world.assert_mirrored([31]);
    let titles = world.titles(31);
    assert_eq!(
        titles,
        ["MIRRORED", "other"],
        "which labels are ours was found out again"
    );
}

#[tokio::test]
async fn lost_state_of_a_rich_project_makes_no_copy_twice() {
    let settings = Settings {
        include_closed: true,
        ..Settings::default()
    };
    let mut world = World::with(crate::support::Stage::demo(), settings, Mode::Sync).await;
    world.run().await;
    world.lose_state().await;
    world.run().await;
    let creates = [
        world.count("POST", "/issues"),
        world.count("POST", "/notes"),
        world.count("POST", "/discussions"),
    ];
    assert_eq!(creates, [0, 0, 0]);
    world.assert_all_mirrored();
    world.assert_no_noise();
    world.all_went_well().await;
}

#[tokio::test]
async fn a_marker_written_by_a_stranger_blocks_and_is_reported() {
    use mirror_core::outcome::{Outcome, SkipReason};
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Mine"));
    world.run().await;
    let copy = world.copy(iid).issue;
    let to = world.to.project;
    let pasted = world.target.edit(|sim| {
        sim.delete_issue(to, copy.iid, world.to.token_user).unwrap();
        let spec = IssueSpec {
            description: copy.description.clone(),
            ..issue(world.tom, "Pasted")
        };
        sim.create_issue(to, spec).unwrap()
    });
    world.lose_state().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let target_iid = i64::try_from(pasted).unwrap();
    let reason = SkipReason::MarkerByStranger { target_iid };
    assert_eq!(world.outcome(iid), Some(Outcome::Skipped(reason)));
}

#[tokio::test]
async fn somebodys_clone_of_a_copy_is_an_issue_of_its_own() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Mine"));
    world.run().await;
    let copy = world.copy(iid).issue;
    world.later(600);
    let spec = IssueSpec {
        description: copy.description.clone(),
        ..issue(world.to.token_user, "A clone")
    };
    let to = world.to.project;
    let clone = world.target.edit(|sim| sim.create_issue(to, spec)).unwrap();
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.target_issue(clone).title, "A clone");
    world.all_went_well().await;
}
