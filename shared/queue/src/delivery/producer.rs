use mirror_core::job::Ticket;
use tokio::sync::mpsc;

/// The end that tickets are put into. Clones share it.
#[derive(Clone, Debug)]
pub struct Producer {
    sender: mpsc::Sender<Ticket>,
}

/// The consumer is gone; the ticket comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("nobody takes tickets any more")]
pub struct DeliveryClosed(pub Ticket);

impl Producer {
    pub(super) fn new(sender: mpsc::Sender<Ticket>) -> Self {
        Self { sender }
    }

    /// Hands over a ticket, waiting for room.
    ///
    /// # Errors
    /// The consumer has stopped: the ticket was not delivered.
    pub async fn send(&self, ticket: Ticket) -> Result<(), DeliveryClosed> {
        self.sender
            .send(ticket)
            .await
            .map_err(|mpsc::error::SendError(ticket)| DeliveryClosed(ticket))
    }

    /// How many tickets could be handed over without waiting.
    pub fn try_room(&self) -> usize {
        if self.sender.is_closed() {
            0
        } else {
            self.sender.capacity()
        }
    }

    /// Waits until at least one ticket could be handed over; `false` once the consumer has stopped.
    pub async fn room(&self) -> bool {
        self.sender.reserve().await.is_ok()
    }
}
