//! Runs: joined, counted, ended once, cancelled (rule 23).

use crate::world::{LEASE, World, stories};
use mirror_core::{
    ids::Iid,
    job::{Job, Priority},
    outcome::{Outcome, SkipReason},
    sent::SentRequests,
};
use mirror_store::{
    Effort, End, Fence, Owe, RunCounts, RunKind, RunRequest, RunStatus, StoreError, Took, WorkState,
};
use tokio::task::JoinSet;

stories! {
    a_run_ends_when_its_scan_and_all_that_it_found_have_ended
    a_run_counts_what_each_issue_came_to_and_what_it_took
    many_who_end_jobs_of_one_run_at_once_are_all_counted
    a_run_of_single_issues_tells_which_it_was_asked_for
    who_asks_again_joins_and_is_served_by_what_begins_from_now_on
    work_that_began_before_it_was_asked_for_serves_nobody
    a_row_may_be_waited_for_by_several_runs
    a_run_that_nothing_waits_for_is_ended_once
    a_cancelled_runs_work_is_owed_still_and_waits_for_the_next_turn
    work_that_another_run_waits_for_is_not_put_off
    a_job_of_a_cancelled_run_is_asked_to_stop
    a_run_is_ended_by_force_with_what_is_open_counted_as_failed
    dead_letters_of_lost_workers_settle_their_runs
    old_runs_are_forgotten_and_uneventful_ones_sooner
    a_scan_knows_whether_a_full_run_waits_for_it
}

const UNCHANGED: End<'static> = End::Done {
    outcome: &Outcome::Unchanged,
};
const SCANNED: End<'static> = End::Done {
    outcome: &Outcome::Scanned { owed: 0 },
};

impl World {
    async fn found(&self, scan: &Fence, iids: impl IntoIterator<Item = i64>) {
        let owes: Vec<Owe> = iids
            .into_iter()
            .map(|iid| Owe::changed(self.issue(iid), Priority::Incremental))
            .collect();
        let walk = self
            .store
            .record_source_walk(scan, self.mirror, &owes, None);
        walk.await.unwrap();
    }

    async fn work_on_next(&self, end: End<'_>) {
        let fence = self.start_next().await.fence;
        self.store.end(&fence, end).await.unwrap();
    }

    async fn status(&self, run: mirror_core::ids::RunId) -> RunStatus {
        self.store.complete_runs().await.unwrap();
        self.run(run).await.status
    }
}

async fn a_run_ends_when_its_scan_and_all_that_it_found_have_ended(world: World) {
    let requested = world.request(RunKind::Incremental).await;
    assert!(!requested.coalesced);
    let scan = world.start_next().await.fence;
    world.found(&scan, [1, 2]).await;
    assert_eq!(world.run(requested.run).await.open, 3);
    world.store.end(&scan, SCANNED).await.unwrap();
    for open in [2, 1] {
        assert_eq!(world.status(requested.run).await, RunStatus::Running);
        assert_eq!(world.run(requested.run).await.open, open);
        world.work_on_next(UNCHANGED).await;
    }
    let ended = world.store.complete_runs().await.unwrap();
    assert_eq!((ended.len(), ended[0].id), (1, requested.run));
    assert_eq!(ended[0].status, RunStatus::Completed);
    assert_eq!(ended[0].requested_by, "somebody");
    assert_eq!(ended[0].completed_at, Some(world.store.now()));
    assert_eq!(world.store.complete_runs().await.unwrap(), []);
}

async fn a_run_counts_what_each_issue_came_to_and_what_it_took(world: World) {
    let store = &world.store;
    let run = world.request(RunKind::Full).await.run;
    let scan = world.start_next().await.fence;
    world.found(&scan, 1..=6).await;
    let took = |comments, attachments, api_calls| Took {
        effort: Effort {
            comments,
            attachments,
            api_calls,
            waits: api_calls / 3,
        },
        requests: SentRequests::default(),
    };
    let scanned = took(0, 0, 7);
    store.end_after(&scan, SCANNED, &scanned).await.unwrap();
    let skipped = Outcome::Skipped(SkipReason::IsACopy);
    let retry = End::Retry {
        at: store.now(),
        error: "the target answered 502",
    };
    let done = |outcome| End::Done { outcome };
    let ends = [
        (done(&Outcome::Created), took(2, 1, 9)),
        (done(&Outcome::Updated), took(0, 0, 2)),
        (done(&Outcome::Unchanged), took(0, 0, 0)),
        (done(&skipped), took(0, 0, 1)),
        (End::GiveUp { error: "refused" }, took(0, 0, 1)),
        (retry, took(1, 0, 3)),
        (done(&Outcome::Updated), took(1, 0, 3)),
    ];
    for (end, took) in ends {
        let fence = world.start_next().await.fence;
        store.end_after(&fence, end, &took).await.unwrap();
    }
    let counts = RunCounts {
        processed: 6,
        created: 1,
        updated: 2,
        unchanged: 1,
        skipped: 1,
        failed: 1,
        comments: 4,
        attachments: 1,
        api_calls: 26,
        waits: 7,
    };
    let so_far = world.run(run).await;
    assert_eq!((so_far.status, so_far.counts), (RunStatus::Running, counts));
    assert_eq!(world.status(run).await, RunStatus::Partial);
    let ended = world.run(run).await;
    assert_eq!(ended.counts, counts);
    assert_eq!(ended.error_details.as_deref(), Some("refused"));
}

async fn many_who_end_jobs_of_one_run_at_once_are_all_counted(world: World) {
    let run = world.request(RunKind::Full).await.run;
    let scan = world.start_next().await.fence;
    world.found(&scan, 1..=64).await;
    world.store.end(&scan, SCANNED).await.unwrap();
    let mut ends = JoinSet::new();
    for claimed in world.claim_all().await {
        let store = world.store.clone();
        ends.spawn(async move {
            let started = store.start(claimed.ticket, "worker", LEASE).await.unwrap();
            store.end(&started.unwrap().fence, UNCHANGED).await.unwrap();
        });
    }
    while let Some(ended) = ends.join_next().await {
        ended.unwrap();
    }
    let run = world.run(run).await;
    let counts = (run.counts.processed, run.counts.unchanged, run.open);
    assert_eq!((run.status, counts), (RunStatus::Running, (64, 64, 0)));
}

async fn a_run_of_single_issues_tells_which_it_was_asked_for(world: World) {
    let ask = async |issues: &[i64]| {
        let jobs: Vec<Job> = issues.iter().map(|iid| world.issue(*iid)).collect();
        let request = RunRequest {
            mirror: world.mirror,
            kind: RunKind::SingleIssue,
            jobs: &jobs,
            priority: Priority::ByHand,
            by: "somebody",
        };
        world.store.request_run(&request).await.unwrap()
    };
    let first = ask(&[7, 3]).await;
    let second = ask(&[7, 9]).await;
    assert_eq!((second.run, second.coalesced), (first.run, true));
    let asked = world.store.asked_for(first.run).await.unwrap();
    assert_eq!(asked, [Iid(3), Iid(7), Iid(9)]);
    let whole = world.request(RunKind::Full).await.run;
    assert_eq!(world.store.asked_for(whole).await.unwrap(), []);
}

async fn who_asks_again_joins_and_is_served_by_what_begins_from_now_on(world: World) {
    let first = world.request(RunKind::Incremental).await;
    let second = world.request(RunKind::Incremental).await;
    assert_eq!((second.run, second.coalesced), (first.run, true));
    let scan = world.start_next().await.fence;
    let third = world.request(RunKind::Incremental).await;
    assert_eq!((third.run, third.coalesced), (first.run, true));
    world.store.end(&scan, SCANNED).await.unwrap();
    assert_eq!(
        world.status(first.run).await,
        RunStatus::Running,
        "that scan had begun before the third asked"
    );
    world.work_on_next(SCANNED).await;
    assert_eq!(world.status(first.run).await, RunStatus::Completed);
    let later = world.request(RunKind::Incremental).await;
    assert!(later.run != first.run && !later.coalesced);
}

async fn work_that_began_before_it_was_asked_for_serves_nobody(world: World) {
    let early = world.working_on(1).await;
    let run = world.request(RunKind::Incremental).await.run;
    let scan = world.start_next().await.fence;
    world.found(&scan, [1]).await;
    world.store.end(&scan, SCANNED).await.unwrap();
    world.store.end(&early, UNCHANGED).await.unwrap();
    assert_eq!(world.status(run).await, RunStatus::Running);
    world.work_on_next(UNCHANGED).await;
    assert_eq!(world.status(run).await, RunStatus::Completed);
}

async fn a_row_may_be_waited_for_by_several_runs(world: World) {
    let one = world.request(RunKind::Incremental).await.run;
    let other = world.request(RunKind::Full).await.run;
    assert_ne!(one, other);
    let scan = world.start_next().await.fence;
    world.found(&scan, [1]).await;
    world.store.end(&scan, SCANNED).await.unwrap();
    world.work_on_next(UNCHANGED).await;
    let ended = world.store.complete_runs().await.unwrap();
    assert_eq!(ended.len(), 2);
}

async fn a_run_that_nothing_waits_for_is_ended_once(world: World) {
    let run = world.request(RunKind::Incremental).await.run;
    world.work_on_next(SCANNED).await;
    let (one, other) = tokio::join!(world.store.complete_runs(), world.store.complete_runs());
    let ended: Vec<_> = one.unwrap().into_iter().chain(other.unwrap()).collect();
    assert_eq!((ended.len(), ended[0].id), (1, run));
}

async fn a_cancelled_runs_work_is_owed_still_and_waits_for_the_next_turn(world: World) {
    let store = &world.store;
    let run = world.request(RunKind::Incremental).await.run;
    let scan = world.start_next().await.fence;
    world.found(&scan, [1, 2]).await;
    store.end(&scan, SCANNED).await.unwrap();
    let out = world.claim_one().await;
    store.cancel_run(run).await.unwrap();
    assert_eq!(world.run(run).await.status, RunStatus::Cancelled);
    let again = store.cancel_run(run).await;
    assert!(matches!(again, Err(StoreError::NoSuchRun(_))));
    assert!(store.start(out.ticket, "w", LEASE).await.unwrap().is_none());
    assert_eq!(world.claim_all().await, []);
    let left = store.unfinished(world.mirror, 9).await.unwrap();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|row| row.state == WorkState::Pending));
    world.advance(300);
    assert_eq!(world.claim_all().await.len(), 2);
}

async fn work_that_another_run_waits_for_is_not_put_off(world: World) {
    let one = world.request(RunKind::Incremental).await.run;
    let other = world.request(RunKind::Full).await.run;
    let scan = world.start_next().await.fence;
    world.found(&scan, [1]).await;
    world.store.end(&scan, SCANNED).await.unwrap();
    world.store.cancel_run(one).await.unwrap();
    world.work_on_next(UNCHANGED).await;
    assert_eq!(world.status(other).await, RunStatus::Completed);
}

async fn a_job_of_a_cancelled_run_is_asked_to_stop(world: World) {
    let store = &world.store;
    let run = world.request(RunKind::Incremental).await.run;
    let started = world.start_next().await;
    assert_eq!(store.stops_asked("worker").await.unwrap(), []);
    store.cancel_run(run).await.unwrap();
    assert_eq!(store.stops_asked("another").await.unwrap(), []);
    let asked = store.stops_asked("worker").await.unwrap();
    assert_eq!((asked.len(), asked[0].work), (1, started.fence.work));
    store.handback(&started.fence).await.unwrap();
    assert_eq!(store.stops_asked("worker").await.unwrap(), []);
    assert_eq!(world.claim_all().await, [], "it waits for the next turn");
    world.advance(300);
    world.start_next().await;
    assert_eq!(store.stops_asked("worker").await.unwrap(), []);
}

async fn a_run_is_ended_by_force_with_what_is_open_counted_as_failed(world: World) {
    let store = &world.store;
    for (error, status) in [
        (None, RunStatus::Partial),
        (Some("the token is not accepted"), RunStatus::Failed),
    ] {
        let run = world.request(RunKind::Incremental).await.run;
        let scan = world.start_next().await.fence;
        world.found(&scan, [1]).await;
        store.end(&scan, SCANNED).await.unwrap();
        let ended = store.finish_run(run, error).await.unwrap();
        assert_eq!((ended.status, ended.counts.failed), (status, 1));
        assert_eq!(ended.error_details.as_deref(), error);
        let twice = store.finish_run(run, error).await;
        assert!(matches!(twice, Err(StoreError::NoSuchRun(_))));
        world.work_on_next(UNCHANGED).await;
    }
}

async fn dead_letters_of_lost_workers_settle_their_runs(world: World) {
    let run = world.request(RunKind::Incremental).await.run;
    let scan = world.start_next().await.fence;
    world.found(&scan, [1]).await;
    world.store.end(&scan, SCANNED).await.unwrap();
    for _ in 0..3 {
        assert_eq!(world.status(run).await, RunStatus::Running);
        world.start_next().await;
        world.advance(61);
        world.store.sweep(10).await.unwrap();
        world.advance(3);
    }
    assert_eq!(world.status(run).await, RunStatus::Partial);
}

async fn old_runs_are_forgotten_and_uneventful_ones_sooner(world: World) {
    let store = &world.store;
    let eventful = world.request(RunKind::Incremental).await.run;
    world.work_on_next(SCANNED).await;
    store.complete_runs().await.unwrap();
    world.advance(100);
    let now = store.now();
    assert_eq!(store.prune_runs(now, now, 10).await.unwrap(), 1);
    assert_eq!(store.run(eventful).await.unwrap(), None);
    let under_way = world.request(RunKind::Incremental).await.run;
    world.advance(100);
    let now = store.now();
    assert_eq!(store.prune_runs(now, now, 10).await.unwrap(), 0);
    assert!(store.run(under_way).await.unwrap().is_some());
}

async fn a_scan_knows_whether_a_full_run_waits_for_it(world: World) {
    let store = &world.store;
    world.request(RunKind::Incremental).await;
    let scan = world.start_next().await.fence;
    assert!(!store.serves_full_run(&scan).await.unwrap());
    world.request(RunKind::Full).await;
    assert!(
        !store.serves_full_run(&scan).await.unwrap(),
        "it began as another"
    );
    store.end(&scan, SCANNED).await.unwrap();
    let scan = world.start_next().await.fence;
    assert!(store.serves_full_run(&scan).await.unwrap());
}
