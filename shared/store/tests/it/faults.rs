//! Mirrors that rest for a fault, and the looks that end it.

use crate::world::{LEASE, World, at, stories};
use mirror_core::{
    job::{Job, Priority},
    outcome::Outcome,
};
use mirror_store::{End, JobFilter, Owe, WorkState};

const REASON: &str = "the target token is not accepted any more; make a new one";

stories! {
    a_look_goes_out_although_its_mirror_rests
    a_look_that_finds_it_mended_ends_the_rest
    what_a_person_said_is_not_written_over
    a_person_who_resumes_calls_the_look_off
    a_look_of_another_mirror_is_left_alone
}

impl World {
    fn look(&self) -> Job {
        Job::CheckInstance {
            mirror: self.mirror,
        }
    }

    async fn fault(&self) -> bool {
        let store = &self.store;
        store.pause_for_fault(self.mirror, REASON).await.unwrap()
    }

    async fn keys_claimed(&self) -> Vec<String> {
        let claimed = self.claim_all().await;
        claimed.into_iter().map(|claimed| claimed.key).collect()
    }
}

async fn a_look_goes_out_although_its_mirror_rests(world: World) {
    world.owe_changed(1).await;
    let out = world.claim_one().await;
    assert!(world.fault().await);
    assert!(!world.fault().await, "the first tells it");
    let started = world.store.start(out.ticket, "worker", LEASE).await;
    assert!(started.unwrap().is_none(), "its tickets are void");
    world.advance(59);
    assert!(world.claim_all().await.is_empty());
    world.advance(1);
    let started = world.start_next().await;
    assert_eq!(started.job.unwrap(), world.look());
    let still = End::Retry {
        at: at(180),
        error: REASON,
    };
    world.store.end(&started.fence, still).await.unwrap();
    let looks = JobFilter {
        kind: Some("check_instance".to_owned()),
        state: Some(WorkState::Pending),
        ..JobFilter::default()
    };
    let jobs = world.store.jobs(&looks, 9).await.unwrap();
    assert_eq!(jobs.len(), 1, "it does not rest with its mirror");
    assert_eq!(
        (jobs[0].state, jobs[0].run_at),
        (Some(WorkState::Pending), at(180))
    );
    world.advance(119);
    assert!(world.claim_all().await.is_empty());
    world.advance(1);
    assert_eq!(world.start_next().await.attempts, 1);
}

async fn a_look_that_finds_it_mended_ends_the_rest(world: World) {
    world.owe_changed(1).await;
    world.fault().await;
    let store = &world.store;
    store.restate_fault(world.mirror, "another").await.unwrap();
    let mirror = store.mirror(world.mirror).await.unwrap();
    assert_eq!(
        (mirror.paused.as_deref(), mirror.at_fault),
        (Some("another"), true)
    );
    world.advance(60);
    let fence = world.start_next().await.fence;
    assert!(store.resume_mended(world.mirror).await.unwrap());
    let outcome = Outcome::Checked { resumed: true };
    store
        .end(&fence, End::Done { outcome: &outcome })
        .await
        .unwrap();
    let mirror = store.mirror(world.mirror).await.unwrap();
    assert_eq!((mirror.paused, mirror.at_fault), (None, false));
    assert_eq!(world.keys_claimed().await, [world.issue(1).key()]);
    assert!(
        world.fault().await,
        "the next fault is looked at as soon as the first"
    );
    world.advance(60);
    let next = world.start_next().await;
    assert_eq!((next.job.unwrap(), next.attempts), (world.look(), 0));
}

async fn what_a_person_said_is_not_written_over(world: World) {
    let store = &world.store;
    let (id, word) = (world.mirror, "moving house");
    store.pause_mirror(id, word).await.unwrap();
    assert!(!world.fault().await);
    store.restate_fault(id, REASON).await.unwrap();
    assert!(!store.resume_mended(id).await.unwrap());
    let said = async || store.mirror(id).await.unwrap().paused;
    assert_eq!(said().await.as_deref(), Some(word));
    store.resume_mirror(id).await.unwrap();
    world.fault().await;
    store.pause_mirror(id, word).await.unwrap();
    world.advance(3_600);
    assert!(world.claim_all().await.is_empty(), "nobody looks any more");
    assert!(!store.resume_mended(id).await.unwrap());
    assert_eq!(said().await.as_deref(), Some(word));
}

async fn a_person_who_resumes_calls_the_look_off(world: World) {
    world.fault().await;
    world.store.resume_mirror(world.mirror).await.unwrap();
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!((due.pending, due.paused), (0, 0));
    assert!(world.fault().await);
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!(due.paused, 1);
}

async fn a_look_of_another_mirror_is_left_alone(world: World) {
    let other = world.another_mirror(2).await;
    world.fault().await;
    world.store.pause_for_fault(other, REASON).await.unwrap();
    world
        .store
        .owe(&[Owe::changed(world.scan(), Priority::ByHand)])
        .await
        .unwrap();
    world.advance(60);
    let only = world.store.claim_of(other, 10, LEASE).await.unwrap();
    let keys: Vec<&str> = only.iter().map(|claimed| claimed.key.as_str()).collect();
    assert_eq!(keys, [Job::CheckInstance { mirror: other }.key()]);
    assert_eq!(world.store.claim(0, 10, LEASE).await.unwrap(), []);
    assert_eq!(world.keys_claimed().await, [world.look().key()]);
}
