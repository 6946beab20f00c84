//! From the record to the workers: claims what is due, fairly, and sends its tickets.

use crate::outage::Outage;
use mirror_core::{
    ids::{InstanceId, MirrorId},
    job::Ticket,
    ports::Clock,
};
use mirror_queue::delivery::{NotSent, Producer, Reason};
use mirror_store::{Claimed, Claiming, Dealt, Store, StoreError};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Work whose time comes is noticed this late at most; work that others cause wakes us at once.
const POLL: Duration = Duration::from_millis(500);

/// Where something waits for a place that others' jobs hold, it is looked at so often: their ends
/// need not wake us.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What may be out at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// Of this mirror only: a process that has one mirror's tokens can do nothing for others. Its
    /// instances' windows do not count then: it has a concurrency of its own.
    pub only: Option<MirrorId>,
    /// At most so many rows of one mirror, delivered or running. For a single mirror at least what
    /// the delivery and the workers hold together, or workers lie idle.
    pub per_mirror: usize,
    /// A ticket that was not started in this time is void. Longer than tickets wait in the
    /// delivery: a void ticket costs a second delivery.
    pub ticket_lease: Duration,
    /// Instances that take no requests just now: nothing of theirs is delivered.
    pub closed: BTreeSet<InstanceId>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            only: None,
            per_mirror: 64,
            ticket_lease: Duration::from_secs(120),
            closed: BTreeSet::new(),
        }
    }
}

/// What one round of dispatching did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dispatched {
    /// Tickets that went.
    pub sent: usize,
    /// Tickets that were claimed, could not be sent and are due again.
    pub handed_back: usize,
    /// Tickets that the delivery had lost, due again.
    pub lost: u64,
    /// More is due that waits for others of its mirror or its instance to end.
    pub held_back: bool,
}

/// Hands out what is due. Remembers only whose turn is next and which delivery it spoke to, which
/// it may forget at any moment.
#[derive(Debug)]
pub struct Dispatcher {
    store: Store,
    producer: Producer,
    /// The mirror that was served last.
    last: Option<MirrorId>,
    generation: Option<u64>,
    /// The record failed while it was claimed from: the claim may stand although nobody heard of
    /// it, and its tickets were sent by nobody.
    unheard: bool,
}

impl Dispatcher {
    /// From this record to this delivery.
    pub fn new(store: Store, producer: Producer) -> Self {
        Self {
            store,
            producer,
            last: None,
            generation: None,
            unheard: false,
        }
    }

    /// Sends what is due, as far as the delivery has room. What was claimed and could not be sent
    /// is handed back; what the delivery has lost since the last round is due again at once.
    ///
    /// # Errors
    /// The store fails. Tickets that were claimed then run out by themselves.
    pub async fn round(&mut self, window: &Window) -> Result<Dispatched, StoreError> {
        let lost = self.take_back_lost(window).await?;
        let room = self.producer.try_room();
        let mut dispatched = Dispatched {
            lost,
            ..Dispatched::default()
        };
        if room == 0 {
            return Ok(dispatched);
        }
        self.unheard = true;
        let dealt = self.claim(room, window).await?;
        dispatched.held_back = dealt.held_back;
        self.last = dealt.last.or(self.last);
        let all = dealt.claimed.len();
        if let Err(not_sent) = self.send(dealt.claimed).await {
            dispatched.handed_back = not_sent.tickets.len();
            match &not_sent.reason {
                // The producer speaks of Redis' failures, and waits them out, when asked for room.
                Reason::Closed | Reason::Full | Reason::Redis(_) => {
                    tracing::debug!(
                        tickets = not_sent.tickets.len(),
                        error = &not_sent as &dyn std::error::Error,
                        "tickets were not sent and are handed back"
                    );
                }
            }
            hand_back(&self.store, not_sent.tickets).await?;
        }
        self.unheard = false;
        dispatched.sent = all.saturating_sub(dispatched.handed_back);
        Ok(dispatched)
    }

    async fn claim(&self, room: usize, window: &Window) -> Result<Dealt, StoreError> {
        let claiming = Claiming {
            limit: room,
            per_mirror: window.per_mirror,
            lease: window.ticket_lease,
            only: window.only,
            within_instances: window.only.is_none(),
            closed: &window.closed,
            after: self.last,
        };
        self.store.claim_within(&claiming).await
    }

    async fn send(&self, claimed: Vec<Claimed>) -> Result<(), NotSent> {
        let tickets: Vec<Ticket> = claimed.iter().map(|claimed| claimed.ticket).collect();
        if tickets.is_empty() {
            return Ok(());
        }
        self.producer.send_all(tickets).await
    }

    /// After a claim that nobody heard of, every ticket that is not started is void and its row is
    /// sent anew: rather twice for some than after their lease for a few.
    ///
    /// A delivery that has lost everything has lost the tickets that were out. Several dispatchers
    /// may each do this once: tickets that another has sent anew by then are void, and their rows
    /// are sent once more.
    async fn take_back_lost(&mut self, window: &Window) -> Result<u64, StoreError> {
        if self.unheard {
            let unsent = self.store.unqueue_all(window.only).await?;
            self.unheard = false;
            return Ok(unsent);
        }
        let Some(generation) = self.producer.generation() else {
            return Ok(0);
        };
        let lost = match self.generation {
            Some(known) if known != generation => {
                let lost = self.store.unqueue_all(window.only).await?;
                tracing::warn!(
                    work.queued = lost,
                    "the delivery has lost everything; its tickets are sent anew"
                );
                lost
            }
            Some(_) | None => 0,
        };
        self.generation = Some(generation);
        Ok(lost)
    }
}

/// One round of a new [`Dispatcher`]; returns how many tickets went.
///
/// # Errors
/// As [`Dispatcher::round`].
pub async fn dispatch_once(
    store: &Store,
    producer: &Producer,
    window: &Window,
) -> Result<usize, StoreError> {
    let mut dispatcher = Dispatcher::new(store.clone(), producer.clone());
    Ok(dispatcher.round(window).await?.sent)
}

/// Gives tickets back to the record that were claimed and will not be started, so that they are
/// due again at once and not after their lease.
///
/// # Errors
/// The store fails.
pub async fn hand_back(
    store: &Store,
    tickets: impl IntoIterator<Item = Ticket>,
) -> Result<(), StoreError> {
    for ticket in tickets {
        store.unqueue(ticket).await?;
    }
    Ok(())
}

/// As [`run_windowed`], within a window that stays as it is.
///
/// # Errors
/// As [`run_windowed`].
pub async fn run(
    store: Store,
    producer: Producer,
    window: Window,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let window = move || std::future::ready(window.clone());
    run_windowed(store, producer, window, clock, wake, shutdown).await
}

/// Dispatches until `shutdown` is asked for or nobody takes tickets any more. `wake` is for those
/// who owe: a scan that found issues, a job that set another free. `window` is asked before each
/// round: which instances take no requests changes all the time.
///
/// # Errors
/// The store fails for good; a passing failure, of the store or of the delivery, is waited out.
pub async fn run_windowed<W, F>(
    store: Store,
    producer: Producer,
    mut window: W,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError>
where
    W: FnMut() -> F + Send,
    F: Future<Output = Window> + Send,
{
    let mut dispatcher = Dispatcher::new(store, producer.clone());
    let mut outage = Outage::new("the record cannot be read; trying again");
    while shutdown.run_until_cancelled(producer.room()).await == Some(true) {
        // Listening begins before looking, or what is owed in between would wait for the poll.
        let woken = wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let dispatched = match dispatcher.round(&window().await).await {
            Ok(dispatched) => {
                outage.is_over();
                dispatched
            }
            Err(error) => {
                let pause = outage.pause(error)?;
                shutdown.run_until_cancelled(clock.sleep(pause)).await;
                continue;
            }
        };
        if dispatched.sent == 0 && dispatched.handed_back == 0 {
            let pause = if dispatched.held_back {
                LOOK_AGAIN
            } else {
                POLL
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = woken => {}
                () = clock.sleep(pause) => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use mirror_core::{
        ids::{InstanceName, ProjectId},
        job::{Job, Priority},
    };
    use mirror_queue::delivery;
    use mirror_runtime::testing::ManualClock;
    use mirror_store::{MirrorEnd, NewMirror, Owe};

    #[tokio::test]
    async fn what_was_claimed_unheard_is_sent_anew_at_once() {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let store = Store::in_memory(Arc::new(clock)).await.unwrap();
        let name = InstanceName("gitlab.a".to_owned());
        let base = "https://gitlab.a/";
        let instance = store.register_instance(&name, base, &[]).await.unwrap();
        let end = |project| MirrorEnd {
            instance,
            project: ProjectId(project),
            path: format!("group/{project}"),
        };
        let (source, target) = (end(1), end(2));
        let mirror = store.ensure_mirror(&NewMirror { source, target }).await;
        let mirror = mirror.unwrap().id;
        let scan = Owe::changed(Job::ScanMirror { mirror }, Priority::ByHand);
        store.owe(&[scan]).await.unwrap();
        let (producer, _consumer) = delivery::in_process(4);
        let mut dispatcher = Dispatcher::new(store.clone(), producer);
        let window = Window::default();
        // The claim stands, and its answer was lost.
        assert_eq!(dispatcher.claim(1, &window).await.unwrap().claimed.len(), 1);
        dispatcher.unheard = true;
        assert_eq!(dispatcher.round(&window).await.unwrap().sent, 1);
        assert_eq!(dispatcher.round(&window).await.unwrap().sent, 0);
    }
}
