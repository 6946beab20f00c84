//! Waiting for permission to send.

use crate::{Client, Error, ErrorKind, call::Call, calls::Counter};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{Admission, Charge};
use std::time::Duration;

/// A wait of no length would be a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

impl Client {
    pub(crate) fn charge(&self, call: &Call) -> Charge {
        Charge {
            account: self.account.clone(),
            class: call.class,
            by_hand: self.by_hand,
            changes: !call.method.is_safe(),
        }
    }

    /// Waits in place until the request may go, as long as that is short.
    pub(crate) async fn admitted(&self, call: &Call, charge: &Charge) -> Result<(), Error> {
        let patience = self.shared.options.spacing_patience;
        let mut waited = Duration::ZERO;
        loop {
            let until = match self.shared.pace.admit(charge).await {
                Admission::Go => return Ok(()),
                Admission::NotBefore(until) => until,
                Admission::In(wait) => {
                    let wait = wait.max(SHORTEST);
                    if waited.saturating_add(wait) <= patience {
                        self.pause(wait).await;
                        waited += wait;
                        continue;
                    }
                    self.after(wait)
                }
            };
            Counter::put_off();
            return Err(Error::new(&call.subject, ErrorKind::Throttled { until }));
        }
    }

    pub(crate) async fn pause(&self, wait: Duration) {
        self.shared.calls.waited();
        self.shared.clock.sleep(wait).await;
    }

    /// The moment so far ahead, by our own clock.
    pub(crate) fn after(&self, wait: Duration) -> DateTime<Utc> {
        let now = self.shared.clock.now();
        TimeDelta::from_std(wait)
            .ok()
            .and_then(|wait| now.checked_add_signed(wait))
            .unwrap_or(now)
    }
}
