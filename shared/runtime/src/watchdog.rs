//! Ends the process when its runtime hangs. A job that blocks every thread of the runtime can be
//! neither stopped nor outwaited from within; once the process is gone its leases run out, and
//! others do the work.

use mirror_core::ports::Clock;
use std::{
    io::{self, Write},
    num::NonZeroU32,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

/// How long a runtime may be silent.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often it gives a sign of life.
const BEAT: Duration = Duration::from_secs(1);

/// Expects signs of life from an own thread. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watchdog {
    signs: SyncSender<()>,
    beat: Duration,
}

impl Watchdog {
    /// Watches the runtime this is called on, and aborts the process when it was silent for about
    /// `patience` (whole seconds; at least one), with a word on the error stream. To be called within
    /// the runtime; the watch lasts until the returned task is aborted or the runtime ends.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn guard(
        clock: Arc<dyn Clock>,
        patience: Duration,
    ) -> io::Result<tokio::task::JoinHandle<()>> {
        let beats = u32::try_from(patience.as_secs()).unwrap_or(u32::MAX);
        let beats = NonZeroU32::new(beats).unwrap_or(NonZeroU32::MIN);
        let watchdog = Self::start(BEAT, beats, move || abort(beats))?;
        Ok(tokio::spawn(watchdog.signs_of_life(clock)))
    }

    /// Calls `end`, once, after so many beats in a row without a sign of life. Beats are counted
    /// rather than time measured: a process that was stopped for minutes (SIGSTOP, a laptop's lid)
    /// has missed one beat, not all of them.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(
        beat: Duration,
        missed: NonZeroU32,
        end: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (signs, heard) = sync_channel(1);
        thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || {
                if let Verdict::Hangs = listen(&heard, beat, missed) {
                    end();
                }
            })?;
        Ok(Self { signs, beat })
    }

    /// Gives a sign of life each beat, for as long as it is polled.
    pub async fn signs_of_life(self, clock: Arc<dyn Clock>) {
        loop {
            // Full: the thread has not looked yet, and will find the one before.
            let _ = self.signs.try_send(());
            clock.sleep(self.beat).await;
        }
    }
}

enum Verdict {
    Hangs,
    NobodyIsLeft,
}

fn listen(heard: &Receiver<()>, beat: Duration, missed: NonZeroU32) -> Verdict {
    let mut left = missed.get();
    loop {
        match heard.recv_timeout(beat) {
            Ok(()) => left = missed.get(),
            Err(RecvTimeoutError::Disconnected) => return Verdict::NobodyIsLeft,
            Err(RecvTimeoutError::Timeout) => {
                left -= 1;
                if left == 0 {
                    return Verdict::Hangs;
                }
            }
        }
    }
}

/// Without unwinding, without destructors: any of them might wait for what hangs.
fn abort(beats: NonZeroU32) {
    let _ = writeln!(
        io::stderr(),
        "issue-mirror: nothing has moved in this process for {beats} s; it ends now, and other \
         workers take its work over. This is a defect, please report it"
    );
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use std::sync::mpsc::channel;

    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn a_runtime_whose_only_thread_is_blocked_is_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let (end, ended) = channel();
        let missed = NonZeroU32::new(3).unwrap();
        let watchdog = Watchdog::start(SHORT, missed, move || end.send(()).unwrap()).unwrap();
        runtime.block_on(async move {
            tokio::spawn(watchdog.signs_of_life(Arc::new(SystemClock::new())));
            tokio::task::yield_now().await;
            // Blocks the thread until the watchdog acts.
            ended.recv().unwrap();
        });
    }

    #[test]
    fn a_watch_that_is_over_ends_nothing() {
        let (end, ended) = channel::<()>();
        let missed = NonZeroU32::new(1_000_000).unwrap();
        let watchdog = Watchdog::start(SHORT, missed, move || end.send(()).unwrap()).unwrap();
        drop(watchdog);
        // The thread is gone, and what it would have called with it.
        assert!(ended.recv().is_err());
    }

    #[test]
    fn signs_given_before_do_not_keep_a_silent_runtime_alive() {
        let (signs, heard) = sync_channel(8);
        let missed = NonZeroU32::new(2).unwrap();
        for _ in 0..5 {
            signs.send(()).unwrap();
        }
        let listening = thread::spawn(move || listen(&heard, SHORT, missed));
        assert!(matches!(listening.join().unwrap(), Verdict::Hangs));
        drop(signs);
    }
}
