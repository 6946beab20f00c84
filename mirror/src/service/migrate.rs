//! `migrate`: makes the schema, or brings it up to date.

use super::{
    DeploymentArguments,
    deployment::{database_url, of_record},
};
use crate::{
    exit::{Ending, misconfigured},
    output, progress,
};
use mirror_runtime::{Environment, SystemClock, state_dir::StateDir};
use mirror_store::Store;
use std::sync::Arc;

/// Runs `migrate`.
pub(crate) async fn migrate(
    arguments: &DeploymentArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let folder = StateDir::open(arguments.state_dir.as_deref(), environment)
        .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))?;
    let url = database_url(environment, &folder)?;
    let migrated = Store::migrate(&url, Arc::new(SystemClock::new()))
        .await
        .map_err(of_record)?;
    let at = migrated.to;
    output::line(&if migrated.from == migrated.to {
        format!("{url} is up to date (schema {at})")
    } else {
        format!("{url} was brought from schema {} to {at}", migrated.from)
    });
    Ok(Ending::Well)
}
