//! Many clients of one account, on a clock that jumps from event to event.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Account, Admission, BoxFuture, Charge, Class, Clock, Entropy, Observation, Pace},
};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::{SeededEntropy, testing::TokioClock};
use std::{sync::Arc, time::Duration};

/// What answers them.
pub(crate) trait Server: Send + Sync {
    /// A request arrives when the server's clock shows `now`.
    fn arrive(&self, now: DateTime<Utc>) -> BoxFuture<'_, Observation>;

    /// How many were accepted and refused.
    fn tally(&self) -> (usize, usize);
}

pub(crate) struct Crowd {
    pub(crate) clock: TokioClock,
    pub(crate) budget: Budget,
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
        Self {
            clock,
            budget,
            server,
            way: Duration::from_millis(300),
            server_ahead: 0,
            entropy: SeededEntropy::new(seed),
        }
    }

    async fn journey(&self) {
        let longest = self.way.as_millis() as u64;
        let way = Duration::from_millis(self.entropy.next_u64() % (longest + 1));
        self.clock.sleep(way).await;
    }

    /// Waits for permission as the client does; how long it took.
    async fn permission(&self, charge: &Charge) -> Duration {
        let asked = self.clock.monotonic();
        loop {
            match self.budget.admit(charge).await {
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
        let waited = self.permission(charge).await;
        self.journey().await;
        let server_time = self.clock.now() + TimeDelta::milliseconds(self.server_ahead);
        let observation = self.server.arrive(server_time).await;
        self.journey().await;
        self.budget.learn(charge, &observation);
        waited
    }

    /// So many clients send as fast as they may until the given time.
    pub(crate) async fn saturate(self: &Arc<Self>, clients: usize, until: Duration) {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let crowd = Arc::clone(self);
            running.spawn(async move {
                loop {
                    crowd.request(&charge(false)).await;
                }
            });
        }
        self.clock.sleep(until - self.clock.monotonic()).await;
        running.shutdown().await;
    }

    pub(crate) fn tally(&self) -> (usize, usize) {
        self.server.tally()
    }
}
