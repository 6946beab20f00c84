//! A mirror that rests for a fault goes on by itself once that is mended.

use crate::support::{World, cipher, issue, note};
use gitlab_sim::{Fault, FaultRule, TokenSpec, When};

impl World {
    async fn at_fault(&self) -> Option<String> {
        let mirror = self.cx.store.mirror(self.mirror).await.unwrap();
        assert_eq!(mirror.at_fault, mirror.paused.is_some());
        mirror.paused
    }

    /// Works for so many minutes, one at a time.
    async fn minutes(&self, minutes: u64) {
        for _ in 0..minutes {
            self.later(60);
            while self.round(8).await {}
        }
    }
}

async fn served() -> (World, u64) {
    let mut world = World::new().await;
    world.serve().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    world.later(600);
    world.say(iid, note(world.alice, "More."));
    (world, iid)
}

#[tokio::test]
async fn an_archived_target_is_looked_at_ever_more_rarely_and_goes_on_when_it_is_back() {
    let (world, iid) = served().await;
    let to = world.to.project;
    let archived = |archived| {
        world
            .target
            .edit(|sim| sim.project_mut(to).unwrap().archived = archived);
    };
    archived(true);
    world.run().await;
    assert!(world.at_fault().await.unwrap().contains("is archived"));
    world.forget_requests();
    world.minutes(60).await;
    let looks = world.source_requests();
    let looks = looks.iter().filter(|line| line.ends_with("/user")).count();
    assert_eq!(looks, 5, "after 1, 3, 7, 15 and 31 minutes");
    assert!(world.at_fault().await.unwrap().contains("is archived"));
    assert_eq!(world.writes(), Vec::<String>::new());

    archived(false);
    world.minutes(60).await;
    assert_eq!(world.at_fault().await, None);
    world.run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn a_new_token_ends_the_rest_that_the_old_one_caused() {
    for source in [true, false] {
        let (mut world, iid) = served().await;
        let (sim, end) = if source {
            (world.source.clone(), &mut world.from)
        } else {
            (world.target.clone(), &mut world.to)
        };
        let new = sim.add_token(end.token_user, TokenSpec::api(""));
        let old = std::mem::replace(&mut end.token, new);
        sim.edit(|world| world.revoke_token(&old));
        world.run().await;
        let reason = world.at_fault().await.unwrap();
        assert!(reason.contains("is not accepted any more"), "{reason}");
        world.store_token(source).await;
        world.minutes(1).await;
        assert_eq!(world.at_fault().await, None);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn a_key_that_opens_no_token_ends_the_rest_when_the_right_one_is_there() {
    let (mut world, iid) = served().await;
    world.serve_as_stored(mirror_store::Cipher::new(&[4; 32]));
    world.run().await;
    let reason = world.at_fault().await.unwrap();
    assert!(reason.contains("the token of the"), "{reason}");
    world.serve_as_stored(cipher());
    world.minutes(1).await;
    world.run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.at_fault().await, None);
}

#[tokio::test]
async fn a_look_at_an_instance_that_is_away_waits_and_never_dies() {
    let (world, iid) = served().await;
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().archived = true);
    world.run().await;
    world.target.fail(FaultRule::new(
        "*",
        ".",
        When::Always,
        Fault::ErrorBefore(502),
    ));
    world.minutes(300).await;
    let reason = world.at_fault().await.unwrap();
    assert!(
        reason.contains("is archived"),
        "what is known stays: {reason}"
    );
    let due = world.cx.store.due(world.mirror).await.unwrap();
    assert_eq!(due.dead, 0);
    world.target.clear_faults();
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().archived = false);
    world.minutes(60).await;
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn what_a_person_paused_is_not_looked_at() {
    let (world, iid) = served().await;
    let store = &world.cx.store;
    store
        .pause_mirror(world.mirror, "moving house")
        .await
        .unwrap();
    world.forget_requests();
    world.minutes(120).await;
    assert_eq!(world.source_requests(), Vec::<String>::new());
    let mirror = store.mirror(world.mirror).await.unwrap();
    assert_eq!(mirror.paused.as_deref(), Some("moving house"));
    store.resume_mirror(world.mirror).await.unwrap();
    world.run().await;
    world.assert_mirrored([iid]);
}
