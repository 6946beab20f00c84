//! What a person, and the dispatcher, want to know of a budget.

use super::{
    book::{Book, Moment},
    bucket::Bucket,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Account, Class},
};
use std::time::Duration;

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

impl BucketView {
    fn of(instance: InstanceId, user: &str, bucket: &mut Bucket, now: &Moment) -> Self {
        let used = bucket.counted(now.monotonic);
        let window = bucket.announced_window(now.monotonic);
        let limit = bucket.limit().map(|limit| limit.requests);
        let by_count = limit.map(|limit| limit.saturating_sub(used));
        let announced = window.map(|(_, remaining, _)| remaining);
        let ends = window.map(|(_, _, ends)| ends).or(bucket.next_end());
        let closed_until = bucket.closed_until(now.monotonic);
        Self {
            account: Account {
                instance,
                user: user.to_owned(),
            },
            class: bucket.class,
            limit: limit.or(window.and_then(|(limit, _, _)| limit)),
            period: bucket.period(),
            used,
            remaining: match (by_count, announced) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
            resets_at: ends.map(|ends| now.time_at(ends)),
            closed_until: closed_until.map(|until| now.time_at(until)),
        }
    }
}

/// By instance, user and class.
pub(super) fn sort(views: &mut [BucketView]) {
    let key = |view: &BucketView| (view.account.instance, view.class);
    views.sort_by(|one, two| {
        key(one)
            .cmp(&key(two))
            .then_with(|| one.account.user.cmp(&two.account.user))
    });
}

impl Book {
    /// All of its buckets.
    pub(super) fn views(&mut self, instance: InstanceId, now: &Moment) -> Vec<BucketView> {
        self.buckets()
            .map(|(user, bucket)| BucketView::of(instance, user, bucket, now))
            .collect()
    }

    /// Until when no account that was used of late may send anything.
    pub(super) fn closed_until(&self, now: Duration) -> Option<Duration> {
        let opens = self.lineage.opens();
        let opens = (now < opens).then_some(opens);
        let accounts = self.accounts.values().map(|buckets| {
            let api = buckets.get(Class::Api.name());
            api.and_then(|api| api.shut_until(now))
        });
        // An account that may go on is `None`, which is less than any time.
        let accounts = accounts.min().flatten();
        self.circuit.open_until(now).max(opens).max(accounts)
    }
}
