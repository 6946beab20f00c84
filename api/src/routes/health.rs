//! Whether the process lives, and whether it can do its work.

use crate::ApiState;
use axum::{Json, extract::State, http::StatusCode};
use mirror_store::StoreError;
use serde::Serialize;
use std::{cmp::Ordering, future::Future, time::Duration};

/// A part that has not answered by then is not ready.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says only that the process answers.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// How each part is.
#[derive(Serialize)]
pub(super) struct Readiness {
    ready: bool,
    database: Part,
    migrations: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Part>,
}

/// How one part is.
#[derive(Serialize)]
struct Part {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Part {
    fn of<E: std::error::Error>(answer: Option<Result<Option<String>, E>>) -> Self {
        match answer {
            Some(Ok(detail)) => Self {
                ready: true,
                detail,
            },
            Some(Err(error)) => Self {
                ready: false,
                detail: Some(story(&error)),
            },
            None => Self {
                ready: false,
                detail: Some(format!("no answer within {} s", PATIENCE.as_secs())),
            },
        }
    }
}

/// The error and its causes, on one line.
fn story(error: &dyn std::error::Error) -> String {
    let mut story = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        story.push_str(": ");
        story.push_str(&error.to_string());
        cause = error.source();
    }
    story
}

/// 200 if everything that work needs is there, else 503; either way says which part is not.
pub(super) async fn ready(State(state): State<ApiState>) -> (StatusCode, Json<Readiness>) {
    let checked = within(&state, async { state.store.check().await.map(|()| None) });
    let database = Part::of(checked.await);
    let migrations = Part::of(within(&state, schema(&state)).await);
    let queue = match &state.redis {
        Some(redis) => Some(Part::of(within(&state, redis.check()).await)),
        None => None,
    };
    let ready =
        database.ready && migrations.ready && queue.as_ref().is_none_or(|queue| queue.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        ready,
        database,
        migrations,
        queue,
    };
    (status, Json(readiness))
}

/// A newer schema is no reason to stop: it is there before the newer program is.
async fn schema(state: &ApiState) -> Result<Option<String>, Unprepared> {
    let (found, known) = state.store.schema_numbers().await?;
    match found.cmp(&known) {
        Ordering::Less => Err(Unprepared::Older { found, known }),
        Ordering::Equal => Ok(Some(format!("schema {found}"))),
        Ordering::Greater => Ok(Some(format!(
            "schema {found} is newer than this program's ({known}): update it"
        ))),
    }
}

/// Why the record's tables will not do.
#[derive(Debug, thiserror::Error)]
enum Unprepared {
    #[error("schema {found} is older than this program's ({known}); run `issue-mirror migrate`")]
    Older { found: i64, known: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `None`: it took too long.
async fn within<T>(state: &ApiState, what: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        answer = what => Some(answer),
        () = state.clock.sleep(PATIENCE) => None,
    }
}
