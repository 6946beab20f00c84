//! A process that dies at any request leaves nothing double and nothing missing.

use crate::support::{Stage, World};
use gitlab_sim::{Hook, HookVerdict, Sim};
use mirror_worker::{Mode, Settings};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

const BOUNDARIES: u64 = 150;

/// Lets the process die at the `fatal`-th boundary of requests, before or after an effect.
fn death_at(fatal: u64, sims: [&Sim; 2]) -> (Arc<Notify>, Arc<AtomicU64>) {
    let (death, met) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
    for sim in sims {
        let (death, met) = (death.clone(), met.clone());
        let hook: Hook = Arc::new(move |_| {
            let dies = met.fetch_add(1, Ordering::Relaxed) + 1 == fatal;
            let death = death.clone();
            Box::pin(async move {
                if dies {
                    death.notify_one();
                    std::future::pending::<()>().await;
                }
                HookVerdict::Go
            })
        });
        sim.set_hook(hook);
    }
    (death, met)
}

async fn small_wild_world() -> World {
    let settings = Settings {
        include_closed: true,
        ..Settings::default()
    };
    let world = World::with(Stage::new(), settings, Mode::Sync).await;
    gitlab_sim::seed::rich(&world.source, world.from.project, 8, 5).unwrap();
    world
}

#[tokio::test]
async fn killed_at_any_request_the_next_process_goes_on() {
    for fatal in 1..=BOUNDARIES {
        let mut world = small_wild_world().await;
        let (death, met) = death_at(fatal, [&world.source, &world.target]);
        tokio::select! {
            () = world.run() => panic!("only {} boundaries", met.load(Ordering::Relaxed)),
            () = death.notified() => {}
        }
        world.source.clear_hook();
        world.target.clear_hook();
        world.restart().await;
        world.run().await;
        assert_eq!(world.unfinished().await, Vec::new(), "killed at {fatal}");
        world.assert_mirrored(1..=8);
        world.later(300);
        world.run().await;
        world.forget_requests();
        world.later(300);
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new(), "killed at {fatal}");
        world.assert_mirrored(1..=8);
    }
}

#[tokio::test]
async fn killed_again_and_again_it_still_comes_to_an_end() {
    for step in [3, 5, 7, 11] {
        let mut world = small_wild_world().await;
        for _ in 0..400 {
            let (death, _) = death_at(step, [&world.source, &world.target]);
            let ended = tokio::select! {
                () = world.run() => true,
                () = death.notified() => false,
            };
            world.source.clear_hook();
            world.target.clear_hook();
            world.assert_no_duplicates();
            if ended {
                break;
            }
            world.restart().await;
        }
        world.run().await;
        assert_eq!(world.unfinished().await, Vec::new());
        world.assert_mirrored(1..=8);
    }
}
