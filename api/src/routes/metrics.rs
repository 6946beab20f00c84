//! What Prometheus asks for.

use crate::ApiState;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// This process's counts, and how the whole deployment stands at this moment.
pub(super) async fn metrics(State(state): State<ApiState>) -> Response {
    match state.store.work_totals().await {
        Ok(totals) => state.metrics.deployment(&totals),
        Err(error) => {
            tracing::warn!(%error, "the record's numbers could not be read");
            state.metrics.deployment_unknown();
        }
    }
    if let Some(redis) = &state.redis {
        state.metrics.queue(redis.health().await.ok().as_ref());
    }
    match state.metrics.encoded() {
        Ok(text) => ([(header::CONTENT_TYPE, TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
