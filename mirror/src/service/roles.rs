//! `all`, `scheduler`, `worker`, `api`: the parts of a service, put together.

use super::{
    ApiArguments, RoleArguments, WorkerArguments,
    alone::Alone,
    deployment::{Deployment, Schema},
    first, telling,
    working::{self, Afterwards},
};
use crate::{exit::Ending, progress};
use anyhow::Context as _;
use mirror_api::Metrics;
use mirror_queue::{
    delivery::{self, Consumer, Producer},
    signals::Signal,
};
use mirror_runtime::{Environment, Shutdown};
use mirror_scheduler::{dispatch, dispatch::Window, sweep, tick};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Tickets that may wait in Redis: enough that no worker waits for the dispatcher, few enough that
/// what is urgent is not behind many.
const WINDOW: usize = 200;

/// Runs `all`.
pub(crate) async fn all(
    arguments: &WorkerArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "info")?;
    let shutdown = Shutdown::listen()?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::Migrate).await?;
    deployment.key_opens().await?;
    let metrics = Arc::new(Metrics::new());
    let mut parts = JoinSet::new();
    if let Some(address) = arguments.listen {
        first::offer_setup(&deployment).await?;
        telling::spawn(&deployment, &metrics, address, &shutdown, &mut parts).await?;
    }
    let (producer, consumer) = match &deployment.redis {
        Some(redis) => (
            Producer::redis(redis, WINDOW),
            Consumer::redis(redis, &deployment.signals),
        ),
        None => delivery::in_process(arguments.concurrency.get()),
    };
    let _alone = Alone::claim(&deployment).await?;
    schedule(&deployment, producer, &shutdown, &mut parts);
    working::spawn(
        &deployment,
        arguments,
        (consumer, metrics),
        (&shutdown, Afterwards::GoOn),
        &mut parts,
    )?;
    until_the_end(parts, &shutdown).await
}

/// Runs `worker`.
pub(crate) async fn worker(
    arguments: &WorkerArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "info")?;
    Deployment::is_to_be_shared(environment, "worker")?;
    let shutdown = Shutdown::listen()?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    deployment.key_opens().await?;
    let redis = deployment.redis.as_ref().context("no Redis")?;
    let consumer = Consumer::redis(redis, &deployment.signals);
    let metrics = Arc::new(Metrics::new());
    let mut parts = JoinSet::new();
    if let Some(address) = arguments.listen {
        telling::spawn(&deployment, &metrics, address, &shutdown, &mut parts).await?;
    }
    working::spawn(
        &deployment,
        arguments,
        (consumer, metrics),
        (&shutdown, Afterwards::End),
        &mut parts,
    )?;
    until_the_end(parts, &shutdown).await
}

/// Runs `api`.
pub(crate) async fn api(
    arguments: &ApiArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "info")?;
    let shutdown = Shutdown::listen()?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let metrics = Arc::new(Metrics::new());
    let mut parts = JoinSet::new();
    first::offer_setup(&deployment).await?;
    telling::spawn(
        &deployment,
        &metrics,
        arguments.listen,
        &shutdown,
        &mut parts,
    )
    .await?;
    until_the_end(parts, &shutdown).await
}

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
    if let Some(address) = arguments.listen {
        let metrics = Arc::new(Metrics::new());
        telling::spawn(&deployment, &metrics, address, &shutdown, &mut parts).await?;
    }
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
    let budget = deployment.budget.clone();
    // Where nothing may go, nothing is handed out: workers' places are for others.
    let window = move || {
        let budget = budget.clone();
        async move {
            let closed = budget.closed_instances().await.unwrap_or_default();
            Window {
                closed: closed.into_iter().map(|(instance, _)| instance).collect(),
                ..Window::default()
            }
        }
    };
    let ticking = tick::run(
        store.clone(),
        clock.clone(),
        deployment.entropy.clone(),
        wake.clone(),
        shutdown.token(),
    );
    parts.spawn(async move { Ok(ticking.await?) });
    let dispatching = dispatch::run_windowed(
        store.clone(),
        producer,
        window,
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
