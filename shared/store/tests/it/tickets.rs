//! Holding work: tickets, leases, and what is left when a worker is lost.

use crate::world::{LEASE, World, at, stories};
use mirror_core::{
    ids::{Iid, TicketNumber, WorkId},
    job::{Job, Ticket},
    mapping::Intended,
    outcome::{Outcome, SkipReason},
    sent::SentRequest,
};
use mirror_store::{
    Attempt, End, Ending, RunKind, RunStatus, Started, StoreError, Took, WorkState,
};
use std::time::Duration;

stories! {
    a_stale_or_doubled_ticket_finds_nothing
    a_record_is_refused_after_the_lease_was_lost_and_reissued
    a_heartbeat_keeps_the_lease
    a_snooze_burns_no_attempt
    a_retry_burns_one_and_success_forgets_them
    three_crashes_in_a_row_are_a_dead_letter
    what_ran_beside_a_killer_is_not_thought_guilty
    a_success_between_crashes_starts_the_count_anew
    a_ticket_that_ran_out_unstarted_costs_nothing
    stopping_in_good_order_costs_nothing
    what_a_killed_process_left_is_due_at_once
    work_that_kills_every_process_is_given_up_in_the_end
    each_try_is_kept_as_history_and_pruned_when_old
}

/// How long the first issue waits when it is suspected to kill its workers.
const APART: u64 = 3;

const DONE: End<'static> = End::Done {
    outcome: &Outcome::Unchanged,
};

async fn a_stale_or_doubled_ticket_finds_nothing(world: World) {
    world.owe_changed(1).await;
    let Ticket { work, ticket } = world.claim_one().await.ticket;
    for number in [ticket.0 - 1, ticket.0 + 1] {
        let stale = Ticket {
            work,
            ticket: TicketNumber(number),
        };
        let started = world.store.start(stale, "worker", LEASE).await.unwrap();
        assert!(started.is_none());
    }
    let good = Ticket { work, ticket };
    let first = world.store.start(good, "worker", LEASE).await.unwrap();
    assert!(first.is_some());
    let doubled = world.store.start(good, "other", LEASE).await.unwrap();
    assert!(doubled.is_none());
    let nowhere = Ticket {
        work: WorkId(99),
        ticket,
    };
    let none = world.store.start(nowhere, "worker", LEASE).await.unwrap();
    assert!(none.is_none());
}

async fn a_record_is_refused_after_the_lease_was_lost_and_reissued(world: World) {
    let lost = world.working_on(1).await;
    let create = Intended::Issue {
        since: None,
        numbered: false,
        asked: None,
    };
    let begun = world
        .store
        .begin_intent(&lost, world.mirror, Iid(1), create);
    let intent = begun.await.unwrap();
    world.advance(LEASE.as_secs() + 1);
    assert_eq!(world.store.lease_left(&lost), Duration::ZERO);
    assert_eq!(world.store.sweep(10).await.unwrap().returned, 1);
    let held = world.start_next().await.fence;

    let store = &world.store;
    let mapping = world.mapped(1, 501);
    let refused = [
        store.record_issue(&lost, &mapping).await,
        store
            .record_issue_created(&lost, &mapping, Some(intent.id))
            .await,
        store
            .record_time(&lost, world.mirror, Iid(1), 60, intent.id)
            .await,
        store
            .record_source_walk(&lost, world.mirror, &[], Some(at(1)))
            .await,
        store.intent_resent(&lost, intent.id, &intent.what).await,
        store.drop_intent(&lost, intent.id).await,
        store.handback(&lost).await,
        store.end(&lost, DONE).await,
    ];
    for result in refused {
        assert!(matches!(result, Err(StoreError::Fenced)), "{result:?}");
    }
    let history = store.attempts(lost.work, 9).await.unwrap();
    let endings: Vec<Ending> = history.iter().map(|attempt| attempt.ending).collect();
    assert_eq!(endings, [Ending::Crashed]);
    assert!(!store.heartbeat(&lost, LEASE).await.unwrap());
    assert_eq!(
        store.issue_mapping(world.mirror, Iid(1)).await.unwrap(),
        None
    );

    // Only the late answer itself is taken, for whoever works on it now.
    store.intent_answered(intent.id, 501).await.unwrap();
    let open = store.intents(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(open[0].candidate, Some(501));
    let adopted = store.record_issue_created(&held, &mapping, Some(intent.id));
    adopted.await.unwrap();
    assert!(
        store
            .intents(world.mirror, Iid(1))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_heartbeat_keeps_the_lease(world: World) {
    let fence = world.working_on(1).await;
    for _ in 0..5 {
        world.advance(LEASE.as_secs() - 1);
        assert!(world.store.heartbeat(&fence, LEASE).await.unwrap());
        assert_eq!(world.store.lease_left(&fence), LEASE);
    }
    assert_eq!(world.store.sweep(10).await.unwrap().returned, 0);
    world.store.end(&fence, DONE).await.unwrap();
    assert!(!world.store.heartbeat(&fence, LEASE).await.unwrap());
}

async fn a_snooze_burns_no_attempt(world: World) {
    world.owe_changed(1).await;
    for round in 1..=20 {
        let started = world.start_next().await;
        assert_eq!(started.attempts, 0);
        let snooze = End::Snooze {
            until: at(round * 10),
            why: "the limit of gitlab.a",
        };
        world.store.end(&started.fence, snooze).await.unwrap();
        let job = world.store.job(started.fence.work).await.unwrap().unwrap();
        assert_eq!(job.waiting_for.as_deref(), Some("the limit of gitlab.a"));
        assert_eq!(job.last_error, None);
        assert!(world.claim_all().await.is_empty());
        world.advance(10);
    }
}

async fn a_retry_burns_one_and_success_forgets_them(world: World) {
    world.owe_changed(1).await;
    for attempts in 0..3 {
        let started = world.start_next().await;
        assert_eq!(started.attempts, attempts);
        let retry = End::Retry {
            at: world.store.now(),
            error: "the target answered 502",
        };
        world.store.end(&started.fence, retry).await.unwrap();
    }
    let row = &world.store.unfinished(world.mirror, 9).await.unwrap()[0];
    assert_eq!(row.last_error.as_deref(), Some("the target answered 502"));
    let started = world.start_next().await;
    world.store.end(&started.fence, DONE).await.unwrap();
    world.owe_changed(1).await;
    assert_eq!(world.start_next().await.attempts, 0);
}

async fn three_crashes_in_a_row_are_a_dead_letter(world: World) {
    world.owe_changed(1).await;
    for attempts in 0..3 {
        let started = world.start_next().await;
        assert_eq!(started.attempts, attempts);
        world.advance(LEASE.as_secs());
        world.store.sweep(10).await.unwrap();
        world.advance(APART);
    }
    let row = &world.store.unfinished(world.mirror, 9).await.unwrap()[0];
    assert_eq!((row.state, row.attempts), (WorkState::Dead, 3));
    assert!(world.claim_all().await.is_empty());
}

async fn what_ran_beside_a_killer_is_not_thought_guilty(world: World) {
    let killer = 5;
    for iid in 1..=12 {
        world.owe_changed(iid).await;
    }
    for _ in 0..200 {
        let mut running = Vec::new();
        for claimed in world.claim_all().await {
            let started = world.store.start(claimed.ticket, "worker", LEASE).await;
            running.push(started.unwrap().unwrap());
        }
        let kills = |started: &Started| {
            let iid = Iid(killer);
            matches!(started.job, Ok(Job::SyncIssue { iid: of, .. }) if of == iid)
        };
        if running.iter().any(kills) {
            // All that its worker had in hand is lost with it.
            world.advance(LEASE.as_secs());
        } else {
            for started in &running {
                world.store.end(&started.fence, DONE).await.unwrap();
            }
        }
        world.store.sweep(100).await.unwrap();
        world.advance(1);
    }
    let left = world.store.unfinished(world.mirror, 99).await.unwrap();
    let left: Vec<_> = left
        .iter()
        .map(|row| (row.key.as_str(), row.state))
        .collect();
    let key = Job::SyncIssue {
        mirror: world.mirror,
        iid: Iid(killer),
    }
    .key();
    assert_eq!(left, [(key.as_str(), WorkState::Dead)]);
}

async fn a_success_between_crashes_starts_the_count_anew(world: World) {
    for _ in 0..3 {
        world.owe_changed(1).await;
        for _ in 0..2 {
            world.start_next().await;
            world.advance(LEASE.as_secs());
            assert_eq!(world.store.sweep(10).await.unwrap().dead, 0);
        }
        world.advance(APART);
        let started = world.start_next().await;
        world.store.end(&started.fence, DONE).await.unwrap();
    }
}

async fn a_ticket_that_ran_out_unstarted_costs_nothing(world: World) {
    world.owe_changed(1).await;
    for _ in 0..5 {
        world.claim_one().await;
        world.advance(LEASE.as_secs());
        let swept = world.store.sweep(10).await.unwrap();
        assert_eq!((swept.returned, swept.dead), (1, 0));
    }
    assert_eq!(world.start_next().await.attempts, 0);
}

async fn stopping_in_good_order_costs_nothing(world: World) {
    let fence = world.working_on(1).await;
    world.owe_changed(2).await;
    let unstarted = world.claim_one().await;
    world.store.handback(&fence).await.unwrap();
    assert!(world.store.unqueue(unstarted.ticket).await.unwrap());
    assert!(!world.store.unqueue(unstarted.ticket).await.unwrap());
    for _ in 0..2 {
        assert_eq!(world.start_next().await.attempts, 0);
    }
}

async fn what_a_killed_process_left_is_due_at_once(world: World) {
    let store = &world.store;
    let run = world.request(RunKind::Full).await.run;
    let scan = world.start_next().await.fence;
    store.end(&scan, DONE).await.unwrap();
    for round in 0..5 {
        let fence = world.working_on(1).await;
        world.owe_changed(2).await;
        world.claim_one().await;
        let reclaimed = store.reclaim(world.mirror).await.unwrap();
        assert_eq!((reclaimed.queued, reclaimed.running), (1, 1));
        assert_eq!(reclaimed.runs, u64::from(round == 0));
        assert!(matches!(
            store.end(&fence, DONE).await,
            Err(StoreError::Fenced)
        ));
    }
    let due = store.due(world.mirror).await.unwrap();
    assert_eq!(
        (due.pending, due.dead),
        (2, 0),
        "a killed process kills no work"
    );
    let runs = store.runs(world.mirror, 9).await.unwrap();
    assert_eq!((runs[0].id, runs[0].status), (run, RunStatus::Interrupted));
}

async fn work_that_kills_every_process_is_given_up_in_the_end(world: World) {
    let store = &world.store;
    let run = world.request(RunKind::Full).await.run;
    for _ in 0..3 {
        world.start_next().await;
        assert_eq!(store.take_back(world.mirror).await.unwrap(), 1);
        store.sweep(10).await.unwrap();
    }
    assert_eq!(store.due(world.mirror).await.unwrap().dead, 1);
    assert_eq!(store.take_back(world.mirror).await.unwrap(), 0);
    assert_eq!(world.run(run).await.status, RunStatus::Running);
    store.complete_runs().await.unwrap();
    assert_eq!(world.run(run).await.status, RunStatus::Failed);
}

async fn each_try_is_kept_as_history_and_pruned_when_old(world: World) {
    let store = &world.store;
    let skipped = Outcome::Skipped(SkipReason::IsACopy);
    let ends = [
        End::Snooze {
            until: at(0),
            why: "a limit",
        },
        End::Retry {
            at: at(0),
            error: "the target answered 502",
        },
        End::Done { outcome: &skipped },
    ];
    world.owe_changed(1).await;
    let mut took = Took::default();
    let mut work = None;
    for end in ends {
        let fence = world.start_next().await.fence;
        took.requests.push(SentRequest {
            at: at(1),
            instance: "gitlab.example.com".to_owned(),
            method: "GET".to_owned(),
            path: "/projects/1/issues/1".to_owned(),
            status: None,
            took: Duration::from_millis(7),
        });
        world.advance(1);
        store.end_after(&fence, end, &took).await.unwrap();
        work = Some(fence.work);
    }
    let work = work.unwrap();
    let history = store.attempts(work, 9).await.unwrap();
    let endings: Vec<Ending> = history.iter().map(|attempt| attempt.ending).collect();
    assert_eq!(endings, [Ending::Done, Ending::Retried, Ending::Snoozed]);
    let latest = Attempt {
        ticket: TicketNumber(3),
        owner: Some("worker".to_owned()),
        started_at: Some(at(2)),
        ended_at: at(3),
        ending: Ending::Done,
        outcome: Some(skipped),
        error: None,
        requests: took.requests,
    };
    assert_eq!(history[0], latest);
    assert_eq!(history[2].requests.iter().count(), 1);
    assert_eq!(history[1].error.as_deref(), Some("the target answered 502"));

    assert_eq!(store.prune_attempts(at(3), 1).await.unwrap(), 1);
    assert_eq!(store.prune_attempts(at(3), 10).await.unwrap(), 1);
    assert_eq!(store.attempts(work, 9).await.unwrap().len(), 1);
}
