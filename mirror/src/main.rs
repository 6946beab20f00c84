//! `issue-mirror`: mirrors issues between GitLab instances.

mod address;
mod admin;
mod caution;
mod check;
mod cli;
mod connect;
mod demo;
mod doctor;
mod edits;
mod engine;
mod exit;
mod output;
mod pairs;
mod plan;
mod progress;
mod report;
mod rules;
mod service;
mod sync;
mod tally;
mod tokens;

use clap::Parser;
use cli::{Cli, Command};
use mirror_runtime::Environment;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // One provider of TLS for everything; a second one beside it would make rustls guess.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let environment = Environment::from_process();
    let ended = match Cli::parse().command {
        Command::Sync(arguments) => sync::run(&arguments, &environment).await,
        Command::Plan(arguments) => plan::run(&arguments, &environment).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &environment).await,
        Command::Demo(arguments) => demo::run(&arguments, &environment).await,
        Command::All(arguments) => service::all(&arguments, &environment).await,
        Command::Api(arguments) => service::api(&arguments, &environment).await,
        Command::Scheduler(arguments) => service::scheduler(&arguments, &environment).await,
        Command::Worker(arguments) => service::worker(&arguments, &environment).await,
        Command::Migrate(arguments) => service::migrate(&arguments, &environment).await,
        Command::Instances(command) => admin::instances(&command, &environment).await,
        Command::Mirrors(command) => admin::mirrors(&command, &environment).await,
        Command::Issues(command) => admin::issues(&command, &environment).await,
        Command::Runs(command) => admin::runs(&command, &environment).await,
        Command::Jobs(command) => admin::jobs(&command, &environment).await,
        Command::Workers(arguments) => admin::workers(&arguments, &environment).await,
        Command::User(command) => admin::users(&command, &environment).await,
        Command::Token(command) => admin::tokens(&command, &environment).await,
        Command::Key(command) => admin::key(&command, &environment).await,
        Command::Audit(arguments) => admin::audit(&arguments, &environment).await,
    };
    exit::code(ended)
}
