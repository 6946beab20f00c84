//! Health, readiness and metrics of a role.

use super::deployment::Deployment;
use crate::exit::misconfigured;
use mirror_api::{ApiState, Metrics};
use mirror_runtime::Shutdown;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

/// Listens, and answers until the end.
pub(super) async fn spawn(
    deployment: &Deployment,
    metrics: &Arc<Metrics>,
    address: SocketAddr,
    shutdown: &Shutdown,
    parts: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        misconfigured(format!(
            "cannot listen on {address}: {error}; free the port or give another with --listen"
        ))
    })?;
    let state = ApiState {
        store: deployment.store.clone(),
        cipher: deployment.cipher.clone(),
        redis: deployment.redis.clone(),
        signals: deployment.signals.clone(),
        budget: deployment.budget.clone(),
        clock: deployment.clock.clone(),
        entropy: deployment.entropy.clone(),
        metrics: metrics.clone(),
        proxies: deployment.proxies.clone(),
    };
    let serving = mirror_api::serve(listener, state, shutdown.token());
    parts.spawn(async move { Ok(serving.await?) });
    Ok(())
}
