//! A server that counts requests, fixed or sliding, on a clock of its own.

use crate::crowd::Server;
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{BoxFuture, Charge, Observation, Refusal};
use std::{collections::VecDeque, sync::Mutex, time::Duration};

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

pub(crate) struct Limiter {
    window: Window,
    headers: Headers,
    requests: usize,
    period: Duration,
    count: Mutex<Count>,
}

#[derive(Default)]
struct Count {
    /// Times of those that count now; refused ones count too.
    counted: VecDeque<DateTime<Utc>>,
    accepted: usize,
    refused: usize,
}

impl Limiter {
    pub(crate) fn new(window: Window, headers: Headers, requests: usize, period: Duration) -> Self {
        Self {
            window,
            headers,
            requests,
            period,
            count: Mutex::default(),
        }
    }

    pub(crate) fn answer(&self, now: DateTime<Utc>) -> Observation {
        let mut count = self.count.lock().unwrap();
        let period = TimeDelta::from_std(self.period).unwrap();
        let millis = period.num_milliseconds();
        let began = match self.window {
            Window::Fixed => {
                let millis = now.timestamp_millis() / millis * millis;
                DateTime::from_timestamp_millis(millis).unwrap()
            }
            Window::Sliding => now - period,
        };
        while count.counted.front().is_some_and(|time| *time < began) {
            count.counted.pop_front();
        }
        count.counted.push_back(now);
        let refused = count.counted.len() > self.requests;
        if refused {
            count.refused += 1;
        } else {
            count.accepted += 1;
        }
        let reset = match self.window {
            Window::Fixed => began + period,
            Window::Sliding => *count.counted.front().unwrap() + period,
        };
        let told = match self.headers {
            Headers::Always => true,
            Headers::OnRefusal => refused,
            Headers::Never => false,
        };
        Observation {
            instance_clock: DateTime::from_timestamp(now.timestamp(), 0),
            limit: told.then_some(self.requests as u64),
            remaining: told.then_some(self.requests.saturating_sub(count.counted.len()) as u64),
            reset: told.then_some(reset),
            refused: refused.then_some(Refusal {
                retry_after: None,
                application: false,
            }),
            struggling: false,
        }
    }
}

impl Server for Limiter {
    fn arrive(&self, now: DateTime<Utc>, _: &Charge) -> BoxFuture<'_, Observation> {
        Box::pin(std::future::ready(self.answer(now)))
    }

    fn tally(&self) -> (usize, usize) {
        let count = self.count.lock().unwrap();
        (count.accepted, count.refused)
    }
}
