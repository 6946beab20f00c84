//! Claiming: fair, urgent first, each row once.

use crate::world::{ALL, LEASE, World, stories};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority},
    outcome::Outcome,
};
use mirror_store::{End, Owe};
use std::collections::HashSet;

stories! {
    a_small_mirror_is_served_beside_a_large_one
    what_a_mirror_has_out_counts_against_it
    urgent_work_goes_first
    no_mirror_has_more_out_than_its_window
    one_mirrors_process_claims_its_own_alone
    work_owed_for_later_is_not_due
}

async fn backfill(world: &World, mirror: MirrorId, issues: i64, priority: Priority) {
    let owes: Vec<Owe> = (1..=issues)
        .map(|iid| {
            let iid = Iid(iid);
            Owe::changed(Job::SyncIssue { mirror, iid }, priority)
        })
        .collect();
    world.store.owe(&owes).await.unwrap();
}

async fn a_small_mirror_is_served_beside_a_large_one(world: World) {
    let small = world.another_mirror(2).await;
    backfill(&world, world.mirror, 500, Priority::Backfill).await;
    backfill(&world, small, 3, Priority::Backfill).await;
    let claimed = world.store.claim(10, ALL, LEASE).await.unwrap();
    let order: Vec<bool> = claimed.iter().map(|c| c.mirror == Some(small)).collect();
    assert_eq!(order.len(), 10);
    // They take turns as long as both have something.
    for turn in order[..6].chunks(2) {
        assert_ne!(turn[0], turn[1], "{order:?}");
    }
}

async fn what_a_mirror_has_out_counts_against_it(world: World) {
    let late = world.another_mirror(2).await;
    backfill(&world, world.mirror, 100, Priority::Backfill).await;
    assert_eq!(world.store.claim(20, ALL, LEASE).await.unwrap().len(), 20);
    backfill(&world, late, 100, Priority::Backfill).await;
    let claimed = world.store.claim(20, ALL, LEASE).await.unwrap();
    assert!(claimed.iter().all(|claimed| claimed.mirror == Some(late)));
}

async fn urgent_work_goes_first(world: World) {
    let other = world.another_mirror(2).await;
    backfill(&world, world.mirror, 50, Priority::Backfill).await;
    backfill(&world, other, 5, Priority::Incremental).await;
    let by_hand = Owe::changed(world.issue(40), Priority::ByHand);
    world.store.owe(&[by_hand]).await.unwrap();
    let claimed = world.store.claim(8, ALL, LEASE).await.unwrap();
    assert_eq!(claimed[0].key, world.issue(40).key());
    assert!(
        claimed[1..6]
            .iter()
            .all(|claimed| claimed.mirror == Some(other))
    );
    assert!(
        claimed[6..]
            .iter()
            .all(|claimed| claimed.mirror == Some(world.mirror))
    );
}

async fn no_mirror_has_more_out_than_its_window(world: World) {
    let other = world.another_mirror(2).await;
    backfill(&world, world.mirror, 20, Priority::Backfill).await;
    backfill(&world, other, 20, Priority::Incremental).await;
    assert_eq!(world.store.claim(ALL, 4, LEASE).await.unwrap().len(), 8);
    assert_eq!(world.store.claim(ALL, 4, LEASE).await.unwrap().len(), 0);
    let more = world.store.claim(ALL, 6, LEASE).await.unwrap();
    assert_eq!(more.len(), 4);
    let started = world.store.start(more[0].ticket, "worker", LEASE).await;
    let done = End::Done {
        outcome: &Outcome::Unchanged,
    };
    let fence = started.unwrap().unwrap().fence;
    world.store.end(&fence, done).await.unwrap();
    let next = world.store.claim(ALL, 6, LEASE).await.unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].mirror, more[0].mirror);
}

async fn one_mirrors_process_claims_its_own_alone(world: World) {
    let other = world.another_mirror(2).await;
    backfill(&world, world.mirror, 5, Priority::Incremental).await;
    backfill(&world, other, 5, Priority::ByHand).await;
    let claimed = world
        .store
        .claim_of(world.mirror, 100, LEASE)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 5);
    assert!(
        claimed
            .iter()
            .all(|claimed| claimed.mirror == Some(world.mirror))
    );
}

async fn work_owed_for_later_is_not_due(world: World) {
    let in_a_while = Owe {
        run_at: Some(crate::world::at(30)),
        ..Owe::changed(world.issue(1), Priority::ByHand)
    };
    world.store.owe(&[in_a_while]).await.unwrap();
    assert!(world.claim_all().await.is_empty());
    world.advance(30);
    assert_eq!(world.claim_all().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_claimers_at_once_take_each_row_once() {
    let world = World::in_file().await;
    for project in 2..=5 {
        let mirror = world.another_mirror(project).await;
        backfill(&world, mirror, 500, Priority::Backfill).await;
    }
    let claimers: Vec<_> = (0..8)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = store.claim(37, ALL, LEASE).await.unwrap();
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|claimed| claimed.ticket));
                }
            })
        })
        .collect();
    let mut tickets = Vec::new();
    for claimer in claimers {
        tickets.extend(claimer.await.unwrap());
    }
    assert_eq!(tickets.len(), 2_000);
    let rows: HashSet<_> = tickets.iter().map(|ticket| ticket.work).collect();
    assert_eq!(rows.len(), 2_000);
}
