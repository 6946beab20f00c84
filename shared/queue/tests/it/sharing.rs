//! Eight processes with one budget on Redis: together they use a limit and never exceed it, whatever
//! becomes of one of them or of Redis.

use crate::{
    crowd::{Crowd, Server, charge, epoch, in_paused_time},
    driven_shelf::DrivenShelf,
    limiter::{Headers, Limiter, Window},
    redis_server::{self, shared_url},
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Admission, BoxFuture, Charge, Class, Clock, Observation, Pace, Refusal},
};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::{SystemClock, testing::TokioClock};
use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

const PROCESSES: usize = 8;
const MINUTE: Duration = Duration::from_secs(60);

/// Counts all requests and, beside them, notes.
struct Gitlab {
    all: Limiter,
    notes: Limiter,
    /// Of our requests: accepted, refused.
    ours: Mutex<(usize, usize)>,
}

impl Gitlab {
    /// 600 requests and 300 notes a minute.
    fn new(window: Window, headers: Headers) -> Self {
        Self {
            all: Limiter::new(window, headers, 600, MINUTE),
            notes: Limiter::new(window, Headers::Never, 300, MINUTE),
            ours: Mutex::default(),
        }
    }

    fn answer(&self, now: DateTime<Utc>, charge: &Charge) -> Observation {
        let told = self.all.answer(now);
        if told.refused.is_some() || charge.class != Class::Notes {
            return told;
        }
        let refused = self.notes.answer(now).refused;
        Observation {
            refused: refused.map(|refusal| Refusal {
                application: true,
                ..refusal
            }),
            ..told
        }
    }
}

impl Server for Arc<Gitlab> {
    fn arrive(&self, now: DateTime<Utc>, charge: &Charge) -> BoxFuture<'_, Observation> {
        let told = self.answer(now, charge);
        let mut ours = self.ours.lock().unwrap();
        match told.refused {
            None => ours.0 += 1,
            Some(_) => ours.1 += 1,
        }
        Box::pin(std::future::ready(told))
    }

    fn tally(&self) -> (usize, usize) {
        *self.ours.lock().unwrap()
    }
}

fn note() -> Charge {
    Charge {
        class: Class::Notes,
        changes: true,
        ..charge(false)
    }
}

fn limits() -> Vec<Limit> {
    let limits = ["api=600/60", "notes=300/60"];
    limits.map(|limit| Limit::parse(limit).unwrap()).to_vec()
}

/// Eight processes on one Redis, and a GitLab.
struct World {
    shelf: Arc<DrivenShelf>,
    gitlab: Arc<Gitlab>,
    crowd: Arc<Crowd>,
}

impl World {
    fn new(url: &str, gitlab: Gitlab, limits: &[Limit]) -> Self {
        let clock = TokioClock::starting_at(epoch());
        let shelf = DrivenShelf::new(url, clock, 11);
        let budgets = (0..PROCESSES).map(|_| {
            let budget = shelf.process();
            budget.configure(InstanceId(1), limits.iter().copied());
            budget
        });
        let gitlab = Arc::new(gitlab);
        let crowd = Crowd {
            server_ahead: 17_350,
            ..Crowd::of(clock, budgets.collect(), Box::new(Arc::clone(&gitlab)), 5)
        };
        Self {
            shelf,
            gitlab,
            crowd: Arc::new(crowd),
        }
    }

    /// Sixteen clients in each process.
    fn clients(of: impl Fn(usize) -> Charge) -> Vec<(usize, Charge)> {
        (0..PROCESSES * 16)
            .map(|client| (client % PROCESSES, of(client / PROCESSES)))
            .collect()
    }

    async fn until(&self, time: Duration) {
        let clock = self.crowd.clock;
        clock.sleep(time.saturating_sub(clock.monotonic())).await;
    }
}

fn mixed(client: usize) -> Charge {
    match client % 2 {
        0 => note(),
        _ => charge(false),
    }
}

/// Five minutes in which everybody wants more than there is.
fn five_minutes(window: Window, client: impl Fn(usize) -> Charge, allowed: u32) {
    in_paused_time(async {
        let gitlab = Gitlab::new(window, Headers::Never);
        let world = World::new(&shared_url(), gitlab, &limits());
        let running = world.crowd.start(World::clients(client));
        world.until(5 * MINUTE).await;
        drop(running);
        let (accepted, refused) = world.crowd.tally();
        let used = accepted as f64 / f64::from(allowed);
        println!("{window:?}: {used:.3} of {allowed} used, {refused} refused");
        assert_eq!(refused, 0);
        assert!(used >= 0.97, "{used}");
    });
}

#[test]
fn eight_processes_use_a_fixed_windows_limit_and_never_exceed_it() {
    five_minutes(Window::Fixed, mixed, 3000);
}

#[test]
fn eight_processes_use_a_sliding_windows_limit_and_never_exceed_it() {
    five_minutes(Window::Sliding, mixed, 3000);
}

#[test]
fn eight_processes_use_the_limit_of_notes_and_never_exceed_it() {
    five_minutes(Window::Fixed, |_| note(), 1500);
}

/// Ten minutes beside somebody else, who sends three hundred a minute: so many at once, so often.
fn beside_a_stranger(at_once: u32, pause: Duration) -> (usize, usize) {
    in_paused_time(async {
        let gitlab = Gitlab::new(Window::Fixed, Headers::Always);
        let world = World::new(&shared_url(), gitlab, &limits());
        let running = world.crowd.start(World::clients(mixed));
        let (gitlab, clock) = (Arc::clone(&world.gitlab), world.crowd.clock);
        let ahead = TimeDelta::milliseconds(world.crowd.server_ahead);
        // With the server's minute.
        world
            .until(MINUTE - ahead.to_std().unwrap() + Duration::from_millis(1))
            .await;
        let stranger = tokio::spawn(async move {
            loop {
                for _ in 0..at_once {
                    gitlab.all.answer(clock.now() + ahead);
                }
                clock.sleep(pause).await;
            }
        });
        world.until(11 * MINUTE).await;
        drop(running);
        stranger.abort();
        let (accepted, refused) = world.crowd.tally();
        println!(
            "a stranger sends {at_once} each {pause:?}: {accepted} accepted, {refused} refused"
        );
        assert!(refused * 1000 < accepted, "{refused} of {accepted}");
        (accepted, refused)
    })
}

#[test]
fn a_stranger_who_is_faster_keeps_what_it_took() {
    let (accepted, _) = beside_a_stranger(300, MINUTE);
    // A whole minute and eleven halves are ours.
    assert!((3744..=3900).contains(&accepted), "{accepted}");
}

#[test]
fn a_stranger_who_goes_on_and_on_gets_us_refused_hardly_ever() {
    beside_a_stranger(1, Duration::from_millis(200));
}

#[test]
fn what_a_dead_process_had_sent_is_counted() {
    in_paused_time(async {
        let gitlab = Gitlab::new(Window::Sliding, Headers::Never);
        let world = World::new(&shared_url(), gitlab, &limits());
        let mut clients = World::clients(mixed);
        let doomed = clients
            .extract_if(.., |(process, _)| *process == 7)
            .collect();
        let mut doomed = world.crowd.start(doomed);
        let running = world.crowd.start(clients);
        // In the burst of a minute, with requests on their way.
        world.until(Duration::from_secs(65)).await;
        doomed.shutdown().await;
        world.crowd.kill(7);
        let until_then = world.crowd.tally().0;
        world.until(6 * MINUTE).await;
        drop(running);
        let (accepted, refused) = world.crowd.tally();
        println!(
            "after a death: {} accepted in five minutes, {refused} refused",
            accepted - until_then
        );
        assert_eq!(refused, 0);
        assert!(accepted >= 3400, "{accepted}");
    });
}

#[test]
fn a_flush_in_the_middle_of_a_minute_exceeds_nothing() {
    let redis = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(redis_server::Server::start(&[]));
    in_paused_time(async {
        let gitlab = Gitlab::new(Window::Fixed, Headers::Never);
        let world = World::new(&redis.url(), gitlab, &limits());
        let running = world.crowd.start(World::clients(mixed));
        // In bursts, and where a minute's limit has just been used up.
        for second in [5, 20, 64, 66, 125, 126, 130, 170] {
            world.until(Duration::from_secs(second)).await;
            assert_eq!(redis.admin(&["FLUSHALL"]), "OK");
        }
        world.until(5 * MINUTE).await;
        drop(running);
        let (accepted, refused) = world.crowd.tally();
        println!("eight flushes: {accepted} accepted, {refused} refused");
        assert_eq!(refused, 0);
        assert!(accepted >= 2400, "{accepted}");
    });
}

#[test]
fn while_redis_is_away_nothing_goes_and_afterwards_all_goes_on() {
    in_paused_time(async {
        let gitlab = Gitlab::new(Window::Fixed, Headers::Never);
        let world = World::new(&shared_url(), gitlab, &limits());
        let running = world.crowd.start(World::clients(mixed));
        let away = |is_away| world.shelf.trouble.away.store(is_away, Ordering::Relaxed);
        world.until(Duration::from_secs(64)).await;
        away(true);
        // What was on its way arrives.
        world.until(Duration::from_secs(66)).await;
        let before = world.crowd.tally().0;
        world.until(Duration::from_secs(100)).await;
        assert_eq!(world.crowd.tally().0, before);
        away(false);
        world.until(5 * MINUTE).await;
        drop(running);
        let (accepted, refused) = world.crowd.tally();
        println!("half a minute without redis: {accepted} accepted, {refused} refused");
        assert_eq!(refused, 0);
        assert!(accepted >= 2400, "{accepted}");
    });
}

#[test]
fn writes_whose_answer_is_lost_or_that_come_late_are_counted_once() {
    in_paused_time(async {
        let gitlab = Gitlab::new(Window::Sliding, Headers::Never);
        let world = World::new(&shared_url(), gitlab, &limits());
        let running = world.crowd.start(World::clients(mixed));
        for second in 4..180 {
            world.until(Duration::from_secs(second)).await;
            let trouble = &world.shelf.trouble;
            trouble.lost_answers.store(3, Ordering::Relaxed);
            trouble.late_writes.store(1, Ordering::Relaxed);
        }
        world.until(5 * MINUTE).await;
        drop(running);
        let (accepted, refused) = world.crowd.tally();
        println!("lost answers: {accepted} accepted, {refused} refused");
        assert_eq!(refused, 0);
        assert!(accepted >= 2700, "{accepted}");
    });
}

#[test]
fn a_clock_of_redis_that_is_set_back_exceeds_nothing() {
    in_paused_time(async {
        let gitlab = Gitlab::new(Window::Sliding, Headers::Never);
        let world = World::new(&shared_url(), gitlab, &limits());
        let running = world.crowd.start(World::clients(mixed));
        world.until(Duration::from_secs(65)).await;
        world.shelf.set_clock(TimeDelta::hours(-1));
        world.until(5 * MINUTE).await;
        drop(running);
        let (accepted, refused) = world.crowd.tally();
        println!("an hour back: {accepted} accepted, {refused} refused");
        assert_eq!(refused, 0);
        assert!(accepted >= 2800, "{accepted}");
    });
}

/// Asks until it may go, or may not for long.
async fn insist(budget: &Budget, charge: &Charge) -> Admission {
    let clock = SystemClock::new();
    loop {
        match budget.admit(charge).await {
            Admission::In(wait) => clock.sleep(wait).await,
            settled @ (Admission::Go | Admission::NotBefore(_)) => return settled,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_redis_own_time_a_limit_outlives_a_redis_that_comes_back_empty() {
    let mut server = redis_server::Server::start(&[]).await;
    let budgets = [(); 2].map(|()| Budget::redis(&redis_server::named(&server.url(), "one:")));
    for budget in &budgets {
        budget.configure(InstanceId(1), [Limit::parse("api=3/3600").unwrap()]);
    }
    let charge = charge(false);
    for budget in &budgets {
        assert_eq!(insist(budget, &charge).await, Admission::Go);
        budget.learn(&charge, &Observation::default());
    }
    server.kill();
    let second = Admission::In(Duration::from_secs(1));
    assert_eq!(budgets[0].admit(&charge).await, second);
    assert!(budgets[0].closed_instances().await.is_err());
    server.begin().await;
    assert_eq!(insist(&budgets[1], &charge).await, Admission::Go);
    budgets[1].learn(&charge, &Observation::default());
    for budget in &budgets {
        assert!(matches!(
            insist(budget, &charge).await,
            Admission::NotBefore(_)
        ));
    }
    assert_eq!(budgets[0].buckets().await.unwrap()[0].used, 3);
}
