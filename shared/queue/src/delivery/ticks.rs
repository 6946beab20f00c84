use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use futures_util::{FutureExt, future::BoxFuture};
use mirror_core::ports::Clock;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::Notify;

/// How often Redis is asked when nobody says that there is anything.
pub(super) const IDLE: Duration = Duration::from_millis(200);

/// A fetch that was under way when a ticket was pushed may have missed it, and the answer "nothing"
/// wakes nobody: so it is fetched again so soon after a notification, then after twice the time,
/// until that is as long as when idle.
const SOON: Duration = Duration::from_millis(2);

/// When a worker looks for tickets: when told that there are some, and now and then.
///
/// apalis' own strategies lose wake-ups when an answer is slower than their interval.
pub(super) struct Ticks {
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    heard: BoxFuture<'static, ()>,
    tick: BoxFuture<'static, ()>,
    pause: Duration,
}

impl Ticks {
    pub(super) fn new(clock: Arc<dyn Clock>, wake: Arc<Notify>) -> Self {
        Self {
            heard: hear(&wake),
            tick: clock.sleep(IDLE),
            pause: IDLE,
            clock,
            wake,
        }
    }

    fn wait(&mut self, pause: Duration) {
        self.pause = pause;
        self.tick = self.clock.sleep(pause);
    }
}

fn hear(wake: &Arc<Notify>) -> BoxFuture<'static, ()> {
    let wake = Arc::clone(wake);
    async move { wake.notified().await }.boxed()
}

impl PollStrategy for Ticks {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        while self.heard.poll_unpin(cx).is_ready() {
            self.heard = hear(&self.wake);
            self.wait(SOON);
        }
        while self.tick.poll_unpin(cx).is_ready() {
            self.wait(self.pause.saturating_mul(2).min(IDLE));
        }
        Poll::Pending
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticks")
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}
