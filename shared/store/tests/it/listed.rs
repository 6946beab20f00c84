//! Lists that operators walk through.

use crate::world::{World, stories};
use mirror_core::{
    ids::{Iid, MirrorId, WorkId},
    job::Priority,
    mapping::MappingStatus,
    outcome::Outcome,
};
use mirror_store::{
    Answered, Changed, Cipher, End, InstanceAccess, IssueFilter, JobFilter, RunFilter, RunKind,
    StoreError, Unlinked, WorkState,
};
use std::time::Duration;

stories! {
    issues_are_walked_through_by_page_status_and_number
    mirrors_are_walked_through
    an_instance_is_changed_by_who_knows_it_and_deleted_by_nobody_while_it_is_used
    a_mirror_is_forgotten_with_all_that_is_on_record_of_it
    runs_are_walked_through_latest_first_and_tell_what_went_wrong
    jobs_are_found_by_instance_age_and_error
    a_queue_that_rests_hands_nothing_out
    an_issue_that_was_taken_out_is_blocked_until_it_is_put_back
    a_request_is_answered_as_the_first_time
    what_happened_of_late_is_told_from_then_on
}

impl World {
    async fn page(&self, filter: IssueFilter, limit: u32) -> Vec<i64> {
        let rows = self.store.listed_issues(self.mirror, &filter, limit).await;
        rows.unwrap()
            .iter()
            .map(|row| row.source_issue_iid)
            .collect()
    }

    /// Five issues: 2 and 4 skipped, the others in line.
    async fn five_issues(&self) {
        for iid in 1..=5 {
            let fence = self.working_on(iid).await;
            let mut mapping = self.mapped(iid, 100 + iid);
            if iid % 2 == 0 {
                mapping.status = MappingStatus::Skipped("not ours".to_owned());
            }
            self.store.record_issue(&fence, &mapping).await.unwrap();
            let outcome = &Outcome::Unchanged;
            self.store.end(&fence, End::Done { outcome }).await.unwrap();
        }
    }

    async fn mapping_of(&self, iid: i64) -> i64 {
        let filter = IssueFilter {
            iid: Some(Iid(iid)),
            ..IssueFilter::default()
        };
        let rows = self.store.listed_issues(self.mirror, &filter, 1).await;
        rows.unwrap()[0].id
    }
}

async fn issues_are_walked_through_by_page_status_and_number(world: World) {
    world.five_issues().await;
    let all = IssueFilter::default;
    assert_eq!(world.page(all(), 9).await, [1, 2, 3, 4, 5]);
    let second = IssueFilter { offset: 2, ..all() };
    assert_eq!(world.page(second, 2).await, [3, 4]);
    let behind = IssueFilter {
        after: Some(world.mapping_of(3).await),
        ..all()
    };
    assert_eq!(world.page(behind, 9).await, [4, 5]);
    let skipped = IssueFilter {
        status: Some("skipped".to_owned()),
        ..all()
    };
    assert_eq!(world.page(skipped.clone(), 9).await, [2, 4]);
    let none = IssueFilter {
        iid: Some(Iid(3)),
        ..skipped
    };
    assert_eq!(world.page(none, 9).await, [0; 0]);
    let conflict = IssueFilter {
        conflict: true,
        ..all()
    };
    assert_eq!(world.page(conflict, 9).await, [0; 0]);
    let one = world
        .store
        .listed_issue(world.mirror, world.mapping_of(2).await);
    let one = one.await.unwrap().unwrap();
    assert_eq!(one.sync_error.as_deref(), Some("not ours"));
    let other = world.another_mirror(2).await;
    let strange = world.store.listed_issue(other, one.id).await.unwrap();
    assert_eq!(strange, None);
}

async fn mirrors_are_walked_through(world: World) {
    let second = world.another_mirror(2).await;
    let listed = world.store.listed_mirrors(0, None, 9, 0).await.unwrap();
    let ids: Vec<i64> = listed.iter().map(|row| row.id).collect();
    assert_eq!(ids, [world.mirror.0, second.0]);
    let behind = world
        .store
        .listed_mirrors(ids[0], Some(world.target.0), 9, 0);
    assert_eq!(behind.await.unwrap().len(), 1);
    let nobodys = world.store.listed_mirrors(0, Some(99), 9, 0).await.unwrap();
    assert_eq!(nobodys, []);
    let one = world.store.listed_mirror(second).await.unwrap();
    assert_eq!(one.source_path, "group/project-2");
}

struct Fixed;

impl mirror_core::ports::Entropy for Fixed {
    fn next_u64(&self) -> u64 {
        4
    }
}

async fn an_instance_is_changed_by_who_knows_it_and_deleted_by_nobody_while_it_is_used(
    world: World,
) {
    let store = &world.store;
    let cipher = Cipher::new(&[1; 32]);
    let access = InstanceAccess {
        id: world.source,
        title: "ours".to_owned(),
        api_base: "https://gitlab.a/api/v4".to_owned(),
        token: "glpat-secret".to_owned(),
        ca: None,
        limits: vec!["api=600/60".to_owned()],
        concurrency: 4,
    };
    let before = store.instance_entry(world.source).await.unwrap().revision;
    let saved = store.change_instance(&access, Some(before), &cipher, &Fixed);
    assert_eq!(saved.await.unwrap(), Changed::To(before + 1));
    let late = store.change_instance(&access, Some(before), &cipher, &Fixed);
    assert_eq!(late.await.unwrap(), Changed::Meanwhile);
    let entry = store.instance_entry(world.source).await.unwrap();
    assert_eq!((entry.limits, entry.has_ca), (access.limits, false));
    let used = store.delete_instance(world.source).await.unwrap();
    assert_eq!(used, [world.mirror]);
    let free = crate::world::instance(store, "gitlab.c").await;
    assert_eq!(store.delete_instance(free).await.unwrap(), []);
    let gone = store.delete_instance(free).await;
    assert!(matches!(gone, Err(StoreError::NoSuchInstance(_))));
    assert_eq!(store.listed_instances(0, 9, 1).await.unwrap().len(), 1);
}

async fn a_mirror_is_forgotten_with_all_that_is_on_record_of_it(world: World) {
    world.five_issues().await;
    world.store.delete_mirror(world.mirror).await.unwrap();
    let gone = world.store.delete_mirror(world.mirror).await;
    assert!(matches!(gone, Err(StoreError::NoSuchMirror(_))));
    assert_eq!(world.page(IssueFilter::default(), 9).await, [0; 0]);
    assert_eq!(world.claim_all().await, []);
}

async fn runs_are_walked_through_latest_first_and_tell_what_went_wrong(world: World) {
    let first = world.request(RunKind::Full).await.run;
    let fence = world.start_next().await.fence;
    let error = "the source is gone";
    world
        .store
        .end(&fence, End::GiveUp { error })
        .await
        .unwrap();
    world.store.complete_runs().await.unwrap();
    let second = world.request(RunKind::Full).await.run;
    let ids = |filter: RunFilter| {
        let store = world.store.clone();
        async move {
            let runs = store.listed_runs(world.mirror, &filter, 9).await.unwrap();
            runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(RunFilter::default()).await, [second, first]);
    let older = RunFilter {
        before: Some(second),
        ..RunFilter::default()
    };
    assert_eq!(ids(older).await, [first]);
    let running = RunFilter {
        status: Some(mirror_store::RunStatus::Running),
        ..RunFilter::default()
    };
    assert_eq!(ids(running).await, [second]);
    let errors = world.store.run_errors(first, 9).await.unwrap();
    assert_eq!((errors[0].why.as_str(), errors[0].jobs), (error, 1));
    assert_eq!(world.store.run_skips(first, 9).await.unwrap(), []);
}

async fn jobs_are_found_by_instance_age_and_error(world: World) {
    let dead = world.working_on(1).await;
    let gone = End::GiveUp { error: "refused" };
    world.store.end(&dead, gone).await.unwrap();
    world.advance(100);
    world.owe_changed(2).await;
    let found = |filter: JobFilter| {
        let store = world.store.clone();
        async move {
            let jobs = store.jobs(&filter, 9).await.unwrap();
            jobs.into_iter()
                .map(|job| job.work)
                .collect::<Vec<WorkId>>()
        }
    };
    let all = JobFilter::default;
    let errors = world.store.job_errors(9).await.unwrap();
    assert_eq!((errors.len(), errors[0].jobs), (1, 1));
    let refused = JobFilter {
        fingerprint: Some(errors[0].fingerprint.clone()),
        ..all()
    };
    assert_eq!(found(refused).await, [dead.work]);
    let old = JobFilter {
        before: Some(crate::world::at(50)),
        ..all()
    };
    assert_eq!(found(old).await, [dead.work]);
    let here = JobFilter {
        instance: Some(world.target),
        ..all()
    };
    assert_eq!(found(here).await.len(), 2);
    let second = JobFilter { offset: 1, ..all() };
    assert_eq!(found(second).await.len(), 1);
    let dead_here = JobFilter {
        state: Some(WorkState::Dead),
        ..all()
    };
    assert_eq!(found(dead_here).await, [dead.work]);
    let key = format!("sync_issue/{}/1", world.mirror);
    let called = world.store.job_called(&key).await.unwrap();
    assert_eq!(called.map(|job| job.work), Some(dead.work));
}

async fn a_queue_that_rests_hands_nothing_out(world: World) {
    world.owe_changed(1).await;
    world.advance(7);
    let store = &world.store;
    let rest = store.pause_queue(Priority::Incremental, Some("a freeze"));
    rest.await.unwrap();
    assert_eq!(world.claim_all().await, []);
    let queues = store.queues().await.unwrap();
    let levels: Vec<Priority> = queues.iter().map(|queue| queue.priority).collect();
    let all = [Priority::ByHand, Priority::Incremental, Priority::Backfill];
    assert_eq!(levels, all);
    let queue = &queues[1];
    assert_eq!(queue.pending, 1);
    assert_eq!(queue.oldest_due, Some(Duration::from_secs(7)));
    assert_eq!(queues[0].oldest_due, None);
    assert_eq!(queue.paused.as_deref(), Some("a freeze"));
    store
        .pause_queue(Priority::Incremental, None)
        .await
        .unwrap();
    assert_eq!(world.claim_all().await.len(), 1);
    assert_eq!(store.queues().await.unwrap()[1].queued, 1);
}

async fn an_issue_that_was_taken_out_is_blocked_until_it_is_put_back(world: World) {
    world.five_issues().await;
    let (store, mirror) = (&world.store, world.mirror);
    let mapping = world.mapping_of(1).await;
    let unlink = || async { store.unlink_issue(mirror, mapping).await.unwrap() };
    let fence = world.working_on(1).await;
    assert_eq!(unlink().await, Unlinked::Busy);
    let outcome = &Outcome::Unchanged;
    store.end(&fence, End::Done { outcome }).await.unwrap();
    assert_eq!(unlink().await, Unlinked::Done(Iid(1)));
    assert_eq!(unlink().await, Unlinked::Nothing);
    let kept = store.issue_mapping(mirror, Iid(1)).await.unwrap().unwrap();
    assert!(kept.is_unlinked() && kept.target.is_some());
    assert!(!store.copied(mirror).await.unwrap().contains(&Iid(1)));
    let other = MirrorId(99);
    let strange = store.unlink_issue(other, mapping).await.unwrap();
    assert_eq!(strange, Unlinked::Nothing);
    let back = store.relink_issue(mirror, mapping).await.unwrap();
    assert_eq!(back, Unlinked::Done(Iid(1)));
    assert_eq!(world.claim_all().await.len(), 1);
    let again = store.relink_issue(mirror, mapping).await.unwrap();
    assert_eq!(again, Unlinked::Nothing);
}

async fn a_request_is_answered_as_the_first_time(world: World) {
    let store = &world.store;
    let ask = |digest: &'static str| store.answered("token:ci /sync", "k", digest);
    assert_eq!(ask("d").await.unwrap(), Answered::Never);
    for answer in ["first", "second"] {
        let keep = store.keep_answer("token:ci /sync", "k", "d", answer);
        keep.await.unwrap();
    }
    let before = Answered::Before("first".to_owned());
    assert_eq!(ask("d").await.unwrap(), before);
    assert_eq!(ask("e").await.unwrap(), Answered::Otherwise);
    world.advance(10);
    let pruned = store.prune_requests(store.now(), 9).await.unwrap();
    assert_eq!(pruned, 1);
    assert_eq!(ask("d").await.unwrap(), Answered::Never);
}

async fn what_happened_of_late_is_told_from_then_on(world: World) {
    let store = &world.store;
    let run = world.request(RunKind::Full).await.run;
    let fence = world.start_next().await.fence;
    world.advance(10);
    let outcome = &Outcome::Unchanged;
    store.end(&fence, End::Done { outcome }).await.unwrap();
    let asking = mirror_store::Asking {
        errand: &mirror_core::errand::Errand::CheckInstance {
            instance: world.source,
        },
        by: "somebody",
        key: None,
    };
    store.ask(&asking).await.unwrap();
    let errand = world.start_next().await.fence;
    store.end(&errand, End::Done { outcome }).await.unwrap();
    let from = mirror_store::Place::before(crate::world::at(10));
    let seen = store.attempts_since(from, 9).await.unwrap();
    let mirrors: Vec<Option<i64>> = seen.iter().map(|one| one.mirror).collect();
    assert_eq!(mirrors, [Some(world.mirror.0), None]);
    let behind = store.attempts_since(seen[0].place(), 9).await;
    assert_eq!(behind.unwrap(), seen[1..]);
    let later = mirror_store::Place::before(crate::world::at(11));
    assert_eq!(store.attempts_since(later, 9).await.unwrap(), []);
    store.complete_runs().await.unwrap();
    let runs = store.runs_since(from, 9).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].id, run.0);
    assert_eq!(store.runs_since(runs[0].place(), 9).await.unwrap(), []);
}
