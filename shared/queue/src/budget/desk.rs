//! Where the requests of this process to one instance line up, until its [`Clerk`] has looked into
//! the book that all processes share.
//!
//! [`Clerk`]: super::clerk::Clerk

use super::{limit::Limit, room::Room};
use mirror_core::ports::{Charge, Observation};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// Whoever asks while the book cannot be reached asks again after this time.
const AWAY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Desk {
    line: Mutex<Line>,
    pub(super) wake: Notify,
}

#[derive(Debug, Default)]
struct Line {
    limits: Vec<Limit>,
    asks: Vec<Ask>,
    news: Vec<News>,
    seen: Option<Seen>,
}

/// The book as the clerk saw it last, for display.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) text: String,
    /// The shelf's time then, and this process'.
    pub(super) time: Duration,
    pub(super) at: Duration,
}

/// A request that wants to go.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) charge: Charge,
    /// `None` once it was answered although nothing was decided.
    answer: Option<oneshot::Sender<Room>>,
}

/// What became of one that went.
#[derive(Debug)]
pub(super) enum News {
    /// It was answered, or given up.
    Answered(Charge, Observation),
    /// It was admitted and never sent: nobody waited for it any more.
    Withdrawn(Charge),
}

impl Ask {
    /// Whether nobody waits for the answer any more.
    pub(super) fn is_idle(&self) -> bool {
        self.answer.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Whether somebody heard it.
    pub(super) fn answer(&mut self, room: Room) -> bool {
        let answer = self.answer.take();
        answer.is_some_and(|answer| answer.send(room).is_ok())
    }

    /// Nobody can say.
    pub(super) fn turn_away(&mut self) {
        self.answer(Room::In(AWAY));
    }
}

impl Desk {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn configure(&self, limits: Vec<Limit>) {
        self.line().limits = limits;
        self.wake.notify_one();
    }

    pub(super) fn limits(&self) -> Vec<Limit> {
        self.line().limits.clone()
    }

    pub(super) fn show(&self, seen: Seen) {
        self.line().seen = Some(seen);
    }

    pub(super) fn seen(&self) -> Option<Seen> {
        self.line().seen.clone()
    }

    pub(super) fn tell(&self, news: News) {
        self.line().news.push(news);
        self.wake.notify_one();
    }

    /// Never [`Room::AfterAnswer`]: that is waited for here.
    pub(super) async fn ask(&self, charge: &Charge) -> Room {
        let (answer, answered) = oneshot::channel();
        self.line().asks.push(Ask {
            charge: charge.clone(),
            answer: Some(answer),
        });
        self.wake.notify_one();
        let mut waiting = Waiting {
            desk: self,
            charge,
            answered,
        };
        // There is no clerk only while everything ends.
        (&mut waiting.answered).await.unwrap_or(Room::In(AWAY))
    }

    pub(super) fn take(&self) -> (Vec<Ask>, Vec<News>) {
        let mut line = self.line();
        (
            std::mem::take(&mut line.asks),
            std::mem::take(&mut line.news),
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        let line = self.line();
        line.asks.is_empty() && line.news.is_empty()
    }

    pub(super) fn turn_away(&self) {
        let asks = std::mem::take(&mut self.line().asks);
        for mut ask in asks {
            ask.turn_away();
        }
    }
}

/// Gives the place back if its caller leaves between being admitted and hearing of it.
struct Waiting<'a> {
    desk: &'a Desk,
    charge: &'a Charge,
    answered: oneshot::Receiver<Room>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.answered.close();
        if self.answered.try_recv() == Ok(Room::Free) {
            self.desk.tell(News::Withdrawn(self.charge.clone()));
        }
    }
}
