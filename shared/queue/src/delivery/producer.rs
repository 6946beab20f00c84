use super::window::Window;
use crate::connection::{Redis, RedisError};
use mirror_core::job::Ticket;
use tokio::sync::mpsc;

/// The end that tickets are put into. Clones share it.
#[derive(Clone, Debug)]
pub struct Producer {
    to: To,
}

#[derive(Clone, Debug)]
enum To {
    Process(mpsc::Sender<Ticket>),
    Redis(Window),
}

/// Some tickets were not handed over and come back, to be handed back to the record. (If an answer
/// of Redis' was lost they may have been handed over all the same: a stale ticket finds nothing.)
#[derive(Clone, Debug, thiserror::Error)]
#[error("tickets could not be handed over")]
pub struct NotSent {
    /// Those that come back.
    pub tickets: Vec<Ticket>,
    /// Why.
    #[source]
    pub reason: Reason,
}

/// Why tickets were not handed over.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Reason {
    /// The consumer within the process is gone.
    #[error("nobody takes tickets any more")]
    Closed,
    /// Others filled the window.
    #[error("as many tickets wait as may")]
    Full,
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl Producer {
    pub(super) fn in_process(sender: mpsc::Sender<Ticket>) -> Self {
        Self {
            to: To::Process(sender),
        }
    }

    /// Puts tickets into Redis, as long as fewer than `window` wait there, whoever sent them.
    pub fn redis(redis: &Redis, window: usize) -> Self {
        Self {
            to: To::Redis(Window::new(redis.clone(), window.max(1))),
        }
    }

    /// Hands over a ticket; within the process waits for room.
    ///
    /// # Errors
    /// The ticket was not delivered: the consumer has stopped, the window is full, Redis failed.
    pub async fn send(&self, ticket: Ticket) -> Result<(), NotSent> {
        self.send_all(vec![ticket]).await
    }

    /// Hands over tickets in order, over Redis in few round trips.
    ///
    /// # Errors
    /// Some were not delivered, those that the error holds.
    pub async fn send_all(&self, tickets: Vec<Ticket>) -> Result<(), NotSent> {
        match &self.to {
            To::Process(sender) => {
                let mut rest = tickets.into_iter();
                while let Some(ticket) = rest.next() {
                    if let Err(mpsc::error::SendError(ticket)) = sender.send(ticket).await {
                        return Err(NotSent {
                            tickets: std::iter::once(ticket).chain(rest).collect(),
                            reason: Reason::Closed,
                        });
                    }
                }
                Ok(())
            }
            To::Redis(window) => window.send(tickets).await,
        }
    }

    /// How many tickets could be handed over without waiting; over Redis as far as was heard when
    /// it was last spoken to.
    pub fn try_room(&self) -> usize {
        match &self.to {
            To::Process(sender) if sender.is_closed() => 0,
            To::Process(sender) => sender.capacity(),
            To::Redis(window) => window.try_room(),
        }
    }

    /// Waits until it is worth while to hand over tickets, also through Redis' failures: until half
    /// of the places are free. One claim then serves many, and while it is made the workers live on
    /// the other half. `false` once the consumer within the process has stopped.
    pub async fn room(&self) -> bool {
        match &self.to {
            To::Process(sender) => {
                let half = half_of(sender.max_capacity());
                sender.reserve_many(half).await.is_ok()
            }
            To::Redis(window) => {
                window.room().await;
                true
            }
        }
    }

    /// A number that changes when Redis has lost everything, and with it the tickets that were out:
    /// the dispatcher can send them anew at once, in place of waiting for their leases. `None`
    /// before Redis was first heard; always 0 within the process.
    pub fn generation(&self) -> Option<u64> {
        match &self.to {
            To::Process(_) => Some(0),
            To::Redis(window) => window.generation(),
        }
    }
}

/// Of so many places, rounded up: of one, the one.
pub(super) fn half_of(places: usize) -> usize {
    places.div_ceil(2)
}
