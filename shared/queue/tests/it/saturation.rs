//! Many clients that always want more: the limit is used, and never exceeded.

use crate::limiter::{Headers, Limiter, Window};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Account, Admission, Charge, Class, Clock, Entropy, Pace},
};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::{SeededEntropy, testing::TokioClock};
use proptest::prelude::*;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone, Debug)]
struct World {
    window: Window,
    headers: Headers,
    configured: bool,
    requests: usize,
    period: u64,
    clients: usize,
    /// The longest way in each direction.
    way: Duration,
    /// What the server's clock shows at the start, beyond our epoch.
    server_ahead: i64,
    seed: u64,
    periods: u32,
}

#[derive(Debug)]
struct Outcome {
    /// Accepted, of what the limit allows.
    used: f64,
    refused: usize,
}

fn epoch() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn charge(by_hand: bool) -> Charge {
    Charge {
        account: Account {
            instance: InstanceId(1),
            user: "42".into(),
        },
        class: Class::Api,
        by_hand,
    }
}

struct Running {
    world: World,
    clock: TokioClock,
    budget: Budget,
    server: Mutex<Limiter>,
    entropy: SeededEntropy,
}

impl Running {
    fn start(world: World) -> Arc<Self> {
        let clock = TokioClock::starting_at(epoch());
        let period = Duration::from_secs(world.period);
        let budget = Budget::new(Arc::new(clock));
        if world.configured {
            let limit = Limit {
                class: Class::Api,
                requests: world.requests as u64,
                period,
            };
            budget.configure(InstanceId(1), [limit]);
        }
        Arc::new(Self {
            clock,
            budget,
            server: Mutex::new(Limiter::new(
                world.window,
                world.headers,
                world.requests,
                period,
            )),
            entropy: SeededEntropy::new(world.seed),
            world,
        })
    }

    fn server_time(&self) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::milliseconds(self.world.server_ahead)
    }

    async fn journey(&self) {
        let longest = self.world.way.as_millis() as u64;
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

    async fn request(&self, charge: &Charge) -> Duration {
        let waited = self.permission(charge).await;
        self.journey().await;
        let observation = self.server.lock().unwrap().arrive(self.server_time());
        self.journey().await;
        self.budget.learn(charge, &observation);
        waited
    }

    /// The clients send as fast as they may until the given time.
    async fn saturate(self: &Arc<Self>, until: Duration) {
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..self.world.clients {
            let running = Arc::clone(self);
            clients.spawn(async move {
                loop {
                    running.request(&charge(false)).await;
                }
            });
        }
        self.clock.sleep(until - self.clock.monotonic()).await;
        clients.shutdown().await;
    }

    fn outcome(&self) -> Outcome {
        let server = self.server.lock().unwrap();
        let allowed = self.world.requests * self.world.periods as usize;
        Outcome {
            used: server.accepted as f64 / allowed as f64,
            refused: server.refused,
        }
    }
}

fn run(world: World) -> Outcome {
    in_paused_time(async move {
        let running = Running::start(world);
        let until = Duration::from_secs(running.world.period) * running.world.periods;
        running.saturate(until).await;
        running.outcome()
    })
}

fn in_paused_time<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(story)
}

fn six_hundred_a_minute() -> World {
    World {
        window: Window::Fixed,
        headers: Headers::Never,
        configured: true,
        requests: 600,
        period: 60,
        clients: 32,
        way: Duration::from_millis(300),
        server_ahead: 17_350,
        seed: 1,
        periods: 10,
    }
}

#[test]
fn six_hundred_a_minute_are_used_and_none_refused() {
    for window in [Window::Fixed, Window::Sliding] {
        let outcome = run(World {
            window,
            ..six_hundred_a_minute()
        });
        assert_eq!(outcome.refused, 0, "{window:?}");
        assert!(outcome.used >= 0.97, "{window:?}: {outcome:?}");
    }
}

#[test]
fn a_limit_that_only_the_headers_tell_is_used_and_not_exceeded() {
    let outcome = run(World {
        headers: Headers::Always,
        configured: false,
        // The window must begin with the run for the figure to be comparable.
        server_ahead: 0,
        ..six_hundred_a_minute()
    });
    assert_eq!(outcome.refused, 0);
    assert!(outcome.used >= 0.97, "{outcome:?}");
}

#[test]
fn a_limit_that_only_refusals_tell_is_learnt_and_used() {
    for headers in [Headers::OnRefusal, Headers::Never] {
        let outcome = run(World {
            headers,
            configured: false,
            server_ahead: 0,
            periods: 60,
            ..six_hundred_a_minute()
        });
        assert!(outcome.used >= 0.93, "{headers:?}: {outcome:?}");
        let sent = outcome.used * 36_000.0;
        assert!((outcome.refused as f64) < sent / 500.0, "{outcome:?}");
    }
}

#[test]
fn a_person_does_not_wait_for_a_saturated_minute() {
    in_paused_time(async {
        let running = Running::start(six_hundred_a_minute());
        let busy = Arc::clone(&running);
        let busy = tokio::spawn(async move { busy.saturate(Duration::from_secs(600)).await });
        let mut longest = Duration::ZERO;
        for minute in 2..9 {
            // Deep in the part of each minute in which the common share is used up.
            let asks = Duration::from_secs(minute * 60 + 40);
            running.clock.sleep(asks - running.clock.monotonic()).await;
            longest = longest.max(running.request(&charge(true)).await);
        }
        busy.await.unwrap();
        assert!(longest <= Duration::from_secs(3), "{longest:?}");
        let outcome = running.outcome();
        assert_eq!(outcome.refused, 0);
        assert!(outcome.used >= 0.97, "{outcome:?}");
    });
}

prop_compose! {
    fn worlds()(
        window in prop_oneof![Just(Window::Fixed), Just(Window::Sliding)],
        headers in prop_oneof![Just(Headers::Always), Just(Headers::OnRefusal), Just(Headers::Never)],
        requests in 1_usize..400,
        period in 30_u64..150,
        clients in 1_usize..48,
        way in 0_u64..400,
        server_ahead in -7_200_000_i64..7_200_000,
        seed: u64,
    ) -> World {
        World {
            window,
            headers,
            configured: true,
            requests,
            period,
            clients,
            way: Duration::from_millis(way),
            server_ahead,
            seed,
            periods: 5,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_of_any_server_is_ever_overdrawn(world in worlds()) {
        let outcome = run(world);
        prop_assert_eq!(outcome.refused, 0);
    }

    #[test]
    fn a_known_limit_is_used_by_those_who_can(world in worlds()) {
        let world = World {
            headers: Headers::Never,
            clients: 48,
            periods: 10,
            ..world
        };
        let outcome = run(world);
        prop_assert!(outcome.used >= 0.97, "{:?}", outcome);
    }
}
