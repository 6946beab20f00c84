//! `instances`: the GitLabs that a service reaches by itself.

use super::{table, who};
use crate::{
    address,
    check::{self, Finding},
    exit::{Ending, misconfigured},
    output, progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use clap::{Args, Subcommand};
use mirror_core::{
    ids::{InstanceId, InstanceName},
    ports::Account,
};
use mirror_gitlab::{Client, HttpTransport, Options, Token};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::Environment;
use mirror_store::InstanceAccess;
use mirror_worker::Side;
use serde::Serialize;
use serde_json::json;
use std::{path::PathBuf, sync::Arc};
use url::Url;

/// What `instances` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum InstancesCommand {
    /// Add a GitLab and the token to reach it with, or replace its token
    Add(AddArguments),
    /// List them
    List(ListArguments),
    /// Check that they answer, and what their tokens may do
    Check(ListArguments),
}

/// `instances add`
#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The GitLab's web address, `https://gitlab.a`
    #[arg(value_name = "URL")]
    url: String,
    /// What to call it [default: its host]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The environment variable that holds the token
    #[arg(long, value_name = "VARIABLE", default_value = "GITLAB_TOKEN")]
    token_from: String,
    /// What is known of a limit, `CLASS=N/SECONDS`. Can be given again. Without it limits are learnt
    #[arg(long = "limit", value_name = "LIMIT", value_parser = limit)]
    limits: Vec<String>,
    /// Jobs that may be out at once on it, on whichever side of a mirror. Fewer than one worker does
    /// at once, so that a GitLab that hangs cannot hold a whole worker
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(i64).range(1..=10_000))]
    concurrency: i64,
    /// Certificates (PEM) trusted besides the system's, for this GitLab
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// `instances list`, `instances check`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn limit(text: &str) -> Result<String, String> {
    Limit::parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

/// Runs `instances`.
pub(crate) async fn instances(
    command: &InstancesCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    match command {
        InstancesCommand::Add(arguments) => add(arguments, environment).await,
        InstancesCommand::List(arguments) => list(arguments, environment).await,
        InstancesCommand::Check(arguments) => check_all(arguments, environment).await,
    }
}

/// Asks the GitLab first: what is stored has worked once.
async fn add(arguments: &AddArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let base = address::base(&arguments.url)?;
    let token = environment
        .secret(&arguments.token_from)
        .map_err(|error| misconfigured(error.to_string()))?;
    let token = token.ok_or_else(|| {
        misconfigured(format!(
            "{} is not set; put the token into it (scope api, or read_api for a GitLab that is \
             only read from), or name another variable with --token-from",
            arguments.token_from
        ))
    })?;
    let ca = match &arguments.ca_file {
        Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
            misconfigured(format!(
                "--ca-file {} cannot be read: {error}",
                file.display()
            ))
        })?),
        None => None,
    };
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let client = client(
        &deployment,
        &base,
        token.expose(),
        arguments.ca_file.clone(),
    )?;
    let asked = ask(&deployment, &client).await;
    let user = match asked {
        Ok((user, findings)) => {
            for finding in &findings {
                output::note(&format!("warning: {}", finding.line()));
            }
            user
        }
        Err(finding) => {
            let mend = format!(
                "check the address, and that {} holds a token that is still good",
                arguments.token_from
            );
            return Err(misconfigured(finding.mended_by(&mend).line()));
        }
    };
    let (name, alias) = names(&base, &user);
    let store = &deployment.store;
    let aliases: Vec<String> = (alias != name.0).then_some(alias).into_iter().collect();
    let id = store
        .register_instance(&name, base.as_str(), &aliases)
        .await?;
    store.remember_our_user(id, user.id, &user.username).await?;
    let access = InstanceAccess {
        id,
        title: arguments.name.clone().unwrap_or_else(|| name.0.clone()),
        api_base: base.as_str().to_owned(),
        token: token.expose().to_owned(),
        ca,
        limits: arguments.limits.clone(),
        concurrency: arguments.concurrency,
    };
    let known = store.instance_entries().await?.into_iter();
    let known = known
        .filter(|entry| entry.id == id.0)
        .any(|entry| entry.has_token);
    store
        .save_instance_access(&access, &deployment.cipher, &*deployment.entropy)
        .await?;
    let after = json!({
        "name": access.title, "url": access.api_base, "limits": access.limits,
        "concurrency": access.concurrency, "ca": access.ca.is_some()
    });
    let change = who::Change {
        what: if known {
            "instance.update"
        } else {
            "instance.create"
        },
        object: &format!("instance/{id}"),
        before: None,
        after: Some(after),
    };
    who::audit(store, environment, change).await?;
    output::line(&format!(
        "instance {id} is {} at {base}, as {}",
        access.title, user.username
    ));
    Ok(Ending::Well)
}

/// How it names itself, and how it was addressed.
fn names(base: &Url, user: &mirror_core::project::TokenUser) -> (InstanceName, String) {
    let bare = |url: &str| {
        let name = url.split_once("://").map_or(url, |(_, name)| name);
        name.trim_end_matches('/').to_lowercase()
    };
    let addressed = bare(base.as_str());
    let own = user.web_url.as_deref().and_then(|page| {
        let page = page.trim_end_matches('/');
        page.strip_suffix(user.username.as_str()).map(bare)
    });
    (
        InstanceName(own.unwrap_or_else(|| addressed.clone())),
        addressed,
    )
}

/// One that counts against no shared budget: a person asks a handful of questions.
pub(super) fn client(
    deployment: &Deployment,
    base: &Url,
    token: &str,
    ca_file: Option<PathBuf>,
) -> anyhow::Result<Client> {
    let options = Options {
        ca_file,
        ..Options::default()
    };
    let transport = HttpTransport::new(&options)
        .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))?;
    Ok(Client::new(
        base.clone(),
        Token::new(token),
        Account {
            instance: InstanceId(0),
            user: "administration".to_owned(),
        },
        Arc::new(transport),
        Arc::new(Budget::new(deployment.clock.clone())),
        deployment.clock.clone(),
        deployment.entropy.clone(),
        &options,
    )
    .by_hand())
}

/// Whom the token acts as, and what is worth a warning.
async fn ask(
    deployment: &Deployment,
    client: &Client,
) -> Result<(mirror_core::project::TokenUser, Vec<Finding>), Finding> {
    let unreachable =
        |error| check::unreachable(Side::Target, client.base().as_str(), &error).about("instance");
    let user = client.token_user().await.map_err(unreachable)?;
    // Tokens of some kinds, and older versions, do not tell.
    let facts = client.token_facts().await.ok();
    let today = deployment.clock.now().date_naive();
    let findings = check::token(Side::Source, facts.as_ref(), today);
    let mut warnings = Vec::new();
    for finding in findings {
        if finding.is_in_the_way() {
            return Err(finding.about("instance"));
        }
        if finding.level == check::Level::Warning {
            warnings.push(finding.about("instance"));
        }
    }
    Ok((user, warnings))
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    title: Option<String>,
    name: String,
    address: String,
    token: bool,
    concurrency: i64,
    mirrors: i64,
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let entries = deployment.store.instance_entries().await?;
    let rows: Vec<Shown> = entries
        .into_iter()
        .map(|entry| Shown {
            id: entry.id,
            title: entry.title,
            name: entry.name,
            address: entry.api_base,
            token: entry.has_token,
            concurrency: entry.concurrency,
            mirrors: entry.mirrors,
        })
        .collect();
    table::print(
        &rows,
        arguments.json,
        &["ID", "NAME", "ADDRESS", "TOKEN", "JOBS", "MIRRORS"],
        |row| {
            vec![
                row.id.to_string(),
                row.title.clone().unwrap_or_else(|| row.name.clone()),
                row.address.clone(),
                if row.token { "stored" } else { "none" }.to_owned(),
                row.concurrency.to_string(),
                row.mirrors.to_string(),
            ]
        },
        "no instance is known; add one with `issue-mirror instances add URL`",
    )?;
    Ok(Ending::Well)
}

async fn check_all(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let mut findings = Vec::new();
    for entry in deployment.store.instance_entries().await? {
        let about = entry.title.clone().unwrap_or_else(|| entry.name.clone());
        let access = deployment
            .store
            .instance_access(InstanceId(entry.id), &deployment.cipher)
            .await;
        let access = match access {
            Ok(Some(access)) => access,
            Ok(None) => continue,
            Err(error) => {
                findings.push(Finding::new(
                    check::Level::Misconfigured,
                    &about,
                    format!("{error:#}"),
                    "`issue-mirror instances add` stores it anew",
                ));
                continue;
            }
        };
        let base = address::base(&access.api_base)?;
        let client = client(&deployment, &base, &access.token, None)?;
        match ask(&deployment, &client).await {
            Ok((user, warnings)) => {
                let version = client.metadata().await.map(|metadata| metadata.version);
                let version = version.unwrap_or_else(|_| "of unknown version".to_owned());
                findings.push(Finding::ok(
                    &about,
                    format!("GitLab {version} at {base}, as {}", user.username),
                ));
                findings.extend(warnings.into_iter().map(|finding| finding.about(&about)));
            }
            Err(finding) => findings.push(
                finding
                    .about(&about)
                    .mended_by("`issue-mirror instances add` stores another token"),
            ),
        }
    }
    let well = !findings.iter().any(Finding::is_in_the_way);
    if arguments.json {
        output::line(&serde_json::to_string(&findings)?);
    } else {
        for finding in &findings {
            output::line(&finding.line());
        }
        if findings.is_empty() {
            output::line("no instance has a token; add one with `issue-mirror instances add URL`");
        }
    }
    Ok(if well { Ending::Well } else { Ending::Failed })
}
