//! Two mirrors that are a pair (rules 19 and 20, decision 44).

mod comments;
mod fields;
mod rings;
mod troubles;

use crate::support::{Stage, World, issue};
use gitlab_sim::IssueEdit;
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
};
use mirror_store::{MirrorEnd, NewMirror, Owe};
use mirror_worker::{End, Link, Mode, Settings};

/// A and B, mirrored into each other by one deployment; `there` leads from A to B.
struct Pair {
    there: World,
    /// Nothing of it but its GitLabs is used: it shares the other's record.
    back: World,
    reverse: MirrorId,
}

impl Pair {
    async fn new() -> Self {
        let pair = Self::undeclared().await;
        pair.declare().await;
        pair
    }

    /// Two mirrors that nobody has declared a pair.
    async fn undeclared() -> Self {
        let there = World::new().await;
        let back = World::with(Stage::reversed(&there), Settings::default(), Mode::Sync).await;
        let mut pair = Self {
            reverse: there.mirror,
            there,
            back,
        };
        pair.connect(Settings::default()).await;
        pair
    }

    async fn declare(&self) {
        let store = &self.there.cx.store;
        let declared = store.declare_pair(self.there.mirror, self.reverse).await;
        assert!(declared.unwrap());
        self.settle_links(Settings::default()).await;
    }

    /// Connects the way back on the record of the way there.
    async fn connect(&mut self, settings: Settings) {
        let (there, back) = (&self.there, &self.back);
        let source = there.end(&there.target, &back.from).await;
        let target = there.end(&there.source, &back.to).await;
        let end = |end: &End| MirrorEnd {
            instance: end.instance,
            project: end.project.id,
            path: end.project.path.clone(),
        };
        let new = NewMirror {
            source: end(&source),
            target: end(&target),
        };
        let store = &there.cx.store;
        self.reverse = store.ensure_mirror(&new).await.unwrap().id;
        there.cx.links.insert(Link {
            mirror: self.reverse,
            source,
            target,
            settings: settings.clone(),
        });
        self.settle_links(settings).await;
    }

    /// Both go by these settings, and by what the record says of the pair.
    async fn settle_links(&self, settings: Settings) {
        let there = &self.there;
        let (from, to) = (&there.from, &there.to);
        for mirror in [there.mirror, self.reverse] {
            let settings = Settings {
                pair: there.cx.store.pair_of(mirror).await.unwrap(),
                ..settings.clone()
            };
            let forth = mirror == there.mirror;
            let (source, target) = if forth {
                let source = there.end(&there.source, from).await;
                (source, there.end(&there.target, to).await)
            } else {
                let source = there.end(&there.target, &self.back.from).await;
                (source, there.end(&there.source, &self.back.to).await)
            };
            there.cx.links.insert(Link {
                mirror,
                source,
                target,
                settings,
            });
        }
        there.forget_requests();
    }

    /// Both are scanned and worked on until nothing is due.
    async fn run(&self) {
        let store = &self.there.cx.store;
        for mirror in [self.there.mirror, self.reverse] {
            let scan = Owe::changed(Job::ScanMirror { mirror }, Priority::ByHand);
            store.owe(&[scan]).await.unwrap();
        }
        for _ in 0..500 {
            let there = self.there.round_of(self.there.mirror, 1).await;
            let back = self.there.round_of(self.reverse, 1).await;
            if !there && !back {
                return;
            }
        }
        let store = &self.there.cx.store;
        let rows = store.unfinished(self.there.mirror, 9).await.unwrap();
        panic!(
            "still at work: {rows:#?} {:#?} {:#?}",
            self.there.failures(),
            self.there.waits()
        );
    }

    /// As [`Pair::run`], with many jobs of both directions at a time.
    async fn run_wide(&self) {
        let store = &self.there.cx.store;
        for mirror in [self.there.mirror, self.reverse] {
            let scan = Owe::changed(Job::ScanMirror { mirror }, Priority::ByHand);
            store.owe(&[scan]).await.unwrap();
        }
        for _ in 0..500 {
            let there = self.there.round_of(self.there.mirror, 6);
            let back = self.there.round_of(self.reverse, 6);
            let (there, back) = futures_util::join!(there, back);
            if !there && !back {
                return;
            }
        }
        panic!("still at work: {:#?}", self.unfinished().await);
    }

    async fn later_run(&self) {
        self.there.later(600);
        self.run().await;
    }

    /// Some time later, what a run writes on both sides.
    async fn writes_of_next_run(&self) -> Vec<String> {
        self.there.later(600);
        self.there.forget_requests();
        self.run().await;
        let mut writes = self.there.writes();
        writes.extend(self.back.writes());
        writes
    }

    /// In the second round at the latest nothing is written any more.
    async fn is_quiet(&self) {
        self.is_quiet_by_now().await;
        assert_eq!(self.there.failures(), Vec::<String>::new());
    }

    /// The same, after something went wrong.
    async fn is_quiet_by_now(&self) {
        self.later_run().await;
        for _ in 0..2 {
            assert_eq!(self.writes_of_next_run().await, Vec::<String>::new());
        }
        assert_eq!(self.unfinished().await, Vec::<String>::new());
    }

    async fn unfinished(&self) -> Vec<String> {
        let store = &self.there.cx.store;
        let mut keys = Vec::new();
        for mirror in [self.there.mirror, self.reverse] {
            let rows = store.unfinished(mirror, 100).await.unwrap();
            keys.extend(rows.into_iter().map(|row| row.key));
        }
        keys
    }

    /// An issue of A in line; its copy's number in B.
    async fn in_line(&self) -> (u64, u64) {
        let iid = self.there.write(issue(self.there.alice, "Of A"));
        self.run().await;
        self.there.later(600);
        (iid, self.there.copy(iid).issue.iid)
    }

    /// Somebody of B logs time on a copy.
    fn log_there(&self, copy: u64, seconds: i64) {
        let (to, tom) = (self.there.to.project, self.there.tom);
        self.there
            .target
            .edit(|sim| sim.log_time(to, copy, tom, seconds, None).unwrap());
    }

    fn log_here(&self, iid: u64, seconds: i64) {
        let (from, alice) = (self.there.from.project, self.there.alice);
        self.there
            .source
            .edit(|sim| sim.log_time(from, iid, alice, seconds, None).unwrap());
    }

    fn spent(&self, iid: u64, copy: u64) -> (i64, i64) {
        let here = self.there.source_issue(iid).time_spent();
        (here, self.there.target_issue(copy).time_spent())
    }
}

fn weighing(weight: i64) -> IssueEdit {
    IssueEdit {
        weight: Some(Some(weight)),
        ..IssueEdit::default()
    }
}
