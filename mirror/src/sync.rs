//! `sync`: one mirror, once.

use crate::{
    admin::refuse_half,
    cli::{MirrorArguments, SyncArguments},
    connect::{self, Addresses, Reach},
    engine::{Engine, Parts},
    exit::{Ending, misconfigured},
    output, pairs,
    progress::{self, Progress},
    report::{Report, Requests, groups},
    rules,
    tokens::Tokens,
};
use chrono::TimeDelta;
use mirror_core::{ids::Iid, ports::Clock, provenance::Key};
use mirror_gitlab::Client;
use mirror_runtime::{
    Environment, Shutdown,
    file_lock::{LockError, MirrorLock},
    state_dir::StateDir,
};
use mirror_store::{DueSummary, Pair, Store};
use mirror_worker::{Link, Mode, Settings};
use std::{sync::Arc, time::Duration};

/// How many unfinished issues are listed.
const LISTED: u32 = 20;

/// Runs `sync`.
pub(crate) async fn run(
    arguments: &SyncArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let shutdown = Shutdown::listen()?;
    let arguments = &arguments.mirror;
    let given = arguments.rules.read()?;
    let pairs = adopted(arguments)?;
    let state = State::open(arguments, environment).await?;
    let addresses = Addresses::parse(&arguments.source, &arguments.target, &arguments.reach)?;
    let tokens = Tokens::read(environment)?;
    let reach = Reach::new(&arguments.reach)?;
    let ends = connect::ask(&reach, &arguments.reach, &addresses, &tokens).await;
    let (source, target, findings) = ends.both()?;
    if !arguments.json {
        for finding in findings
            .iter()
            .filter(|finding| finding.level != crate::check::Level::Ok)
        {
            output::note(&format!("warning: {}", finding.line()));
        }
    }
    let mut link = connect::link(&state.store, source, target, settings(arguments)).await?;
    let _lock = lock(&state.folder, &link)?;
    refuse_half(&state.store, link.mirror).await?;
    link.settings.rules = rules::keep(&state.store, link.mirror, given).await?;
    link.settings.on_edit = arguments.edits.keep(&state.store, link.mirror).await?;
    pairs::ask(&state.store, link.mirror, &pairs).await?;
    let run = Run {
        reach: &reach,
        store: state.store,
        key: state.key,
        arguments,
        shutdown,
    };
    let report = run.once(link).await?;
    report.print(arguments.json)?;
    Ok(if report.in_sync {
        Ending::Well
    } else {
        Ending::Failed
    })
}

/// The state folder, opened.
pub(crate) struct State {
    /// The folder.
    pub(crate) folder: StateDir,
    /// The record.
    pub(crate) store: Store,
    /// The deployment's key.
    pub(crate) key: Key,
}

impl State {
    /// Opens it, and makes it on first use.
    pub(crate) async fn open(
        arguments: &MirrorArguments,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let folder = StateDir::open(arguments.state_dir.as_deref(), environment)
            .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))?;
        let (key, _) = load_key(&folder, environment)?;
        let clock: Arc<dyn Clock> = Arc::new(mirror_runtime::SystemClock::new());
        let store = Store::open(&folder.database(), clock)
            .await
            .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))?;
        Ok(Self { folder, store, key })
    }
}

/// The deployment's key.
pub(crate) fn load_key(
    folder: &StateDir,
    environment: &Environment,
) -> anyhow::Result<(Key, [u8; 32])> {
    let key = mirror_runtime::key::Key::load(folder, environment)
        .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))?;
    let bytes = *key.as_bytes();
    Ok((Key::new(bytes), bytes))
}

/// The key that the deployment had before, while it is being replaced.
pub(crate) fn load_old_key(
    folder: &StateDir,
    environment: &Environment,
) -> anyhow::Result<Option<mirror_runtime::key::Key>> {
    mirror_runtime::key::Key::load_old(folder, environment)
        .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))
}

/// One run of a mirror at a time.
pub(crate) fn lock(folder: &StateDir, link: &Link) -> anyhow::Result<MirrorLock> {
    locked(MirrorLock::acquire(folder, link.mirror))
}

/// A lock, or what to do about who has it.
pub(crate) fn locked<L>(lock: Result<L, LockError>) -> anyhow::Result<L> {
    lock.map_err(|error| match error {
        LockError::Busy { .. } | LockError::InUse => {
            anyhow::anyhow!("{error}; wait for it to end, or stop it")
        }
        LockError::Served { .. } => {
            anyhow::anyhow!("{error}; ask it with `issue-mirror mirrors sync-now`, or stop it")
        }
        LockError::File { .. } => misconfigured(format!("{:#}", anyhow::Error::from(error))),
    })
}

/// Which issues of the target are to be adopted.
pub(crate) fn adopted(arguments: &MirrorArguments) -> anyhow::Result<Vec<Pair>> {
    let read = arguments.adopt.as_deref().map(pairs::read).transpose()?;
    Ok(read.unwrap_or_default())
}

/// How the arguments want it.
pub(crate) fn settings(arguments: &MirrorArguments) -> Settings {
    let caution = arguments.caution.caution();
    Settings {
        include_closed: arguments.include_closed,
        only: arguments.issue.map(Iid),
        full: arguments.full,
        mirrored_label: Some(arguments.mirrored_label.trim().to_owned())
            .filter(|label| !label.is_empty()),
        max_attachment: arguments.max_attachment_size,
        late_landing: TimeDelta::from_std(arguments.late_landing).unwrap_or(TimeDelta::hours(1)),
        preserve: arguments.preserve,
        on_delete: caution.on_delete,
        breaker: caution.breaker,
        exposes_files: caution.exposes_files,
        issue_links: arguments.links,
        ..Settings::default()
    }
}

/// A run of a mirror, for `sync` and the demo.
pub(crate) struct Run<'a> {
    /// Clock, randomness, limits.
    pub(crate) reach: &'a Reach,
    /// The record.
    pub(crate) store: Store,
    /// The deployment's key.
    pub(crate) key: Key,
    /// As given.
    pub(crate) arguments: &'a MirrorArguments,
    /// Asked for by Ctrl-C.
    pub(crate) shutdown: Shutdown,
}

impl Run<'_> {
    /// Runs it once.
    pub(crate) async fn once(self, link: Link) -> anyhow::Result<Report> {
        let began = self.reach.clock.monotonic();
        let paths = (
            link.source.project.path.clone(),
            link.target.project.path.clone(),
        );
        let clients = (link.source.client.clone(), link.target.client.clone());
        let progress = Progress::new(self.reach.clock.clone(), self.arguments.json);
        let engine = Engine::new(Parts {
            reach: self.reach,
            store: self.store,
            key: self.key,
            link,
            mode: Mode::Sync,
            shutdown: self.shutdown.clone(),
        });
        engine.take_over().await?;
        let tally = engine.tally.clone();
        let left = engine
            .run(self.arguments.concurrency, self.arguments.wait, |due| {
                progress.show(&tally, due)
            })
            .await;
        progress.finish();
        let took = self.reach.clock.monotonic().saturating_sub(began);
        let report = report(
            &engine,
            left?,
            paths,
            &clients,
            took,
            self.shutdown.is_requested(),
        )
        .await?;
        engine.store().close().await;
        Ok(report)
    }
}

async fn report(
    engine: &Engine,
    due: DueSummary,
    (source, target): (String, String),
    clients: &(Client, Client),
    took: Duration,
    stopped: bool,
) -> anyhow::Result<Report> {
    let left = engine.left(LISTED).await?;
    let held = engine.held().await?;
    let modified = engine.target_modified().await?;
    let left_in_all = due.pending + due.paused + due.queued + due.running + due.dead;
    let counted = engine.tally.read();
    let (skipped_because, notices) = groups(&counted);
    let settled = modified.is_empty() && held.is_none();
    Ok(Report {
        source,
        target,
        in_sync: left_in_all == 0 && counted.paused.is_none() && settled,
        numbers: counted.numbers(),
        requests: Requests::new(&clients.0.calls(), &clients.1.calls()),
        seconds: took.as_secs_f64(),
        skipped_because,
        notices,
        target_modified: modified.iter().map(|iid| iid.0).collect(),
        left,
        left_in_all,
        paused: counted.paused.clone(),
        held,
        stopped: stopped && left_in_all > 0,
    })
}
