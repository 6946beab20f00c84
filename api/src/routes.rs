//! One resource a file.

mod audit;
mod budget;
mod bulk;
mod errands;
mod events;
mod health;
mod hooks;
mod instance_parts;
mod instances;
mod issue_changes;
mod issue_sync;
mod issues;
mod jobs;
mod labels;
mod many_jobs;
mod metrics;
mod milestones;
mod mirrors;
mod own_password;
mod people;
mod plan;
mod queues;
mod reference;
mod rules;
mod runs;
mod session;
mod short_list;
mod sync;
mod tokens;
mod users;
mod workers;

use crate::{ApiState, auth, edge, openapi};
use axum::{Router, middleware, routing::get};
use tower_http::limit::RequestBodyLimitLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// All routes that are described.
pub(crate) fn described() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .merge(instances::router())
        .merge(budget::router())
        .merge(errands::router())
        .merge(mirrors::router())
        .merge(bulk::router())
        .merge(issue_sync::router())
        .merge(labels::router())
        .merge(milestones::router())
        .merge(people::router())
        .merge(sync::router())
        .merge(plan::router())
        .merge(runs::router())
        .merge(issues::router())
        .merge(issue_changes::router())
        .merge(jobs::router())
        .merge(many_jobs::router())
        .merge(queues::router())
        .merge(workers::router())
        .merge(events::router())
        .merge(audit::router())
        .merge(session::router())
        .merge(tokens::router())
        .merge(users::router())
}

/// All routes.
pub fn router(state: ApiState) -> Router {
    let entropy = state.entropy.clone();
    let (described, document) = described().split_for_parts();
    let identified = middleware::from_fn_with_state(state.clone(), auth::identify);
    let routes = described
        .layer(identified)
        .layer(RequestBodyLimitLayer::new(edge::MAX_BODY))
        .merge(hooks::router())
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(state)
        .merge(reference::router(openapi::whole(document)));
    edge::around(routes, entropy)
}
