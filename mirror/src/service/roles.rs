//! `all`, `scheduler`, `worker`: the parts of a service, put together.

use super::{
    RoleArguments, WorkerArguments,
    deployment::{Deployment, Schema},
};
use crate::{exit::Ending, progress};
use anyhow::Context as _;
use mirror_queue::{
    delivery::{self, Producer},
    signals::Signal,
};
use mirror_runtime::{Environment, Shutdown};
use mirror_scheduler::{dispatch, dispatch::Window, sweep};
use tokio::task::JoinSet;

/// Tickets that may wait in Redis: enough that no worker waits for the dispatcher, few enough that
/// what is urgent is not behind many.
const WINDOW: usize = 200;

/// Runs `scheduler`.
pub(crate) async fn scheduler(
    arguments: &RoleArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "info")?;
    Deployment::is_to_be_shared(environment, "scheduler")?;
    let shutdown = Shutdown::listen()?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let redis = deployment.redis.as_ref().context("no Redis")?;
    let producer = Producer::redis(redis, WINDOW);
    let mut parts = JoinSet::new();
    schedule(&deployment, producer, &shutdown, &mut parts);
    until_the_end(parts, &shutdown).await
}

/// The loops of a scheduler.
fn schedule(
    deployment: &Deployment,
    producer: Producer,
    shutdown: &Shutdown,
    parts: &mut JoinSet<anyhow::Result<()>>,
) {
    let (store, clock) = (&deployment.store, &deployment.clock);
    let wake = deployment.signals.listen(Signal::Owed);
    let dispatching = dispatch::run(
        store.clone(),
        producer,
        Window::default(),
        clock.clone(),
        wake.clone(),
        shutdown.token(),
    );
    parts.spawn(async move { Ok(dispatching.await?) });
    let sweeping = sweep::run(store.clone(), clock.clone(), wake, shutdown.token());
    parts.spawn(async move { Ok(sweeping.await?) });
}

/// Waits for all parts; the first that fails ends the others.
async fn until_the_end(
    mut parts: JoinSet<anyhow::Result<()>>,
    shutdown: &Shutdown,
) -> anyhow::Result<Ending> {
    let mut failed = None;
    while let Some(ended) = parts.join_next().await {
        let ended = ended.context("a part of the service broke down");
        if let Err(error) = ended.and_then(|ended| ended) {
            shutdown.request();
            failed.get_or_insert(error);
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(Ending::Well),
    }
}

/// TEMP
pub(crate) async fn worker(_: &WorkerArguments, _: &Environment) -> anyhow::Result<Ending> {
    anyhow::bail!("later")
}
/// TEMP
pub(crate) async fn all(_: &WorkerArguments, _: &Environment) -> anyhow::Result<Ending> {
    let _ = delivery::in_process(1);
    anyhow::bail!("later")
}
