//! The budget of all processes: a clerk for each instance.

use super::{
    book::{Book, Moment},
    clerk::Clerk,
    desk::Desk,
    shelf::{Contents, Page, Shelf},
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
    sync::{Arc, Mutex, PoisonError},
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
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
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

    pub(super) async fn views(&self) -> Result<Vec<BucketView>, RedisError> {
        let mut views = Vec::new();
        for (instance, _) in self.shelf.all().await?.instances {
            let page = self.shelf.turn(instance, "", None).await?;
            if let Some((mut book, now)) = self.read(instance, &page) {
                views.extend(book.views(instance, &now));
            }
        }
        Ok(views)
    }

    /// As it is told to other processes, so a book that cannot be read is no fault here.
    fn read(&self, instance: InstanceId, page: &Page) -> Option<(Book, Moment)> {
        let mut book: Book = serde_json::from_str(page.text.as_deref()?).ok()?;
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = desks.get(&instance).map(|desk| desk.limits());
        book.configure(limits.unwrap_or_default());
        let now = Moment {
            monotonic: book.advance(page.time),
            time_of_day: time_of_day(page.time),
        };
        Some((book, now))
    }

    pub(super) async fn closed(&self) -> Result<Vec<(InstanceId, DateTime<Utc>)>, RedisError> {
        let Contents { time, instances } = self.shelf.all().await?;
        let closed = instances.into_iter().filter(|(_, until)| *until > time);
        Ok(closed
            .map(|(instance, until)| (instance, time_of_day(until)))
            .collect())
    }
}

/// Of the shelf's time.
pub(super) fn time_of_day(time: Duration) -> DateTime<Utc> {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
