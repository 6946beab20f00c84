//! `issues`: what was edited on the target and stays so, and what a person decides about it.

use super::{table, who};
use crate::{
    exit::{Ending, misconfigured},
    output,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mirror_core::{
    ids::{Iid, MirrorId},
    merge::{Resolution, What},
};
use mirror_runtime::Environment;
use mirror_store::KeptEdit;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// What `issues` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum IssuesCommand {
    /// List what was edited on the target of a mirror that protects edits, both sides beside each
    /// other
    List(ListArguments),
    /// Say which side holds in what was edited on the copy of an issue
    #[command(after_help = RESOLVE_EXAMPLE)]
    Resolve(ResolveArguments),
}

const RESOLVE_EXAMPLE: &str = "\
Example:
  issue-mirror issues list 1
  issue-mirror issues resolve 1 42 --use-target";

/// `issues list`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "MIRROR")]
    mirror: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `issues resolve`
#[derive(Args, Debug)]
pub(crate) struct ResolveArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "MIRROR")]
    mirror: i64,
    /// The issue, by its number in the source project
    #[arg(value_name = "IID", required_unless_present = "all", value_parser = clap::value_parser!(i64).range(1..))]
    issue: Option<i64>,
    /// All issues of the mirror that were changed on both sides
    #[arg(long, conflicts_with = "issue")]
    all: bool,
    /// The source holds: what was edited on the target is overwritten
    #[arg(long, required_unless_present = "use_target")]
    use_source: bool,
    /// The target holds: what was edited there stays until the source changes there, too
    #[arg(long, conflicts_with = "use_source")]
    use_target: bool,
}

/// Runs `issues`.
pub(crate) async fn issues(
    command: &IssuesCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    crate::progress::init_logging(environment, "warn")?;
    match command {
        IssuesCommand::List(arguments) => list(arguments, environment).await,
        IssuesCommand::Resolve(arguments) => resolve(arguments, environment).await,
    }
}

#[derive(Serialize)]
struct Shown {
    issue: i64,
    target_issue: Option<i64>,
    /// Changed on both sides (`target_modified`), or on the target only (`target_edited`).
    status: &'static str,
    field: &'static str,
    /// The source's comment, if it is one.
    note: Option<i64>,
    /// `null` for what is confidential.
    source: Option<String>,
    target: Option<String>,
    resolution: Option<Resolution>,
    found_at: DateTime<Utc>,
}

impl From<KeptEdit> for Shown {
    fn from(kept: KeptEdit) -> Self {
        let (field, note) = match kept.edit.what {
            What::Field(field) => (field.name(), None),
            What::Comment(note) => ("comment", Some(note.0)),
        };
        let (source, target) = kept.edit.values.unzip();
        Self {
            issue: kept.source_iid.0,
            target_issue: kept.target_iid.map(|iid| iid.0),
            status: if kept.edit.conflict {
                "target_modified"
            } else {
                "target_edited"
            },
            field,
            note,
            source,
            target,
            resolution: kept.resolution,
            found_at: kept.found_at,
        }
    }
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let mirror = store.mirror(MirrorId(arguments.mirror)).await?.id;
    let edits = store.all_edits(mirror).await?;
    let rows: Vec<Shown> = edits.into_iter().map(Shown::from).collect();
    table::print(
        &rows,
        arguments.json,
        &[
            "ISSUE", "COPY", "STATUS", "WHAT", "SOURCE", "TARGET", "DECIDED",
        ],
        |row| {
            vec![
                format!("#{}", row.issue),
                row.target_issue
                    .map_or_else(|| "-".to_owned(), |iid| format!("#{iid}")),
                row.status.to_owned(),
                row.note.map_or_else(
                    || row.field.replace('_', " "),
                    |note| format!("comment {note}"),
                ),
                cell(row.source.as_deref()),
                cell(row.target.as_deref()),
                row.resolution
                    .map_or_else(|| "-".to_owned(), |resolution| resolution.name().to_owned()),
            ]
        },
        "nothing that was edited on the target is kept there",
    )?;
    Ok(Ending::Well)
}

/// A value in a line; JSON has the whole of it.
fn cell(value: Option<&str>) -> String {
    const WIDTH: usize = 40;
    let Some(value) = value else {
        return "(confidential)".to_owned();
    };
    let line: String = value
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

async fn resolve(
    arguments: &ResolveArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let mirror = store.mirror(MirrorId(arguments.mirror)).await?.id;
    let resolution = if arguments.use_target {
        Resolution::UseTarget
    } else {
        Resolution::UseSource
    };
    let issues: BTreeSet<Iid> = match arguments.issue {
        Some(iid) => [Iid(iid)].into(),
        None => store.target_modified(mirror).await?.into_iter().collect(),
    };
    let mut decided = 0;
    for iid in issues {
        decided += store.resolve_conflict(mirror, iid, resolution).await?;
    }
    if let (0, Some(iid)) = (decided, arguments.issue) {
        return Err(misconfigured(format!(
            "nothing of issue #{iid} was edited on mirror {mirror}'s target; `issue-mirror issues \
             list {mirror}` shows what was"
        )));
    }
    let after = json!({
        "issue": arguments.issue, "decided": decided, "use_target": arguments.use_target
    });
    who::did(store, environment, "issue.resolve", mirror, Some(after)).await?;
    deployment.signals.owed();
    output::line(&format!(
        "{decided} decided: {}; the next jobs of mirror {mirror} see to it",
        match resolution {
            Resolution::UseSource => "the source holds",
            Resolution::UseTarget => "the target holds",
        }
    ));
    Ok(Ending::Well)
}
