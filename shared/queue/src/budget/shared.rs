//! The budget of all processes: a clerk for each instance.

use super::{
    book::{Book, Moment},
    clerk::Clerk,
    desk::Desk,
    limit::Limit,
    shelf::{Contents, Shelf},
    view::BucketView,
    written::Owner,
};
use crate::connection::RedisError;
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Clock, Entropy},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(super) struct Shared {
    shelf: Arc<dyn Shelf>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    me: Owner,
    desks: Mutex<HashMap<InstanceId, Arc<Desk>>>,
    end: CancellationToken,
    _end: DropGuard,
}

impl Shared {
    pub(super) fn new(
        shelf: Arc<dyn Shelf>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let end = CancellationToken::new();
        Self {
            me: Owner::random(&*entropy),
            shelf,
            clock,
            entropy,
            desks: Mutex::default(),
            _end: end.clone().drop_guard(),
            end,
        }
    }

    pub(super) fn desk(&self, instance: InstanceId) -> Arc<Desk> {
        let mut desks = self.desks();
        let desk = desks.entry(instance).or_insert_with(|| {
            let desk = Arc::<Desk>::default();
            let clerk = Clerk {
                instance,
                desk: Arc::clone(&desk),
                shelf: Arc::clone(&self.shelf),
                clock: Arc::clone(&self.clock),
                entropy: Arc::clone(&self.entropy),
                me: self.me,
                state: Default::default(),
            };
            tokio::spawn(self.end.clone().run_until_cancelled_owned(clerk.run()));
            desk
        });
        Arc::clone(desk)
    }

    /// Now, of all instances.
    pub(super) async fn views(&self) -> Result<Vec<BucketView>, RedisError> {
        let mut views = Vec::new();
        for (instance, _) in self.shelf.all().await?.instances {
            let page = self.shelf.turn(instance, "", None).await?;
            let limits = self.desks().get(&instance).map(|desk| desk.limits());
            if let Some(text) = page.text {
                views.extend(read(instance, &text, limits.unwrap_or_default(), page.time));
            }
        }
        Ok(views)
    }

    /// As this process saw it last.
    pub(super) fn seen(&self) -> Vec<BucketView> {
        let now = self.clock.monotonic();
        let desks = self.desks();
        let seen = desks.iter().filter_map(|(instance, desk)| {
            let seen = desk.seen()?;
            let time = seen.time.saturating_add(now.saturating_sub(seen.at));
            Some(read(*instance, &seen.text, desk.limits(), time))
        });
        seen.flatten().collect()
    }

    fn desks(&self) -> MutexGuard<'_, HashMap<InstanceId, Arc<Desk>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn closed(&self) -> Result<Vec<(InstanceId, DateTime<Utc>)>, RedisError> {
        let Contents { time, instances } = self.shelf.all().await?;
        let closed = instances.into_iter().filter(|(_, until)| *until > time);
        Ok(closed
            .map(|(instance, until)| (instance, time_of_day(until)))
            .collect())
    }
}

/// A book that cannot be read is no fault here: its clerk says so.
fn read(instance: InstanceId, text: &str, limits: Vec<Limit>, time: Duration) -> Vec<BucketView> {
    let Ok(mut book) = serde_json::from_str::<Book>(text) else {
        return Vec::new();
    };
    book.configure(limits);
    let now = Moment {
        monotonic: book.advance(time),
        time_of_day: time_of_day(time),
    };
    book.views(instance, &now)
}

/// Of the shelf's time.
pub(super) fn time_of_day(time: Duration) -> DateTime<Utc> {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
