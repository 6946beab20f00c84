//! `token`: what programs call the API with.

use super::{table, time, who};
use crate::{
    exit::{Ending, misconfigured},
    output, progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use mirror_api::credential;
use mirror_runtime::Environment;
use mirror_store::{ApiToken, Handle, NewToken, Role, StoreError};
use serde::Serialize;
use serde_json::json;

/// How `token` is used.
pub(crate) const EXAMPLE: &str = "\
Example:
  TOKEN=$(issue-mirror token create --name ci --role operator --expires-in 90d)
  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/api/mirrors
  issue-mirror token revoke ci";

/// What `token` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    /// Make a token for the API, and print it this once
    Create(CreateArguments),
    /// List them, and when each was last used
    List(ListArguments),
    /// Refuse a token from now on
    Revoke(RevokeArguments),
}

/// `token create`
#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// What to call it
    #[arg(long, value_name = "NAME")]
    name: Handle,
    /// What its holder may do: viewer (look), operator (have things done), admin (let others in)
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Refuse it after this time, `90d` or `12h` [default: never]
    #[arg(long, value_name = "TIME", value_parser = time::span)]
    expires_in: Option<TimeDelta>,
}

/// `token list`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `token revoke`
#[derive(Args, Debug)]
pub(crate) struct RevokeArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
}

/// Runs `token`.
pub(crate) async fn tokens(
    command: &TokenCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    match command {
        TokenCommand::Create(arguments) => create(arguments, environment).await,
        TokenCommand::List(arguments) => list(arguments, environment).await,
        TokenCommand::Revoke(arguments) => revoke(arguments, environment).await,
    }
}

/// The token alone goes to the output stream, for a script to take.
async fn create(arguments: &CreateArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let minted = credential::token(&*deployment.entropy);
    let new = NewToken {
        name: &arguments.name,
        role: arguments.role,
        digest: &minted.digest,
        hint: credential::hint(&minted.secret),
        created_by: &who::caller(environment)?,
        expires_at: arguments.expires_in.map(|span| store.now() + span),
    };
    let token = match store.create_token(&new).await {
        Err(StoreError::HandleTaken(name)) => {
            return Err(misconfigured(format!(
                "there is a token called {name} already; revoke it with `issue-mirror token revoke \
                 {name}`, or choose another name"
            )));
        }
        made => made?,
    };
    let change = who::Change {
        what: "token.create",
        object: &format!("token/{}", token.id),
        before: None,
        after: Some(told(&token)),
    };
    who::audit(store, environment, change).await?;
    let until = match token.expires_at {
        Some(end) => format!("until {}", table::time(Some(end))),
        None => "until it is revoked".to_owned(),
    };
    output::note(&format!(
        "token {} may do what a(n) {} may, {until}; it is not shown again:",
        token.name, token.role
    ));
    output::line(&minted.secret);
    Ok(Ending::Well)
}

/// As the audit tells of it.
fn told(token: &ApiToken) -> serde_json::Value {
    json!({"name": token.name, "role": token.role.name(), "expires_at": token.expires_at})
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    name: String,
    role: &'static str,
    begins: String,
    created_by: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    state: &'static str,
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let now = deployment.store.now();
    let tokens = deployment.store.tokens().await?;
    let rows: Vec<Shown> = tokens.into_iter().map(|token| shown(token, now)).collect();
    table::print(
        &rows,
        arguments.json,
        &[
            "NAME",
            "ROLE",
            "BEGINS",
            "MADE BY",
            "EXPIRES",
            "LAST USED",
            "STATE",
        ],
        |row| {
            vec![
                row.name.clone(),
                row.role.to_owned(),
                row.begins.clone(),
                row.created_by.clone(),
                table::time(row.expires_at),
                table::time(row.last_used_at),
                row.state.to_owned(),
            ]
        },
        "there is no token; make one with `issue-mirror token create --name NAME --role ROLE`",
    )?;
    Ok(Ending::Well)
}

fn shown(token: ApiToken, now: DateTime<Utc>) -> Shown {
    let state = if token.revoked_at.is_some() {
        "revoked"
    } else if token.is_good(now) {
        "good"
    } else {
        "expired"
    };
    Shown {
        id: token.id,
        name: token.name,
        role: token.role.name(),
        begins: token.hint,
        created_by: token.created_by,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
        state,
    }
}

async fn revoke(arguments: &RevokeArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let mut tokens = store.tokens().await?.into_iter();
    let named = |token: &ApiToken| token.name == arguments.name && token.revoked_at.is_none();
    let Some(token) = tokens.find(named) else {
        return Err(misconfigured(format!(
            "no token is called {}; `issue-mirror token list` shows them",
            arguments.name
        )));
    };
    store.revoke_token(token.id).await?;
    let change = who::Change {
        what: "token.revoke",
        object: &format!("token/{}", token.id),
        before: Some(told(&token)),
        after: None,
    };
    who::audit(store, environment, change).await?;
    output::line(&format!("token {} is refused from now on", token.name));
    Ok(Ending::Well)
}
