//! Whoever lost the lease writes no more, and what it learnt is not lost (rules 7 and 8).

use crate::support::{LEASE, World, issue, note};
use gitlab_sim::{HookVerdict, NoteSpec, Phase};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Stops at the first such request, after its effect, until it is let go.
pub(crate) fn stall(world: &World, end: &'static str) -> (Arc<Notify>, Arc<Notify>) {
    let (met, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (sim, told, wait) = (world.target.clone(), met.clone(), go.clone());
    let clock = world.clock.clone();
    world.target.set_hook(Arc::new(move |event| {
        let stalls =
            event.phase == Phase::After && event.method == "POST" && event.path.ends_with(end);
        if stalls {
            sim.clear_hook();
        }
        let (told, wait) = (told.clone(), wait.clone());
        let held = stalls.then(|| clock.hold());
        Box::pin(async move {
            let _held = held;
            if stalls {
                told.notify_one();
                wait.notified().await;
            }
            HookVerdict::Go
        })
    }));
    (met, go)
}

#[tokio::test]
async fn a_worker_that_stalled_comes_back_and_finds_its_work_done() {
    for end in [
        "/issues",
        "/notes",
        "/discussions",
        "/add_spent_time",
        "/labels",
    ] {
        let world = World::new().await;
        let alice = world.alice;
        let iid = world.write(issue(alice, "A talk"));
        world.say(iid, note(alice, "One."));
        world.say(
            iid,
            NoteSpec {
                thread: true,
                ..note(alice, "Two.")
            },
        );
        world.say(iid, note(alice, "Three."));
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, alice, 60, None).unwrap());
        let (met, go) = stall(&world, end);
        let other = world.beside().await;
        let stalled = world.run();
        let takes_over = async {
            met.notified().await;
            // Its lease ends without a sign of life: the machine stood still.
            world.clock.advance(LEASE + Duration::from_secs(1));
            world.cx.store.sweep(100).await.unwrap();
            other.work().await;
            go.notify_one();
        };
        tokio::join!(stalled, takes_over);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.unfinished().await, Vec::new());
        assert_eq!(world.failures(), Vec::<String>::new(), "{end}");
        world.later(300);
        world.run().await;
        world.later(300);
        world.forget_requests();
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new());
    }
}

/// Between the decision to send and the turn of the request its process stands still, for longer
/// than any request may land late.
#[tokio::test]
async fn what_was_decided_before_a_standstill_is_not_sent_after_it() {
    for before in 0.. {
        let world = World::new().await;
        let alice = world.alice;
        let iid = world.write(issue(alice, "A talk"));
        for text in ["One.", "Two.", "Three."] {
            world.say(iid, note(alice, text));
        }
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, alice, 60, None).unwrap());
        let (met, go) = world.turns.hold_up(before);
        let other = world.beside().await;
        let mut stalled = pin!(world.run());
        tokio::select! {
            () = met.notified() => {}
            () = &mut stalled => {
                assert!(before > 5, "{before} requests are all that was sent");
                return;
            }
        }
        world.clock.advance(LEASE + Duration::from_secs(1));
        world.cx.store.sweep(100).await.unwrap();
        other.work().await;
        world.later(300);
        other.work().await;
        world.assert_mirrored([iid]);
        world.forget_requests();
        go.notify_one();
        stalled.await;
        assert_eq!(world.writes(), Vec::<String>::new(), "after {before}");
        assert_eq!(world.failures(), Vec::<String>::new(), "after {before}");
        world.later(300);
        world.run().await;
        world.assert_mirrored([iid]);
    }
}

#[tokio::test]
async fn a_job_asked_to_stop_hands_its_work_back_and_the_next_process_goes_on() {
    for end in ["/issues", "/notes", "/labels"] {
        let mut world = World::new().await;
        let iid = world.write(issue(world.alice, "A talk"));
        for text in ["One.", "Two.", "Three."] {
            world.say(iid, note(world.alice, text));
        }
        let (met, go) = stall(&world, end);
        let stopped = async {
            met.notified().await;
            world.cx.shutdown.request();
            go.notify_one();
            // Nothing comes after the answer that was waited for.
            world.target.requests().len()
        };
        world.owe_scan().await;
        let rounds = async {
            while !world.cx.shutdown.is_requested() {
                world.round(1).await;
            }
        };
        let (sent, ()) = tokio::join!(stopped, rounds);
        assert_eq!(world.target.requests().len(), sent, "{end}");
        let rows = world.cx.store.unfinished(world.mirror, 10).await.unwrap();
        assert!(rows.iter().all(|row| row.attempts == 0), "{rows:?}");
        world.restart().await;
        world.run().await;
        world.assert_mirrored([iid]);
        world.all_went_well().await;
        assert_eq!(
            world.waits(),
            Vec::<String>::new(),
            "{end}: nothing was under way"
        );
    }
}
