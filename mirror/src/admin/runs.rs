//! `runs`: scans and the jobs they caused, counted.

use super::{table, who};
use crate::{
    exit::{Ending, misconfigured},
    output, progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mirror_core::ids::{MirrorId, RunId};
use mirror_runtime::Environment;
use mirror_store::{Run, RunStatus};
use serde::Serialize;
use serde_json::json;

/// What `runs` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum RunsCommand {
    /// List a mirror's runs, latest first
    List(ListArguments),
    /// Show a run: progress, counts, errors
    Show(OneArguments),
    /// End a run; what it had found is owed still and waits for the mirror's next turn
    Cancel(OneArguments),
}

/// `runs list`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "MIRROR")]
    mirror: i64,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "20")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A run.
#[derive(Args, Debug)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Its id, as listed
    #[arg(value_name = "ID")]
    id: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    mirror: i64,
    kind: &'static str,
    status: &'static str,
    requested_by: String,
    started_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    open: i64,
    processed: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    skipped: i64,
    failed: i64,
    comments: i64,
    attachments: i64,
    api_calls: i64,
    waits: i64,
    error: Option<String>,
}

impl From<Run> for Shown {
    fn from(run: Run) -> Self {
        let counts = run.counts;
        Self {
            id: run.id.0,
            mirror: run.mirror.0,
            kind: run.kind.name(),
            status: run.status.name(),
            requested_by: run.requested_by,
            started_at: run.started_at,
            completed_at: run.completed_at,
            open: run.open,
            processed: counts.processed,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            skipped: counts.skipped,
            failed: counts.failed,
            comments: counts.comments,
            attachments: counts.attachments,
            api_calls: counts.api_calls,
            waits: counts.waits,
            error: run.error_details,
        }
    }
}

/// Runs `runs`.
pub(crate) async fn runs(
    command: &RunsCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    match command {
        RunsCommand::List(arguments) => list(arguments, environment).await,
        RunsCommand::Show(arguments) => {
            let (_, run) = one(arguments, environment).await?;
            show(&Shown::from(run), arguments.json)?;
            Ok(Ending::Well)
        }
        RunsCommand::Cancel(arguments) => {
            let (deployment, run) = one(arguments, environment).await?;
            if run.status != RunStatus::Running {
                return Err(misconfigured(format!(
                    "run {} has ended already ({})",
                    run.id,
                    run.status.name()
                )));
            }
            let store = &deployment.store;
            store.cancel_run(run.id).await?;
            let after = json!({"job_id": run.id.0});
            who::did(
                store,
                environment,
                "sync_job.cancel",
                run.mirror,
                Some(after),
            )
            .await?;
            output::line(&format!(
                "run {} is cancelled; what it had found is owed still",
                run.id
            ));
            Ok(Ending::Well)
        }
    }
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let runs = deployment
        .store
        .runs(MirrorId(arguments.mirror), arguments.limit)
        .await?;
    let removals = deployment
        .store
        .removals(MirrorId(arguments.mirror))
        .await?;
    if let Some(held) = removals.held {
        output::note(&format!("warning: {}", held_back(held, arguments.mirror)));
    }
    let rows: Vec<Shown> = runs.into_iter().map(Shown::from).collect();
    table::print(
        &rows,
        arguments.json,
        &[
            "RUN", "KIND", "STATUS", "BY", "BEGAN", "ISSUES", "NEW", "CHANGED", "FAILED", "OPEN",
        ],
        |row| {
            vec![
                row.id.to_string(),
                row.kind.to_owned(),
                row.status.to_owned(),
                row.requested_by.clone(),
                table::time(Some(row.started_at)),
                row.processed.to_string(),
                row.created.to_string(),
                row.updated.to_string(),
                row.failed.to_string(),
                row.open.to_string(),
            ]
        },
        "no run is on record",
    )?;
    Ok(Ending::Well)
}

/// What a mirror holds back, and how it goes on.
pub(crate) fn held_back(held: u64, mirror: i64) -> String {
    format!(
        "{held} issues are gone at the source, too many for their copies to follow unasked; look \
         there, then `issue-mirror mirrors release {mirror}`"
    )
}

async fn one(
    arguments: &OneArguments,
    environment: &Environment,
) -> anyhow::Result<(Deployment, Run)> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let run = deployment.store.run(RunId(arguments.id)).await?;
    let run = run.ok_or_else(|| {
        misconfigured(format!(
            "there is no run {}; `issue-mirror runs list MIRROR` shows them",
            arguments.id
        ))
    })?;
    Ok((deployment, run))
}

fn show(run: &Shown, json: bool) -> anyhow::Result<()> {
    if json {
        output::line(&serde_json::to_string_pretty(run)?);
        return Ok(());
    }
    output::line(&format!(
        "run {} of mirror {}: {}, {}, asked for by {}",
        run.id, run.mirror, run.kind, run.status, run.requested_by
    ));
    output::line(&format!(
        "  began {}, ended {}",
        table::time(Some(run.started_at)),
        table::time(run.completed_at)
    ));
    output::line(&format!(
        "  issues: {} looked at ({} new, {} changed, {} unchanged, {} left out, {} failed), {} \
         jobs open",
        run.processed, run.created, run.updated, run.unchanged, run.skipped, run.failed, run.open
    ));
    output::line(&format!(
        "  {} comments, {} files, {} requests, {} waits",
        run.comments, run.attachments, run.api_calls, run.waits
    ));
    if let Some(error) = &run.error {
        output::line(&format!("  error: {error}"));
    }
    Ok(())
}
