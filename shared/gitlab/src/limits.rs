//! What the head of an answer tells about time and limits (facts section 9).

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};
use mirror_core::ports::{Observation, Refusal};
use std::time::Duration;

/// Where a refusal names no time. Application limits count in windows of a minute.
const WITHOUT_A_TIME: Duration = Duration::from_secs(60);

/// Smaller numbers in `RateLimit-Reset` are no dates but seconds to wait, as the IETF draft has it.
const EARLIEST_DATE: i64 = 1_000_000_000;

/// The instance's own clock.
pub(crate) fn instance_clock(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    date(text(headers, header::DATE.as_str())?)
}

/// What a whole answer tells the pace.
pub(crate) fn observe(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Observation {
    let retry_after = retry_after(headers, now);
    let refused = match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Refusal {
            retry_after: retry_after.or_else(|| until_reset(headers, now)),
            application: is(headers, "json"),
        }),
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => Some(Refusal {
            retry_after,
            application: false,
        }),
        _ => None,
    };
    Observation {
        instance_clock: instance_clock(headers),
        limit: number(headers, "ratelimit-limit"),
        remaining: number(headers, "ratelimit-remaining"),
        reset: reset(headers),
        refused,
        struggling: status.is_server_error(),
    }
}

/// How long to wait after a refusal: what it says, else a minute.
pub(crate) fn wait(refusal: &Refusal) -> Duration {
    refusal.retry_after.unwrap_or(WITHOUT_A_TIME)
}

/// Whether the content is of this kind.
pub(crate) fn is(headers: &HeaderMap, kind: &str) -> bool {
    text(headers, header::CONTENT_TYPE.as_str())
        .is_some_and(|value| value.to_ascii_lowercase().contains(kind))
}

fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER.as_str())?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(until(date(value)?, headers, now))
}

fn until_reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    Some(until(reset(headers)?, headers, now))
}

/// From the instance's present to a moment that the instance named: two machines' clocks are never
/// compared, unless the answer has no date.
fn until(moment: DateTime<Utc>, headers: &HeaderMap, now: DateTime<Utc>) -> Duration {
    let present = instance_clock(headers).unwrap_or(now);
    (moment - present).to_std().unwrap_or(Duration::ZERO)
}

fn reset(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let value: i64 = text(headers, "ratelimit-reset")?.parse().ok()?;
    if value >= EARLIEST_DATE {
        return DateTime::from_timestamp(value, 0);
    }
    instance_clock(headers)?.checked_add_signed(chrono::TimeDelta::try_seconds(value)?)
}

fn date(value: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(value).ok().map(Into::into)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn the_two_refusals_are_told_apart() {
        let rack = headers(&[
            ("content-type", "text/plain"),
            ("ratelimit-limit", "600"),
            ("ratelimit-remaining", "0"),
            ("retry-after", "17"),
        ]);
        let seen = observe(StatusCode::TOO_MANY_REQUESTS, &rack, now());
        assert_eq!((seen.limit, seen.remaining), (Some(600), Some(0)));
        let refusal = seen.refused.unwrap();
        assert_eq!(wait(&refusal), Duration::from_secs(17));
        assert!(!refusal.application);

        let application = headers(&[("content-type", "application/json")]);
        let refusal = observe(StatusCode::TOO_MANY_REQUESTS, &application, now())
            .refused
            .unwrap();
        assert!(refusal.application);
        assert_eq!(refusal.retry_after, None);
        assert_eq!(wait(&refusal), Duration::from_secs(60));
    }

    #[test]
    fn a_reset_is_measured_on_the_instances_own_clock() {
        // The instance is an hour behind this process; the window ends in 25 s all the same.
        let late = headers(&[
            ("date", "Fri, 15 Jan 2027 07:00:00 GMT"),
            ("ratelimit-reset", "1799996425"),
        ]);
        let refusal = observe(StatusCode::TOO_MANY_REQUESTS, &late, now())
            .refused
            .unwrap();
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(25)));
    }

    #[test]
    fn a_retry_after_may_be_a_date() {
        let dated = headers(&[
            ("date", "Fri, 15 Jan 2027 07:00:00 GMT"),
            ("retry-after", "Fri, 15 Jan 2027 07:00:40 GMT"),
        ]);
        let seen = observe(StatusCode::SERVICE_UNAVAILABLE, &dated, now());
        assert_eq!(
            seen.refused.unwrap().retry_after,
            Some(Duration::from_secs(40))
        );
        assert!(seen.struggling);
    }
}
