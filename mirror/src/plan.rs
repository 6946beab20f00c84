//! `plan`: the same engine on a copy of the state, with nothing sent that changes anything.

use crate::{
    admin::refuse_half,
    cli::{PlanArguments, ReachArguments},
    connect::{self, Addresses, Reach},
    engine::{Engine, Parts},
    exit::Ending,
    output, pairs,
    progress::{self, Progress},
    report::Requests,
    rules,
    sync::{State, adopted, lock, settings},
    tally::{Counted, count},
    tokens::Tokens,
};
use anyhow::Context as _;
use mirror_core::{
    drawing::{Shown, took},
    errand::DrawnIssue,
    ports::Class,
};
use mirror_queue::budget::{Limit, Side as LimitSide};
use mirror_runtime::{Environment, Shutdown};
use mirror_worker::Mode;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// Runs `plan`.
pub(crate) async fn run(
    arguments: &PlanArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let shutdown = Shutdown::listen()?;
    let (given, detailed) = (&arguments.mirror, arguments.detailed_exitcode);
    let rules = given.rules.read()?;
    let pairs = adopted(given)?;
    let state = State::open(given, environment).await?;
    let addresses = Addresses::parse(&given.source, &given.target, &given.reach)?;
    let tokens = Tokens::read(environment)?;
    let reach = Reach::new(&given.reach)?;
    let ends = connect::ask(&reach, &given.reach, &addresses, &tokens).await;
    let (source, target, _) = ends.both()?;
    let mut link = connect::link(&state.store, source, target, settings(given)).await?;
    let _lock = lock(&state.folder, &link)?;
    refuse_half(&state.store, link.mirror).await?;
    link.settings.rules = rules::or_kept(&state.store, link.mirror, rules).await?;
    link.settings.on_edit = given.edits.or_kept(&state.store, link.mirror).await?;
    let clients = (link.source.client.clone(), link.target.client.clone());

    let copy = state.store.copy_of(link.mirror).await;
    let copy = copy.context("the state could not be copied")?;
    pairs::ask(&copy, link.mirror, &pairs).await?;
    let shown = Progress::new(reach.clock.clone(), given.json);
    let engine = Engine::new(Parts {
        reach: &reach,
        store: copy,
        key: state.key,
        link,
        mode: Mode::Plan,
        shutdown: shutdown.clone(),
    });
    engine.take_over().await?;
    let tally = engine.tally.clone();
    let ended = engine
        .run(given.concurrency, given.wait, |due| shown.show(&tally, due))
        .await;
    shown.finish();
    let due = ended?;
    let failures = engine.left(20).await?;
    let held = engine.held().await?;
    let reads = Requests::new(&clients.0.calls(), &clients.1.calls());
    let drawn = Drawn::new(&tally.read(), &given.reach, reads);
    drawn.print(given.json)?;
    for left in &failures {
        let what = &left.what;
        output::note(&format!(
            "not planned: {what}: {}",
            left.error.as_deref().unwrap_or("")
        ));
    }
    if let Some(held) = held {
        output::note(&format!("held back: {held}"));
    }
    if let Some(reason) = &tally.read().paused {
        output::error(reason);
        return Ok(Ending::Failed);
    }
    if due.pending + due.running + due.queued + due.dead > 0 {
        return Ok(Ending::Failed);
    }
    Ok(if detailed && !drawn.issues.is_empty() {
        Ending::Changes
    } else {
        Ending::Well
    })
}

/// A plan, as it is shown.
#[derive(Debug, Serialize)]
struct Drawn {
    /// Issues with something to send.
    issues: Vec<DrawnIssue>,
    /// Issues in line, or left out.
    others: u64,
    /// Requests that `sync` will send to change something, or to carry files.
    requests: u64,
    /// Seconds that these take under the limits given, if any were.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    /// Requests that making the plan took.
    reads: Requests,
}

impl Drawn {
    fn new(counted: &Counted, reach: &ReachArguments, reads: Requests) -> Self {
        let Shown {
            issues, charged, ..
        } = counted.drawing.shown();
        let others = counted
            .numbers()
            .processed
            .saturating_sub(count(issues.len()));
        Self {
            requests: charged.get(&Class::Api).copied().unwrap_or(0),
            seconds: seconds(reach, &charged),
            issues,
            others,
            reads,
        }
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            output::line(&serde_json::to_string(self)?);
            return Ok(());
        }
        for issue in &self.issues {
            let sign = match (issue.create, issue.delete) {
                (true, _) => '+',
                (false, true) => '-',
                (false, false) => '~',
            };
            output::line(&format!("{sign} #{}", issue.issue));
            for step in &issue.steps {
                output::line(&format!("    {} {}", step.sign, step.what));
            }
        }
        let creates = self.issues.iter().filter(|issue| issue.create).count();
        let deletes = self.issues.iter().filter(|issue| issue.delete).count();
        let updates = self.issues.len() - creates - deletes;
        let deletes = match deletes {
            0 => String::new(),
            some => format!("{some} to delete, "),
        };
        let time = self.seconds.map_or(String::new(), |seconds| {
            format!(
                ", about {} under the limits given",
                took(Duration::from_secs(seconds))
            )
        });
        output::line(&format!(
            "Plan: {creates} to create, {updates} to update, {deletes}{} in line or left out; {} requests{time}",
            self.others, self.requests
        ));
        Ok(())
    }
}

/// The time that the narrowest of the target's limits asks for.
fn seconds(reach: &ReachArguments, charged: &BTreeMap<Class, u64>) -> Option<u64> {
    let takes = |limit: &Limit| {
        let requests = charged.get(&limit.class).copied().unwrap_or(0);
        let windows = requests.saturating_sub(1) / limit.requests.max(1);
        windows * limit.period.as_secs()
    };
    reach
        .limits
        .iter()
        .filter(|given| given.side != Some(LimitSide::Source))
        .map(|given| takes(&given.limit))
        .max()
}
