//! Faults on purpose: which requests go wrong, and how.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use regex::Regex;

/// How a request goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// This status instead of the effect; 502, 503 and 504 in a proxy's HTML.
    ErrorBefore(u16),
    /// The effect, then this status.
    ErrorAfter(u16),
    /// The effect, then a cut connection.
    LoseResponse,
    /// A cut connection, no effect.
    Reset,
    /// The request waits this long on the simulator's clock, then goes on.
    Delay(Duration),
    /// No answer, ever.
    Hang {
        /// Whether the effect happens nevertheless.
        effect: bool,
    },
    /// The effect, then an answer cut after this many bytes of its body.
    Truncate(usize),
    /// The effect, then an answer that stops after this many bytes of its body and never goes on.
    Stall(usize),
    /// A limit's refusal, without any limit.
    TooManyRequests {
        /// Whether `RateLimit-*` are there (rack's kind only).
        headers: bool,
        /// Seconds in `Retry-After`, if it is there.
        retry_after: Option<u64>,
        /// JSON of the application limiter instead of rack's plain text.
        application: bool,
    },
    /// 409 of optimistic locking, no effect.
    ResourceLock,
    /// A cut connection now; the effect when the simulator's clock has moved by `after`.
    Land {
        /// How much later.
        after: Duration,
    },
    /// A proxy's 504 now; the effect when the simulator's clock has moved by `after`.
    LandBehindProxy {
        /// How much later.
        after: Duration,
    },
}

/// Which of the matching requests go wrong; they are counted from 1 since the rule was added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Only this one.
    Nth(u64),
    /// Every so-many-eth.
    Every(u64),
    /// All.
    Always,
    /// This share of them, 0 to 1, drawn from the seed.
    Share(f64),
    /// The first so many.
    Next(u64),
}

/// A fault and where it strikes.
#[derive(Clone, Debug)]
pub struct FaultRule {
    /// Such as `POST`; `None` is any.
    pub method: Option<String>,
    /// Regular expression searched in the raw path, without query; one that does not parse matches
    /// nothing.
    pub path: String,
    /// Which of the matching requests.
    pub when: When,
    /// What happens to them.
    pub fault: Fault,
}

impl FaultRule {
    /// A rule for one method, or for any with `"*"`.
    #[must_use]
    pub fn new(method: &str, path: &str, when: When, fault: Fault) -> Self {
        let method = (method != "*").then(|| method.to_owned());
        Self {
            method,
            path: path.to_owned(),
            when,
            fault,
        }
    }
}

/// All rules with their counts.
pub(crate) struct Faults {
    rules: Vec<Armed>,
    random: StdRng,
}

struct Armed {
    rule: FaultRule,
    pattern: Option<Regex>,
    seen: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            random: StdRng::seed_from_u64(seed),
        }
    }

    pub(crate) fn add(&mut self, rule: FaultRule) {
        let pattern = Regex::new(&rule.path).ok();
        self.rules.push(Armed {
            rule,
            pattern,
            seen: 0,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault that strikes this request; every matching rule counts it.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Fault> {
        let mut fault = None;
        for armed in &mut self.rules {
            let fits = armed
                .rule
                .method
                .as_deref()
                .is_none_or(|one| one.eq_ignore_ascii_case(method))
                && armed
                    .pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_match(path));
            if !fits {
                continue;
            }
            armed.seen += 1;
            let strikes = match armed.rule.when {
                When::Nth(number) => armed.seen == number,
                When::Every(step) => step > 0 && armed.seen.is_multiple_of(step),
                When::Always => true,
                When::Share(share) => self.random.random::<f64>() < share,
                When::Next(count) => armed.seen <= count,
            };
            if strikes && fault.is_none() {
                fault = Some(armed.rule.fault.clone());
            }
        }
        fault
    }
}
