//! The command line.

use crate::{
    admin::{
        AUDIT_EXAMPLE, AuditArguments, InstancesCommand, IssuesCommand, JobsCommand, KEY_EXAMPLE,
        KeyCommand, MirrorsCommand, RunsCommand, TOKEN_EXAMPLE, TokenCommand, USER_EXAMPLE,
        UserCommand, WorkersArguments,
    },
    caution::CautionArguments,
    edits::EditsArguments,
    rules::RulesArguments,
    service::{ApiArguments, DeploymentArguments, RoleArguments, WorkerArguments},
};
use clap::{Args, Parser, Subcommand};
use mirror_core::preserve::Preserve;
use mirror_queue::budget::LimitArgument;
use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

/// Mirrors issues between GitLab instances: title, description, comments in their threads, labels,
/// attachments, time tracking, confidentiality. Never twice, never lost, never heard by people who
/// should not.
#[derive(Parser, Debug)]
#[command(
    name = "issue-mirror",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Mirror the issues of one project into another, once
    #[command(after_help = SYNC_EXAMPLE)]
    Sync(SyncArguments),
    /// Show what `sync` would send, and send nothing
    #[command(after_help = PLAN_EXAMPLE)]
    Plan(PlanArguments),
    /// Check both ends, the tokens and the state, and say how to mend what is wrong
    #[command(after_help = DOCTOR_EXAMPLE)]
    Doctor(DoctorArguments),
    /// Mirror between two simulated GitLabs on this machine: no tokens, no servers
    #[command(after_help = DEMO_EXAMPLE)]
    Demo(DemoArguments),
    /// Mirror by itself, everything in this process: scheduler and worker
    #[command(after_help = ALL_EXAMPLE)]
    All(WorkerArguments),
    /// Serve the REST API, its reference, health, readiness and metrics; run as many as it takes
    #[command(after_help = SCALED_EXAMPLE)]
    Api(ApiArguments),
    /// Hand out what is due; run two or three for safety
    #[command(after_help = SCALED_EXAMPLE)]
    Scheduler(RoleArguments),
    /// Do what the scheduler hands out; run as many as it takes
    #[command(after_help = SCALED_EXAMPLE)]
    Worker(WorkerArguments),
    /// Make the record's tables, or bring them up to date
    #[command(after_help = MIGRATE_EXAMPLE)]
    Migrate(DeploymentArguments),
    /// GitLabs that the service reaches by itself
    #[command(subcommand, after_help = INSTANCES_EXAMPLE)]
    Instances(InstancesCommand),
    /// What the service mirrors, and how often
    #[command(subcommand, after_help = MIRRORS_EXAMPLE)]
    Mirrors(MirrorsCommand),
    /// What was edited on the target and stays so, and which side holds
    #[command(subcommand, after_help = ISSUES_EXAMPLE)]
    Issues(IssuesCommand),
    /// Scans and the jobs they caused, counted
    #[command(subcommand, after_help = RUNS_EXAMPLE)]
    Runs(RunsCommand),
    /// What is owed, and why it is not done
    #[command(subcommand, after_help = JOBS_EXAMPLE)]
    Jobs(JobsCommand),
    /// Which processes work
    #[command(after_help = WORKERS_EXAMPLE)]
    Workers(WorkersArguments),
    /// Who may log in, and what they may do
    #[command(subcommand, after_help = USER_EXAMPLE)]
    User(UserCommand),
    /// What programs call the API with
    #[command(subcommand, after_help = TOKEN_EXAMPLE)]
    Token(TokenCommand),
    /// The key under which the record's secrets are sealed
    #[command(subcommand, after_help = KEY_EXAMPLE)]
    Key(KeyCommand),
    /// Who changed what, when, and from where
    #[command(after_help = AUDIT_EXAMPLE)]
    Audit(AuditArguments),
}

const ALL_EXAMPLE: &str = "\
Example:
  GITLAB_TOKEN=… issue-mirror instances add https://gitlab.a
  GITLAB_TOKEN=… issue-mirror instances add https://gitlab.b
  issue-mirror mirrors add https://gitlab.a/group/project https://gitlab.b/team/project
  issue-mirror all

The record is a file in the state folder; DATABASE_URL names another place (postgres://…).";

const SCALED_EXAMPLE: &str = "\
Example:
  export DATABASE_URL=postgres://mirror:…@db/mirror REDIS_URL=redis://:…@redis
  export ISSUE_MIRROR_KEY_FILE=/run/secrets/issue-mirror-key   # the same for all
  issue-mirror migrate
  issue-mirror scheduler &
  issue-mirror worker --concurrency 32";

const MIGRATE_EXAMPLE: &str = "\
Example:
  DATABASE_URL=postgres://mirror:…@db/mirror issue-mirror migrate

Exit codes: 0 it is up to date now, 1 the server does not answer, 2 usage or configuration error.";

const INSTANCES_EXAMPLE: &str = "\
Example:
  GITLAB_TOKEN=… issue-mirror instances add https://gitlab.a --name ours --limit api=2000/60
  issue-mirror instances check";

const MIRRORS_EXAMPLE: &str = "\
Example:
  issue-mirror mirrors add https://gitlab.a/group/project https://gitlab.b/team/project --every 60
  issue-mirror mirrors sync-now 1 --issue 42";

const ISSUES_EXAMPLE: &str = "\
Example:
  issue-mirror issues list 1
  issue-mirror issues resolve 1 42 --use-source";

const RUNS_EXAMPLE: &str = "\
Example:
  issue-mirror runs list 1
  issue-mirror runs cancel 17";

const JOBS_EXAMPLE: &str = "\
Example:
  issue-mirror jobs list --state dead
  issue-mirror jobs why 5
  issue-mirror jobs retry --dead-of 1";

const WORKERS_EXAMPLE: &str = "\
Example:
  issue-mirror workers --json";

const SYNC_EXAMPLE: &str = "\
Example:
  export SOURCE_TOKEN=glpat-…   # scope read_api; Reporter or Planner to see confidential issues
  export TARGET_TOKEN=glpat-…   # scope api; Reporter or Planner, better Owner
  issue-mirror sync https://gitlab.a/group/project https://gitlab.b/team/project

Exit codes: 0 in sync, 1 something failed or is left, 2 usage or configuration error.";

const PLAN_EXAMPLE: &str = "\
Example:
  SOURCE_TOKEN=… TARGET_TOKEN=… issue-mirror plan --detailed-exitcode \\
      https://gitlab.a/group/project https://gitlab.b/team/project

Exit codes: 0 nothing to do (or, without --detailed-exitcode, a plan was made), 1 something failed,
2 usage or configuration error, 3 there are changes (with --detailed-exitcode).";

const DOCTOR_EXAMPLE: &str = "\
Example:
  SOURCE_TOKEN=… TARGET_TOKEN=… issue-mirror doctor \\
      https://gitlab.a/group/project https://gitlab.b/team/project

Exit codes: 0 nothing is in the way, 1 something is, 2 usage error.";

const DEMO_EXAMPLE: &str = "\
Example:
  issue-mirror demo          # keeps running and edits the source now and then; Ctrl-C ends it
  issue-mirror demo --once   # one mirror, then ends";

/// `sync`
#[derive(Args, Debug)]
pub(crate) struct SyncArguments {
    #[command(flatten)]
    pub(crate) mirror: MirrorArguments,
}

/// `plan`
#[derive(Args, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) mirror: MirrorArguments,
    /// Exit with 3 if there are changes
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// `doctor`
#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    /// The source project's web address
    #[arg(value_name = "SRC", requires = "target")]
    pub(crate) source: Option<String>,
    /// The target project's web address
    #[arg(value_name = "DST")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
    /// Where state and key are kept [default: $XDG_STATE_HOME/issue-mirror]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `demo`
#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// End after the first mirror
    #[arg(long)]
    pub(crate) once: bool,
    /// Seconds between two edits of the source
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub(crate) every: Duration,
    /// Print one JSON object per round
    #[arg(long)]
    pub(crate) json: bool,
}

/// One mirror, and how to go about it.
#[derive(Args, Debug)]
pub(crate) struct MirrorArguments {
    /// The source project's web address, `https://gitlab.a/group/project`
    #[arg(value_name = "SRC")]
    pub(crate) source: String,
    /// The target project's web address
    #[arg(value_name = "DST")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
    /// Only this issue, by its number in the source project
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) issue: Option<i64>,
    /// Compare everything, field by field, instead of what changed
    #[arg(long)]
    pub(crate) full: bool,
    /// Mirror also issues that were closed before they were first seen
    #[arg(long)]
    pub(crate) include_closed: bool,
    /// Carry links between issues that are both mirrored, too. Costs one request for each issue that
    /// is looked at; with --full also for those that have not changed
    #[arg(long)]
    pub(crate) links: bool,
    /// Take issues of the target for mirrors: CSV with the header `source_iid,target_iid`. Title,
    /// text and fields of these are overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) adopt: Option<PathBuf>,
    /// Where state and key are kept [default: $XDG_STATE_HOME/issue-mirror]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Issues under way at once
    #[arg(long, value_name = "N", default_value = "8")]
    pub(crate) concurrency: NonZeroUsize,
    /// Files above this size stay links to the source (`100MiB`, `2GB`, bytes)
    #[arg(long, value_name = "SIZE", default_value = "100MiB", value_parser = size)]
    pub(crate) max_attachment_size: u64,
    /// The label that marks mirrored issues; empty for none
    #[arg(long, value_name = "LABEL", default_value = "MIRRORED")]
    pub(crate) mirrored_label: String,
    /// Whether copies keep the number and the times of their originals, which takes an Owner's token:
    /// auto (where token and target allow it), never, or require
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) preserve: Preserve,
    #[command(flatten)]
    pub(crate) rules: RulesArguments,
    #[command(flatten)]
    pub(crate) caution: CautionArguments,
    #[command(flatten)]
    pub(crate) edits: EditsArguments,
    /// End when nothing is due within this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub(crate) wait: Duration,
    /// How long a create without an answer may still take effect, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) late_landing: Duration,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to reach the two GitLabs.
#[derive(Args, Debug, Default)]
pub(crate) struct ReachArguments {
    /// The source GitLab's address, if it lives under a path: `https://host/gitlab`
    #[arg(long, value_name = "URL")]
    pub(crate) source_instance: Option<String>,
    /// The target GitLab's address, if it lives under a path
    #[arg(long, value_name = "URL")]
    pub(crate) target_instance: Option<String>,
    /// What is known of a limit, `[source:|target:]CLASS=N/SECONDS`; classes: api, notes, issues,
    /// search, uploads. Can be given again. Without it limits are learnt
    #[arg(long = "limit", value_name = "LIMIT")]
    pub(crate) limits: Vec<LimitArgument>,
    /// Certificates (PEM) trusted besides the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A proxy for all requests, `http://proxy:3128` [default: the environment's]
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Give a request up when no answer has begun after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) request_timeout: Duration,
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "write seconds, like 60 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "write seconds, 0 or more".to_owned())
}

pub(crate) fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1));
    let number: u64 = number
        .trim()
        .parse()
        .map_err(|_| "write a size like 100MiB, 2GB or a number of bytes".to_owned())?;
    number
        .checked_mul(factor)
        .ok_or_else(|| "that size is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("100MiB"), Ok(100 * 1024 * 1024));
        assert_eq!(size("2 GB"), Ok(2_000_000_000));
        assert_eq!(size("17"), Ok(17));
        assert!(size("many").is_err());
        assert!(size("99999999999GiB").is_err());
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err());
        assert!(seconds("soon").is_err());
    }
}
