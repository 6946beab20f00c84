//! How many requests a second the budget on Redis lets through, with the contention of eight
//! processes of sixteen requests each at one instance. Run with
//!
//! ```text
//! . .ci/redis && redis_start "$(mktemp -d)" && cargo bench -p mirror-queue --bench budget; redis_stop
//! ```
//!
//! Each request is answered at once, so nothing but the budget is waited for. First no limit is
//! known, then one that is not reached, so that its reserve is kept as well. To hold: 500 requests
//! a second, more than any GitLab grants.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures real time, speaks to a person and may stop at a failure"
)]

use mirror_core::{
    ids::InstanceId,
    ports::{Account, Admission, Charge, Class, Entropy, Observation, Pace},
};
use mirror_queue::{
    budget::{Budget, Limit},
    connection::Redis,
};
use mirror_runtime::{SystemClock, SystemEntropy};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const PROCESSES: usize = 8;
const REQUESTS: usize = 16;
const BUSY_FOR: Duration = Duration::from_secs(5);

fn connect() -> Redis {
    let url = std::env::var("ISSUE_MIRROR_TEST_REDIS").unwrap();
    Redis::new(
        url.parse().unwrap(),
        "bench-budget:".parse().unwrap(),
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
    )
    .unwrap()
}

fn charge(instance: InstanceId) -> Charge {
    Charge {
        account: Account {
            instance,
            user: "42".into(),
        },
        class: Class::Notes,
        by_hand: false,
        changes: true,
    }
}

/// How long each decision took.
async fn client(budget: Arc<Budget>, charge: Charge, end: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut asked = Instant::now();
    while Instant::now() < end {
        match budget.admit(&charge).await {
            Admission::Go => {
                took.push(asked.elapsed());
                budget.learn(&charge, &Observation::default());
                asked = Instant::now();
            }
            Admission::In(wait) => tokio::time::sleep(wait).await,
            Admission::NotBefore(_) => return took,
        }
    }
    took
}

async fn measure(name: &str, limits: Option<Limit>) {
    let number = i64::try_from(SystemEntropy.next_u64() >> 1).unwrap();
    let instance = InstanceId(number);
    let budgets: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let budget = Budget::redis(&connect());
            budget.configure(instance, limits);
            Arc::new(budget)
        })
        .collect();
    // The new book opens, and the slow start ends.
    let end = Instant::now() + Duration::from_secs(4);
    if let Some(first) = budgets.first() {
        client(Arc::clone(first), charge(instance), end).await;
    }
    let began = Instant::now();
    let clients: Vec<_> = (0..PROCESSES * REQUESTS)
        .map(|client_number| {
            let budget = Arc::clone(budgets.get(client_number % PROCESSES).unwrap());
            tokio::spawn(client(budget, charge(instance), began + BUSY_FOR))
        })
        .collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await.unwrap());
    }
    took.sort();
    let at = |part: usize| {
        took.get(took.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    println!(
        "{name}: {rate:.0} decisions/s; waited p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
}

#[tokio::main]
async fn main() {
    measure("no limit", None).await;
    let limit = Limit::parse("api=1000000/60").unwrap();
    measure("a limit not reached", Some(limit)).await;
}
