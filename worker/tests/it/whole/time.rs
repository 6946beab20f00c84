//! Time that moves only when nobody has anything to do, and the beats at which a process may die.

use chrono::{DateTime, TimeDelta, Utc};
use gitlab_sim::SimClock;
use mirror_core::ports::{BoxFuture, Clock};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Actor {
    Scheduler,
    Worker(usize),
}

/// What a process that dies is unwound with.
pub(super) struct Died;

/// A machine with much to do wakes sleepers late. The scheduler's looks are frequent and cheap;
/// seldom ones make the same decisions.
const SCHEDULERS_NAP: Duration = Duration::from_secs(15);

/// One time for all processes, since they share a machine; and those of both GitLabs.
#[derive(Clone)]
pub(super) struct Time {
    state: Arc<Mutex<State>>,
    gitlabs: [SimClock; 2],
}

struct State {
    elapsed: Duration,
    /// When `elapsed` was zero, by the machine's clock, which jumps.
    epoch: DateTime<Utc>,
    sleepers: BTreeMap<u64, Sleeper>,
    /// How often something was waited for that is not the database.
    waits: u64,
    next: u64,
    /// Who does something at this moment.
    acting: Option<Actor>,
    dead: BTreeSet<Actor>,
    beats: u64,
    /// The beats at which whoever acts dies.
    fatal: VecDeque<u64>,
    deaths: u64,
    /// Processes whose clock that never jumps stands still: a lie.
    frozen: Option<Duration>,
}

struct Sleeper {
    until: Duration,
    waker: Option<Waker>,
}

impl Time {
    pub(super) fn new(start: DateTime<Utc>, gitlabs: [SimClock; 2]) -> Self {
        let state = State {
            elapsed: Duration::from_secs(1_000),
            epoch: start - TimeDelta::seconds(1_000),
            sleepers: BTreeMap::new(),
            waits: 0,
            next: 0,
            acting: None,
            dead: BTreeSet::new(),
            beats: 0,
            fatal: VecDeque::new(),
            deaths: 0,
            frozen: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            gitlabs,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whoever looks at the clock from now on is this one.
    pub(super) fn act(&self, actor: Option<Actor>) {
        self.lock().acting = actor;
    }

    /// Whoever acts at these beats dies there.
    pub(super) fn kill_at(&self, beats: impl IntoIterator<Item = u64>) {
        self.lock().fatal = beats.into_iter().collect();
    }

    pub(super) fn beats(&self) -> u64 {
        self.lock().beats
    }

    pub(super) fn deaths(&self) -> u64 {
        self.lock().deaths
    }

    /// Deaths still to come.
    pub(super) fn doomed(&self) -> usize {
        self.lock().fatal.len()
    }

    /// A beat of a process by what happens outside of it. `true`: it is its last.
    pub(super) fn strikes(&self, actor: Actor) -> bool {
        self.lock().count(actor)
    }

    pub(super) fn revive(&self, actor: Actor) {
        self.lock().dead.remove(&actor);
    }

    /// From now on workers see no time pass while they are held up for longer than a lease.
    pub(super) fn freeze(&self) {
        let mut state = self.lock();
        state.frozen = Some(Duration::ZERO);
    }

    /// Whoever acts is going to wait for something that is not the database.
    pub(super) fn waited_for(&self) {
        self.lock().waits += 1;
    }

    pub(super) fn waits(&self) -> u64 {
        self.lock().waits
    }

    /// The time that passed, without a beat.
    pub(super) fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    /// The machine's clock is set.
    pub(super) fn jump(&self, by: TimeDelta) {
        self.lock().epoch += by;
    }

    /// When the next sleeper wakes that is still asleep.
    pub(super) fn next_waking(&self) -> Option<Duration> {
        let state = self.lock();
        let until = state.sleepers.values().map(|sleeper| sleeper.until);
        until.filter(|until| *until > state.elapsed).min()
    }

    pub(super) fn advance_to(&self, moment: Duration) {
        let mut wakers = Vec::new();
        {
            let mut state = self.lock();
            let by = moment.saturating_sub(state.elapsed);
            // What is to happen does not wait for ever for those who have nothing to do.
            state.beats += 1 + by.as_secs() / 3;
            state.elapsed = moment.max(state.elapsed);
            for clock in &self.gitlabs {
                clock.advance(by);
            }
            let now = state.elapsed;
            for sleeper in state.sleepers.values_mut() {
                if sleeper.until <= now {
                    wakers.extend(sleeper.waker.take());
                }
            }
        }
        for waker in wakers {
            waker.wake();
        }
    }

    fn beat(&self) {
        if std::thread::panicking() {
            return;
        }
        let dies = {
            let mut state = self.lock();
            match state.acting {
                Some(actor) => state.count(actor),
                None => false,
            }
        };
        if dies {
            resume_unwind(Box::new(Died));
        }
    }
}

impl State {
    fn count(&mut self, actor: Actor) -> bool {
        if self.dead.contains(&actor) {
            return true;
        }
        if actor == Actor::Scheduler {
            return false;
        }
        self.beats += 1;
        let dies = self.fatal.front().is_some_and(|at| *at <= self.beats);
        if dies {
            self.fatal.pop_front();
            self.dead.insert(actor);
            self.deaths += 1;
        }
        dies
    }
}

impl Clock for Time {
    fn now(&self) -> DateTime<Utc> {
        self.beat();
        let state = self.lock();
        state.epoch + TimeDelta::from_std(state.elapsed).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.beat();
        let state = self.lock();
        match (state.frozen, state.acting) {
            (Some(at), Some(Actor::Worker(_))) => at,
            (Some(_), Some(Actor::Scheduler) | None) | (None, _) => state.elapsed,
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.lock();
        let duration = match state.acting {
            Some(Actor::Scheduler) => duration.max(SCHEDULERS_NAP),
            Some(Actor::Worker(_)) | None => duration,
        };
        let until = state.elapsed.saturating_add(duration);
        let id = state.next;
        state.waits += 1;
        state.next += 1;
        let waker = None;
        state.sleepers.insert(id, Sleeper { until, waker });
        Box::pin(Sleep {
            time: self.clone(),
            id,
        })
    }
}

struct Sleep {
    time: Time,
    id: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.time.lock();
        let now = state.elapsed;
        match state.sleepers.get_mut(&self.id) {
            Some(sleeper) if sleeper.until > now => {
                sleeper.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(_) | None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.lock().sleepers.remove(&self.id);
    }
}
