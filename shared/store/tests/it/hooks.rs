//! By what a source's hook is known, and that it told.

use crate::world::{LEASE, World, at, stories};
use mirror_core::{
    errand::{Errand, ErrandReport},
    hook::Hint,
    ids::{ErrandId, Iid, MirrorId, ProjectId},
    job::Priority,
    outcome::Outcome,
    ports::Entropy,
};
use mirror_store::{
    Asking, Cipher, End, ErrandState, Fence, HookSecrets, StoreError, Told, UnsealError,
};
use std::sync::atomic::{AtomicU64, Ordering};

stories! {
    secrets_are_kept_before_they_are_sent_and_hold_once_they_are_set
    the_same_errand_goes_on_with_its_secrets
    a_hook_owes_its_issue_as_urgently_as_a_person
    a_signed_request_is_taken_once
    what_another_project_tells_is_not_owed
    a_mirror_that_looks_for_nothing_by_itself_is_told_in_vain
    secrets_open_under_their_key_alone
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

const URL: &str = "https://mirror.example/api/hooks/gitlab/1";

fn secrets(which: &str) -> HookSecrets {
    HookSecrets {
        token: format!("token {which}"),
        signing_key: format!("key {which}"),
    }
}

fn cipher() -> Cipher {
    Cipher::new(&[7; 32])
}

fn told_of(iid: i64) -> Hint {
    Hint {
        project: None,
        iid: Iid(iid),
    }
}

impl World {
    async fn registering(&self) -> (ErrandId, Fence) {
        let errand = Errand::RegisterHook {
            mirror: self.mirror,
            url: URL.to_owned(),
        };
        let asking = Asking {
            errand: &errand,
            by: "somebody",
            key: None,
        };
        let id = self.store.ask(&asking).await.unwrap().id;
        (id, self.start_next().await.fence)
    }

    async fn enabled(&self) {
        let mut schedule = self.store.schedule(self.mirror).await.unwrap();
        schedule.next_scan_at = Some(at(1_000_000));
        let set = self.store.set_schedule(self.mirror, &schedule).await;
        set.unwrap();
    }

    async fn prepare(&self, (id, fence): &(ErrandId, Fence), fresh: &str) -> HookSecrets {
        let of = (*id, self.mirror);
        let entropy = Counting(AtomicU64::new(1));
        let with = (&cipher(), &entropy as &dyn Entropy);
        self.store
            .prepare_hook(fence, of, URL, secrets(fresh), with)
            .await
            .unwrap()
    }

    async fn set(&self, (id, fence): &(ErrandId, Fence)) {
        let report = ErrandReport::Hook {
            hook_id: 4,
            url: URL.to_owned(),
            created: true,
            signed: true,
        };
        let of = (*id, self.mirror);
        let set = self.store.hook_is_set(fence, of, 4, &report).await;
        set.unwrap();
    }

    async fn known(&self) -> Vec<HookSecrets> {
        let known = self.store.hook_secrets(self.mirror, &cipher()).await;
        known.unwrap()
    }
}

async fn secrets_are_kept_before_they_are_sent_and_hold_once_they_are_set(world: World) {
    assert_eq!(world.known().await, []);
    let first = world.registering().await;
    assert_eq!(world.prepare(&first, "one").await, secrets("one"));
    assert_eq!(world.known().await, [secrets("one")], "it may tell already");
    world.set(&first).await;
    assert_eq!(world.known().await, [secrets("one")]);
    let entry = world.store.errand(first.0).await.unwrap().unwrap();
    assert_eq!(entry.state, ErrandState::Done);
    let second = world.registering().await;
    world.prepare(&second, "two").await;
    assert_eq!(
        world.known().await,
        [secrets("one"), secrets("two")],
        "nobody knows yet which the hook has"
    );
    world.set(&second).await;
    assert_eq!(world.known().await, [secrets("two")]);
}

async fn the_same_errand_goes_on_with_its_secrets(world: World) {
    let errand = world.registering().await;
    world.prepare(&errand, "one").await;
    assert_eq!(world.prepare(&errand, "two").await, secrets("one"));
    let other = world.registering().await;
    assert_eq!(world.prepare(&other, "three").await, secrets("three"));
}

async fn a_hook_owes_its_issue_as_urgently_as_a_person(world: World) {
    world.enabled().await;
    let store = &world.store;
    for _ in 0..100 {
        let told = store.hook_told(world.mirror, told_of(5), None).await;
        assert_eq!(told.unwrap(), Told::Owed);
    }
    let due = store.due(world.mirror).await.unwrap();
    assert_eq!(due.pending, 1);
    let started = world.start_next().await;
    assert_eq!(started.job.unwrap(), world.issue(5));
    assert_eq!(started.priority, Priority::ByHand);
    let nowhere = store.hook_told(MirrorId(999), told_of(5), None).await;
    assert!(matches!(nowhere, Err(StoreError::NoSuchMirror(_))));
}

async fn a_signed_request_is_taken_once(world: World) {
    world.enabled().await;
    let store = &world.store;
    let tell = async |id| {
        store
            .hook_told(world.mirror, told_of(5), Some(id))
            .await
            .unwrap()
    };
    assert_eq!(tell("a").await, Told::Owed);
    world.start_next().await;
    assert_eq!(tell("a").await, Told::Replayed);
    assert_eq!(tell("b").await, Told::Owed);
    world.advance(10);
    assert_eq!(store.prune_hook_receipts(at(0)).await.unwrap(), 0);
    assert_eq!(store.prune_hook_receipts(at(1)).await.unwrap(), 2);
}

async fn a_mirror_that_looks_for_nothing_by_itself_is_told_in_vain(world: World) {
    let tell = async || {
        world
            .store
            .hook_told(world.mirror, told_of(5), Some("a"))
            .await
    };
    assert_eq!(tell().await.unwrap(), Told::Unheeded);
    assert_eq!(world.store.due(world.mirror).await.unwrap().pending, 0);
    world.enabled().await;
    assert_eq!(tell().await.unwrap(), Told::Owed);
}

async fn what_another_project_tells_is_not_owed(world: World) {
    world.enabled().await;
    let tell = async |project| {
        let hint = Hint {
            project: Some(ProjectId(project)),
            ..told_of(5)
        };
        let told = world.store.hook_told(world.mirror, hint, None).await;
        told.unwrap()
    };
    assert_eq!(tell(2).await, Told::Unheeded);
    assert_eq!(world.store.due(world.mirror).await.unwrap().pending, 0);
    assert_eq!(tell(1).await, Told::Owed);
}

async fn secrets_open_under_their_key_alone(world: World) {
    let errand = world.registering().await;
    world.prepare(&errand, "one").await;
    let other = Cipher::new(&[8; 32]);
    let opened = world.store.hook_secrets(world.mirror, &other).await;
    assert!(matches!(opened, Err(StoreError::Sealed(UnsealError))));
    assert!(!format!("{:?}", secrets("one")).contains("one"));
}

#[tokio::test]
async fn a_flood_of_hooks_is_at_most_two_jobs_an_issue_and_none_is_lost() {
    let world = World::in_memory().await;
    world.enabled().await;
    let store = &world.store;
    let flood = async || {
        for hook in 0..5_000 {
            let told = store.hook_told(world.mirror, told_of(1 + hook % 100), None);
            told.await.unwrap();
        }
    };
    flood().await;
    let mut under_way = Vec::new();
    for claimed in world.claim_all().await {
        let started = store.start(claimed.ticket, "w", LEASE).await.unwrap();
        under_way.push(started.unwrap().fence);
    }
    assert_eq!(under_way.len(), 100);
    flood().await;
    let outcome = &Outcome::Updated;
    for fence in &under_way {
        store.end(fence, End::Done { outcome }).await.unwrap();
    }
    assert_eq!(
        world.claim_all().await.len(),
        100,
        "each is looked at once more"
    );
    assert!(world.claim_all().await.is_empty());
}
