//! `jobs`: what is owed, and why it is not done.

use super::{
    table,
    who::{self, Change},
};
use crate::{
    exit::{Ending, misconfigured},
    output, progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use mirror_api::why::why;
use mirror_core::ids::{MirrorId, WorkId};
use mirror_runtime::Environment;
use mirror_store::{JobEntry, JobFilter, WorkState};
use serde::Serialize;
use serde_json::{Value, json};

/// What `jobs` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum JobsCommand {
    /// List jobs that are not done
    List(ListArguments),
    /// Show a job and how its latest attempts went
    Show(OneArguments),
    /// Say why a job is not running, and what to do about it
    Why(OneArguments),
    /// Make a job due at once; a dead letter gets its attempts back
    Retry(RetryArguments),
    /// Put a job off until its mirror's next turn; if it runs it stops before its next write
    Cancel(OneArguments),
}

/// `jobs list`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Only jobs in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only jobs of this kind: scan_mirror, sync_issue, …
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only jobs of this mirror
    #[arg(long, value_name = "ID")]
    mirror: Option<i64>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50")]
    limit: u32,
    /// Only jobs behind this one, to turn the page
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A job.
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

/// `jobs retry`
#[derive(Args, Debug)]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Its id, as listed
    #[arg(value_name = "ID", required_unless_present = "dead_of")]
    id: Option<i64>,
    /// All dead letters of this mirror
    #[arg(long, value_name = "MIRROR", conflicts_with = "id")]
    dead_of: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum State {
    Pending,
    Paused,
    Queued,
    Running,
    Dead,
}

impl From<State> for WorkState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Paused => Self::Paused,
            State::Queued => Self::Queued,
            State::Running => Self::Running,
            State::Dead => Self::Dead,
        }
    }
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    key: String,
    mirror: i64,
    state: &'static str,
    run_at: DateTime<Utc>,
    waiting_for: Option<String>,
    attempts: i64,
    owner: Option<String>,
    last_error: Option<String>,
}

impl From<JobEntry> for Shown {
    fn from(job: JobEntry) -> Self {
        Self {
            id: job.work.0,
            key: job.key,
            mirror: job.mirror.0,
            state: name(job.state),
            run_at: job.run_at,
            waiting_for: job.waiting_for,
            attempts: job.attempts,
            owner: job.owner,
            last_error: job.last_error,
        }
    }
}

/// As the trail has it.
fn told(job: &JobEntry) -> Value {
    json!({"key": job.key, "state": name(job.state)})
}

fn name(state: Option<WorkState>) -> &'static str {
    match state {
        None => "done",
        Some(WorkState::Pending) => "pending",
        Some(WorkState::Paused) => "paused",
        Some(WorkState::Queued) => "queued",
        Some(WorkState::Running) => "running",
        Some(WorkState::Dead) => "dead",
    }
}

/// Runs `jobs`.
pub(crate) async fn jobs(
    command: &JobsCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    match command {
        JobsCommand::List(arguments) => list(arguments, environment).await,
        JobsCommand::Show(arguments) => show(arguments, environment).await,
        JobsCommand::Why(arguments) => {
            let (deployment, job) = one(arguments, environment).await?;
            let workers = deployment.store.workers().await?.len();
            let sentence = why(&job, deployment.store.now(), workers);
            if arguments.json {
                let shown = json!({ "job": Shown::from(job), "why": sentence });
                output::line(&serde_json::to_string_pretty(&shown)?);
            } else {
                output::line(&format!("{}: {sentence}", job.key));
            }
            Ok(Ending::Well)
        }
        JobsCommand::Retry(arguments) => retry(arguments, environment).await,
        JobsCommand::Cancel(arguments) => cancel(arguments, environment).await,
    }
}

async fn one(
    arguments: &OneArguments,
    environment: &Environment,
) -> anyhow::Result<(Deployment, JobEntry)> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let job = deployment.store.job(WorkId(arguments.id)).await?;
    let job = job.ok_or_else(|| {
        misconfigured(format!(
            "there is no job {}; `issue-mirror jobs list` shows them",
            arguments.id
        ))
    })?;
    Ok((deployment, job))
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let filter = JobFilter {
        state: arguments.state.map(WorkState::from),
        kind: arguments.kind.clone(),
        mirror: arguments.mirror.map(MirrorId),
        after: arguments.after.map(WorkId),
        ..JobFilter::default()
    };
    let jobs = deployment.store.jobs(&filter, arguments.limit).await?;
    let rows: Vec<Shown> = jobs.into_iter().map(Shown::from).collect();
    table::print(
        &rows,
        arguments.json,
        &["ID", "JOB", "STATE", "DUE", "FAILURES", "LAST ERROR"],
        |row| {
            vec![
                row.id.to_string(),
                row.key.clone(),
                row.state.to_owned(),
                table::time(Some(row.run_at)),
                row.attempts.to_string(),
                row.last_error.clone().unwrap_or_default(),
            ]
        },
        "nothing is owed",
    )?;
    Ok(Ending::Well)
}

async fn show(arguments: &OneArguments, environment: &Environment) -> anyhow::Result<Ending> {
    #[derive(Serialize)]
    struct Try {
        owner: Option<String>,
        started_at: Option<DateTime<Utc>>,
        ended_at: DateTime<Utc>,
        ending: String,
        error: Option<String>,
    }
    let (deployment, job) = one(arguments, environment).await?;
    let attempts = deployment.store.attempts(job.work, 20).await?;
    let tries: Vec<Try> = attempts
        .into_iter()
        .map(|attempt| Try {
            owner: attempt.owner,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            ending: attempt.ending.name().to_owned(),
            error: attempt.error,
        })
        .collect();
    let workers = deployment.store.workers().await?.len();
    let sentence = why(&job, deployment.store.now(), workers);
    if arguments.json {
        let shown = Shown::from(job);
        let whole = json!({ "job": shown, "why": sentence, "attempts": tries });
        output::line(&serde_json::to_string_pretty(&whole)?);
        return Ok(Ending::Well);
    }
    output::line(&format!("{} ({}): {sentence}", job.key, name(job.state)));
    table::print(
        &tries,
        false,
        &["BEGAN", "ENDED", "HOW", "WORKER", "ERROR, OR WAITED FOR"],
        |row| {
            vec![
                table::time(row.started_at),
                table::time(Some(row.ended_at)),
                row.ending.clone(),
                row.owner.clone().unwrap_or_default(),
                row.error.clone().unwrap_or_default(),
            ]
        },
        "it has not been tried yet",
    )?;
    Ok(Ending::Well)
}

async fn retry(arguments: &RetryArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    if let Some(mirror) = arguments.dead_of {
        let mirror = MirrorId(mirror);
        let revived = store.retry_dead(mirror).await?;
        let after = json!({"changed": revived, "state": "dead", "mirror_id": mirror.0});
        let change = Change {
            what: "job.retry",
            object: "jobs",
            before: None,
            after: Some(after),
        };
        who::audit(store, environment, change).await?;
        deployment.signals.owed();
        output::line(&format!("{revived} jobs are due again"));
        return Ok(Ending::Well);
    }
    let id = arguments.id.unwrap_or_default();
    let job = store.job(WorkId(id)).await?;
    if store.retry_job(WorkId(id)).await? {
        let change = Change {
            what: "job.retry",
            object: &format!("job/{id}"),
            before: job.as_ref().map(told),
            after: None,
        };
        who::audit(store, environment, change).await?;
        deployment.signals.owed();
        output::line(&format!("job {id} is due"));
        return Ok(Ending::Well);
    }
    Err(misconfigured(format!(
        "job {id} is out at a worker, or is not there; `issue-mirror jobs why {id}` tells"
    )))
}

async fn cancel(arguments: &OneArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let (deployment, job) = one(arguments, environment).await?;
    let store = &deployment.store;
    let schedule = store.schedule(job.mirror).await?;
    let until = schedule
        .next_scan_at
        .unwrap_or_else(|| store.now() + schedule.interval);
    if store.put_off_job(job.work, until).await? {
        let change = Change {
            what: "job.cancel",
            object: &format!("job/{}", job.work),
            before: Some(told(&job)),
            after: Some(json!({"until": until})),
        };
        who::audit(store, environment, change).await?;
        output::line(&format!(
            "{} is put off until {}; it is owed still",
            job.key,
            table::time(Some(until))
        ));
        return Ok(Ending::Well);
    }
    Err(misconfigured(format!(
        "{} is {} and cannot be put off",
        job.key,
        name(job.state)
    )))
}
