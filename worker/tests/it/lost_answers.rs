//! At most one copy, whatever becomes of an answer (law 4, rules 7 to 9).

use crate::support::{Stage, World, a_talk, issue};
use gitlab_sim::{Fault, FaultRule, HookVerdict, Phase, When};
use mirror_worker::{Mode, Settings};
use std::sync::Arc;

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
    for (lost, lookup) in [("/issues", "/issues$"), ("/notes", "/discussions$")] {
        let world = World::new().await;
        let iid = a_talk(&world);
        let target = world.target.clone();
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

#[tokio::test]
async fn one_answer_in_five_is_lost_and_nothing_is_missing_or_double() {
    for seed in 1..=3 {
        let settings = Settings {
            include_closed: true,
            ..Settings::default()
        };
        let stage = Stage::new();
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
