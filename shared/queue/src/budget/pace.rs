//! The budget as the client, the dispatcher and people see it.

use super::{
    book::Moment,
    desk::News,
    ledger::Ledger,
    limit::Limit,
    room::Room,
    shared::Shared,
    shelf::{RedisShelf, Shelf},
    view::{self, BucketView},
};
use crate::connection::{Redis, RedisError};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Admission, BoxFuture, Charge, Clock, Entropy, Observation, Pace},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// What is waited for in place: a minute, and the care that a minute's limit is counted with.
const IN_PLACE: Duration = Duration::from_secs(62);

/// While answers are waited for, time passes too and may make room.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The request budget, for any number of instances and accounts: of one process, or of all on one
/// Redis.
///
/// Each request admitted with [`Admission::Go`] must be reported to [`Pace::learn`] exactly once,
/// also when it was given up or its caller went away: it counts as on its way until then. It is to
/// be reported when the answer's head arrives, not when its body has been read: a transfer that
/// reads one body into another request would else wait for itself on an instance that bears only
/// one request at once.
///
/// Over Redis a process that dies is waited for: what it had sent counts as answered a minute and a
/// half after its last sign of life. While Redis cannot be reached nothing is admitted, as nobody
/// knows what the others send: who asks hears "in a second" until it is back. An instance of which
/// Redis knows nothing stays closed for three seconds, in which those who know something tell.
pub struct Budget {
    clock: Arc<dyn Clock>,
    way: Way,
}

enum Way {
    InProcess(InProcess),
    Shared(Shared),
}

#[derive(Default)]
struct InProcess {
    ledger: Mutex<Ledger>,
    answered: Notify,
}

impl InProcess {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn views(&self, now: &Moment) -> Vec<BucketView> {
        let mut ledger = self.ledger();
        let books = ledger.books();
        books
            .flat_map(|(instance, book)| book.views(instance, now))
            .collect()
    }

    /// Never [`Room::AfterAnswer`]: that is waited for here.
    async fn ask(&self, charge: &Charge, clock: &dyn Clock) -> Room {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            // Listening begins before the decision, or an answer in between would be missed.
            answered.as_mut().enable();
            match self.ledger().decide(clock.monotonic(), charge) {
                Room::AfterAnswer => {}
                room @ (Room::Free | Room::In(_)) => return room,
            }
            tokio::select! {
                () = answered => {}
                () = clock.sleep(LOOK_AGAIN) => {}
            }
        }
    }
}

impl Budget {
    /// Of one process. It knows no limits yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            way: Way::InProcess(InProcess::default()),
        }
    }

    /// Of all processes on this Redis. It works with tasks in the background, which end with it,
    /// and needs a tokio runtime when an instance is first named.
    pub fn redis(redis: &Redis) -> Self {
        let shelf = RedisShelf::new(redis.clone());
        let (clock, entropy) = (redis.clock(), redis.entropy());
        Self::shared(Arc::new(shelf), Arc::clone(clock), Arc::clone(entropy))
    }

    /// Of all processes at one shelf. `clock` serves to wait, and to name times to this process:
    /// what counts is the shelf's time.
    pub fn shared(shelf: Arc<dyn Shelf>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            way: Way::Shared(Shared::new(shelf, Arc::clone(&clock), entropy)),
            clock,
        }
    }

    /// Sets what is known of an instance's limits, in place of what was set before. Of several for
    /// one class the last counts. Every process must be told; where they were told differently,
    /// each keeps to its own.
    pub fn configure(&self, instance: InstanceId, limits: impl IntoIterator<Item = Limit>) {
        match &self.way {
            Way::InProcess(own) => {
                own.ledger().configure(instance, limits);
                own.answered.notify_waiters();
            }
            Way::Shared(shared) => shared
                .desk(instance)
                .configure(limits.into_iter().collect()),
        }
    }

    /// The buckets that were charged, by instance, user and class. Over Redis those of all
    /// processes, but only of instances that this process was told of or charged, and as it saw
    /// them last: a second ago while they are in use. Such that have been at rest are missing.
    pub fn snapshot(&self) -> Vec<BucketView> {
        let mut views = match &self.way {
            Way::InProcess(own) => own.views(&self.moment()),
            Way::Shared(shared) => shared.seen(),
        };
        view::sort(&mut views);
        views
    }

    /// As [`Budget::snapshot`], but over Redis of all instances, and as they are now. Limits that
    /// were set are shown for instances that this process was told of.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn buckets(&self) -> Result<Vec<BucketView>, RedisError> {
        let mut views = match &self.way {
            Way::InProcess(own) => own.views(&self.moment()),
            Way::Shared(shared) => shared.views().await?,
        };
        view::sort(&mut views);
        Ok(views)
    }

    /// The instances to which nothing goes before a time: none of the accounts that were used of
    /// late may send, or the instance is down. For the dispatcher; one short call over Redis,
    /// whose time it is. An instance that is missing here may still make a request wait.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn closed_instances(&self) -> Result<Vec<(InstanceId, DateTime<Utc>)>, RedisError> {
        let mut closed: Vec<_> = match &self.way {
            Way::InProcess(own) => {
                let now = self.moment();
                let mut ledger = own.ledger();
                let books = ledger.books();
                books
                    .filter_map(|(instance, book)| {
                        let until = book.closed_until(now.monotonic)?;
                        Some((instance, now.time_at(until)))
                    })
                    .collect()
            }
            Way::Shared(shared) => shared.closed().await?,
        };
        closed.sort();
        Ok(closed)
    }

    fn moment(&self) -> Moment {
        Moment {
            monotonic: self.clock.monotonic(),
            time_of_day: self.clock.now(),
        }
    }
}

impl Pace for Budget {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        Box::pin(async move {
            let room = match &self.way {
                Way::InProcess(own) => own.ask(charge, &*self.clock).await,
                Way::Shared(shared) => shared.desk(charge.account.instance).ask(charge).await,
            };
            match room {
                Room::Free => Admission::Go,
                Room::In(wait) if wait > IN_PLACE => {
                    let wait = TimeDelta::from_std(wait).ok();
                    let until = wait.and_then(|wait| self.clock.now().checked_add_signed(wait));
                    Admission::NotBefore(until.unwrap_or(DateTime::<Utc>::MAX_UTC))
                }
                Room::In(wait) => Admission::In(wait),
                Room::AfterAnswer => Admission::In(LOOK_AGAIN),
            }
        })
    }

    fn learn(&self, charge: &Charge, observation: &Observation) {
        match &self.way {
            Way::InProcess(own) => {
                own.ledger().learn(self.moment(), charge, observation);
                own.answered.notify_waiters();
            }
            Way::Shared(shared) => {
                let news = News::Answered(charge.clone(), observation.clone());
                shared.desk(charge.account.instance).tell(news);
            }
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = matches!(self.way, Way::Shared(_));
        f.debug_struct("Budget")
            .field("shared", &shared)
            .finish_non_exhaustive()
    }
}
