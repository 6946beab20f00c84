//! The budget in one process.

use super::{
    ledger::{Ledger, Moment},
    limit::Limit,
    trail::Room,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Account, Admission, BoxFuture, Charge, Class, Clock, Observation, Pace},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// What is waited for in place: a minute, and the care that a minute's limit is counted with.
const IN_PLACE: Duration = Duration::from_secs(62);

/// While answers are waited for, time passes too and may make room.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The request budget of one process, for any number of instances and accounts.
///
/// Each request admitted with [`Admission::Go`] must be reported to [`Pace::learn`] exactly once,
/// also when it was given up or its caller went away: it counts as on its way until then. It is to
/// be reported when the answer's head arrives, not when its body has been read: a transfer that
/// reads one body into another request would else wait for itself on an instance that bears only
/// one request at once.
pub struct Budget {
    clock: Arc<dyn Clock>,
    ledger: Mutex<Ledger>,
    answered: Notify,
}

/// One bucket, for display.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketView {
    /// Whose.
    pub account: Account,
    /// Of which requests.
    pub class: Class,
    /// Requests in a period, if configured, announced or taught by a refusal.
    pub limit: Option<u64>,
    /// The period; a minute where none is known.
    pub period: Duration,
    /// Ours that the instance may be counting now.
    pub used: u64,
    /// What may still be sent now; `None` if no limit is known.
    pub remaining: Option<u64>,
    /// When more will remain: the end of the announced window, else when the oldest of ours is no
    /// longer counted.
    pub resets_at: Option<DateTime<Utc>>,
    /// Nothing goes before this time.
    pub closed_until: Option<DateTime<Utc>>,
}

impl Budget {
    /// A budget that knows no limits yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            ledger: Mutex::default(),
            answered: Notify::new(),
        }
    }

    /// Sets what is known of an instance's limits, in place of what was set before. Of several for
    /// one class the last counts.
    pub fn configure(&self, instance: InstanceId, limits: impl IntoIterator<Item = Limit>) {
        self.ledger().configure(instance, limits);
        self.answered.notify_waiters();
    }

    /// All buckets ever charged, by instance, user and class.
    pub fn snapshot(&self) -> Vec<BucketView> {
        let now = self.moment();
        let mut ledger = self.ledger();
        let mut views: Vec<_> = ledger
            .buckets()
            .map(|(account, class, bucket)| {
                let used = bucket.counted(now.monotonic);
                let window = bucket.announced_window(now.monotonic);
                let limit = bucket.limit().map(|limit| limit.requests);
                let by_count = limit.map(|limit| limit.saturating_sub(used));
                let announced = window.map(|(_, remaining, _)| remaining);
                let ends = window.map(|(_, _, ends)| ends).or(bucket.next_end());
                BucketView {
                    account: account.clone(),
                    class,
                    limit: limit.or(window.and_then(|(limit, _, _)| limit)),
                    period: bucket.period(),
                    used,
                    remaining: match (by_count, announced) {
                        (Some(one), Some(two)) => Some(one.min(two)),
                        (one, two) => one.or(two),
                    },
                    resets_at: ends.map(|ends| now.time_at(ends)),
                    closed_until: bucket
                        .closed_until(now.monotonic)
                        .map(|until| now.time_at(until)),
                }
            })
            .collect();
        views.sort_by(|one, two| {
            let key = |view: &BucketView| (view.account.instance, view.class);
            key(one)
                .cmp(&key(two))
                .then_with(|| one.account.user.cmp(&two.account.user))
        });
        views
    }

    fn moment(&self) -> Moment {
        Moment {
            monotonic: self.clock.monotonic(),
            time_of_day: self.clock.now(),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, charge: &Charge) -> Room {
        self.ledger().decide(self.clock.monotonic(), charge)
    }
}

impl Pace for Budget {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        Box::pin(async move {
            loop {
                let answered = self.answered.notified();
                tokio::pin!(answered);
                // Listening begins before the decision, or an answer in between would be missed.
                answered.as_mut().enable();
                match self.decide(charge) {
                    Room::Free => return Admission::Go,
                    Room::In(wait) if wait <= IN_PLACE => return Admission::In(wait),
                    Room::In(wait) => {
                        let now = self.moment();
                        let until = now.monotonic.saturating_add(wait);
                        return Admission::NotBefore(now.time_at(until));
                    }
                    Room::AfterAnswer => tokio::select! {
                        () = answered => {}
                        () = self.clock.sleep(LOOK_AGAIN) => {}
                    },
                }
            }
        })
    }

    fn learn(&self, charge: &Charge, observation: &Observation) {
        let now = self.moment();
        self.ledger().learn(now, charge, observation);
        self.answered.notify_waiters();
    }
}
