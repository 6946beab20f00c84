//! `user`: people who log in.

use super::{password, table, who};
use crate::{
    exit::{Ending, misconfigured},
    output, progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mirror_runtime::{Environment, SystemEntropy};
use mirror_store::{Handle, NewUser, Role, StoreError, User, UserChange};
use serde::Serialize;
use serde_json::json;

/// How `user` is used.
pub(crate) const EXAMPLE: &str = "\
Example:
  issue-mirror user create anna --role admin          # asks for the password
  pass show mirror/ben | issue-mirror user create ben --role viewer
  issue-mirror user role ben operator";

/// What `user` can do.
#[derive(Subcommand, Debug)]
pub(crate) enum UserCommand {
    /// Let somebody in. The password is asked for, or read from the input stream
    Create(CreateArguments),
    /// List them
    List(ListArguments),
    /// Give somebody another role, which counts at once
    Role(RoleChange),
    /// Let somebody in no more, and log them out
    Disable(OneArguments),
    /// Let somebody in again
    Enable(OneArguments),
    /// Forget somebody. What they did stays in the audit
    Delete(OneArguments),
    /// Set another password, and log them out everywhere
    Password(OneArguments),
}

/// `user create`
#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// What they log in as
    #[arg(value_name = "NAME")]
    name: Handle,
    /// What they may do: viewer (look), operator (have things done), admin (let others in)
    #[arg(long, value_name = "ROLE")]
    role: Role,
}

/// `user list`
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `user role`
#[derive(Args, Debug)]
pub(crate) struct RoleChange {
    #[command(flatten)]
    one: OneArguments,
    /// viewer, operator or admin
    #[arg(value_name = "ROLE")]
    role: Role,
}

/// Somebody.
#[derive(Args, Debug)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// What they log in as
    #[arg(value_name = "NAME")]
    name: String,
}

/// Runs `user`.
pub(crate) async fn users(
    command: &UserCommand,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    match command {
        UserCommand::Create(arguments) => create(arguments, environment).await,
        UserCommand::List(arguments) => list(arguments, environment).await,
        UserCommand::Role(RoleChange { one, role }) => {
            let change = UserChange {
                role: Some(*role),
                ..UserChange::default()
            };
            changed(one, environment, &change, &format!("is {role} now")).await
        }
        UserCommand::Disable(one) => {
            let change = disabled(true);
            changed(one, environment, &change, "may not log in any more").await
        }
        UserCommand::Enable(one) => {
            let change = disabled(false);
            changed(one, environment, &change, "may log in again").await
        }
        UserCommand::Delete(one) => delete(one, environment).await,
        UserCommand::Password(one) => {
            let password = password::asked(&SystemEntropy).await?;
            let change = UserChange {
                password: Some(&password),
                ..UserChange::default()
            };
            changed(one, environment, &change, "has another password").await
        }
    }
}

fn disabled(disabled: bool) -> UserChange<'static> {
    UserChange {
        disabled: Some(disabled),
        ..UserChange::default()
    }
}

async fn create(arguments: &CreateArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    if store.user(arguments.name.as_str()).await?.is_some() {
        return Err(refused(StoreError::HandleTaken(arguments.name.clone())));
    }
    let password = password::asked(&*deployment.entropy).await?;
    let new = NewUser {
        name: &arguments.name,
        role: arguments.role,
        password: &password,
    };
    let user = store.create_user(&new).await.map_err(refused)?;
    let change = who::Change {
        what: "user.create",
        object: &object(&user),
        before: None,
        after: Some(told(&user)),
    };
    who::audit(store, environment, change).await?;
    output::line(&format!("{} may log in as {}", user.name, user.role));
    Ok(Ending::Well)
}

/// What a person has to set right is told so.
fn refused(error: StoreError) -> anyhow::Error {
    if matches!(error, StoreError::NoSuchUser(_)) {
        return misconfigured(format!(
            "{error}; `issue-mirror user list` shows who there is"
        ));
    }
    if matches!(error, StoreError::HandleTaken(_) | StoreError::LastAdmin(_)) {
        return misconfigured(error.to_string());
    }
    error.into()
}

fn object(user: &User) -> String {
    format!("user/{}", user.name)
}

/// As the audit tells of them.
fn told(user: &User) -> serde_json::Value {
    json!({"name": user.name, "role": user.role.name(), "disabled": user.disabled})
}

async fn changed(
    arguments: &OneArguments,
    environment: &Environment,
    change: &UserChange<'_>,
    is: &str,
) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let changed = store.change_user(&arguments.name, change).await;
    let (before, after) = changed.map_err(refused)?;
    let entry = who::Change {
        what: match change.password {
            Some(_) => "user.password",
            None => "user.update",
        },
        object: &object(&before),
        before: Some(told(&before)),
        after: Some(told(&after)),
    };
    who::audit(store, environment, entry).await?;
    output::line(&format!("{} {is}", after.name));
    Ok(Ending::Well)
}

async fn delete(arguments: &OneArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let before = store.delete_user(&arguments.name).await.map_err(refused)?;
    let change = who::Change {
        what: "user.delete",
        object: &object(&before),
        before: Some(told(&before)),
        after: None,
    };
    who::audit(store, environment, change).await?;
    output::line(&format!("{} is forgotten", before.name));
    Ok(Ending::Well)
}

#[derive(Serialize)]
struct Shown {
    name: String,
    role: &'static str,
    disabled: bool,
    created_at: DateTime<Utc>,
}

async fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let users = deployment.store.users().await?.into_iter();
    let rows: Vec<Shown> = users
        .map(|user| Shown {
            name: user.name,
            role: user.role.name(),
            disabled: user.disabled,
            created_at: user.created_at,
        })
        .collect();
    table::print(
        &rows,
        arguments.json,
        &["NAME", "ROLE", "SINCE", ""],
        |row| {
            vec![
                row.name.clone(),
                row.role.to_owned(),
                table::time(Some(row.created_at)),
                if row.disabled { "disabled" } else { "" }.to_owned(),
            ]
        },
        "nobody may log in; let somebody in with `issue-mirror user create NAME --role admin`",
    )?;
    Ok(Ending::Well)
}
