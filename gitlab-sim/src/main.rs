//! A simulated GitLab as a program of its own.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use gitlab_sim::seed::{demo, empty_target};
use gitlab_sim::text::quick_actions::Generation;
use gitlab_sim::{
    AccessLevel, Edition, ProjectSpec, RateLimits, Sim, TokenSpec, UserSpec, Version, scenario,
};

/// Serves a simulated GitLab until it is stopped.
///
/// Example: gitlab-sim --listen 127.0.0.1:8080 --edition ultimate --seed demo --token secret
#[derive(Debug, Parser)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// ce, premium or ultimate.
    #[arg(long, default_value = "premium")]
    edition: Edition,
    /// Version, such as 18.4.0.
    #[arg(long, default_value = "18.4.0")]
    version: Version,
    /// What is in it: demo, empty, or a JSON file of users, projects and issues.
    #[arg(long, default_value = "empty")]
    seed: String,
    /// Secret of an owner's token of the first project.
    #[arg(long)]
    token: Option<String>,
    /// A limit as CLASS=COUNT/SECONDS with class api, notes, issues or search; repeatable.
    #[arg(long, value_parser = limit)]
    limit: Vec<(String, u32, Duration)>,
    /// The configured address, where it is not the one listened on.
    #[arg(long)]
    external_url: Option<String>,
    /// Run quick actions as older versions do.
    #[arg(long)]
    legacy_quick_actions: bool,
    /// Largest upload in bytes; 0 is unlimited.
    #[arg(long, default_value_t = 100 * 1024 * 1024)]
    max_attachment_bytes: u64,
}

fn limit(text: &str) -> Result<(String, u32, Duration), String> {
    let wrong = || format!("`{text}` is not CLASS=COUNT/SECONDS");
    let (class, rate) = text.split_once('=').ok_or_else(wrong)?;
    let (count, seconds) = rate.split_once('/').ok_or_else(wrong)?;
    let count = count.parse().map_err(|_| wrong())?;
    let seconds: u64 = seconds.parse().map_err(|_| wrong())?;
    if !["api", "notes", "issues", "search"].contains(&class) || seconds == 0 {
        return Err(wrong());
    }
    Ok((class.to_owned(), count, Duration::from_secs(seconds)))
}

fn limits(arguments: &Arguments) -> RateLimits {
    let mut limits = RateLimits::default();
    for (class, count, period) in &arguments.limit {
        let limit = Some((*count, *period));
        match class.as_str() {
            "notes" => limits.notes = limit,
            "issues" => limits.issues = limit,
            "search" => limits.search = limit,
            _ => limits.api = limit,
        }
    }
    limits
}

type Failure = Box<dyn std::error::Error>;

/// Fills the world; returns lines that tell its user what is there.
fn fill(sim: &Sim, arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let project = match arguments.seed.as_str() {
        "demo" => {
            let seeded = demo(sim)?;
            lines.push(format!(
                "project {} /{} token {}",
                seeded.project, seeded.path, seeded.token
            ));
            seeded.project
        }
        "empty" => {
            let seeded = empty_target(sim, "team/project");
            lines.push(format!(
                "project {} /{} token {}",
                seeded.project, seeded.path, seeded.token
            ));
            seeded.project
        }
        file => {
            let text = std::fs::read_to_string(PathBuf::from(file))?;
            let built = sim.edit(|world| scenario::build(world, &text))?;
            lines.extend(built.lines);
            built.first_project
        }
    };
    if let Some(secret) = &arguments.token {
        let owner = sim.add_user(UserSpec::new("sim-owner", "Owner"));
        sim.edit(|world| {
            if let Some(home) = world.project_mut(project) {
                home.members.insert(owner, AccessLevel::Owner);
            }
            world.add_project(ProjectSpec::new(
                "sim-owner/second",
                &[(owner, AccessLevel::Owner)],
            ));
        });
        sim.add_token(owner, TokenSpec::api(secret));
        lines.push(format!("owner's token {secret}"));
    }
    Ok(lines)
}

#[expect(
    clippy::print_stdout,
    reason = "the address is this program's answer to its user"
)]
fn tell(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let generation = if arguments.legacy_quick_actions {
        Generation::Legacy
    } else {
        Generation::Current
    };
    let mut builder = Sim::builder()
        .edition(arguments.edition)
        .version(&arguments.version.to_string())
        .quick_actions(generation)
        .limits(limits(&arguments))
        .max_attachment_bytes(
            (arguments.max_attachment_bytes > 0).then_some(arguments.max_attachment_bytes),
        );
    if let Some(url) = &arguments.external_url {
        builder = builder.external_url(url);
    }
    let sim = builder.build();
    let lines = fill(&sim, &arguments)?;
    let server = sim.serve(&arguments.listen).await?;
    tell(&[format!("listening on {}", server.url())]);
    tell(&lines);
    tokio::signal::ctrl_c().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn limits_are_read_and_nonsense_is_named() {
        let expected = ("api".to_owned(), 600, Duration::from_secs(60));
        assert_eq!(limit("api=600/60"), Ok(expected));
        for wrong in ["api", "api=600", "api=x/60", "api=600/0", "mail=1/1"] {
            assert!(limit(wrong).is_err_and(|text| text.contains(wrong)));
        }
    }
}
