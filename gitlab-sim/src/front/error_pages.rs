//! The answers of faults, in the words of whoever usually gives them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::limits::{Standing, application_refusal, rack_refusal};
use crate::api::answer::Answer;

/// A limit's refusal without a limit.
pub(super) fn refusal(
    now: DateTime<Utc>,
    headers: bool,
    retry_after: Option<u64>,
    application: bool,
) -> Answer {
    let mut answer = if application {
        application_refusal()
    } else {
        rack_refusal()
    };
    if headers {
        let period = Duration::from_secs(60);
        let wait = TimeDelta::seconds(retry_after.unwrap_or(60).cast_signed());
        let standing = Standing {
            limit: 1,
            period,
            observed: 2,
            resets_at: now + wait,
        };
        answer = answer.with_all(standing.headers(now));
        answer.headers.retain(|(name, _)| *name != "Retry-After");
    }
    match retry_after {
        Some(seconds) => answer.with("Retry-After", seconds),
        None => answer,
    }
}

/// An error as its usual sender words it: a proxy in HTML, GitLab in JSON.
pub(super) fn error_page(status: u16) -> Answer {
    if matches!(status, 502..=504) {
        let html = format!(
            "<html><head><title>{status}</title></head><body><center>{status}</center></body></html>"
        );
        return Answer::html(status, &html);
    }
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("Error");
    Answer::json(status, json!({ "message": format!("{status} {reason}") }))
}
