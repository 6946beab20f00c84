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
        type Question<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'a>>;
        let mut polls = 0_u64;
        let mut asked: Option<(u64, Question<'_>)> = None;
        let turn = loop {
            if self.flag.lower() {
                polls += 1;
                if let Some(turn) = self.poll(time) {
                    break turn;
                }
                continue;
            }
            let (since, question) = asked.get_or_insert_with(|| (polls, Box::pin(store.check())));
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
}
