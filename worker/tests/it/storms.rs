//! Whatever goes wrong, and whoever edits meanwhile: once it is calm, the copies are right.

use crate::support::{Stage, World};
use gitlab_sim::{Fault, FaultRule, HookVerdict, Phase, Sim, When};
use mirror_core::ports::Entropy;
use mirror_runtime::SeededEntropy;
use mirror_worker::{Mode, Settings};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Seconds after which a request is known not to land any more.
const LATE_LANDING: u64 = 60;

/// Numbers that a seed repeats.
struct Dice(Arc<SeededEntropy>);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }
}

/// One in so many requests goes wrong, each in another way. Late ones land within so many seconds.
fn weather(sim: &Sim, dice: &Dice, latest: u64) {
    let late = Duration::from_secs(1 + dice.below(latest));
    let faults = [
        ("POST", Fault::LoseResponse),
        ("POST", Fault::Reset),
        ("POST", Fault::ErrorAfter(500)),
        ("POST", Fault::ErrorBefore(500)),
        ("POST", Fault::ErrorAfter(502)),
        ("POST", Fault::ErrorBefore(503)),
        ("POST", Fault::Hang { effect: true }),
        ("POST", Fault::Truncate(30)),
        ("POST", Fault::Land { after: late }),
        ("POST", Fault::LandBehindProxy { after: late }),
        ("PUT", Fault::LoseResponse),
        ("PUT", Fault::ResourceLock),
        ("PUT", Fault::ErrorAfter(500)),
        ("GET", Fault::ErrorBefore(502)),
        ("GET", Fault::Truncate(30)),
        ("GET", Fault::Reset),
        (
            "*",
            Fault::TooManyRequests {
                headers: true,
                retry_after: Some(40),
                application: false,
            },
        ),
    ];
    for (method, fault) in faults {
        // Logged time has no marker by which a second landing could be told from somebody's own.
        let late = matches!(fault, Fault::Land { .. } | Fault::LandBehindProxy { .. });
        let path = if late && latest > LATE_LANDING {
            "(issues|notes|discussions)$"
        } else {
            "."
        };
        if dice.below(3) == 0 {
            sim.fail(FaultRule::new(method, path, When::Share(0.03), fault));
        }
    }
}

/// The process dies at some request, perhaps.
fn death(world: &World, dice: &Dice) -> Arc<Notify> {
    let death = Arc::new(Notify::new());
    let (told, number) = (
        death.clone(),
        Arc::new(SeededEntropy::new(dice.below(1_000))),
    );
    world.target.set_hook(Arc::new(move |event| {
        let dies = event.phase == Phase::After && number.next_u64().is_multiple_of(60);
        let told = told.clone();
        Box::pin(async move {
            if dies {
                told.notify_one();
                std::future::pending::<()>().await;
            }
            HookVerdict::Go
        })
    }));
    death
}

async fn storm(seed: u64, latest: u64) {
    eprintln!("storm {seed}");
    let dice = Dice(Arc::new(SeededEntropy::new(seed)));
    let settings = Settings {
        include_closed: true,
        ..Settings::default()
    };
    let mut world = World::with(Stage::new(), settings, Mode::Sync).await;
    let from = world.from.project;
    gitlab_sim::seed::rich(&world.source, from, 12, seed).unwrap();
    for round in 0..4 {
        weather(&world.target, &dice, latest);
        if dice.below(2) == 0 {
            weather(&world.source, &dice, latest);
        }
        let at_once = usize::try_from(1 + dice.below(4)).unwrap();
        let death = death(&world, &dice);
        tokio::select! {
            () = world.run_wide(at_once) => {}
            () = death.notified() => {}
        }
        world.target.clear_hook();
        world.target.clear_faults();
        world.source.clear_faults();
        world.restart().await;
        world.cx.store.retry_dead(world.mirror).await.unwrap();
        if latest < LATE_LANDING {
            world.assert_no_duplicates();
        }
        for step in 0..dice.below(6) {
            world.later(1 + dice.below(90));
            gitlab_sim::seed::edit_something(&world.source, from, seed, 10 * round + step).unwrap();
        }
    }
    world.run().await;
    assert_eq!(world.unfinished().await, Vec::new());
    for _ in 0..2 {
        world.later(600);
        world.run().await;
    }
    world.assert_every_issue_mirrored();
    world.assert_no_noise();
    world.later(600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn after_any_storm_the_copies_are_right_and_then_it_is_quiet() {
    for seed in 1..=40 {
        storm(seed, LATE_LANDING - 5).await;
    }
}

#[tokio::test]
async fn requests_that_land_after_all_patience_leave_one_copy_in_the_end() {
    for seed in 101..=140 {
        storm(seed, 2 * LATE_LANDING - 10).await;
    }
}
