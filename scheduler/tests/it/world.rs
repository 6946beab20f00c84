//! A record with mirrors and work, on a clock that the story moves.

use chrono::DateTime;
use mirror_core::{
    ids::{Iid, InstanceName, MirrorId, ProjectId},
    job::{Job, Priority},
};
use mirror_runtime::testing::ManualClock;
use mirror_store::{MirrorEnd, NewMirror, Owe, Store};
use std::sync::Arc;

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::starting_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let store = Store::in_memory(Arc::new(clock.clone())).await.unwrap();
        Self { clock, store }
    }

    pub(crate) async fn mirror(&self, source: i64, target: i64) -> MirrorId {
        let name = InstanceName("gitlab.example".into());
        let base = "https://gitlab.example/api/v4";
        let instance = self
            .store
            .register_instance(&name, base, &[])
            .await
            .unwrap();
        let end = |project| MirrorEnd {
            instance,
            project: ProjectId(project),
            path: format!("group/project-{project}"),
        };
        let new = NewMirror {
            source: end(source),
            target: end(target),
        };
        self.store.ensure_mirror(&new).await.unwrap().id
    }

    pub(crate) async fn owe_issues(&self, mirror: MirrorId, issues: std::ops::Range<i64>) {
        let owes: Vec<_> = issues
            .map(|iid| {
                let job = Job::SyncIssue {
                    mirror,
                    iid: Iid(iid),
                };
                Owe::changed(job, Priority::Incremental)
            })
            .collect();
        self.store.owe(&owes).await.unwrap();
    }
}
