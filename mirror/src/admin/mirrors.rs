//! `mirrors`: what a service mirrors, and how often.

use super::{
    add::{self, AddArguments},
    adopt::{self, AdoptArguments},
    pair::{self, PairArguments},
    rules::{self, RulesArguments},
    table, who,
};
use crate::{
    exit::Ending,
    output, progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority},
};
use mirror_runtime::Environment;
use mirror_store::{RunKind, RunRequest};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// What `mirrors` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum MirrorsCommand {
    /// Mirror a project into another from now on, or change how
    Add(AddArguments),
    /// List mirrors
    List(ListArguments),
    /// Let a mirror rest: nothing of it is handed out, what runs may end
    Pause(PauseArguments),
    /// End a mirror's rest
    Resume(OneArguments),
    /// Show which labels and issues a mirror takes, or set it
    #[command(after_help = RULES_EXAMPLE)]
    Rules(RulesArguments),
    /// Look for changes at once, not at the mirror's next turn
    SyncNow(SyncNowArguments),
    /// Take issues of the target for the mirrors that they were meant to be
    Adopt(AdoptArguments),
    /// Let what the people of a copy do flow back to its original: two mirrors in opposite directions
    Pair(PairArguments),
    /// End a pair: each of the two mirrors one way again
    Unpair(OneArguments),
    /// Close or delete what is gone at the source, although it is much; look there first
    Release(OneArguments),
}

const RULES_EXAMPLE: &str = "\
Example:
  issue-mirror mirrors rules 1 --set rules.toml
  issue-mirror mirrors rules 1 > rules.toml";

/// `mirrors list`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `mirrors pause`
#[derive(Args, Debug)]
pub(crate) struct PauseArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "ID")]
    id: i64,
    /// Why, for whoever looks
    #[arg(long, value_name = "TEXT", default_value = "a person paused it")]
    reason: String,
}

/// A mirror.
#[derive(Args, Debug)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    pub(super) deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "ID")]
    pub(super) id: i64,
}

/// `mirrors sync-now`
#[derive(Args, Debug)]
pub(crate) struct SyncNowArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "ID")]
    id: i64,
    /// Compare everything, field by field, instead of what changed
    #[arg(long)]
    full: bool,
    /// Only this issue, by its number in the source project. Can be given again
    #[arg(long = "issue", value_name = "N", conflicts_with = "full", value_parser = clap::value_parser!(i64).range(1..))]
    issues: Vec<i64>,
}

/// Runs `mirrors`.
pub(crate) async fn mirrors(
    command: &MirrorsCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    match command {
        MirrorsCommand::Add(arguments) => add::add(arguments, environment).await,
        MirrorsCommand::List(arguments) => list(arguments, environment).await,
        MirrorsCommand::Pause(arguments) => {
            let deployment =
                Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
            let id = MirrorId(arguments.id);
            let store = &deployment.store;
            store.pause_mirror(id, &arguments.reason).await?;
            let after = json!({"paused": arguments.reason});
            who::did(store, environment, "mirror.pause", id, Some(after)).await?;
            output::line(&format!("mirror {id} rests"));
            Ok(Ending::Well)
        }
        MirrorsCommand::Resume(arguments) => {
            let deployment =
                Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
            let id = MirrorId(arguments.id);
            let store = &deployment.store;
            store.resume_mirror(id).await?;
            who::did(store, environment, "mirror.resume", id, None).await?;
            deployment.signals.owed();
            output::line(&format!("mirror {id} goes on"));
            Ok(Ending::Well)
        }
        MirrorsCommand::Rules(arguments) => rules::run(arguments, environment).await,
        MirrorsCommand::SyncNow(arguments) => sync_now(arguments, environment).await,
        MirrorsCommand::Adopt(arguments) => adopt::adopt(arguments, environment).await,
        MirrorsCommand::Pair(arguments) => pair::pair(arguments, environment).await,
        MirrorsCommand::Unpair(arguments) => pair::unpair(arguments, environment).await,
        MirrorsCommand::Release(arguments) => release(arguments, environment).await,
    }
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    source: String,
    target: String,
    every_seconds: i64,
    next_scan_at: Option<DateTime<Utc>>,
    paused: Option<String>,
    /// Copies of what is gone at the source that wait for a person.
    held: Option<u64>,
    /// The mirror that it is a pair with.
    pair: Option<i64>,
    /// What becomes of edits on the target.
    on_edit: &'static str,
    /// Issues that were changed on both sides, and wait for a person.
    target_modified: usize,
    pending: u64,
    running: u64,
    dead: u64,
    last_run: Option<&'static str>,
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let mut rows = Vec::new();
    for mirror in store.mirrors().await? {
        let schedule = store.schedule(mirror.id).await?;
        let due = store.due(mirror.id).await?;
        let last = store.runs(mirror.id, 1).await?;
        let removals = store.removals(mirror.id).await?;
        rows.push(Shown {
            id: mirror.id.0,
            source: mirror.source.path,
            target: mirror.target.path,
            every_seconds: schedule.interval.num_seconds(),
            next_scan_at: schedule.next_scan_at,
            paused: mirror.paused,
            held: removals.held,
            pair: store.pair_of(mirror.id).await?.map(|other| other.0),
            on_edit: store.edit_policy(mirror.id).await?.name(),
            target_modified: store.target_modified(mirror.id).await?.len(),
            pending: due.pending + due.paused + due.queued,
            running: due.running,
            dead: due.dead,
            last_run: last.first().map(|run| run.status.name()),
        });
    }
    table::print(
        &rows,
        arguments.json,
        &[
            "ID",
            "SOURCE",
            "TARGET",
            "NEXT SCAN",
            "OWED",
            "RUNNING",
            "DEAD",
            "LAST RUN",
            "HELD BACK",
            "PAIR",
            "ON EDIT",
            "MODIFIED",
            "RESTS",
        ],
        |row| {
            vec![
                row.id.to_string(),
                row.source.clone(),
                row.target.clone(),
                table::time(row.next_scan_at),
                row.pending.to_string(),
                row.running.to_string(),
                row.dead.to_string(),
                row.last_run.unwrap_or("-").to_owned(),
                row.held
                    .map_or_else(|| "-".to_owned(), |held| held.to_string()),
                row.pair
                    .map_or_else(|| "-".to_owned(), |other| other.to_string()),
                row.on_edit.to_owned(),
                row.target_modified.to_string(),
                row.paused.clone().unwrap_or_default(),
            ]
        },
        "nothing is mirrored; add a mirror with `issue-mirror mirrors add SRC DST`",
    )?;
    Ok(Ending::Well)
}

/// A person has looked: what is gone is gone.
async fn release(arguments: &OneArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let id = MirrorId(arguments.id);
    let released = deployment.store.release_removals(id).await?;
    let after = json!({"released": released});
    who::did(
        &deployment.store,
        environment,
        "mirror.release",
        id,
        Some(after),
    )
    .await?;
    deployment.signals.owed();
    output::line(&format!(
        "mirror {id}: {released} copies of what is gone at the source follow it with the next run"
    ));
    Ok(Ending::Well)
}

async fn sync_now(
    arguments: &SyncNowArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let id = MirrorId(arguments.id);
    let mirror = store.mirror(id).await?;
    // What is on the target already is adopted by a scan, before anything is created.
    let scanned = mirror.watermarks.target.is_some();
    let issues: Vec<Job> = arguments
        .issues
        .iter()
        .map(|iid| Job::SyncIssue {
            mirror: id,
            iid: Iid(*iid),
        })
        .collect();
    let scan = [Job::ScanMirror { mirror: id }];
    let (kind, jobs): (RunKind, &[Job]) = match (arguments.full, issues.is_empty() || !scanned) {
        (true, _) => (RunKind::Full, &scan),
        (false, true) => (RunKind::Incremental, &scan),
        (false, false) => (RunKind::SingleIssue, &issues),
    };
    let requested = store
        .request_run(&RunRequest {
            mirror: id,
            kind,
            jobs,
            priority: Priority::ByHand,
            by: &who::caller(environment)?,
        })
        .await?;
    let after = json!({"job_id": requested.run.0, "kind": kind.name()});
    who::did(store, environment, "mirror.sync", id, Some(after)).await?;
    deployment.signals.owed();
    // A moment for the signal to leave; without it the work is noticed at the next poll.
    deployment.clock.sleep(Duration::from_millis(50)).await;
    output::line(&format!(
        "run {} {}; `issue-mirror runs show {}` tells how it goes",
        requested.run,
        if requested.coalesced {
            "was under way already and looks again"
        } else {
            "is owed"
        },
        requested.run
    ));
    if let Some(reason) = mirror.paused {
        output::note(&format!(
            "warning: the mirror rests ({reason}), so nothing runs until `issue-mirror mirrors \
             resume {id}`"
        ));
    }
    Ok(Ending::Well)
}
