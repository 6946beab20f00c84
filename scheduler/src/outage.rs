//! Outliving a database that is gone for a while.

use mirror_store::StoreError;
use std::time::Duration;

/// After a failure the next try comes after this time, then twice as long, up to the longest. Short
/// enough for another server to be found within seconds, long enough not to crowd one that starts.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long it has been going on.
#[derive(Debug)]
pub(crate) struct Outage {
    says: &'static str,
    next: Duration,
}

impl Outage {
    /// `says` what a person is told when it begins.
    pub(crate) fn new(says: &'static str) -> Self {
        Self { says, next: PAUSE }
    }

    /// How long to pause after this failure. It is told once, when it begins.
    ///
    /// # Errors
    /// The failure, if it does not pass by waiting.
    pub(crate) fn pause(&mut self, error: StoreError) -> Result<Duration, StoreError> {
        if !error.is_transient() {
            return Err(error);
        }
        if self.next == PAUSE {
            tracing::warn!(error = &error as &dyn std::error::Error, "{}", self.says);
        }
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(LONGEST_PAUSE);
        Ok(pause)
    }

    pub(crate) fn is_over(&mut self) {
        self.next = PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::ids::MirrorId;

    #[test]
    fn pauses_grow_until_it_is_over() {
        let mut outage = Outage::new("");
        let mut pause = || outage.pause(StoreError::Busy).unwrap();
        assert_eq!([pause(), pause()], [PAUSE, PAUSE * 2]);
        for _ in 0..9 {
            pause();
        }
        assert_eq!(pause(), LONGEST_PAUSE);
        outage.is_over();
        assert_eq!(outage.pause(StoreError::Busy).unwrap(), PAUSE);
        let lasting = StoreError::NoSuchMirror(MirrorId(1));
        assert!(outage.pause(lasting).is_err());
    }
}
