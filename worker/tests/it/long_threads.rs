//! The comments of a long thread are created in parts, between which others have their turn.

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{HookVerdict, Phase};
use mirror_worker::{Mode, Settings};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const PART: usize = 3;

async fn with_a_long_thread(comments: usize) -> (World, u64) {
    let settings = Settings {
        comments_at_once: PART,
        ..Settings::default()
    };
    let world = World::with(Stage::new(), settings, Mode::Sync).await;
    let iid = world.write(issue(world.alice, "Long"));
    for n in 0..comments {
        world.say(iid, note(world.alice, &format!("Comment {n}.")));
    }
    (world, iid)
}

#[tokio::test]
async fn others_have_their_turn_between_the_parts_of_a_long_thread() {
    let (world, long) = with_a_long_thread(10).await;
    let other = world.write(issue(world.alice, "Other"));
    world.run().await;
    world.assert_mirrored([long, other]);
    world.all_went_well().await;
    let writes = world.writes();
    let created: Vec<&str> = writes
        .iter()
        .filter_map(|write| write.strip_prefix("POST "))
        .map(|path| path.rsplit('/').next().unwrap())
        .filter(|what| *what == "issues" || *what == "notes")
        .collect();
    let second = created.iter().rposition(|what| *what == "issues");
    assert_eq!(second, Some(PART + 1), "{created:?}");
    assert_eq!(created.len(), 12, "each once: {created:?}");
    world.forget_requests();
    world.later(600);
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_thread_of_exactly_its_parts_is_not_looked_at_in_vain() {
    let (world, long) = with_a_long_thread(PART).await;
    world.run().await;
    world.assert_mirrored([long]);
    assert_eq!(world.waits(), Vec::<String>::new());
}

#[tokio::test]
async fn a_worker_lost_after_each_part_costs_no_comment_and_makes_none_twice() {
    let (mut world, long) = with_a_long_thread(10).await;
    world.owe_scan().await;
    while world.round(1).await {
        world.restart().await;
    }
    world.assert_mirrored([long]);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn answers_lost_at_the_edges_of_parts_make_nothing_missing_or_double() {
    let (world, long) = with_a_long_thread(10).await;
    let seen = Arc::new(AtomicUsize::new(0));
    world.target.set_hook(Arc::new(move |event| {
        let created =
            event.phase == Phase::After && event.method == "POST" && event.path.ends_with("/notes");
        let lost = created && seen.fetch_add(1, Ordering::SeqCst) % PART >= PART - 2;
        Box::pin(async move {
            if lost {
                HookVerdict::Reset
            } else {
                HookVerdict::Go
            }
        })
    }));
    world.run().await;
    world.assert_mirrored([long]);
    assert_eq!(world.unfinished().await, Vec::new());
}
