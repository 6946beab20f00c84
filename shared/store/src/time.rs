//! Times as the record keeps them.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::time::Duration;

/// Cut to microseconds: PostgreSQL keeps no more, and SQLite would keep nanoseconds.
pub(crate) fn micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// `time + wait`, at most the end of representable time.
pub(crate) fn later(time: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait)
        .ok()
        .and_then(|wait| time.checked_add_signed(wait))
        .map_or(DateTime::<Utc>::MAX_UTC, micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_not_rounded() {
        let time: DateTime<Utc> = "2026-01-02T03:04:05.123456999Z".parse().unwrap();
        assert_eq!(
            micros(time).to_rfc3339(),
            "2026-01-02T03:04:05.123456+00:00"
        );
    }

    #[test]
    fn a_wait_beyond_time_itself_is_the_end_of_time() {
        assert_eq!(
            later(DateTime::UNIX_EPOCH, Duration::MAX),
            DateTime::<Utc>::MAX_UTC
        );
    }
}
