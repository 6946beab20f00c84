//! Owing: one row per thing, and what another trigger does to it.

use crate::world::{ALL, LEASE, World, at, stories};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
    outcome::Outcome,
};
use mirror_store::{End, Owe, StoreError, WorkState};

stories! {
    a_thousand_triggers_are_one_row
    asked_again_while_it_runs_it_runs_once_more
    asked_again_while_queued_it_runs_once
    asked_again_for_later_while_it_runs_it_waits_for_that_time
    the_higher_priority_is_kept
    a_finished_row_forgets_how_urgent_it_was
    routine_does_not_bring_work_forward_but_a_change_does
    a_person_brings_work_forward
    nothing_brings_work_before_a_limits_own_time
    a_change_brings_a_failing_row_forward
    dead_letters_come_back_for_a_change_alone
    a_change_seen_while_it_runs_saves_it_from_death
    a_paused_mirror_keeps_what_it_is_owed
    dead_letters_are_retried_by_hand
    owing_to_no_mirror_is_refused_whole
}

const DONE: End<'static> = End::Done {
    outcome: &Outcome::Unchanged,
};

async fn a_thousand_triggers_are_one_row(world: World) {
    let owes = [Owe::changed(world.issue(1), Priority::Incremental); 100];
    for _ in 0..10 {
        world.store.owe(&owes).await.unwrap();
    }
    assert_eq!(world.store.due(world.mirror).await.unwrap().pending, 1);
    assert_eq!(world.claim_all().await.len(), 1);
    assert_eq!(world.claim_all().await.len(), 0);
}

async fn asked_again_while_it_runs_it_runs_once_more(world: World) {
    let fence = world.working_on(1).await;
    world.owe_changed(1).await;
    world.owe_changed(1).await;
    assert!(
        world.claim_all().await.is_empty(),
        "it never runs twice at once"
    );
    world.store.end(&fence, DONE).await.unwrap();
    let again = world.start_next().await;
    world.store.end(&again.fence, DONE).await.unwrap();
    assert!(world.claim_all().await.is_empty());
    assert!(
        world
            .store
            .unfinished(world.mirror, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn asked_again_while_queued_it_runs_once(world: World) {
    world.owe_changed(1).await;
    let claimed = world.claim_one().await;
    world.owe_changed(1).await;
    let started = world.store.start(claimed.ticket, "worker", LEASE).await;
    let fence = started.unwrap().unwrap().fence;
    world.store.end(&fence, DONE).await.unwrap();
    assert!(
        world.claim_all().await.is_empty(),
        "it read after the change"
    );
}

async fn asked_again_for_later_while_it_runs_it_waits_for_that_time(world: World) {
    let fence = world.working_on(1).await;
    let later = Owe {
        run_at: Some(at(90)),
        ..Owe::changed(world.issue(1), Priority::Incremental)
    };
    world.store.owe(&[later]).await.unwrap();
    world.store.end(&fence, DONE).await.unwrap();
    assert!(world.claim_all().await.is_empty());
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!(due.next_run_at, Some(at(90)));
    world.advance(90);
    assert_eq!(world.claim_all().await.len(), 1);
}

async fn the_higher_priority_is_kept(world: World) {
    for priority in [Priority::Incremental, Priority::ByHand, Priority::Backfill] {
        let owe = Owe::changed(world.issue(1), priority);
        world.store.owe(&[owe]).await.unwrap();
    }
    assert_eq!(world.start_next().await.priority, Priority::ByHand);
}

async fn a_finished_row_forgets_how_urgent_it_was(world: World) {
    let by_hand = Owe::changed(world.issue(1), Priority::ByHand);
    world.store.owe(&[by_hand]).await.unwrap();
    let started = world.start_next().await;
    world.store.end(&started.fence, DONE).await.unwrap();
    let backfill = Owe::changed(world.issue(1), Priority::Backfill);
    world.store.owe(&[backfill]).await.unwrap();
    assert_eq!(world.start_next().await.priority, Priority::Backfill);
}

async fn routine_does_not_bring_work_forward_but_a_change_does(world: World) {
    let in_a_while = Owe {
        run_at: Some(at(600)),
        ..Owe::routine(world.issue(1), Priority::Incremental)
    };
    world.store.owe(&[in_a_while]).await.unwrap();
    let routine = Owe::routine(world.issue(1), Priority::Incremental);
    world.store.owe(&[routine]).await.unwrap();
    assert!(world.claim_all().await.is_empty());
    world.owe_changed(1).await;
    assert_eq!(world.claim_all().await.len(), 1);
}

async fn a_person_brings_work_forward(world: World) {
    let in_a_while = Owe {
        run_at: Some(at(600)),
        ..Owe::routine(world.issue(1), Priority::Incremental)
    };
    world.store.owe(&[in_a_while]).await.unwrap();
    let by_hand = Owe::routine(world.issue(1), Priority::ByHand);
    world.store.owe(&[by_hand]).await.unwrap();
    assert_eq!(world.claim_all().await.len(), 1);
}

async fn nothing_brings_work_before_a_limits_own_time(world: World) {
    let fence = world.working_on(1).await;
    let snooze = End::Snooze {
        until: at(300),
        why: "a limit",
    };
    world.store.end(&fence, snooze).await.unwrap();
    for priority in [Priority::Incremental, Priority::ByHand] {
        let owe = Owe::changed(world.issue(1), priority);
        world.store.owe(&[owe]).await.unwrap();
    }
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!(due.next_run_at, Some(at(300)));
    assert!(world.claim_all().await.is_empty());
}

async fn a_change_brings_a_failing_row_forward(world: World) {
    let fence = world.working_on(1).await;
    let retry = End::Retry {
        at: at(300),
        error: "the target answered 502",
    };
    world.store.end(&fence, retry).await.unwrap();
    assert!(world.claim_all().await.is_empty());
    world.owe_changed(1).await;
    assert_eq!(world.start_next().await.attempts, 1);
}

async fn dead_letters_come_back_for_a_change_alone(world: World) {
    let fence = world.working_on(1).await;
    let give_up = End::GiveUp {
        error: "refused for good",
    };
    world.store.end(&fence, give_up).await.unwrap();
    for priority in [Priority::Incremental, Priority::ByHand] {
        let routine = Owe::routine(world.issue(1), priority);
        world.store.owe(&[routine]).await.unwrap();
    }
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!((due.dead, due.pending), (1, 0));
    world.owe_changed(1).await;
    let started = world.start_next().await;
    assert_eq!(started.attempts, 0);
    assert_eq!(started.priority, Priority::Incremental);
}

async fn a_change_seen_while_it_runs_saves_it_from_death(world: World) {
    let fence = world.working_on(1).await;
    world.owe_changed(1).await;
    let give_up = End::GiveUp {
        error: "refused for good",
    };
    world.store.end(&fence, give_up).await.unwrap();
    let again = world.start_next().await;
    let routine = Owe::routine(world.issue(1), Priority::Incremental);
    world.store.owe(&[routine]).await.unwrap();
    world.store.end(&again.fence, give_up).await.unwrap();
    assert_eq!(world.store.due(world.mirror).await.unwrap().dead, 1);
}

async fn a_paused_mirror_keeps_what_it_is_owed(world: World) {
    world.owe_changed(1).await;
    let claimed = world.claim_one().await;
    let pause = world.store.pause_mirror(world.mirror, "the token expired");
    pause.await.unwrap();
    let started = world.store.start(claimed.ticket, "worker", LEASE).await;
    assert!(started.unwrap().is_none(), "its ticket is void");
    world.owe_changed(1).await;
    world.owe_changed(2).await;
    assert!(world.claim_all().await.is_empty());
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!((due.pending, due.paused, due.next_run_at), (0, 2, None));
    let rows = world.store.unfinished(world.mirror, 9).await.unwrap();
    assert!(rows.iter().all(|row| row.state == WorkState::Paused));

    world.store.resume_mirror(world.mirror).await.unwrap();
    assert_eq!(world.claim_all().await.len(), 2);
}

async fn dead_letters_are_retried_by_hand(world: World) {
    let fence = world.working_on(1).await;
    let give_up = End::GiveUp {
        error: "refused for good",
    };
    world.store.end(&fence, give_up).await.unwrap();
    assert_eq!(world.store.retry_dead(world.mirror).await.unwrap(), 1);
    assert_eq!(world.store.retry_dead(world.mirror).await.unwrap(), 0);
    let started = world.start_next().await;
    assert_eq!((started.attempts, started.priority), (0, Priority::ByHand));
}

async fn owing_to_no_mirror_is_refused_whole(world: World) {
    let nowhere = Job::ScanMirror {
        mirror: MirrorId(99),
    };
    let owes = [
        Owe::changed(world.issue(1), Priority::Backfill),
        Owe::changed(nowhere, Priority::Backfill),
    ];
    let refused = world.store.owe(&owes).await;
    assert!(matches!(
        refused,
        Err(StoreError::NoSuchMirror(MirrorId(99)))
    ));
    assert!(world.store.claim(ALL, ALL, LEASE).await.unwrap().is_empty());
}
