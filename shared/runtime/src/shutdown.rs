//! The clean end: the first signal asks, the second insists.

use std::io;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

/// What a shell reports for a program ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Tells every part of the process that it is time to finish what is in hand.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// One that only [`Shutdown::request`] triggers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens to SIGINT and SIGTERM from now on: the first asks for a clean end, the second ends
    /// the process at once with exit code 130.
    ///
    /// # Errors
    /// The operating system refuses to register a handler.
    pub fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (send, signals) = mpsc::channel(2);
        tokio::spawn(async move {
            loop {
                let heard = tokio::select! {
                    heard = interrupt.recv() => heard,
                    heard = terminate.recv() => heard,
                };
                if heard.is_none() || send.send(()).await.is_err() {
                    return;
                }
            }
        });
        let shutdown = Self::new();
        tokio::spawn(
            shutdown
                .clone()
                .obey(signals, || std::process::exit(INTERRUPTED)),
        );
        Ok(shutdown)
    }

    async fn obey(self, mut signals: mpsc::Receiver<()>, insist: impl FnOnce() + Send) {
        if signals.recv().await.is_none() {
            return;
        }
        tracing::info!("finishing what is in hand; press Ctrl-C again to stop at once");
        self.request();
        if signals.recv().await.is_some() {
            insist();
        }
    }

    /// Asks for the clean end.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until it is asked for.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// For parts that know a token, not us. Cancelling it asks for the clean end of everything;
    /// take a [`CancellationToken::child_token`] to end one part.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_insists() {
        let shutdown = Shutdown::new();
        let (send, signals) = mpsc::channel(2);
        let (insisted, end) = oneshot::channel();
        let obeying = tokio::spawn(shutdown.clone().obey(signals, move || {
            insisted.send(()).unwrap();
        }));
        assert!(!shutdown.is_requested());
        send.send(()).await.unwrap();
        shutdown.requested().await;
        assert!(
            !obeying.is_finished(),
            "one signal does not end the process"
        );
        send.send(()).await.unwrap();
        end.await.unwrap();
    }

    #[tokio::test]
    async fn sigterm_asks_for_the_clean_end() {
        let shutdown = Shutdown::listen().unwrap();
        let status = std::process::Command::new("kill")
            .args(["-TERM", &std::process::id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        shutdown.requested().await;
    }

    #[tokio::test]
    async fn a_part_that_holds_the_token_hears_it_too() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        shutdown.request();
        token.cancelled().await;
        assert!(shutdown.is_requested());
    }
}
