//! Where edits on the target are protected (decision 41).

mod comments;
mod fields;
mod troubles;

use crate::support::{Stage, World, issue};
use gitlab_sim::{IssueEdit, IssueSpec};
use mirror_core::{
    ids::Iid,
    merge::{EditPolicy, Resolution},
};
use mirror_store::KeptEdit;
use mirror_worker::{Mode, Settings};

fn protecting() -> Settings {
    Settings {
        on_edit: EditPolicy::Protect,
        ..Settings::default()
    }
}

fn titled(title: &str) -> IssueEdit {
    IssueEdit {
        title: Some(title.into()),
        ..IssueEdit::default()
    }
}

fn weighing(weight: i64) -> IssueEdit {
    IssueEdit {
        weight: Some(Some(weight)),
        ..IssueEdit::default()
    }
}

/// A mirror that protects edits, with one issue in line; its copy's number.
async fn in_line() -> (World, u64, u64) {
    in_line_with(protecting()).await
}

async fn in_line_with(settings: Settings) -> (World, u64, u64) {
    let world = World::with(Stage::new(), settings, Mode::Sync).await;
    let iid = world.write(IssueSpec {
        labels: vec!["bug".into(), "p::1".into()],
        ..issue(world.alice, "Ours")
    });
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    (world, iid, copy)
}

impl World {
    async fn edits_of(&self, iid: u64) -> Vec<KeptEdit> {
        let iid = Iid(i64::try_from(iid).unwrap());
        self.cx.store.edits(self.mirror, iid).await.unwrap()
    }

    /// What is kept of edits: what it is, and whether a person is asked.
    async fn kept(&self, iid: u64) -> Vec<(String, bool)> {
        let edits = self.edits_of(iid).await;
        let told = edits.iter().map(|kept| &kept.edit);
        told.map(|edit| (edit.what.to_string(), edit.conflict))
            .collect()
    }

    async fn decide(&self, iid: u64, resolution: Resolution) {
        let iid = Iid(i64::try_from(iid).unwrap());
        let store = &self.cx.store;
        let decided = store.resolve_conflict(self.mirror, iid, resolution);
        assert!(decided.await.unwrap() > 0);
    }

    /// Some time later, what a run writes.
    async fn next_run_writes(&self) -> Vec<String> {
        self.later(600);
        self.forget_requests();
        self.run().await;
        self.writes()
    }

    /// What a run writes that compares everything.
    async fn full_run_writes(&mut self, settings: Settings) -> Vec<String> {
        self.later(600);
        let full = Settings {
            full: true,
            ..settings.clone()
        };
        self.restart_with(full, Mode::Sync).await;
        self.run().await;
        let writes = self.writes();
        self.restart_with(settings, Mode::Sync).await;
        writes
    }
}
