//! The course of a run: the storm, then calm until nothing is owed, then the judgement.

use super::{
    dice::Dice,
    gone::{APART, COMPARED},
    manner::Manner,
    oracle,
    processes::INTERVAL,
    simulation::Simulation,
};
use chrono::TimeDelta;
use mirror_core::{
    ids::Iid,
    merge::{Resolution, What},
};
use std::{collections::BTreeSet, time::Duration};

/// Turns after which a run is known never to end.
const ENDLESS: u64 = 3_000_000;
/// How long everything may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(4 * 3_600);

impl Simulation {
    pub(super) async fn run(&mut self) {
        while self.is_stormy() {
            self.step().await;
            if self.is_over() {
                return;
            }
        }
        self.shop.network.calm();
        self.shop.gates.throttle(None);
        (self.doubled, self.lost) = (0, 0);
        if !self.come_to_rest().await || !self.miss_what_is_gone().await || !self.decide().await {
            return;
        }
        let broken = oracle::in_the_end(&self.people);
        self.broken.extend(broken);
        self.people.target.clear_requests();
        self.people.source.clear_requests();
        self.pass(INTERVAL * 3).await;
        if self.people.manner.on_delete().is_some() {
            self.pass(COMPARED).await;
        }
        let mut requests = self.people.target.requests();
        requests.extend(self.people.source.requests());
        let writes = requests.iter().filter(|request| request.method != "GET");
        let writes = writes.map(|request| format!("law 2: {} {}", request.method, request.path));
        self.broken.extend(writes);
    }

    fn is_stormy(&self) -> bool {
        !self.happenings.is_empty() || self.shop.time.doomed() > 0
    }

    fn is_over(&mut self) -> bool {
        if self.steps > ENDLESS {
            self.broken.push("it never ends".to_owned());
        }
        !self.broken.is_empty()
    }

    /// What is gone is found by two looks at everything, and a third finds nothing to do. `false`: it
    /// does not come to rest.
    async fn miss_what_is_gone(&mut self) -> bool {
        if self.people.manner.on_delete().is_none() {
            return true;
        }
        self.pass(COMPARED + INTERVAL).await;
        self.pass(TimeDelta::from_std(APART).unwrap() + INTERVAL)
            .await;
        self.come_to_rest().await
    }

    /// A person decides about all that was edited on copies: of each it is one side that holds.
    /// `false`: it does not come to rest.
    async fn decide(&mut self) -> bool {
        if self.people.manner != Manner::Protecting {
            return true;
        }
        let (store, mirror) = (self.shop.store.clone(), self.shop.mirror);
        let kept = store.all_edits(mirror).await.unwrap();
        let all = kept;
        let kept: BTreeSet<Iid> = all.iter().map(|kept| kept.source_iid).collect();
        let untold = oracle::edited(&self.people);
        let is_told = |iid: &u64| kept.contains(&Iid(i64::try_from(*iid).unwrap()));
        let untold = untold.iter().filter(|(iid, _)| !is_told(iid));
        let untold = untold.map(|(iid, wrong)| format!("nobody is told of #{iid}: {wrong:?}"));
        self.broken.extend(untold);
        for iid in kept {
            let number = u64::try_from(iid.0).unwrap();
            let holds = if Dice::new(self.seed, number).chance(50) {
                self.people.give_up_edits_of(number);
                Resolution::UseSource
            } else {
                let of_it = all.iter().filter(|kept| kept.source_iid == iid);
                let names = of_it.map(|kept| kept.edit.what.to_string());
                self.people.take_for_edited(number, &names.collect());
                let of_it = all.iter().filter(|kept| kept.source_iid == iid);
                let comments = of_it.filter_map(|kept| match kept.edit.what {
                    What::Comment(note) => u64::try_from(note.0).ok(),
                    What::Field(_) => None,
                });
                self.people.stay.extend(comments);
                Resolution::UseTarget
            };
            store.resolve_conflict(mirror, iid, holds).await.unwrap();
        }
        self.come_to_rest().await
    }

    /// Until nothing is owed, and two rounds more. `false`: that never comes.
    async fn come_to_rest(&mut self) -> bool {
        let until = self.shop.time.elapsed() + PATIENCE;
        let mut quiet = 0;
        while quiet < 3 {
            self.pass(INTERVAL).await;
            if self.is_over() {
                return false;
            }
            // As a person does who looks at what failed for good, or rests.
            self.resume().await;
            let mut left = Vec::new();
            for mirror in self.shop.mirrors() {
                let store = &self.shop.store;
                store.retry_dead(mirror).await.unwrap();
                if self.people.manner.on_delete().is_some() {
                    store.release_removals(mirror).await.unwrap();
                }
                let rows = store.unfinished(mirror, 20).await.unwrap();
                let asked = rows.iter().filter_map(|row| row.last_error.as_deref());
                asked.for_each(|why| self.people.open_if_asked(why));
                left.extend(rows);
            }
            let calm = left.is_empty() && self.shop.network.is_empty();
            quiet = if calm { quiet + 1 } else { 0 };
            if self.shop.time.elapsed() > until {
                let left = left.iter().map(|row| format!("{row:?}"));
                self.broken
                    .push("law 1: it does not come to rest".to_owned());
                self.broken.extend(left);
                return false;
            }
        }
        true
    }

    /// Lets so much time pass.
    async fn pass(&mut self, by: TimeDelta) {
        let until = self.shop.time.elapsed() + by.to_std().unwrap();
        while self.shop.time.elapsed() < until && !self.is_over() {
            self.step().await;
        }
    }
}
