//! Many clients of one account, on a clock that jumps from event to event.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Account, Admission, BoxFuture, Charge, Class, Clock, Entropy, Observation, Pace},
};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::{SeededEntropy, testing::TokioClock};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinSet;

/// What answers them.
pub(crate) trait Server: Send + Sync {
    /// A request arrives when the server's clock shows `now`.
    fn arrive(&self, now: DateTime<Utc>, charge: &Charge) -> BoxFuture<'_, Observation>;

    /// How many were accepted and refused.
    fn tally(&self) -> (usize, usize);
}

pub(crate) struct Crowd {
    pub(crate) clock: TokioClock,
    /// One for each process.
    pub(crate) budgets: Vec<Mutex<Option<Arc<Budget>>>>,
    pub(crate) server: Box<dyn Server>,
    /// The longest way in each direction.
    pub(crate) way: Duration,
    /// How many milliseconds the server's clock is ahead of ours.
    pub(crate) server_ahead: i64,
    pub(crate) entropy: SeededEntropy,
}

/// When all stories begin: the start of a minute and of an hour.
pub(crate) fn epoch() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn charge(by_hand: bool) -> Charge {
    Charge {
        account: Account {
            instance: InstanceId(1),
            user: "42".into(),
        },
        class: Class::Api,
        by_hand,
        changes: false,
    }
}

pub(crate) fn in_paused_time<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(story)
}

impl Crowd {
    pub(crate) fn new(server: Box<dyn Server>, limit: Option<Limit>, seed: u64) -> Self {
        let clock = TokioClock::starting_at(epoch());
        let budget = Budget::new(Arc::new(clock));
        budget.configure(InstanceId(1), limit);
        Self::of(clock, vec![budget], server, seed)
    }

    pub(crate) fn of(
        clock: TokioClock,
        budgets: Vec<Budget>,
        server: Box<dyn Server>,
        seed: u64,
    ) -> Self {
        Self {
            clock,
            budgets: budgets
                .into_iter()
                .map(|budget| Mutex::new(Some(Arc::new(budget))))
                .collect(),
            server,
            way: Duration::from_millis(300),
            server_ahead: 0,
            entropy: SeededEntropy::new(seed),
        }
    }

    pub(crate) fn budget(&self, process: usize) -> Arc<Budget> {
        let budget = self.budgets[process].lock().unwrap();
        budget.clone().expect("the process lives")
    }

    /// A process dies; its clients have.
    pub(crate) fn kill(&self, process: usize) {
        let budget = self.budgets[process].lock().unwrap().take();
        assert_eq!(budget.map(|budget| Arc::strong_count(&budget)), Some(1));
    }

    async fn journey(&self) {
        let longest = self.way.as_millis() as u64;
        let way = Duration::from_millis(self.entropy.next_u64() % (longest + 1));
        self.clock.sleep(way).await;
    }

    /// Waits for permission as the client does; how long it took.
    async fn permission(&self, budget: &Budget, charge: &Charge) -> Duration {
        let asked = self.clock.monotonic();
        loop {
            match budget.admit(charge).await {
                Admission::Go => return self.clock.monotonic() - asked,
                Admission::In(wait) => self.clock.sleep(wait).await,
                Admission::NotBefore(time) => {
                    let wait = (time - self.clock.now()).to_std().unwrap_or_default();
                    self.clock.sleep(wait).await;
                }
            }
        }
    }

    /// One request there and back; how long it waited for permission.
    pub(crate) async fn request(&self, charge: &Charge) -> Duration {
        self.request_of(0, charge).await
    }

    /// The same by one of the processes.
    pub(crate) async fn request_of(&self, process: usize, charge: &Charge) -> Duration {
        let budget = self.budget(process);
        let waited = self.permission(&budget, charge).await;
        self.journey().await;
        let server_time = self.clock.now() + TimeDelta::milliseconds(self.server_ahead);
        let observation = self.server.arrive(server_time, charge).await;
        self.journey().await;
        budget.learn(charge, &observation);
        waited
    }

    /// So many clients send as fast as they may until the given time.
    pub(crate) async fn saturate(self: &Arc<Self>, clients: usize, until: Duration) {
        let charges = (0..clients).map(|_| (0, charge(false))).collect();
        let running = self.start(charges);
        self.clock.sleep(until - self.clock.monotonic()).await;
        drop(running);
    }

    /// Starts clients, each of one process, that send as fast as they may.
    pub(crate) fn start(self: &Arc<Self>, clients: Vec<(usize, Charge)>) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for (process, charge) in clients {
            let crowd = Arc::clone(self);
            running.spawn(async move {
                loop {
                    crowd.request_of(process, &charge).await;
                }
            });
        }
        running
    }

    pub(crate) fn tally(&self) -> (usize, usize) {
        self.server.tally()
    }
}
