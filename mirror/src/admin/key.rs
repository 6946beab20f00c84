//! `key`: another key for the secrets at rest, while the service goes on.

use super::who;
use crate::{
    exit::{Ending, misconfigured},
    output, progress,
    service::{Deployment, DeploymentArguments, Schema, is_shared},
    sync::locked,
};
use clap::{Args, Subcommand};
use mirror_runtime::{
    Environment, environment, file_lock::ServiceLock, key::Key, state_dir::StateDir,
};
use mirror_store::Resealed;
use serde_json::json;
use std::path::PathBuf;

/// How `key` is used.
pub(crate) const EXAMPLE: &str = "\
Example, where the key is a file in the state folder (stop `all` first):
  issue-mirror key rotate

Example, where processes are given their key, which all know both of by now (docs/operations.md):
  export ISSUE_MIRROR_KEY_FILE=/run/secrets/new ISSUE_MIRROR_OLD_KEY_FILE=/run/secrets/old
  issue-mirror key rotate";

/// What `key` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// Seal everything under a new key that is sealed under the one before. Can be broken off and
    /// called again
    Rotate(RotateArguments),
}

/// `key rotate`
#[derive(Args, Debug)]
pub(crate) struct RotateArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The key before [default: what ISSUE_MIRROR_OLD_KEY or ISSUE_MIRROR_OLD_KEY_FILE gives]
    #[arg(long, value_name = "FILE")]
    old_key_file: Option<PathBuf>,
}

/// Runs `key`.
pub(crate) async fn key(command: &KeyCommand, environment: &Environment) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let KeyCommand::Rotate(arguments) = command;
    let state_dir = arguments.deployment.state_dir.as_deref();
    let folder = StateDir::open(state_dir, environment).map_err(wrong)?;
    let given = environment.text(environment::KEY)?.is_some()
        || environment.path(environment::KEY_FILE).is_some();
    if given {
        between_given_keys(arguments, environment, &folder).await
    } else {
        in_the_folder(arguments, environment, &folder).await
    }
}

fn wrong<E: std::error::Error + Send + Sync + 'static>(error: E) -> anyhow::Error {
    misconfigured(format!("{:#}", anyhow::Error::from(error)))
}

/// Where the environment gives the new key, it or the arguments give the old one. Processes that know
/// both may run meanwhile.
async fn between_given_keys(
    arguments: &RotateArguments,
    environment: &Environment,
    folder: &StateDir,
) -> anyhow::Result<Ending> {
    let old = match &arguments.old_key_file {
        Some(file) => Some(Key::from_file(file).map_err(wrong)?),
        None => Key::load_old(folder, environment).map_err(wrong)?,
    };
    let old = old.ok_or_else(|| {
        misconfigured(format!(
            "the key before is not given: name its file with --old-key-file, or set {}",
            environment::OLD_KEY_FILE
        ))
    })?;
    let mut deployment =
        Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    deployment.cipher = deployment.cipher.and_opens(old.as_bytes());
    let done = reseal(&deployment, environment).await?;
    Ok(told(
        &done,
        "the key before is of no use any more; start the processes without it",
    ))
}

/// The state folder's own key is made anew. Whoever serves the folder would go on with the old one.
async fn in_the_folder(
    arguments: &RotateArguments,
    environment: &Environment,
    folder: &StateDir,
) -> anyhow::Result<Ending> {
    if arguments.old_key_file.is_some() || is_shared(environment, folder)? {
        return Err(misconfigured(format!(
            "give the new key with {}: the other processes of this deployment need it, too",
            environment::KEY_FILE
        )));
    }
    let _alone = locked(ServiceLock::acquire(folder))?;
    Key::load(folder, environment).map_err(wrong)?;
    Key::begin_change(folder).map_err(wrong)?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let done = reseal(&deployment, environment).await?;
    if done.unopened.is_empty() {
        Key::end_change(folder).map_err(wrong)?;
    }
    Ok(told(
        &done,
        "the new key is in the state folder; back it up",
    ))
}

async fn reseal(deployment: &Deployment, environment: &Environment) -> anyhow::Result<Resealed> {
    let store = &deployment.store;
    let done = store
        .reseal(&deployment.cipher, &*deployment.entropy)
        .await?;
    let after = json!({
        "resealed": done.resealed, "current": done.current, "unopened": done.unopened
    });
    let change = who::Change {
        what: "key.rotate",
        object: "key",
        before: None,
        after: Some(after),
    };
    who::audit(store, environment, change).await?;
    Ok(done)
}

fn told(done: &Resealed, next: &str) -> Ending {
    output::line(&format!(
        "{} secrets were sealed under the new key, {} were already",
        done.resealed, done.current
    ));
    if done.unopened.is_empty() {
        output::line(next);
        return Ending::Well;
    }
    output::error(&format!(
        "these open under neither key and stay as they are: {}; store them anew (`issue-mirror \
         instances add`), then call this again",
        done.unopened.join(", ")
    ));
    Ending::Failed
}
