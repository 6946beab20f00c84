//! `workers`: which processes work.

use super::table;
use crate::{
    exit::Ending,
    progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::Args;
use mirror_runtime::Environment;
use serde::Serialize;

/// `workers`
#[derive(Args, Debug)]
pub(crate) struct WorkersArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    host: String,
    pid: i64,
    version: String,
    running: i64,
    concurrency: i64,
    started_at: DateTime<Utc>,
    heartbeat_at: DateTime<Utc>,
    draining: bool,
}

/// Runs `workers`.
pub(crate) async fn workers(
    arguments: &WorkersArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let rows: Vec<Shown> = deployment
        .store
        .workers()
        .await?
        .into_iter()
        .map(|worker| Shown {
            name: worker.name,
            host: worker.host,
            pid: worker.pid,
            version: worker.version,
            running: worker.running,
            concurrency: worker.concurrency,
            started_at: worker.started_at,
            heartbeat_at: worker.heartbeat_at,
            draining: worker.draining,
        })
        .collect();
    table::print(
        &rows,
        arguments.json,
        &[
            "WORKER",
            "HOST",
            "PID",
            "VERSION",
            "JOBS",
            "LAST SIGN OF LIFE",
            "",
        ],
        |row| {
            vec![
                row.name.clone(),
                row.host.clone(),
                row.pid.to_string(),
                row.version.clone(),
                format!("{}/{}", row.running, row.concurrency),
                table::time(Some(row.heartbeat_at)),
                if row.draining { "draining" } else { "" }.to_owned(),
            ]
        },
        "no worker gave a sign of life lately; start one with `issue-mirror all` or `issue-mirror \
         worker`",
    )?;
    Ok(Ending::Well)
}
