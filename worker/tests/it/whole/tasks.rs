//! Tasks that are polled one at a time, each until nothing but another one, the network or time
//! can bring it on.

use super::time::{Actor, Died, Time};
use mirror_store::{Store, StoreError};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

/// What a process does beside other things.
pub(super) struct Task {
    pub(super) actor: Actor,
    future: Pin<Box<dyn Future<Output = ()>>>,
    flag: Arc<Flag>,
}

/// Whether somebody woke a task, and who wants to know.
struct Flag {
    woken: AtomicBool,
    listener: Mutex<Option<Waker>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        let listener = self.listener.lock().unwrap().take();
        if let Some(listener) = listener {
            listener.wake();
        }
    }
}

impl Flag {
    fn is_up(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    fn lower(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    fn listen(&self, listener: &Waker) {
        *self.listener.lock().unwrap() = Some(listener.clone());
    }
}

/// A question put to the database.
type Question<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'a>>;

const SOON: Duration = Duration::from_millis(3);

/// Where a task stands after its turn.
pub(super) enum Turn {
    Waits,
    Ended,
    /// Its whole process did.
    Died,
    Panicked(String),
}

impl Task {
    pub(super) fn new(actor: Actor, future: impl Future<Output = ()> + 'static) -> Self {
        Self {
            actor,
            future: Box::pin(future),
            flag: Arc::new(Flag {
                woken: AtomicBool::new(true),
                listener: Mutex::new(None),
            }),
        }
    }

    /// Whether it has something to do.
    pub(super) fn is_ready(&self) -> bool {
        self.flag.is_up()
    }

    fn poll(&mut self, time: &Time) -> Option<Turn> {
        time.act(Some(self.actor));
        let waker = Waker::from(self.flag.clone());
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(&mut cx)));
        time.act(None);
        match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(())) => Some(Turn::Ended),
            Err(panic) if panic.is::<Died>() => Some(Turn::Died),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said =
                    said.or_else(|| panic.downcast_ref::<&str>().map(|said| said.to_string()));
                Some(Turn::Panicked(said.unwrap_or_default()))
            }
        }
    }

    /// Lets it go on for as long as it can. The database answers from a thread of its own, so who
    /// waits for it looks like who waits for another task: a question put behind its own tells, since
    /// there is one connection and it answers one after the other.
    pub(super) async fn go_on(&mut self, time: &Time, store: &Store) -> Turn {
        let mut polls = 0_u64;
        let mut asked: Option<(u64, Question<'_>)> = None;
        let mut waits = time.waits();
        let turn = loop {
            if self.flag.lower() {
                polls += 1;
                waits = time.waits();
                if let Some(turn) = self.poll(time) {
                    break turn;
                }
                continue;
            }
            if asked.is_none() {
                if waits == time.waits() && self.is_answered_soon().await {
                    continue;
                }
                asked = Some((polls, Box::pin(store.check())));
            }
            let Some((since, question)) = &mut asked else {
                continue;
            };
            let answered = poll_fn(|cx| {
                self.flag.listen(cx.waker());
                if self.flag.is_up() {
                    return Poll::Ready(false);
                }
                question.as_mut().poll(cx).map(|_| true)
            });
            if answered.await {
                let nothing_since = *since == polls;
                asked = None;
                if nothing_since && !self.flag.is_up() {
                    return Turn::Waits;
                }
            }
        };
        if let Some((_, question)) = asked {
            question.await.unwrap();
        }
        turn
    }

    /// It waits for the database, most likely: then the question is spared. What this says changes
    /// nothing but how long it takes to find out.
    #[expect(
        clippy::disallowed_methods,
        reason = "the database's own thread knows no other time"
    )]
    async fn is_answered_soon(&self) -> bool {
        let woken = poll_fn(|cx| {
            self.flag.listen(cx.waker());
            if self.flag.is_up() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        tokio::time::timeout(SOON, woken).await.is_ok()
    }
}
