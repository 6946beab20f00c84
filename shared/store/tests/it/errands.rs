//! What people want of a GitLab, from the asking to what came of it.

use crate::world::{LEASE, World, at, stories};
use mirror_core::{
    errand::{Errand, ErrandReport, InstanceReport, NamedProject},
    ids::{ErrandId, Iid, InstanceId, MirrorId},
    job::{Job, Priority},
    outcome::Outcome,
};
use mirror_store::{
    Asking, End, ErrandEntry, ErrandFilter, ErrandState, MadeMirror, Started, StoreError,
};

stories! {
    an_errand_is_owed_with_its_asking_and_done_once
    the_same_key_is_the_same_errand
    an_errand_goes_out_although_its_mirror_rests
    few_errands_are_out_at_once
    a_process_that_has_one_mirrors_tokens_does_no_errands
    what_was_done_is_not_done_again
    who_lost_the_lease_writes_nothing
    an_errand_that_waits_says_for_what
    an_errand_that_kills_its_workers_fails
    a_mirror_is_made_together_with_the_end_of_its_errand
    errands_go_with_what_they_are_about
    errands_are_listed_page_by_page_the_latest_first
    old_errands_are_forgotten_with_their_work
}

impl World {
    async fn sent_for(&self, errand: &Errand, key: Option<&str>) -> ErrandId {
        let by = "somebody";
        let asking = Asking { errand, by, key };
        self.store.ask(&asking).await.unwrap().id
    }

    fn check(&self) -> Errand {
        Errand::CheckInstance {
            instance: self.source,
        }
    }

    fn plan(&self, iids: &[i64]) -> Errand {
        Errand::Plan {
            mirror: self.mirror,
            iids: iids.iter().copied().map(Iid).collect(),
        }
    }

    async fn errand(&self, id: ErrandId) -> ErrandEntry {
        self.store.errand(id).await.unwrap().unwrap()
    }

    /// The next of the rows that are due is this errand's.
    async fn start(&self, id: ErrandId) -> Started {
        let started = self.start_next().await;
        assert_eq!(started.job, Ok(Job::Errand { errand: id }));
        started
    }

    async fn end_done(&self, started: &Started) {
        let outcome = &Outcome::Errand;
        let end = End::Done { outcome };
        self.store.end(&started.fence, end).await.unwrap();
    }
}

fn well() -> ErrandReport {
    ErrandReport::Instance(InstanceReport {
        well: true,
        findings: Vec::new(),
    })
}

async fn an_errand_is_owed_with_its_asking_and_done_once(world: World) {
    let errand = world.check();
    let id = world.sent_for(&errand, None).await;
    let entry = world.errand(id).await;
    assert_eq!(
        (entry.state, entry.kind.as_str()),
        (ErrandState::Waiting, "check_instance")
    );
    assert_eq!((entry.instance, entry.mirror), (Some(world.source), None));
    assert_eq!(
        (entry.asked_by.as_str(), entry.asked_at),
        ("somebody", at(0))
    );
    world.advance(5);
    let started = world.start(id).await;
    assert_eq!(started.priority, Priority::ByHand);
    let store = &world.store;
    let found = store.start_errand(&started.fence, id).await.unwrap();
    assert_eq!(found, Some(errand));
    assert_eq!(world.errand(id).await.state, ErrandState::Running);
    world.advance(5);
    store
        .errand_done(&started.fence, id, &well())
        .await
        .unwrap();
    world.end_done(&started).await;
    let entry = world.errand(id).await;
    assert_eq!(entry.state, ErrandState::Done);
    assert_eq!(
        (entry.started_at, entry.ended_at),
        (Some(at(5)), Some(at(10)))
    );
    let result: ErrandReport = serde_json::from_value(entry.result.unwrap()).unwrap();
    assert_eq!(result, well());
    world.advance(3_600);
    assert!(world.claim_all().await.is_empty());
}

async fn the_same_key_is_the_same_errand(world: World) {
    let first = world.sent_for(&world.check(), Some("k")).await;
    assert_eq!(world.sent_for(&world.check(), Some("k")).await, first);
    let other = world.sent_for(&world.plan(&[]), Some("k")).await;
    assert_ne!(other, first, "a key is of what it was used for");
    assert_ne!(world.sent_for(&world.plan(&[1]), Some("k")).await, other);
    assert_ne!(world.sent_for(&world.check(), Some("l")).await, first);
    let keyless = world.sent_for(&world.check(), None).await;
    assert_ne!(world.sent_for(&world.check(), None).await, keyless);
    assert_eq!(world.claim_all().await.len(), 4, "as many as go at once");
}

async fn an_errand_goes_out_although_its_mirror_rests(world: World) {
    world.owe_changed(1).await;
    let store = &world.store;
    store.pause_mirror(world.mirror, "moving").await.unwrap();
    let id = world.sent_for(&world.plan(&[]), None).await;
    world.start(id).await;
    assert!(world.claim_all().await.is_empty());
}

async fn few_errands_are_out_at_once(world: World) {
    for key in 0..6 {
        world.sent_for(&world.check(), Some(&key.to_string())).await;
    }
    world.owe_changed(1).await;
    let claimed = world.claim_all().await;
    let errands = claimed.iter().filter(|row| row.mirror.is_none()).count();
    assert_eq!((errands, claimed.len()), (4, 5));
    assert!(world.claim_all().await.is_empty());
    let ticket = claimed[0].ticket;
    let started = world.store.start(ticket, "w", LEASE).await.unwrap();
    world.end_done(&started.unwrap()).await;
    assert_eq!(world.claim_all().await.len(), 1);
}

async fn a_process_that_has_one_mirrors_tokens_does_no_errands(world: World) {
    world.sent_for(&world.plan(&[]), None).await;
    let store = &world.store;
    assert_eq!(store.claim_of(world.mirror, 9, LEASE).await.unwrap(), []);
    assert_eq!(store.due(world.mirror).await.unwrap().pending, 0);
    assert_eq!(world.claim_all().await.len(), 1);
    assert_eq!(store.unqueue_all(Some(world.mirror)).await.unwrap(), 0);
    assert_eq!(store.unqueue_all(None).await.unwrap(), 1);
    assert_eq!(world.claim_all().await.len(), 1);
}

async fn what_was_done_is_not_done_again(world: World) {
    let id = world.sent_for(&world.check(), None).await;
    let lost = world.start(id).await;
    let store = &world.store;
    store.start_errand(&lost.fence, id).await.unwrap().unwrap();
    store.errand_done(&lost.fence, id, &well()).await.unwrap();
    // Its worker dies before the row of work has ended.
    world.advance(61);
    store.sweep(9).await.unwrap();
    let again = world.start(id).await;
    assert_eq!(store.start_errand(&again.fence, id).await.unwrap(), None);
    let failed = store.errand_failed(&again.fence, id, "no").await;
    failed.unwrap();
    assert_eq!(world.errand(id).await.state, ErrandState::Done);
}

async fn who_lost_the_lease_writes_nothing(world: World) {
    let id = world.sent_for(&world.check(), None).await;
    let lost = world.start(id).await.fence;
    world.advance(61);
    let store = &world.store;
    store.sweep(9).await.unwrap();
    let fenced = [
        store.start_errand(&lost, id).await.map(drop),
        store.errand_done(&lost, id, &well()).await,
        store.errand_failed(&lost, id, "no").await,
        store.errand_waits(&lost, id, "for rain").await,
    ];
    for refused in fenced {
        assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    }
    assert_eq!(world.errand(id).await.state, ErrandState::Waiting);
}

async fn an_errand_that_waits_says_for_what(world: World) {
    let id = world.sent_for(&world.check(), None).await;
    let started = world.start(id).await;
    let (store, fence) = (&world.store, &started.fence);
    store.start_errand(fence, id).await.unwrap();
    store
        .errand_waits(fence, id, "over the limit")
        .await
        .unwrap();
    let why = "over the limit";
    let until = at(30);
    let end = End::Snooze { until, why };
    store.end(fence, end).await.unwrap();
    let entry = world.errand(id).await;
    assert_eq!(
        (entry.state, entry.problem.as_deref()),
        (ErrandState::Waiting, Some(why))
    );
    world.advance(30);
    let started = world.start(id).await;
    store.start_errand(&started.fence, id).await.unwrap();
    assert_eq!(world.errand(id).await.problem, None);
}

async fn an_errand_that_kills_its_workers_fails(world: World) {
    let id = world.sent_for(&world.check(), None).await;
    for _ in 0..3 {
        world.advance(61);
        let started = world.start(id).await;
        let store = &world.store;
        store.start_errand(&started.fence, id).await.unwrap();
        world.advance(61);
        store.sweep(9).await.unwrap();
    }
    let entry = world.errand(id).await;
    assert_eq!(entry.state, ErrandState::Failed);
    let problem = entry.problem.unwrap();
    assert!(problem.contains("its worker was lost"), "{problem}");
    world.advance(3_600);
    assert!(world.claim_all().await.is_empty());
}

async fn a_mirror_is_made_together_with_the_end_of_its_errand(world: World) {
    let named = |project: &str| NamedProject {
        instance: Some(world.source),
        project: project.to_owned(),
    };
    let errand = Errand::ConnectMirror {
        source: named("a/b"),
        target: named("c/d"),
    };
    let id = world.sent_for(&errand, None).await;
    let fence = world.start(id).await.fence;
    let (store, new) = (&world.store, world.new_mirror(9));
    let make = async |new| store.errand_makes_mirror(&fence, id, new, Vec::new()).await;
    let old = world.new_mirror(1);
    let there = make(&old).await.unwrap();
    assert_eq!(there, MadeMirror::Already(world.mirror));
    assert_eq!(world.errand(id).await.state, ErrandState::Waiting);
    let MadeMirror::New(made) = make(&new).await.unwrap() else {
        panic!("it is new");
    };
    let mirror = store.mirror(made).await.unwrap();
    assert_eq!((mirror.source, mirror.target), (new.source, new.target));
    assert_eq!(store.schedule(made).await.unwrap().next_scan_at, None);
    let entry = world.errand(id).await;
    assert_eq!(entry.state, ErrandState::Done);
    assert_eq!(entry.result.unwrap()["mirror_id"], made.0);
}

async fn errands_go_with_what_they_are_about(world: World) {
    let asking = |errand| Asking {
        errand,
        by: "somebody",
        key: None,
    };
    let nowhere = Errand::Plan {
        mirror: MirrorId(999),
        iids: Vec::new(),
    };
    let refused = world.store.ask(&asking(&nowhere)).await;
    assert!(matches!(
        refused,
        Err(StoreError::NoSuchMirror(MirrorId(999)))
    ));
    let nobody = Errand::CheckInstance {
        instance: InstanceId(999),
    };
    let refused = world.store.ask(&asking(&nobody)).await;
    assert!(matches!(refused, Err(StoreError::NoSuchInstance(_))));
    assert!(world.claim_all().await.is_empty());
}

async fn errands_are_listed_page_by_page_the_latest_first(world: World) {
    let mut asked = Vec::new();
    for iid in 1..=3 {
        asked.push(world.sent_for(&world.plan(&[iid]), None).await);
        asked.push(world.sent_for(&world.check(), None).await);
    }
    let list = async |filter: &ErrandFilter, limit| -> Vec<ErrandId> {
        let rows = world.store.errands(filter, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    let mut filter = ErrandFilter::default();
    assert_eq!(list(&filter, 2).await, [asked[5], asked[4]]);
    filter.before = Some(asked[4]);
    assert_eq!(list(&filter, 2).await, [asked[3], asked[2]]);
    let filter = ErrandFilter {
        kind: Some("plan".to_owned()),
        state: Some(ErrandState::Waiting),
        mirror: Some(world.mirror),
        ..ErrandFilter::default()
    };
    assert_eq!(list(&filter, 9).await, [asked[4], asked[2], asked[0]]);
    let filter = ErrandFilter {
        offset: 1,
        ..filter
    };
    assert_eq!(list(&filter, 9).await, [asked[2], asked[0]]);
    let mut filter = ErrandFilter {
        instance: Some(world.source),
        before: Some(asked[5]),
        ..ErrandFilter::default()
    };
    assert_eq!(list(&filter, 9).await, [asked[3], asked[1]]);
    filter.instance = Some(world.target);
    assert_eq!(list(&filter, 9).await, []);
    for (kind, state) in [(Some("plan"), None), (None, Some(ErrandState::Waiting))] {
        let filter = ErrandFilter {
            kind: kind.map(str::to_owned),
            state,
            before: Some(asked[1]),
            ..ErrandFilter::default()
        };
        assert_eq!(list(&filter, 9).await, [asked[0]]);
    }
    let done = ErrandFilter {
        state: Some(ErrandState::Done),
        ..ErrandFilter::default()
    };
    assert_eq!(list(&done, 9).await, []);
}

async fn old_errands_are_forgotten_with_their_work(world: World) {
    let id = world.sent_for(&world.check(), Some("k")).await;
    let started = world.start(id).await;
    let store = &world.store;
    store
        .errand_failed(&started.fence, id, "because")
        .await
        .unwrap();
    world.end_done(&started).await;
    world.advance(100);
    let young = world.sent_for(&world.check(), None).await;
    assert_eq!(store.prune_errands(at(0), 9).await.unwrap(), 0);
    assert_eq!(store.prune_errands(at(1), 9).await.unwrap(), 1);
    assert_eq!(store.errand(id).await.unwrap(), None);
    assert_eq!(store.job(started.fence.work).await.unwrap(), None);
    assert_eq!(world.errand(young).await.state, ErrandState::Waiting);
    let anew = world.sent_for(&world.check(), Some("k")).await;
    assert!(anew > young, "numbers are not used again");
}
