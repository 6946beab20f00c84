//! One resource a file.

mod health;
mod metrics;

use crate::ApiState;
use axum::{Router, routing::get};

/// All routes.
pub fn router(state: ApiState) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(state)
}
