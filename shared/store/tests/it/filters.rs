//! Jobs by all that they can be filtered by, at once.

use crate::world::{LEASE, World, at, instance, stories};
use mirror_core::{
    ids::{Iid, MirrorId, WorkId},
    job::{Job, Priority},
    outcome::{Outcome, SkipReason},
};
use mirror_store::{
    End, JobEntry, JobFilter, MirrorEnd, NewMirror, Owe, RunGroup, RunKind, RunRequest, WorkState,
};

stories! {
    jobs_are_found_by_any_filters_together_on_whatever_way
    errors_that_read_alike_are_counted_together
}

impl World {
    async fn owe_of(&self, mirror: MirrorId, iids: std::ops::Range<i64>) {
        let jobs = iids.map(|iid| Job::SyncIssue {
            mirror,
            iid: Iid(iid),
        });
        let owes = jobs.map(|job| Owe::changed(job, Priority::Incremental));
        self.store.owe(&owes.collect::<Vec<_>>()).await.unwrap();
    }

    /// Runs what is due of a mirror, each with the next of these ends; `None`: it goes on running.
    async fn ends_of(&self, mirror: MirrorId, ends: &[Option<End<'_>>]) {
        for end in ends {
            let out = self.store.due(mirror).await.unwrap().running;
            let limit = 1 + usize::try_from(out).unwrap();
            let claimed = self.store.claim_of(mirror, limit, LEASE).await.unwrap();
            let started = self.store.start(claimed[0].ticket, "worker", LEASE).await;
            let fence = started.unwrap().unwrap().fence;
            if let Some(end) = end {
                self.store.end(&fence, *end).await.unwrap();
            }
        }
    }

    /// Two are dead, one is tried again later, one is done, one runs; others wait.
    async fn end_as_they_may(&self, mirror: MirrorId) {
        let outcome = &Outcome::Unchanged;
        let again = End::Retry {
            at: at(9_000),
            error: "the target answered 503",
        };
        let [one, other] = ["the target answered 502", "the source answered 404"];
        let ends = [
            Some(End::GiveUp { error: one }),
            Some(again),
            Some(End::GiveUp { error: other }),
            Some(End::Done { outcome }),
            None,
        ];
        self.ends_of(mirror, &ends).await;
    }

    /// All that are listed, two at a time.
    async fn walked(&self, filter: &JobFilter) -> Vec<WorkId> {
        let mut seen = Vec::new();
        loop {
            let filter = JobFilter {
                after: seen.last().copied(),
                ..filter.clone()
            };
            let page = self.store.jobs(&filter, 2).await.unwrap();
            seen.extend(page.iter().map(|job| job.work));
            if page.len() < 2 {
                return seen;
            }
        }
    }
}

/// Three mirrors, of which two rest, with jobs of each kind in each state; the older ones of them.
async fn filled(world: &World) -> ([MirrorId; 3], Vec<WorkId>) {
    let faulty = world.another_mirror(2).await;
    let resting = world.new_mirror(3);
    let elsewhere = instance(&world.store, "gitlab.c").await;
    let resting = NewMirror {
        source: MirrorEnd {
            instance: elsewhere,
            ..resting.source
        },
        ..resting
    };
    let resting = world.store.ensure_mirror(&resting).await.unwrap().id;
    let mirrors = [world.mirror, faulty, resting];
    let mut old = Vec::new();
    for half in [0, 10] {
        for mirror in mirrors {
            world.owe_of(mirror, half..half + 7).await;
            world.end_as_they_may(mirror).await;
            let scan = Owe::routine(Job::ScanMirror { mirror }, Priority::Backfill);
            world.store.owe(&[scan]).await.unwrap();
        }
        if half == 0 {
            old = world.walked(&JobFilter::default()).await;
        }
        world.advance(200);
    }
    let store = &world.store;
    assert!(store.pause_for_fault(faulty, "a token").await.unwrap());
    store.pause_mirror(resting, "a freeze").await.unwrap();
    world.claim_one().await;
    (mirrors, old)
}

fn fits(filter: &JobFilter, job: &JobEntry, of_instance: MirrorId, old: &[WorkId]) -> bool {
    let kind = |kind: &String| job.key.starts_with(&format!("{kind}/"));
    filter.state.is_none_or(|state| job.state == Some(state))
        && filter.kind.as_ref().is_none_or(kind)
        && filter.mirror.is_none_or(|mirror| job.mirror == mirror)
        && filter.instance.is_none_or(|_| job.mirror == of_instance)
        && filter.before.is_none_or(|_| old.contains(&job.work))
        && (filter.fingerprint.is_none() || filter.fingerprint == job.error_fingerprint)
}

/// Each filter as it is, and with each of these.
fn also<T: Clone>(filters: &mut Vec<JobFilter>, these: &[T], with: fn(&mut JobFilter, T)) {
    for mut filter in filters.clone() {
        for one in these {
            with(&mut filter, one.clone());
            filters.push(filter.clone());
        }
    }
}

async fn jobs_are_found_by_any_filters_together_on_whatever_way(world: World) {
    let (mirrors, old) = filled(&world).await;
    let all = world.store.jobs(&JobFilter::default(), 200).await.unwrap();
    let states = [
        WorkState::Pending,
        WorkState::Paused,
        WorkState::Queued,
        WorkState::Running,
        WorkState::Dead,
    ];
    for state in states {
        assert!(all.iter().any(|job| job.state == Some(state)), "{state:?}");
    }
    let kinds = ["sync_issue", "scan_mirror", "check_instance"].map(str::to_owned);
    let errors = world.store.job_errors(9).await.unwrap();
    let errors: Vec<String> = errors.into_iter().map(|one| one.fingerprint).collect();
    let third = world.store.mirror(mirrors[2]).await.unwrap();
    let mut filters = vec![JobFilter::default()];
    also(&mut filters, &states, |filter, state| {
        filter.state = Some(state)
    });
    also(&mut filters, &kinds, |filter, kind| {
        filter.kind = Some(kind)
    });
    also(&mut filters, &mirrors, |filter, mirror| {
        filter.mirror = Some(mirror)
    });
    also(
        &mut filters,
        &[third.source.instance],
        |filter, instance| filter.instance = Some(instance),
    );
    // What is owed a little later is behind the second, and found on the way all the same.
    also(&mut filters, &[at(100), at(199)], |filter, before| {
        filter.before = Some(before)
    });
    also(&mut filters, &errors, |filter, error| {
        filter.fingerprint = Some(error)
    });
    for filter in filters {
        let fitting = all
            .iter()
            .filter(|job| fits(&filter, job, mirrors[2], &old));
        let fitting: Vec<WorkId> = fitting.map(|job| job.work).collect();
        assert_eq!(world.walked(&filter).await, fitting, "{filter:?}");
        let third = JobFilter {
            offset: 2,
            ..filter
        };
        let rest = world.store.jobs(&third, 1).await.unwrap();
        let rest = rest.into_iter().map(|job| job.work);
        assert!(rest.eq(fitting.into_iter().skip(2).take(1)), "{third:?}");
    }
}

async fn errors_that_read_alike_are_counted_together(world: World) {
    let request = RunRequest {
        mirror: world.mirror,
        kind: RunKind::SingleIssue,
        jobs: &[1, 2, 3, 4].map(|iid| world.issue(iid)),
        priority: Priority::ByHand,
        by: "somebody",
    };
    let run = world.store.request_run(&request).await.unwrap().run;
    let errors = ["502 for issue 1", "502 for issue 22"];
    let skipped = &Outcome::Skipped(SkipReason::NumberTaken { target_iid: 7 });
    let ends = [
        Some(End::GiveUp { error: errors[0] }),
        Some(End::GiveUp { error: errors[1] }),
        Some(End::GiveUp { error: "refused" }),
        Some(End::Done { outcome: skipped }),
    ];
    world.ends_of(world.mirror, &ends).await;
    let counted = world.store.job_errors(9).await.unwrap();
    let jobs: Vec<i64> = counted.iter().map(|one| one.jobs).collect();
    assert_eq!(jobs, [2, 1]);
    assert!(errors.contains(&counted[0].example.as_str()));
    let of_run = |errors: &[RunGroup]| -> Vec<i64> { errors.iter().map(|one| one.jobs).collect() };
    assert_eq!(
        of_run(&world.store.run_errors(run, 9).await.unwrap()),
        [2, 1]
    );
    let left_out = world.store.run_skips(run, 9).await.unwrap();
    let [left_out] = left_out.as_slice() else {
        panic!("{left_out:?}")
    };
    assert_eq!(
        (left_out.jobs, &left_out.example),
        (1, &world.issue(4).key())
    );
    assert!(left_out.why.contains('7'), "{left_out:?}");
    // One is tried again, and well; the run has ended, and tells what came of it then.
    world.store.complete_runs().await.unwrap();
    let first = world.store.job_called(&world.issue(1).key()).await;
    let first = first.unwrap().unwrap().work;
    assert!(world.store.retry_job(first).await.unwrap());
    let outcome = &Outcome::Updated;
    world
        .ends_of(world.mirror, &[Some(End::Done { outcome })])
        .await;
    let counted = world.store.job_errors(9).await.unwrap();
    assert_eq!(
        counted.iter().map(|one| one.jobs).collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(
        of_run(&world.store.run_errors(run, 9).await.unwrap()),
        [2, 1]
    );
}
