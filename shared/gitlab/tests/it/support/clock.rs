use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use mirror_core::ports::{BoxFuture, Clock};
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// Time that only moves by waiting: a pause passes at once and is written down, a time-out (told
/// by its length) never passes until the test lets it.
pub(crate) struct TestClock {
    held: Vec<Duration>,
    state: Mutex<State>,
    registered: Notify,
}

#[derive(Default)]
struct State {
    elapsed: Duration,
    pauses: Vec<Duration>,
    waiting: Vec<(Duration, oneshot::Sender<()>)>,
}

impl TestClock {
    pub(crate) fn holding(held: &[Duration]) -> Self {
        Self {
            held: held.to_vec(),
            state: Mutex::default(),
            registered: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The pauses made so far.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.state().pauses.clone()
    }

    /// Waits until somebody waits for a time-out of this length, and lets it pass.
    pub(crate) async fn run_out(&self, length: Duration) {
        loop {
            let registered = self.registered.notified();
            let due = {
                let mut state = self.state();
                state.waiting.retain(|(_, sender)| !sender.is_closed());
                let found = state.waiting.iter().position(|(held, _)| *held == length);
                found.map(|place| state.waiting.swap_remove(place).1)
            };
            if let Some(sender) = due {
                self.state().elapsed += length;
                // The waiter may have gone in this very moment: then there is a next one.
                if sender.send(()).is_ok() {
                    return;
                }
                continue;
            }
            registered.await;
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.state().elapsed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if self.held.contains(&duration) {
            let (sender, receiver) = oneshot::channel();
            self.state().waiting.push((duration, sender));
            self.registered.notify_waiters();
            return receiver.map(drop).boxed();
        }
        let mut state = self.state();
        state.elapsed += duration;
        state.pauses.push(duration);
        tokio::task::yield_now().boxed()
    }
}
