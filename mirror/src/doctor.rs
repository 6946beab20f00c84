//! `doctor`: what is wrong, and how it is mended.

use crate::{
    admin::held_back,
    check::{Finding, Level},
    cli::DoctorArguments,
    connect::{self, Addresses, Asked, Reach},
    exit::Ending,
    output, progress,
    sync::load_key,
    tokens::Tokens,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::Clock;
use mirror_gitlab::IssueQuery;
use mirror_runtime::{Environment, state_dir::StateDir};
use mirror_store::{Mirror, Store};
use mirror_worker::Side;
use std::sync::Arc;

/// Runs `doctor`.
pub(crate) async fn run(
    arguments: &DoctorArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let mut findings = state(arguments, environment).await;
    if let (Some(source), Some(target)) = (&arguments.source, &arguments.target) {
        let addresses = Addresses::parse(source, target, &arguments.reach)?;
        let tokens = Tokens::read(environment)?;
        let reach = Reach::new(&arguments.reach)?;
        let ends = connect::ask(&reach, &arguments.reach, &addresses, &tokens).await;
        findings.extend(ends.findings);
        for (side, asked) in [(Side::Source, &ends.source), (Side::Target, &ends.target)] {
            if let Some(asked) = asked {
                findings.extend(abilities(side, asked));
                findings.extend(clock_skew(side, asked, &reach).await);
            }
        }
        findings.extend(limits(&reach));
        if let (Some(source), Some(target)) = (&ends.source, &ends.target)
            && source.project.id == target.project.id
            && source.project.web_url == target.project.web_url
        {
            findings.push(Finding::new(
                Level::Misconfigured,
                "target",
                "source and target are the same project",
                "give two",
            ));
        }
    }
    let well = !findings.iter().any(Finding::is_in_the_way);
    if arguments.json {
        output::line(&serde_json::to_string(&findings)?);
    } else {
        for finding in &findings {
            let sign = match finding.level {
                Level::Ok => "ok     ",
                Level::Warning => "warning",
                Level::Problem | Level::Misconfigured => "PROBLEM",
            };
            output::line(&format!("{sign}  {}", finding.line()));
        }
    }
    Ok(if well { Ending::Well } else { Ending::Failed })
}

/// The state folder, the key, the record.
async fn state(arguments: &DoctorArguments, environment: &Environment) -> Vec<Finding> {
    const ABOUT: &str = "state";
    let broken = |error: anyhow::Error| {
        vec![Finding::new(
            Level::Misconfigured,
            ABOUT,
            format!("{error:#}"),
            "or keep the state elsewhere, with --state-dir",
        )]
    };
    let folder = match StateDir::open(arguments.state_dir.as_deref(), environment) {
        Ok(folder) => folder,
        Err(error) => return broken(error.into()),
    };
    if let Err(error) = load_key(&folder, environment) {
        return broken(error);
    }
    let clock: Arc<dyn Clock> = Arc::new(mirror_runtime::SystemClock::new());
    let store = match Store::open(&folder.database(), clock).await {
        Ok(store) => store,
        Err(error) => return broken(error.into()),
    };
    match store.mirrors().await {
        Ok(mirrors) => {
            let known = mirrors.len();
            let plural = if known == 1 { "" } else { "s" };
            let what = format!("{} holds {known} mirror{plural}", folder.path().display());
            let mut findings = vec![Finding::ok(ABOUT, what)];
            for mirror in &mirrors {
                findings.extend(held(&store, mirror).await);
            }
            findings.extend(mirrors.into_iter().filter_map(|mirror| {
                let reason = mirror.paused?;
                let what = format!("{} → {} rests", mirror.source.path, mirror.target.path);
                Some(Finding::new(Level::Warning, ABOUT, what, reason))
            }));
            findings
        }
        Err(error) => broken(error.into()),
    }
}

/// Copies of what is gone at the source that wait for a person.
async fn held(store: &Store, mirror: &Mirror) -> Option<Finding> {
    let removals = store.removals(mirror.id).await.ok()?;
    let what = format!("{} → {}", mirror.source.path, mirror.target.path);
    let mend = held_back(removals.held?, mirror.id.0);
    Some(Finding::new(Level::Warning, "state", what, mend))
}

/// What edition and version mean for a mirror.
fn abilities(side: Side, asked: &Asked) -> Vec<Finding> {
    let about = side.to_string();
    let mut findings = Vec::new();
    let version = asked.metadata.major_minor;
    match side {
        Side::Source if version.is_some_and(|version| version < (17, 4)) => {
            findings.push(Finding::new(
                Level::Warning,
                &about,
                format!(
                    "GitLab {} gives out attachments in the browser only",
                    asked.metadata.version
                ),
                "files stay links to the source; GitLab 17.4 or later mends that",
            ));
        }
        Side::Target if !asked.metadata.enterprise => {
            findings.push(Finding::new(
                Level::Warning,
                &about,
                "a Community Edition has no weights",
                "they do not cross; everything else does",
            ));
        }
        Side::Source | Side::Target => {}
    }
    findings
}

/// Clocks that differ do no harm here, but hint at a machine that is not well kept.
async fn clock_skew(side: Side, asked: &Asked, reach: &Reach) -> Option<Finding> {
    const TOLERATED: TimeDelta = TimeDelta::seconds(30);
    let query = IssueQuery {
        per_page: 1,
        ..IssueQuery::default()
    };
    let page = asked.client.issues(asked.project.id, &query).await.ok()?;
    let theirs: DateTime<Utc> = page.clock?;
    let skew = theirs - reach.clock.now();
    (skew.abs() > TOLERATED).then(|| {
        Finding::new(
            Level::Warning,
            &side.to_string(),
            format!(
                "its clock and this machine's differ by {} s",
                skew.num_seconds().abs()
            ),
            "check time synchronisation on both; mirroring copes with it",
        )
    })
}

/// The limits seen so far.
fn limits(reach: &Reach) -> Vec<Finding> {
    let seen = reach.budget.snapshot();
    seen.iter()
        .filter_map(|bucket| {
            let limit = bucket.limit?;
            let about = if bucket.account.instance.0 == 1 {
                Side::Source
            } else {
                Side::Target
            };
            let class = bucket.class.name();
            let seconds = bucket.period.as_secs();
            Some(Finding::ok(
                &about.to_string(),
                format!("limit {class}: {limit} requests in {seconds} s"),
            ))
        })
        .collect()
}
