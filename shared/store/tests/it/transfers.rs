//! Large files, the jobs that carry them, and the issues that wait.

use crate::world::{World, at, instance, stories};
use mirror_core::{
    ids::{Iid, ProjectId, TransferId},
    job::{Job, Priority},
    mapping::UploadKey,
    outcome::Outcome,
};
use mirror_store::{
    End, Fence, JobFilter, MirrorEnd, NewMirror, Owe, RunKind, RunRequest, RunStatus, StoreError,
    TransferState,
};

stories! {
    an_issue_is_set_free_by_the_end_of_its_transfer
    a_transfer_that_ends_before_its_issue_waits_is_not_missed
    a_file_is_one_transfer_whoever_asks
    a_run_ends_after_the_transfers_of_its_issues
    a_transfer_that_was_turned_away_has_the_next_place
    a_free_place_goes_to_a_file_between_the_same_instances
    a_transfer_that_was_given_up_stays_so_until_a_person_tries_again
}

const CARRIED: End<'static> = End::Done {
    outcome: &Outcome::Carried,
};

fn wait(until: i64) -> End<'static> {
    End::Wait {
        until: at(until),
        why: "for its large files",
    }
}

impl World {
    fn large(&self, name: &str) -> UploadKey {
        UploadKey {
            source_instance: self.source,
            source_project: ProjectId(1),
            secret: "0123456789abcdef".to_owned(),
            filename: name.to_owned(),
            target_instance: self.target,
            target_project: ProjectId(1_001),
        }
    }

    async fn ask_for(&self, fence: &Fence, iid: i64, names: &[&str]) {
        let files: Vec<UploadKey> = names.iter().map(|name| self.large(name)).collect();
        self.store
            .owe_transfers(fence, self.mirror, Iid(iid), &files, Priority::Incremental)
            .await
            .unwrap();
    }

    async fn state(&self, name: &str) -> Option<TransferState> {
        let key = self.large(name);
        self.store.transfer_state(self.mirror, &key).await.unwrap()
    }

    /// Starts the one thing that is due, which carries a file.
    async fn start_transfer(&self) -> (Fence, TransferId) {
        let started = self.start_next().await;
        let Job::TransferUpload { transfer, .. } = started.job.unwrap() else {
            panic!("{}", started.fence.work);
        };
        (started.fence, transfer)
    }

    async fn release(&self, transfer: TransferId) {
        let store = &self.store;
        store.release_waiters(self.mirror, transfer).await.unwrap();
    }

    async fn due_keys(&self) -> Vec<String> {
        let claimed = self.claim_all().await;
        claimed.into_iter().map(|claimed| claimed.key).collect()
    }
}

async fn an_issue_is_set_free_by_the_end_of_its_transfer(world: World) {
    let store = &world.store;
    let fence = world.working_on(1).await;
    world.ask_for(&fence, 1, &["a.bin"]).await;
    assert_eq!(world.state("a.bin").await, Some(TransferState::UnderWay));
    assert_eq!(world.state("b.bin").await, None);
    store.end(&fence, wait(600)).await.unwrap();
    let issue = store.job(fence.work).await.unwrap().unwrap();
    assert_eq!(issue.waiting_for.as_deref(), Some("for its large files"));
    assert_eq!(
        (issue.run_at, issue.not_before, issue.attempts),
        (at(600), None, 0)
    );

    let (carrying, id) = world.start_transfer().await;
    let transfer = store.transfer(world.mirror, id).await.unwrap().unwrap();
    assert_eq!(transfer.filename, "a.bin");
    assert_eq!(transfer.waiters, [Iid(1)]);
    world.advance(5);
    world.release(id).await;
    store.end(&carrying, CARRIED).await.unwrap();
    assert_eq!(world.state("a.bin").await, None);
    assert_eq!(world.due_keys().await, [world.issue(1).key()]);
    let transfer = store.transfer(world.mirror, id).await.unwrap().unwrap();
    assert_eq!(transfer.waiters, []);
    let stale = store
        .owe_transfers(&fence, world.mirror, Iid(1), &[], Priority::ByHand)
        .await;
    assert!(matches!(stale, Err(StoreError::Fenced)), "{stale:?}");
}

async fn a_transfer_that_ends_before_its_issue_waits_is_not_missed(world: World) {
    let fence = world.working_on(1).await;
    world.ask_for(&fence, 1, &["a.bin"]).await;
    let (carrying, id) = world.start_transfer().await;
    world.release(id).await;
    world.store.end(&carrying, CARRIED).await.unwrap();
    world.store.end(&fence, wait(600)).await.unwrap();
    assert_eq!(world.due_keys().await, [world.issue(1).key()]);
}

async fn a_file_is_one_transfer_whoever_asks(world: World) {
    let one = world.working_on(1).await;
    world.ask_for(&one, 1, &["a.bin", "b.bin"]).await;
    world.store.end(&one, wait(600)).await.unwrap();
    let first = [world.start_transfer().await, world.start_transfer().await];
    let two = world.working_on(2).await;
    world.ask_for(&two, 2, &["b.bin", "a.bin"]).await;
    world.store.end(&two, wait(600)).await.unwrap();
    assert_eq!(world.due_keys().await, Vec::<String>::new());
    for (carrying, id) in &first {
        world.release(*id).await;
        world.store.end(carrying, CARRIED).await.unwrap();
    }
    let mut keys = world.due_keys().await;
    keys.sort();
    let mut expected = vec![world.issue(1).key(), world.issue(2).key()];
    // Whoever asks while it runs is sure of a look after that.
    expected.extend(first.map(|(_, id)| format!("transfer_upload/{}/{id}", world.mirror)));
    expected.sort();
    assert_eq!(keys, expected);
}

async fn a_run_ends_after_the_transfers_of_its_issues(world: World) {
    let request = RunRequest {
        mirror: world.mirror,
        kind: RunKind::SingleIssue,
        jobs: &[world.issue(1)],
        priority: Priority::ByHand,
        by: "somebody",
    };
    let store = &world.store;
    let run = store.request_run(&request).await.unwrap().run;
    let fence = world.start_next().await.fence;
    world.ask_for(&fence, 1, &["a.bin"]).await;
    store.end(&fence, wait(600)).await.unwrap();
    let (carrying, id) = world.start_transfer().await;
    world.release(id).await;
    let fence = world.start_next().await.fence;
    let done = End::Done {
        outcome: &Outcome::Created,
    };
    store.end(&fence, done).await.unwrap();
    assert_eq!(store.complete_runs().await.unwrap(), []);
    let mut took = mirror_store::Took::default();
    took.effort.attachments = 1;
    store.end_after(&carrying, CARRIED, &took).await.unwrap();
    assert_eq!(store.complete_runs().await.unwrap().len(), 1);
    let run = world.run(run).await;
    assert_eq!(run.status, RunStatus::Completed);
    let counts = run.counts;
    assert_eq!(
        (counts.processed, counts.created, counts.attachments),
        (1, 1, 1)
    );
}

async fn a_transfer_that_was_turned_away_has_the_next_place(world: World) {
    let fence = world.working_on(1).await;
    world.ask_for(&fence, 1, &["a.bin", "b.bin", "c.bin"]).await;
    world.store.end(&fence, wait(600)).await.unwrap();
    let (carrying, first) = world.start_transfer().await;
    for _ in 0..2 {
        let (turned_away, _) = world.start_transfer().await;
        world.store.end(&turned_away, wait(600)).await.unwrap();
    }
    assert_eq!(world.due_keys().await, Vec::<String>::new());
    world.release(first).await;
    world.store.end(&carrying, CARRIED).await.unwrap();
    let keys = world.due_keys().await;
    let transfers = keys
        .iter()
        .filter(|key| key.starts_with("transfer_upload/"));
    assert_eq!((keys.len(), transfers.count()), (2, 1), "{keys:?}");
}

async fn a_free_place_goes_to_a_file_between_the_same_instances(world: World) {
    let third = instance(&world.store, "gitlab.c").await;
    let end = |instance, project| MirrorEnd {
        instance,
        project: ProjectId(project),
        path: format!("group/project-{project}"),
    };
    let elsewhere = NewMirror {
        source: end(world.source, 7),
        target: end(third, 8),
    };
    let elsewhere = world.store.ensure_mirror(&elsewhere).await.unwrap().id;
    let iid = Iid(1);
    let job = Job::SyncIssue {
        mirror: elsewhere,
        iid,
    };
    let owe = Owe::changed(job, Priority::Incremental);
    world.store.owe(&[owe]).await.unwrap();
    let fence = world.start_next().await.fence;
    let file = UploadKey {
        target_instance: third,
        ..world.large("z.bin")
    };
    world
        .store
        .owe_transfers(&fence, elsewhere, iid, &[file], Priority::Incremental)
        .await
        .unwrap();
    world.store.end(&fence, wait(600)).await.unwrap();
    let (turned_away, _) = world.start_transfer().await;
    world.store.end(&turned_away, wait(600)).await.unwrap();
    let fence = world.working_on(1).await;
    world.ask_for(&fence, 1, &["a.bin", "b.bin"]).await;
    world.store.end(&fence, wait(600)).await.unwrap();
    let (carrying, first) = world.start_transfer().await;
    let (turned_away, second) = world.start_transfer().await;
    world.store.end(&turned_away, wait(600)).await.unwrap();
    world.release(first).await;
    world.store.end(&carrying, CARRIED).await.unwrap();
    let keys = world.due_keys().await;
    let own = Job::TransferUpload {
        mirror: world.mirror,
        transfer: second,
    };
    let transfers = keys
        .iter()
        .filter(|key| key.starts_with("transfer_upload/"));
    assert_eq!(transfers.collect::<Vec<_>>(), [&own.key()], "{keys:?}");
}

async fn a_transfer_that_was_given_up_stays_so_until_a_person_tries_again(world: World) {
    let fence = world.working_on(1).await;
    world.ask_for(&fence, 1, &["a.bin"]).await;
    let (carrying, _) = world.start_transfer().await;
    let give_up = End::GiveUp { error: "refused" };
    world.store.end(&carrying, give_up).await.unwrap();
    assert_eq!(world.state("a.bin").await, Some(TransferState::Dead));
    world.ask_for(&fence, 1, &["a.bin"]).await;
    assert_eq!(world.state("a.bin").await, Some(TransferState::Dead));
    world.store.retry_dead(world.mirror).await.unwrap();
    assert_eq!(world.state("a.bin").await, Some(TransferState::UnderWay));
    let jobs = world.store.jobs(&JobFilter::default(), 9).await.unwrap();
    assert!(jobs.iter().all(|job| !job.key.contains("0123456789abcdef")));
}
