//! The processes: workers that execute tickets, and a scheduler that owes, sweeps and hands out.

use super::{
    gates::{Gates, Turns},
    gone::COMPARED,
    manner::Manner,
    network::Network,
    sabotage::Mistake,
    tasks::Task,
    time::{Actor, Time},
};
use crate::support::{Stage, direct_client, end_of};
use chrono::TimeDelta;
use futures_util::future::select;
use gitlab_sim::{Sim, seed::SeededProject};
use mirror_core::{
    ids::MirrorId, job::Ticket, merge::EditPolicy, outcome::Outcome, ports::Clock,
    preserve::Preserve, provenance::Key, rules::Rules,
};
use mirror_gitlab::{Client, Options, Token};
use mirror_runtime::{SeededEntropy, Shutdown};
use mirror_store::{Claiming, MirrorEnd, NewMirror, Store};
use mirror_worker::{
    Accounts, Context, Each, End, Event, Events, Facts, InHand, Link, Links, Mode, Settings, Side,
    TargetLabels, Transfers,
};
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// As long as a service's.
pub(super) const WORKERS_LEASE: Duration = Duration::from_secs(10);
/// How long a ticket is good that was not started.
const TICKETS_LEASE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(1);
pub(super) const INTERVAL: TimeDelta = TimeDelta::seconds(100);

/// What all processes share.
pub(super) struct Shop {
    pub(super) store: Store,
    pub(super) time: Time,
    pub(super) network: Network,
    pub(super) gates: Gates,
    /// Sent and not yet taken.
    pub(super) tickets: Arc<Mutex<Vec<Ticket>>>,
    pub(super) wake: Arc<Notify>,
    pub(super) mirror: MirrorId,
    /// The one in the opposite direction, of a pair.
    reverse: Option<MirrorId>,
    ends: [(End, String); 2],
    settings: Settings,
    /// A job let the mirror rest.
    pub(super) rests: Arc<AtomicBool>,
    /// What jobs said that no job may say.
    pub(super) defects: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    pub(super) async fn open(
        stage: &Stage,
        time: Time,
        network: Network,
        manner: Manner,
        mistake: Option<Mistake>,
    ) -> Self {
        let store = Store::in_memory(Arc::new(time.clone())).await.unwrap();
        let source = end(&store, stage, &stage.source, &stage.from).await;
        let target = end(&store, stage, &stage.target, &stage.to).await;
        let mirror_end = |end: &End| MirrorEnd {
            instance: end.instance,
            project: end.project.id,
            path: end.project.path.clone(),
        };
        let new = NewMirror {
            source: mirror_end(&source),
            target: mirror_end(&target),
        };
        let mirror = store.ensure_mirror(&new).await.unwrap().id;
        let mut schedule = store.schedule(mirror).await.unwrap();
        schedule.interval = INTERVAL;
        schedule.full_interval = manner.on_delete().map(|_| COMPARED);
        schedule.next_full_at = schedule.full_interval.map(|every| store.now() + every);
        schedule.include_closed = true;
        schedule.next_scan_at = Some(store.now());
        store.set_schedule(mirror, &schedule).await.unwrap();
        store
            .set_edit_policy(mirror, manner.on_edit())
            .await
            .unwrap();
        let filters = mistake != Some(Mistake::FilterIsForgotten);
        let mut settings = Settings {
            include_closed: true,
            comments_at_once: 3,
            large_attachment: 1_000,
            rules: Arc::new(Rules::read(&manner.rules(filters)).unwrap()),
            on_delete: manner.on_delete().unwrap_or_default(),
            breaker: manner.breaker(),
            on_edit: manner.on_edit(),
            ..Settings::default()
        };
        let (rules, now) = (settings.rules.text(), store.now());
        store.set_rules(mirror, rules, now).await.unwrap();
        if mistake == Some(Mistake::EditsAreOverwritten) {
            settings.on_edit = EditPolicy::Overwrite;
        }
        if mistake == Some(Mistake::LateLandingIsNotWaitedFor) {
            settings.late_landing = TimeDelta::zero();
        }
        let reverse = match manner {
            Manner::Paired => Some(pair(&store, mirror, &new).await),
            Manner::Plain | Manner::Gone { .. } | Manner::Ruled(_) | Manner::Protecting => None,
        };
        settings.pair = reverse.filter(|_| mistake != Some(Mistake::PairIsForgotten));
        Self {
            reverse,
            store,
            time,
            network,
            gates: Gates::default(),
            tickets: Arc::default(),
            wake: Arc::default(),
            mirror,
            ends: [
                (source, stage.from.token.clone()),
                (target, stage.to.token.clone()),
            ],
            settings,
            rests: Arc::default(),
            defects: Arc::default(),
        }
    }

    /// All that it has.
    pub(super) fn mirrors(&self) -> impl Iterator<Item = MirrorId> {
        [Some(self.mirror), self.reverse].into_iter().flatten()
    }

    /// Copies keep number and times.
    pub(super) fn preserve(&mut self) {
        self.settings.preserve = Preserve::Auto;
    }

    /// A worker's memory at its beginning: nothing.
    pub(super) fn worker(&self, number: usize, life: u64) -> Arc<Context> {
        let actor = Actor::Worker(number);
        let links = Links::default();
        links.insert(Link {
            mirror: self.mirror,
            source: self.end(actor, Side::Source),
            target: self.end(actor, Side::Target),
            settings: self.settings.clone(),
        });
        if let Some(mirror) = self.reverse {
            links.insert(Link {
                mirror,
                source: self.end(actor, Side::Target),
                target: self.end(actor, Side::Source),
                settings: Settings {
                    pair: self.settings.pair.map(|_| self.mirror),
                    rules: Rules::none().clone(),
                    ..self.settings.clone()
                },
            });
        }
        let defects = self.defects.clone();
        let rests = self.rests.clone();
        let events = Events::new(move |event| match event {
            Event::Failed { error, .. } if error.contains("panicked") => {
                defects.lock().unwrap().push(error);
            }
            Event::Paused { .. } => rests.store(true, Ordering::Relaxed),
            Event::Failed { .. }
            | Event::Found { .. }
            | Event::Carried { .. }
            | Event::Scanned { .. }
            | Event::Issue { .. }
            | Event::Waiting { .. }
            | Event::Notice(..)
            | Event::Planned { .. } => {}
        });
        Arc::new(Context {
            store: self.store.clone(),
            clock: Arc::new(self.time.clone()),
            entropy: Arc::new(SeededEntropy::new(life)),
            key: Key::new([9; 32]),
            links,
            lease: WORKERS_LEASE,
            mode: Mode::Sync,
            events,
            shutdown: Shutdown::new(),
            facts: Facts::default(),
            target_labels: TargetLabels::default(),
            accounts: Accounts::default(),
            proof: Each::default(),
            planned: mirror_worker::Planned::default(),
            transfers: Transfers::default(),
            in_hand: InHand::default(),
            owner: format!("worker-{number}-{life}"),
        })
    }

    fn end(&self, actor: Actor, side: Side) -> End {
        let (end, token) = match side {
            Side::Source => &self.ends[0],
            Side::Target => &self.ends[1],
        };
        let turns = Turns {
            actor,
            gates: self.gates.clone(),
            time: self.time.clone(),
        };
        let client = Client::new(
            end.client.base().clone(),
            Token::new(token),
            end.client.account().clone(),
            self.network.way(actor, side),
            Arc::new(turns),
            Arc::new(self.time.clone()),
            Arc::new(SeededEntropy::new(7)),
            &Options::default(),
        );
        End {
            client,
            ..end.clone()
        }
    }

    /// The execution of a ticket by a worker.
    pub(super) fn job(&self, number: usize, cx: Arc<Context>, ticket: Ticket) -> Task {
        let wake = self.wake.clone();
        Task::new(Actor::Worker(number), async move {
            mirror_worker::execute(&cx, ticket).await;
            wake.notify_one();
        })
    }

    /// Takes what a ticket is for as done.
    pub(super) async fn forget(&self, ticket: Ticket) {
        let started = self.store.start(ticket, "nobody", WORKERS_LEASE).await;
        if let Some(started) = started.unwrap() {
            let outcome = Outcome::Unchanged;
            let end = mirror_store::End::Done { outcome: &outcome };
            self.store.end(&started.fence, end).await.unwrap();
        }
    }

    /// What the scheduler does beside each other.
    pub(super) fn scheduler(&self, life: u64) -> Vec<Task> {
        let clock: Arc<dyn Clock> = Arc::new(self.time.clone());
        let (store, wake) = (&self.store, &self.wake);
        let entropy = Arc::new(SeededEntropy::new(life));
        let ticks = mirror_scheduler::tick::run(
            store.clone(),
            clock.clone(),
            entropy,
            wake.clone(),
            CancellationToken::new(),
        );
        let sweeps = mirror_scheduler::sweep::run(
            store.clone(),
            clock.clone(),
            wake.clone(),
            CancellationToken::new(),
        );
        let hands_out = hand_out(store.clone(), clock, self.tickets.clone(), wake.clone());
        vec![
            Task::new(Actor::Scheduler, async { ticks.await.unwrap() }),
            Task::new(Actor::Scheduler, async { sweeps.await.unwrap() }),
            Task::new(Actor::Scheduler, hands_out),
        ]
    }
}

/// As the scheduler's own, but for the delivery, which here loses, doubles and confuses.
async fn hand_out(
    store: Store,
    clock: Arc<dyn Clock>,
    tickets: Arc<Mutex<Vec<Ticket>>>,
    wake: Arc<Notify>,
) {
    let closed = BTreeSet::new();
    let mut last = None;
    loop {
        let claiming = Claiming {
            limit: 4,
            per_mirror: 6,
            lease: TICKETS_LEASE,
            only: None,
            within_instances: true,
            closed: &closed,
            after: last,
        };
        let dealt = store.claim_within(&claiming).await.unwrap();
        last = dealt.last.or(last);
        if dealt.claimed.is_empty() {
            select(pin!(wake.notified()), clock.sleep(LOOK)).await;
        }
        let claimed = dealt.claimed.into_iter().map(|claimed| claimed.ticket);
        tickets.lock().unwrap().extend(claimed);
    }
}

/// The mirror in the opposite direction; both are declared a pair.
async fn pair(store: &Store, mirror: MirrorId, there: &NewMirror) -> MirrorId {
    let back = NewMirror {
        source: there.target.clone(),
        target: there.source.clone(),
    };
    let reverse = store.ensure_mirror(&back).await.unwrap().id;
    let schedule = store.schedule(mirror).await.unwrap();
    store.set_schedule(reverse, &schedule).await.unwrap();
    assert!(store.declare_pair(mirror, reverse).await.unwrap());
    reverse
}

async fn end(store: &Store, stage: &Stage, sim: &Sim, seeded: &SeededProject) -> End {
    let client = |instance| direct_client(sim, &seeded.token, instance, &stage.clock);
    end_of(store, sim, seeded, client).await
}
