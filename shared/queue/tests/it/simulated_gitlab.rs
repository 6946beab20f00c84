//! The same crowd against the simulated GitLab's own limiter.

use crate::crowd::{Crowd, Server, in_paused_time};
use axum::body::Body;
use chrono::{DateTime, Utc};
use gitlab_sim::{RateLimits, Sim, SimClock, TokenSpec, UserSpec, Window};
use http::{HeaderMap, Request, StatusCode};
use mirror_core::ports::{BoxFuture, Charge, Observation, Refusal};
use mirror_queue::budget::Limit;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

const MINUTE: Duration = Duration::from_secs(60);

struct Gitlab {
    sim: Sim,
    accepted: AtomicUsize,
    refused: AtomicUsize,
}

impl Gitlab {
    fn new(limits: RateLimits) -> Self {
        let clock = SimClock::manual(DateTime::UNIX_EPOCH);
        let sim = Sim::builder().clock(clock).limits(limits).build();
        let bot = sim.add_user(UserSpec::new("bot", "Bot"));
        sim.add_token(bot, TokenSpec::api("secret"));
        Self {
            sim,
            accepted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        }
    }

    async fn answer(&self, now: DateTime<Utc>) -> Observation {
        self.sim.clock().set(now);
        let request = Request::get("/api/v4/user")
            .header("PRIVATE-TOKEN", "secret")
            .body(Body::empty())
            .unwrap();
        let answer = self.sim.router().oneshot(request).await.unwrap();
        let refused = answer.status() == StatusCode::TOO_MANY_REQUESTS;
        if refused {
            self.refused.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(answer.status(), StatusCode::OK);
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        observation(answer.headers(), refused)
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn observation(headers: &HeaderMap, refused: bool) -> Observation {
    let date = headers.get("date").and_then(|date| date.to_str().ok());
    let reset = number(headers, "ratelimit-reset").and_then(|at| i64::try_from(at).ok());
    let retry_after = number(headers, "retry-after").map(Duration::from_secs);
    Observation {
        instance_clock: date.map(|date| DateTime::parse_from_rfc2822(date).unwrap().into()),
        limit: number(headers, "ratelimit-limit"),
        remaining: number(headers, "ratelimit-remaining"),
        reset: reset.and_then(|at| DateTime::from_timestamp(at, 0)),
        refused: refused.then_some(Refusal {
            retry_after,
            application: false,
        }),
        struggling: false,
    }
}

impl Server for Gitlab {
    fn arrive(&self, now: DateTime<Utc>, _: &Charge) -> BoxFuture<'_, Observation> {
        Box::pin(self.answer(now))
    }

    fn tally(&self) -> (usize, usize) {
        let load = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (load(&self.accepted), load(&self.refused))
    }
}

/// Runs for ten minutes; which part of 600 a minute was used, and how many were refused.
fn run(limits: RateLimits, known: Option<&str>) -> (f64, usize) {
    let limits = RateLimits {
        api: Some((600, MINUTE)),
        ..limits
    };
    let known = known.map(|limit| Limit::parse(limit).unwrap());
    in_paused_time(async {
        let crowd = Arc::new(Crowd::new(Box::new(Gitlab::new(limits)), known, 7));
        crowd.saturate(32, 10 * MINUTE).await;
        let (accepted, refused) = crowd.tally();
        (accepted as f64 / 6000.0, refused)
    })
}

#[test]
fn gitlabs_limit_is_used_and_never_hit_when_it_is_known() {
    for window in [Window::Fixed, Window::Sliding] {
        let limits = RateLimits {
            window,
            ..RateLimits::default()
        };
        let (used, refused) = run(limits, Some("api=600/60"));
        assert_eq!(refused, 0, "{window:?}");
        assert!(used >= 0.97, "{window:?}: {used}");
    }
}

#[test]
fn gitlabs_limit_is_used_and_never_hit_when_every_answer_tells_it() {
    let limits = RateLimits {
        headers_on_every_answer: true,
        ..RateLimits::default()
    };
    let (used, refused) = run(limits, None);
    assert_eq!(refused, 0);
    assert!(used >= 0.97, "{used}");
}

#[test]
fn gitlabs_limit_is_hit_once_when_only_the_refusal_tells_it() {
    let (used, refused) = run(RateLimits::default(), None);
    // As many as were on their way when the first was refused.
    assert!((1..=32).contains(&refused), "{refused}");
    assert!(used >= 0.9, "{used}");
}
