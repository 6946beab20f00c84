//! Jobs as an operator sees them.

use crate::world::{LEASE, World, stories};
use mirror_core::{ids::WorkId, outcome::Outcome};
use mirror_store::{End, JobFilter, WorkState};

stories! {
    jobs_are_found_by_state_kind_and_mirror
    a_dead_letter_is_due_again_when_a_person_says_so
    a_job_that_is_put_off_is_owed_still
    a_job_that_runs_is_asked_to_stop_when_it_is_put_off
    the_whole_deployment_is_told_in_numbers
}

impl World {
    async fn keys(&self, filter: JobFilter) -> Vec<String> {
        let jobs = self.store.jobs(&filter, 10).await.unwrap();
        jobs.into_iter().map(|job| job.key).collect()
    }

    fn key(&self, iid: i64) -> String {
        format!("sync_issue/{}/{iid}", self.mirror)
    }
}

fn in_state(state: WorkState) -> JobFilter {
    JobFilter {
        state: Some(state),
        ..JobFilter::default()
    }
}

async fn jobs_are_found_by_state_kind_and_mirror(world: World) {
    let done = world.working_on(1).await;
    let outcome = &Outcome::Unchanged;
    world.store.end(&done, End::Done { outcome }).await.unwrap();
    let dead = world.working_on(2).await;
    let gone = End::GiveUp { error: "refused" };
    world.store.end(&dead, gone).await.unwrap();
    let running = world.working_on(3).await;
    world.owe_changed(4).await;
    let all = [world.key(2), world.key(3), world.key(4)];
    assert_eq!(world.keys(JobFilter::default()).await, all);
    for (state, iid) in [
        (WorkState::Dead, 2),
        (WorkState::Running, 3),
        (WorkState::Pending, 4),
    ] {
        assert_eq!(world.keys(in_state(state)).await, [world.key(iid)]);
    }
    let behind = JobFilter {
        after: Some(running.work),
        ..JobFilter::default()
    };
    assert_eq!(world.keys(behind).await, [world.key(4)]);
    let of_kind = |kind: &str| JobFilter {
        kind: Some(kind.to_owned()),
        ..JobFilter::default()
    };
    assert_eq!(world.keys(of_kind("sync_issue")).await, all);
    assert_eq!(world.keys(of_kind("scan_mirror")).await, [""; 0]);
    let other = JobFilter {
        mirror: Some(world.another_mirror(2).await),
        ..JobFilter::default()
    };
    assert_eq!(world.keys(other).await, [""; 0]);
    let rest = world.store.pause_mirror(world.mirror, "a rest").await;
    rest.unwrap();
    assert_eq!(world.keys(in_state(WorkState::Pending)).await, [""; 0]);
    assert_eq!(
        world.keys(in_state(WorkState::Paused)).await,
        [world.key(4)]
    );
    let job = world.store.job(done.work).await.unwrap().unwrap();
    assert_eq!((job.state, job.paused.as_deref()), (None, Some("a rest")));
    assert_eq!(world.store.job(WorkId(999)).await.unwrap(), None);
}

async fn a_dead_letter_is_due_again_when_a_person_says_so(world: World) {
    let fence = world.working_on(1).await;
    let gone = End::GiveUp { error: "refused" };
    world.store.end(&fence, gone).await.unwrap();
    assert_eq!(world.claim_all().await, []);
    assert!(world.store.retry_job(fence.work).await.unwrap());
    let started = world.start_next().await;
    assert_eq!((started.fence.work, started.attempts), (fence.work, 0));
    let running = world.store.retry_job(fence.work).await.unwrap();
    assert!(!running, "it runs");
    assert!(!world.store.retry_job(WorkId(999)).await.unwrap());
}

async fn a_job_that_is_put_off_is_owed_still(world: World) {
    world.owe_changed(1).await;
    let claimed = world.claim_one().await;
    let until = world.store.now() + chrono::TimeDelta::seconds(300);
    let work = claimed.ticket.work;
    assert!(world.store.put_off_job(work, until).await.unwrap());
    let void = world.store.start(claimed.ticket, "w", LEASE).await.unwrap();
    assert!(void.is_none());
    assert_eq!(world.claim_all().await, []);
    world.advance(300);
    assert_eq!(world.claim_all().await.len(), 1);
    assert!(!world.store.put_off_job(WorkId(999), until).await.unwrap());
}

async fn a_job_that_runs_is_asked_to_stop_when_it_is_put_off(world: World) {
    let fence = world.working_on(1).await;
    let until = world.store.now() + chrono::TimeDelta::seconds(300);
    assert!(world.store.put_off_job(fence.work, until).await.unwrap());
    let asked = world.store.stops_asked("worker").await.unwrap();
    assert_eq!(asked.len(), 1);
    world.store.handback(&fence).await.unwrap();
    assert_eq!(world.claim_all().await, []);
}

async fn the_whole_deployment_is_told_in_numbers(world: World) {
    world.working_on(1).await;
    world.owe_changed(2).await;
    world.claim_one().await;
    world.owe_changed(3).await;
    world.advance(7);
    let totals = world.store.work_totals().await.unwrap();
    assert_eq!(
        (totals.pending, totals.queued, totals.running, totals.dead),
        (1, 1, 1, 0)
    );
    assert_eq!(totals.oldest_due.as_secs(), 7);
    assert_eq!(totals.workers, 0);
}
