//! What happens in a run, happening.

use super::{dice::Dice, script::What, simulation::Simulation, time::Actor};
use chrono::TimeDelta;
use std::{sync::atomic::Ordering, time::Duration};

impl Simulation {
    pub(super) fn let_happen(&mut self) {
        let beats = self.shop.time.beats();
        while let Some(happening) = self.happenings.pop_front_if(|next| next.at <= beats) {
            self.happens(happening.what);
        }
    }

    fn happens(&mut self, what: What) {
        let people = &self.people;
        let sims = [(&people.source, "source"), (&people.target, "target")];
        let before = sims.map(|(sim, _)| sim.world(|world| world.changes().len()));
        self.tell(|| format!("{what:?}"));
        self.happens_silently(what);
        let people = &self.people;
        let sims = [(&people.source, "source"), (&people.target, "target")];
        for ((sim, name), before) in sims.into_iter().zip(before) {
            for change in sim.world(|world| world.changes()[before..].to_vec()) {
                self.tell(|| format!("    {name} #{:?}: {:?}", change.issue, change.kind));
            }
        }
    }

    fn happens_silently(&mut self, what: What) {
        match what {
            What::Crash => {}
            What::SchedulerCrash => {
                self.bury(Actor::Scheduler);
                self.schedulers += 1;
                self.tasks.extend(self.shop.scheduler(self.schedulers));
            }
            What::Source(number) => self.people.at_source(number),
            What::Target(number) => self.people.at_target(number),
            What::Spoiled { writes, wrong } => self.shop.network.spoil(writes, wrong),
            What::Pause { worker, seconds } => {
                self.workers[worker].stall = Some(Duration::from_secs(seconds));
            }
            What::Jump(seconds) => self.shop.time.jump(TimeDelta::seconds(seconds)),
            What::GitLabsJump { source, seconds } => {
                let gitlab = if source {
                    &self.people.source
                } else {
                    &self.people.target
                };
                gitlab.jump(TimeDelta::seconds(seconds));
            }
            What::Doubled => self.doubled += 1,
            What::Lost => self.lost += 1,
            What::Blind { source, seconds } => {
                let until = self.shop.time.elapsed() + Duration::from_secs(seconds);
                self.blind[usize::from(!source)] = Some(until);
                self.people.issues_can_be_read(source, false);
            }
            What::Throttled(seconds) => {
                let seconds = i64::try_from(seconds).unwrap();
                self.shop.gates.throttle(Some(TimeDelta::seconds(seconds)));
            }
        }
    }

    pub(super) async fn resume(&self) {
        for mirror in self.shop.mirrors() {
            self.shop.store.resume_mirror(mirror).await.unwrap();
        }
    }

    /// Whoever took the sight away gives it back, and lets the mirror go on that rests for it.
    pub(super) async fn see_again(&mut self) {
        let now = self.shop.time.elapsed();
        for source in [true, false] {
            let blind = &mut self.blind[usize::from(!source)];
            if blind.is_some_and(|until| until <= now) {
                *blind = None;
                self.people.issues_can_be_read(source, true);
            }
        }
        if self.blind == [None; 2] && self.shop.rests.swap(false, Ordering::Relaxed) {
            self.resume().await;
        }
    }

    /// Those whose time has come are back, with nothing but the record.
    pub(super) fn wake_up(&mut self) {
        let now = self.shop.time.elapsed();
        for (number, worker) in self.workers.iter_mut().enumerate() {
            if worker.cx.is_none() && worker.rests_until <= now {
                worker.lives += 1;
                self.shop.time.revive(Actor::Worker(number));
                worker.cx = Some(self.shop.worker(number, worker.lives));
            }
        }
    }

    pub(super) fn bury(&mut self, actor: Actor) {
        self.tasks.retain(|task| task.actor != actor);
        let Actor::Worker(number) = actor else {
            return;
        };
        let away = Dice::new(self.seed, self.steps.wrapping_mul(3)).below(20);
        self.tell(|| format!("{actor:?} dies"));
        let worker = &mut self.workers[number];
        worker.cx = None;
        worker.rests_until = self.shop.time.elapsed() + Duration::from_secs(away);
    }
}
