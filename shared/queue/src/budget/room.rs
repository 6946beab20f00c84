//! The answer to "may it go?".

use std::time::Duration;

/// Whether there is room for one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Room {
    /// There is.
    Free,
    /// Not before so much time has passed.
    In(Duration),
    /// Not before one of the requests on their way is answered.
    AfterAnswer,
}

impl Room {
    /// Room in both: the longer wait.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::In(one), Self::In(two)) => Self::In(one.max(two)),
            (Self::In(wait), Self::Free | Self::AfterAnswer)
            | (Self::Free | Self::AfterAnswer, Self::In(wait)) => Self::In(wait),
            (Self::AfterAnswer, Self::Free | Self::AfterAnswer)
            | (Self::Free, Self::AfterAnswer) => Self::AfterAnswer,
            (Self::Free, Self::Free) => Self::Free,
        }
    }

    /// Room in one of them: the shorter wait. Time is surer than an answer.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Free, _) | (_, Self::Free) => Self::Free,
            (Self::In(one), Self::In(two)) => Self::In(one.min(two)),
            (Self::In(wait), Self::AfterAnswer) | (Self::AfterAnswer, Self::In(wait)) => {
                Self::In(wait)
            }
            (Self::AfterAnswer, Self::AfterAnswer) => Self::AfterAnswer,
        }
    }

    /// Not before this time.
    pub(super) fn at(time: Duration, now: Duration) -> Self {
        let wait = time.saturating_sub(now);
        if wait.is_zero() {
            Self::Free
        } else {
            Self::In(wait)
        }
    }
}
