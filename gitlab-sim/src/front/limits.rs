//! Request limits, counted as GitLab counts (facts section 9).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::api::answer::Answer;
use crate::settings::Window;

/// One limit's count for one key.
#[derive(Debug, Default)]
struct Tally {
    window: i64,
    count: u64,
    recent: VecDeque<DateTime<Utc>>,
}

/// All counts.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    tallies: HashMap<String, Tally>,
}

/// What a limit says about one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) period: Duration,
    /// Requests in the window, this one included.
    pub(crate) observed: u64,
    /// When the window ends.
    pub(crate) resets_at: DateTime<Utc>,
}

impl Standing {
    pub(crate) fn refused(&self) -> bool {
        self.observed > u64::from(self.limit)
    }

    /// The headers that describe it.
    pub(crate) fn headers(&self, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let remaining = u64::from(self.limit).saturating_sub(self.observed);
        vec![
            ("RateLimit-Limit", self.limit.to_string()),
            ("RateLimit-Name", "throttle_authenticated_api".to_owned()),
            ("RateLimit-Observed", self.observed.to_string()),
            ("RateLimit-Remaining", remaining.to_string()),
            ("RateLimit-Reset", self.resets_at.timestamp().to_string()),
            (
                "RateLimit-ResetTime",
                self.resets_at
                    .format("%a, %d %b %Y %H:%M:%S GMT")
                    .to_string(),
            ),
            (
                "Retry-After",
                (self.resets_at - now).num_seconds().max(1).to_string(),
            ),
        ]
    }
}

impl Limiter {
    /// Counts a request, refused or not, and tells how the limit stands after it.
    pub(crate) fn count(
        &mut self,
        key: String,
        (limit, period): (u32, Duration),
        window: Window,
        now: DateTime<Utc>,
    ) -> Standing {
        let length = TimeDelta::from_std(period).unwrap_or(TimeDelta::MAX);
        let tally = self.tallies.entry(key).or_default();
        let (observed, resets_at) = match window {
            Window::Fixed => {
                let millis = length.num_milliseconds().max(1);
                let number = now.timestamp_millis().div_euclid(millis);
                if tally.window != number {
                    tally.window = number;
                    tally.count = 0;
                }
                tally.count += 1;
                let end = DateTime::from_timestamp_millis((number + 1) * millis).unwrap_or(now);
                (tally.count, end)
            }
            Window::Sliding => {
                while tally.recent.front().is_some_and(|at| *at + length <= now) {
                    tally.recent.pop_front();
                }
                tally.recent.push_back(now);
                let oldest = tally.recent.front().copied().unwrap_or(now);
                (tally.recent.len() as u64, oldest + length)
            }
        };
        Standing {
            limit,
            period,
            observed,
            resets_at,
        }
    }
}

/// Rack's refusal: plain text.
pub(crate) fn rack_refusal() -> Answer {
    Answer::text(429, "Retry later\n")
}

/// The application limiter's refusal: JSON, in older versions without any header.
pub(crate) fn application_refusal() -> Answer {
    let text = "This endpoint has been requested too many times. Try again later.";
    Answer::json(429, json!({ "message": { "error": text } }))
}
