//! Sending again within one call: the only place that does.

use crate::{Client, Conflict, Error, ErrorKind, call::Call};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::{Method, StatusCode};
use std::time::Duration;

/// Edits of one issue collide for moments only.
const LOCK_RETRIES: usize = 4;

/// What is left of a call's patience.
pub(crate) struct Patience {
    reads: ExponentialBackoff,
    locks: ExponentialBackoff,
    /// For refusals that name a time.
    left: Duration,
}

impl Client {
    pub(crate) fn patience(&self) -> Patience {
        let delays = |shortest: u64, times: usize| {
            ExponentialBuilder::new()
                .with_min_delay(Duration::from_millis(shortest))
                .with_max_delay(Duration::from_secs(10))
                .with_max_times(times)
                .with_jitter()
                .with_jitter_seed(self.shared.entropy.next_u64())
                .build()
        };
        let options = &self.shared.options;
        Patience {
            reads: delays(
                500,
                usize::try_from(options.read_retries).unwrap_or(usize::MAX),
            ),
            locks: delays(100, LOCK_RETRIES),
            left: options.spacing_patience,
        }
    }

    /// How long to wait before this call is sent again; `None` where it must not be.
    pub(crate) fn again(
        &self,
        patience: &mut Patience,
        call: &Call,
        error: &Error,
    ) -> Option<Duration> {
        if !call.payload.repeatable() {
            return None;
        }
        let named = error
            .retry_at()
            .map(|at| (at - self.shared.clock.now()).to_std().unwrap_or_default());
        match error.kind() {
            // Refused unread, so that even a write may be repeated; without a status it was never
            // sent, and the patience is used up already.
            ErrorKind::Throttled { .. } => patience.spend(error.status().and(named)?),
            ErrorKind::Unavailable { .. } if call.reads() => {
                let delay = patience.reads.next()?;
                match named {
                    Some(wait) => patience.spend(wait.max(delay)),
                    None => Some(delay),
                }
            }
            ErrorKind::Transport(cause) if call.reads() && cause.is_transient() => {
                patience.reads.next()
            }
            ErrorKind::Refused
                if call.reads() && error.status() == Some(StatusCode::REQUEST_TIMEOUT) =>
            {
                patience.reads.next()
            }
            ErrorKind::Conflict(Conflict::Lock) if call.method == Method::PUT => {
                patience.locks.next()
            }
            ErrorKind::Unavailable { .. }
            | ErrorKind::Transport(_)
            | ErrorKind::Refused
            | ErrorKind::Conflict(_)
            | ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Validation { .. }
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Input(_)
            | ErrorKind::Malformed { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::SignIn
            | ErrorKind::UnprovenWalk
            | ErrorKind::Unsendable { .. }
            | ErrorKind::Withdrawn => None,
        }
    }
}

impl Patience {
    fn spend(&mut self, wait: Duration) -> Option<Duration> {
        self.left = self.left.checked_sub(wait)?;
        Some(wait)
    }
}
