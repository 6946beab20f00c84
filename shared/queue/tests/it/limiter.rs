//! A server that counts requests, fixed or sliding, on a clock of its own.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{Observation, Refusal};
use std::{collections::VecDeque, time::Duration};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Window {
    /// Aligned to the epoch of the server's clock, as GitLab counts.
    Fixed,
    /// Any trailing period, both ends counted.
    Sliding,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Headers {
    Always,
    /// As GitLab's throttle of all requests does.
    OnRefusal,
    /// As GitLab's older application limiters do.
    Never,
}

#[derive(Debug)]
pub(crate) struct Limiter {
    pub(crate) window: Window,
    pub(crate) headers: Headers,
    pub(crate) requests: usize,
    pub(crate) period: Duration,
    /// Times of those that count now; refused ones count too.
    counted: VecDeque<DateTime<Utc>>,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
}

impl Limiter {
    pub(crate) fn new(window: Window, headers: Headers, requests: usize, period: Duration) -> Self {
        Self {
            window,
            headers,
            requests,
            period,
            counted: VecDeque::new(),
            accepted: 0,
            refused: 0,
        }
    }

    /// A request arrives when the server's clock shows `now`.
    pub(crate) fn arrive(&mut self, now: DateTime<Utc>) -> Observation {
        let period = TimeDelta::from_std(self.period).unwrap();
        let millis = period.num_milliseconds();
        let began = match self.window {
            Window::Fixed => {
                let millis = now.timestamp_millis() / millis * millis;
                DateTime::from_timestamp_millis(millis).unwrap()
            }
            Window::Sliding => now - period,
        };
        while self.counted.front().is_some_and(|time| *time < began) {
            self.counted.pop_front();
        }
        self.counted.push_back(now);
        let refused = self.counted.len() > self.requests;
        if refused {
            self.refused += 1;
        } else {
            self.accepted += 1;
        }
        let reset = match self.window {
            Window::Fixed => began + period,
            Window::Sliding => *self.counted.front().unwrap() + period,
        };
        let told = match self.headers {
            Headers::Always => true,
            Headers::OnRefusal => refused,
            Headers::Never => false,
        };
        Observation {
            instance_clock: DateTime::from_timestamp(now.timestamp(), 0),
            limit: told.then_some(self.requests as u64),
            remaining: told.then_some(self.requests.saturating_sub(self.counted.len()) as u64),
            reset: told.then_some(reset),
            refused: refused.then_some(Refusal {
                retry_after: None,
                application: false,
            }),
            struggling: false,
        }
    }
}
