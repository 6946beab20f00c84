//! `plan`: the same engine on a copy of the state, with nothing sent that changes anything.

mod words;

use crate::{
    admin::refuse_half,
    cli::{PlanArguments, ReachArguments},
    connect::{self, Addresses, Reach},
    engine::{Engine, Parts},
    exit::Ending,
    output, pairs,
    progress::{self, Progress},
    report::{Requests, took},
    rules,
    sync::{State, adopted, lock, settings},
    tally::{Counted, count},
    tokens::Tokens,
};
use anyhow::Context as _;
use mirror_core::{
    ids::Iid,
    plan::{Plan, Step},
    ports::{Class, Clock},
};
use mirror_queue::budget::{Limit, Side as LimitSide};
use mirror_runtime::{Environment, Shutdown};
use mirror_store::Store;
use mirror_worker::Mode;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

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

    let copy = Copy::of(&state, &reach).await?;
    if let Err(error) = pairs::ask(&copy.store, link.mirror, &pairs).await {
        copy.remove().await;
        return Err(error);
    }
    let shown = Progress::new(reach.clock.clone(), given.json);
    let engine = Engine::new(Parts {
        reach: &reach,
        store: copy.store.clone(),
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
    copy.remove().await;
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

/// A copy of the record, for the plan to write in.
struct Copy {
    store: Store,
    path: std::path::PathBuf,
}

impl Copy {
    async fn of(state: &State, reach: &Reach) -> anyhow::Result<Self> {
        let name = format!(
            "plan-{}-{:08x}.sqlite3",
            std::process::id(),
            reach.entropy.next_u64() >> 32
        );
        let path = state.folder.path().join(name);
        state
            .store
            .copy_to(&path)
            .await
            .context("the state could not be copied")?;
        let clock: Arc<dyn Clock> = reach.clock.clone();
        let store = Store::open(&path, clock).await?;
        Ok(Self { store, path })
    }

    async fn remove(self) {
        self.store.close().await;
        for suffix in ["", "-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            // Nothing depends on it; a file left behind is only untidy.
            let _ = std::fs::remove_file(name);
        }
    }
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

#[derive(Debug, Serialize)]
struct DrawnIssue {
    issue: i64,
    create: bool,
    delete: bool,
    requests: u64,
    steps: Vec<DrawnStep>,
}

#[derive(Debug, Serialize)]
struct DrawnStep {
    sign: char,
    what: String,
    requests: u64,
}

impl Drawn {
    fn new(counted: &Counted, reach: &ReachArguments, reads: Requests) -> Self {
        let mut shared = Shared::default();
        let mut charged: BTreeMap<Class, u64> = BTreeMap::new();
        let mut issues = Vec::new();
        for (iid, (plan, confidential)) in &counted.plans {
            let steps: Vec<&Step> = plan
                .steps
                .iter()
                .filter(|step| shared.is_first(*iid, step))
                .collect();
            for step in &steps {
                *charged.entry(Class::Api).or_default() += step.requests();
                if let Some(class) = class(step) {
                    *charged.entry(class).or_default() += 1;
                }
            }
            if !steps.is_empty() {
                issues.push(DrawnIssue::new(*iid, plan, &steps, *confidential));
            }
        }
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

/// Jobs plan side by side, so two may plan one label, or one link of both; it is sent once.
#[derive(Default)]
struct Shared {
    labels: BTreeSet<String>,
    made: BTreeSet<[Iid; 2]>,
    removed: BTreeSet<[Iid; 2]>,
}

impl Shared {
    fn is_first(&mut self, iid: Iid, step: &Step) -> bool {
        let pair = |other: Iid| [iid.min(other), iid.max(other)];
        match step {
            Step::CreateLabel(label) => self.labels.insert(label.title.clone()),
            Step::CreateLink { other, .. } => self.made.insert(pair(*other)),
            Step::RemoveLink { other } => self.removed.insert(pair(*other)),
            Step::TransferUpload { .. }
            | Step::CreateIssue(_)
            | Step::Restrict
            | Step::UpdateIssue(_)
            | Step::SetState(_)
            | Step::CloseAsOf(_)
            | Step::SetTimeEstimate(_)
            | Step::AddSpentTime(_)
            | Step::CreateNote(_)
            | Step::UpdateNote { .. }
            | Step::DeleteNote { .. }
            | Step::WithdrawNote { .. }
            | Step::SetResolved { .. }
            | Step::Open
            | Step::DeleteIssue => true,
        }
    }
}

fn class(step: &Step) -> Option<Class> {
    match step {
        Step::CreateIssue(_) => Some(Class::Issues),
        Step::CreateNote(_) => Some(Class::Notes),
        Step::TransferUpload { .. } => Some(Class::Uploads),
        Step::CreateLabel(_)
        | Step::Restrict
        | Step::UpdateIssue(_)
        | Step::SetState(_)
        | Step::CloseAsOf(_)
        | Step::SetTimeEstimate(_)
        | Step::AddSpentTime(_)
        | Step::UpdateNote { .. }
        | Step::DeleteNote { .. }
        | Step::WithdrawNote { .. }
        | Step::SetResolved { .. }
        | Step::CreateLink { .. }
        | Step::RemoveLink { .. }
        | Step::Open
        | Step::DeleteIssue => None,
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

impl DrawnIssue {
    fn new(iid: Iid, plan: &Plan, steps: &[&Step], confidential: bool) -> Self {
        let create = plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::CreateIssue(_)));
        let steps: Vec<DrawnStep> = steps
            .iter()
            .map(|step| {
                let (sign, what) = words::drawn(step, confidential);
                DrawnStep {
                    sign,
                    what,
                    requests: step.requests(),
                }
            })
            .collect();
        let requests = steps.iter().map(|step| step.requests).sum();
        Self {
            issue: iid.0,
            create,
            delete: plan.steps.contains(&Step::DeleteIssue),
            requests,
            steps,
        }
    }
}
