//! One run: a scheduler and two workers between two GitLabs, while people edit and things go wrong;
//! then calm; then the judgement.

use super::{
    dice::Dice,
    gone::Departures,
    manner::Manner,
    network::{Delivered, Network, Post},
    oracle, paired,
    people::People,
    processes::Shop,
    protecting::Guard,
    sabotage::{Lie, Mistake},
    script::{Happening, Script, What},
    tasks::{Task, Turn},
    time::{Actor, Time},
};
use crate::support::Stage;
use axum::Router;
use mirror_core::{job::Ticket, ports::Clock};
use mirror_worker::{Context, Side};
use std::{collections::VecDeque, sync::Arc, time::Duration};

const WORKERS: usize = 2;
/// Jobs at once in one worker.
const PLACES: usize = 3;

/// How a run went.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Run {
    /// Processes that died.
    pub(super) deaths: u64,
    pub(super) beats: u64,
    /// Requests that reached a GitLab.
    pub(super) requests: u64,
    /// How long it took in the time that all live in.
    pub(super) took: Duration,
    /// Laws that were broken, if any were.
    pub(super) broken: Vec<String>,
}

/// Plays a script on a runtime of its own.
pub(super) fn play(script: &Script, mistake: Option<Mistake>) -> Run {
    play_and(script, mistake, false)
}

/// As [`play`], and tells what happens while it does.
pub(super) fn play_aloud(script: &Script) -> Run {
    play_and(script, None, true)
}

fn play_and(script: &Script, mistake: Option<Mistake>, aloud: bool) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let played = async {
        let mut simulation = Simulation::open(script, mistake).await;
        simulation.aloud = aloud;
        simulation.run().await;
        Run {
            deaths: simulation.shop.time.deaths(),
            beats: simulation.shop.time.beats(),
            requests: simulation.requests,
            took: simulation.shop.time.elapsed(),
            broken: simulation.broken,
        }
    };
    runtime.block_on(tokio::task::unconstrained(played))
}

/// A worker, alive or not.
pub(super) struct Worker {
    pub(super) cx: Option<Arc<Context>>,
    /// When it comes back, or goes on.
    pub(super) rests_until: Duration,
    /// How long it stands still before its next write.
    pub(super) stall: Option<Duration>,
    pub(super) lives: u64,
}

pub(super) struct Simulation {
    pub(super) seed: u64,
    pub(super) steps: u64,
    pub(super) shop: Shop,
    pub(super) people: People,
    pub(super) routers: [Router; 2],
    pub(super) tasks: Vec<Task>,
    pub(super) workers: Vec<Worker>,
    pub(super) schedulers: u64,
    pub(super) happenings: VecDeque<Happening>,
    pub(super) doubled: usize,
    pub(super) lost: usize,
    /// Until when source and target cannot be read.
    pub(super) blind: [Option<Duration>; 2],
    pub(super) departures: Departures,
    pub(super) guard: Guard,
    pub(super) very_late: bool,
    pub(super) mistake: Option<Mistake>,
    pub(super) requests: u64,
    pub(super) broken: Vec<String>,
    /// Whether it tells what happens.
    pub(super) aloud: bool,
}

/// What may come next.
enum Choice {
    Task(usize),
    Gate(u64),
    Post(Post),
    Start { ticket: usize, worker: usize },
}

impl Simulation {
    async fn open(script: &Script, mistake: Option<Mistake>) -> Self {
        let mut stage = Stage::new();
        let manner = script.manner();
        if manner == Manner::Paired {
            paired::let_write(&mut stage);
        }
        let people = People::of(&stage, manner);
        let clocks = [stage.clock.source.clone(), stage.clock.target.clone()];
        let time = Time::new(stage.clock.now(), clocks);
        let network = Network::new(time.clone(), mistake.map(Lie::new));
        let mut shop = Shop::open(&stage, time.clone(), network, manner, mistake).await;
        if mistake.is_none() && script.seed.is_multiple_of(3) {
            shop.preserve();
        }
        people.begin(&mut Dice::new(script.seed, 5));
        let (deaths, happenings): (Vec<Happening>, Vec<Happening>) = script
            .happenings()
            .into_iter()
            .partition(|happening| happening.what == What::Crash);
        let jumps = happenings.iter().filter_map(|happening| {
            let What::Jump(seconds) = happening.what else {
                return None;
            };
            Some(seconds)
        });
        let departures = Departures::with_jumps_of(jumps);
        time.kill_at(deaths.into_iter().map(|death| death.at));
        if mistake == Some(Mistake::LeaseIsIgnored) {
            time.freeze();
        }
        let routers = [people.source.router(), people.target.router()];
        let mut simulation = Self {
            seed: script.seed,
            steps: 0,
            tasks: shop.scheduler(1),
            shop,
            people,
            routers,
            workers: Vec::new(),
            schedulers: 1,
            happenings: happenings.into(),
            doubled: 0,
            lost: 0,
            blind: [None; 2],
            departures,
            guard: Guard::default(),
            very_late: script.lands_very_late(),
            mistake,
            requests: 0,
            broken: Vec::new(),
            aloud: false,
        };
        for number in 0..WORKERS {
            simulation.workers.push(Worker {
                cx: Some(simulation.shop.worker(number, 1)),
                rests_until: Duration::ZERO,
                stall: None,
                lives: 1,
            });
        }
        simulation
    }

    /// What the seed chooses of what could come next; or time, if nothing could.
    pub(super) async fn step(&mut self) {
        self.steps += 1;
        self.let_happen();
        self.see_again().await;
        self.wake_up();
        let choices = self.choices();
        let count = u64::try_from(choices.len()).unwrap();
        if count == 0 {
            self.wait();
            return;
        }
        let chosen = Dice::new(self.seed, self.steps).below(count);
        let mut choices = choices.into_iter();
        let Some(chosen) = choices.nth(usize::try_from(chosen).unwrap()) else {
            return;
        };
        match chosen {
            Choice::Task(number) => self.go_on(number).await,
            Choice::Gate(id) => self.open_gate(id),
            Choice::Post(Post::Deliver(id)) => self.deliver(id),
            Choice::Post(Post::Answer(id)) => self.shop.network.answer(id),
            Choice::Start { ticket, worker } => self.start(ticket, worker).await,
        }
        let defects: Vec<String> = self.shop.defects.lock().unwrap().drain(..).collect();
        self.broken.extend(defects);
    }

    fn rests(&self, actor: Actor) -> bool {
        match actor {
            Actor::Scheduler => false,
            Actor::Worker(number) => self.workers[number].rests_until > self.shop.time.elapsed(),
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (number, task) in self.tasks.iter().enumerate() {
            if task.is_ready() && !self.rests(task.actor) {
                choices.push(Choice::Task(number));
            }
        }
        let gates = self.shop.gates.waiting().into_iter();
        choices.extend(
            gates
                .filter(|(_, actor)| !self.rests(*actor))
                .map(|(id, _)| Choice::Gate(id)),
        );
        let posts = self.shop.network.ready().into_iter();
        choices.extend(posts.map(|(post, _)| Choice::Post(post)));
        let tickets = self.shop.tickets.lock().unwrap().len();
        for (worker, state) in self.workers.iter().enumerate() {
            let actor = Actor::Worker(worker);
            let busy = self.tasks.iter().filter(|task| task.actor == actor).count();
            if state.cx.is_some() && !self.rests(actor) && busy < PLACES {
                choices.extend((0..tickets).map(|ticket| Choice::Start { ticket, worker }));
            }
        }
        choices
    }

    /// Nobody has anything to do before the next of these times.
    fn wait(&mut self) {
        let now = self.shop.time.elapsed();
        let rests = self.workers.iter().map(|worker| worker.rests_until);
        let times = rests
            .chain(self.shop.time.next_waking())
            .chain(self.shop.network.next())
            .chain(self.blind.into_iter().flatten());
        match times.filter(|time| *time > now).min() {
            Some(time) => self.shop.time.advance_to(time),
            None => self.broken.push("everybody waits for ever".to_owned()),
        }
    }

    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.aloud {
            let time = self.shop.time.elapsed().as_secs();
            eprintln!("{:>7} {time:>6} s  {}", self.shop.time.beats(), what());
        }
    }

    async fn go_on(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        let actor = task.actor;
        match task.go_on(&self.shop.time, &self.shop.store).await {
            Turn::Waits => {}
            Turn::Ended => {
                self.tasks.remove(number);
            }
            Turn::Died => self.bury(actor),
            Turn::Panicked(said) => self.broken.push(format!("{actor:?} panicked: {said}")),
        }
    }

    fn open_gate(&mut self, id: u64) {
        let stall = match self.shop.gates.writer(id) {
            Some(Actor::Worker(number)) => self.workers[number].stall.take().zip(Some(number)),
            Some(Actor::Scheduler) | None => None,
        };
        match stall {
            Some((stall, number)) => {
                self.tell(|| format!("worker {number} stands still for {stall:?}"));
                self.workers[number].rests_until = self.shop.time.elapsed() + stall;
            }
            None => self.shop.gates.open(id),
        }
    }

    fn deliver(&mut self, id: u64) {
        // Its GitLab answers whoever sent it, or nobody.
        self.guard.before(&self.people);
        let (network, [source, target]) = (&self.shop.network, &self.routers);
        let delivered = match network.addressee(id) {
            Side::Source => network.deliver(id, &self.people.source, source),
            Side::Target => network.deliver(id, &self.people.target, target),
        };
        self.requests += 1;
        self.tell(|| delivered.told.clone());
        let overwritten = self.guard.after(&self.people, &delivered);
        self.broken.extend(overwritten);
        let Delivered {
            from, to, writes, ..
        } = delivered;
        if let Some(iid) = delivered.missed.filter(|_| to == Side::Source) {
            self.departures.missed(iid, self.shop.time.elapsed());
        }
        if writes && to == Side::Target {
            self.broken
                .extend(oracle::at_any_moment(&self.people, self.very_late));
            self.broken.extend(self.departures.look(&self.people));
        }
        let alive = match from {
            Actor::Scheduler => true,
            Actor::Worker(number) => self.workers[number].cx.is_some(),
        };
        if alive && self.shop.time.strikes(from) {
            self.bury(from);
        }
    }

    async fn start(&mut self, ticket: usize, worker: usize) {
        let ticket: Ticket = self.shop.tickets.lock().unwrap().remove(ticket);
        let forgotten = self.mistake == Some(Mistake::LostWithTheDelivery);
        if forgotten && self.steps.is_multiple_of(3) {
            self.shop.forget(ticket).await;
            return;
        }
        if self.lost > 0 {
            self.lost -= 1;
            return;
        }
        if self.doubled > 0 {
            self.doubled -= 1;
            self.shop.tickets.lock().unwrap().push(ticket);
        }
        if let Some(cx) = self.workers[worker].cx.clone() {
            let task = self.shop.job(worker, cx, ticket);
            self.tasks.push(task);
        }
    }
}
