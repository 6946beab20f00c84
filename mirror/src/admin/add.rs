//! `mirrors add`: two projects become a mirror.

use super::{instances::client, rules, who};
use crate::{
    address::{self, Address},
    caution::CautionArguments,
    check::{self, Finding},
    cli,
    edits::EditsArguments,
    exit::{Ending, misconfigured},
    output,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::TimeDelta;
use clap::Args;
use mirror_core::{ids::InstanceId, preserve::Preserve, project::Project};
use mirror_runtime::Environment;
use mirror_store::{MirrorEnd, NewMirror, Schedule};
use mirror_worker::Side;
use serde_json::json;
use std::path::PathBuf;

/// `mirrors add`
#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The source project's web address; its GitLab must have been added
    #[arg(value_name = "SRC")]
    source: String,
    /// The target project's web address; its GitLab must have been added
    #[arg(value_name = "DST")]
    target: String,
    /// Seconds from one scan to the next
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = clap::value_parser!(i64).range(1..))]
    every: i64,
    /// Hours from one comparison of everything to the next; 0: never by itself
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = clap::value_parser!(i64).range(0..=8760))]
    full_every: i64,
    /// Mirror also issues that were closed before they were first seen
    #[arg(long)]
    include_closed: bool,
    /// Carry links between issues that are both mirrored, too. Costs one request for each issue that
    /// is looked at
    #[arg(long)]
    links: bool,
    /// Files above this size stay links to the source (`100MiB`, `2GB`, bytes)
    #[arg(long, value_name = "SIZE", default_value = "100MiB", value_parser = cli::size)]
    max_attachment_size: u64,
    /// The label that marks mirrored issues; empty for none
    #[arg(long, value_name = "LABEL", default_value = "MIRRORED")]
    mirrored_label: String,
    /// Whether copies keep the number and the times of their originals, which takes an Owner's token:
    /// auto (where token and target allow it), never, or require
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    preserve: Preserve,
    /// Mirror only what the rules in this file take (TOML; docs/rules.md); without it the rules that
    /// the mirror has stay
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    caution: CautionArguments,
    #[command(flatten)]
    edits: EditsArguments,
}

pub(super) async fn add(
    arguments: &AddArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let given = arguments
        .rules
        .as_deref()
        .map(crate::rules::read)
        .transpose()?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let source = end(&deployment, Side::Source, &arguments.source).await?;
    let target = end(&deployment, Side::Target, &arguments.target).await?;
    if let Some(finding) = check::audience(&source.1, &target.1) {
        output::note(&format!("warning: {}", finding.line()));
    }
    let store = &deployment.store;
    let new = NewMirror {
        source: source.0,
        target: target.0,
    };
    if (new.source.instance, new.source.project) == (new.target.instance, new.target.project) {
        return Err(misconfigured(
            "source and target are the same project; give two",
        ));
    }
    let mirror = store.ensure_mirror(&new).await?;
    let now = store.now();
    let full_interval = (arguments.full_every > 0).then(|| TimeDelta::hours(arguments.full_every));
    let before = store.schedule(mirror.id).await?;
    let schedule = Schedule {
        interval: TimeDelta::seconds(arguments.every),
        full_interval,
        include_closed: arguments.include_closed,
        mirrored_label: arguments.mirrored_label.trim().to_owned(),
        max_attachment_size: i64::try_from(arguments.max_attachment_size).unwrap_or(i64::MAX),
        preserve: arguments.preserve,
        next_scan_at: Some(now),
        next_full_at: before
            .next_full_at
            .or_else(|| full_interval.map(|every| now + every)),
    };
    if let Some(given) = given {
        // Before its first scan, so that nothing crosses that the rules leave out.
        let new = before.next_scan_at.is_none();
        rules::set_first(store, mirror.id, &given, new).await?;
    }
    let caution = arguments.caution.caution();
    store.set_caution(mirror.id, &caution).await?;
    store.set_issue_links(mirror.id, arguments.links).await?;
    arguments.edits.keep(store, mirror.id).await?;
    store.set_schedule(mirror.id, &schedule).await?;
    let after = json!({
        "source": new.source.path, "target": new.target.path,
        "interval_seconds": arguments.every, "include_closed": arguments.include_closed
    });
    let what = match before.next_scan_at {
        None => "mirror.create",
        Some(_) => "mirror.update",
    };
    who::did(store, environment, what, mirror.id, Some(after)).await?;
    deployment.signals.owed();
    output::line(&format!(
        "mirror {}: {} into {}, every {} s",
        mirror.id, new.source.path, new.target.path, arguments.every
    ));
    Ok(Ending::Well)
}

/// The project at one end, asked for with its GitLab's own token.
async fn end(
    deployment: &Deployment,
    side: Side,
    project: &str,
) -> anyhow::Result<(MirrorEnd, Project)> {
    let (instance, base) = instance_of(deployment, project).await?;
    let access = deployment
        .store
        .instance_access(instance, &deployment.cipher)
        .await
        .map_err(|error| misconfigured(error.to_string()))?;
    let access = access.ok_or_else(|| unknown_instance(project))?;
    let address = Address::parse(project, Some(&base), "the instance's address")?;
    let client = client(deployment, &address.base, &access.token, None)?;
    let project = client
        .project_by_path(&address.path)
        .await
        .map_err(|error| misconfigured(check::unreachable(side, &address.path, &error).line()))?;
    let findings = check::project(side, &project);
    if let Some(finding) = findings.iter().find(|finding| finding.is_in_the_way()) {
        return Err(misconfigured(finding.line()));
    }
    for finding in findings
        .iter()
        .filter(|one| one.level == check::Level::Warning)
    {
        output::note(&format!("warning: {}", Finding::line(finding)));
    }
    let end = MirrorEnd {
        instance,
        project: project.id,
        path: project.path.clone(),
    };
    Ok((end, project))
}

fn unknown_instance(project: &str) -> anyhow::Error {
    misconfigured(format!(
        "no token is stored for the GitLab of {project}; add it with `issue-mirror instances add \
         URL`"
    ))
}

/// The instance with the longest address that the project is below.
async fn instance_of(
    deployment: &Deployment,
    project: &str,
) -> anyhow::Result<(InstanceId, String)> {
    let given = address::web(project)?;
    let entries = deployment.store.instance_entries().await?;
    let found = entries
        .into_iter()
        .filter(|entry| entry.has_token && given.as_str().starts_with(&entry.api_base))
        .max_by_key(|entry| entry.api_base.len());
    let found = found.ok_or_else(|| unknown_instance(project))?;
    Ok((InstanceId(found.id), found.api_base))
}
