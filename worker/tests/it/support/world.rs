//! The engine between the two GitLabs.

use super::{Stage, TestClock, clock::LEASE, ends::end_of, heard::Heard, turns::Turns, wire};
use futures_util::{StreamExt, stream};
use gitlab_sim::{
    Issue, IssueEdit, IssueSpec, NoteSpec, RequestRecord, Sim, UserId, seed::SeededProject,
};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
    outcome::Outcome,
    plan::Step,
    ports::Clock as _,
    provenance::Key,
};
use mirror_runtime::{SeededEntropy, Shutdown};
use mirror_store::{MirrorEnd, NewMirror, Owe, Store};
use mirror_worker::{
    Accounts, Context, Each, End, Facts, InHand, Link, Links, Mode, Notice, Planned, Settings,
    TargetLabels, Transfers,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

/// Rounds after which a run is known never to end.
const ROUNDS: u32 = 2_000;

pub(crate) struct World {
    pub(crate) clock: TestClock,
    pub(crate) source: Sim,
    pub(crate) target: Sim,
    pub(crate) from: SeededProject,
    pub(crate) to: SeededProject,
    pub(crate) alice: UserId,
    pub(crate) tom: UserId,
    pub(crate) cx: Context,
    pub(crate) mirror: MirrorId,
    /// When requests of this process have their turn.
    pub(crate) turns: Arc<Turns>,
    settings: Settings,
    heard: Heard,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Stage::new()).await
    }

    pub(crate) async fn on(stage: Stage) -> Self {
        Self::with(stage, Settings::default(), Mode::Sync).await
    }

    pub(crate) async fn with(stage: Stage, settings: Settings, mode: Mode) -> Self {
        let store = Store::in_memory(Arc::new(stage.clock.clone()))
            .await
            .unwrap();
        Self::over(stage, settings, mode, store).await
    }

    /// On this record.
    pub(crate) async fn over(stage: Stage, settings: Settings, mode: Mode, store: Store) -> Self {
        let clock = stage.clock.clone();
        let heard = Heard::default();
        let Stage {
            source,
            target,
            from,
            to,
            alice,
            tom,
            ..
        } = stage;
        let mut world = Self {
            cx: context(store, &clock, mode, &heard),
            settings,
            clock,
            source,
            target,
            from,
            to,
            alice,
            tom,
            mirror: MirrorId(0),
            turns: Arc::default(),
            heard,
        };
        world.connect().await;
        world
    }

    /// Connects both ends, as the binary does before it starts work. Its requests are forgotten:
    /// what is counted is the engine's.
    pub(crate) async fn connect(&mut self) {
        let source = self.end(&self.source, &self.from).await;
        let target = self.end(&self.target, &self.to).await;
        let mirror_end = |end: &End| MirrorEnd {
            instance: end.instance,
            project: end.project.id,
            path: end.project.path.clone(),
        };
        let new = NewMirror {
            source: mirror_end(&source),
            target: mirror_end(&target),
        };
        let (store, now) = (&self.cx.store, self.cx.store.now());
        self.mirror = store.ensure_mirror(&new).await.unwrap().id;
        let rules = self.settings.rules.text();
        store.set_rules(self.mirror, rules, now).await.unwrap();
        self.cx.links.insert(Link {
            mirror: self.mirror,
            source,
            target,
            settings: self.settings.clone(),
        });
        self.forget_requests();
    }

    pub(crate) async fn end(&self, sim: &Sim, seeded: &SeededProject) -> End {
        let turns = self.turns.clone();
        let client = |instance| wire::client(sim, &seeded.token, instance, &self.clock, turns);
        end_of(&self.cx.store, sim, seeded, client).await
    }

    /// Another process on the same record and mirror.
    pub(crate) async fn beside(&self) -> Self {
        let store = self.cx.store.clone();
        let mut other = Self {
            clock: self.clock.clone(),
            source: self.source.clone(),
            target: self.target.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            alice: self.alice,
            tom: self.tom,
            cx: context(store, &self.clock, Mode::Sync, &self.heard),
            settings: self.settings.clone(),
            mirror: self.mirror,
            turns: Arc::default(),
            heard: self.heard.clone(),
        };
        other.connect().await;
        other
    }

    /// The process ends and another begins, on the same record.
    pub(crate) async fn restart(&mut self) {
        let settings = self.settings.clone();
        self.restart_with(settings, Mode::Sync).await;
    }

    pub(crate) async fn restart_with(&mut self, settings: Settings, mode: Mode) {
        let store = self.cx.store.clone();
        self.cx = context(store, &self.clock, mode, &self.heard);
        self.settings = settings;
        self.cx.store.reclaim(self.mirror).await.unwrap();
        self.connect().await;
    }

    /// The record is a file in this folder.
    pub(crate) async fn in_file(stage: Stage, settings: Settings, folder: &TempDir) -> Self {
        let path = folder.path().join("state.sqlite3");
        let clock = Arc::new(stage.clock.clone());
        let store = Store::open(&path, clock).await.unwrap();
        Self::over(stage, settings, Mode::Sync, store).await
    }

    /// Plans on a copy of the record, as the binary does.
    pub(crate) async fn plan(&mut self) {
        let record = self.cx.store.clone();
        self.cx.store = record.copy_of(self.mirror).await.unwrap();
        let settings = self.settings.clone();
        self.restart_with(settings.clone(), Mode::Plan).await;
        self.run().await;
        self.cx.store.close().await;
        self.cx.store = record;
        self.restart_with(settings, Mode::Sync).await;
    }

    /// The record is gone; the key is not.
    pub(crate) async fn lose_state(&mut self) {
        let store = Store::in_memory(Arc::new(self.clock.clone()))
            .await
            .unwrap();
        self.cx = context(store, &self.clock, Mode::Sync, &self.heard);
        self.connect().await;
    }

    /// Scans, and works until nothing is due or all rests; waits pass at once.
    pub(crate) async fn run(&self) {
        self.run_wide(1).await;
    }

    /// As [`World::run`], with so many jobs at a time.
    pub(crate) async fn run_wide(&self, at_once: usize) {
        self.owe_scan().await;
        self.work_wide(at_once).await;
    }

    /// Works until nothing is due or all rests, without a scan of its own.
    pub(crate) async fn work(&self) {
        self.work_wide(1).await;
    }

    async fn work_wide(&self, at_once: usize) {
        for _ in 0..ROUNDS {
            if !self.round(at_once).await {
                return;
            }
        }
        panic!(
            "still at work after {ROUNDS} rounds: {:#?}",
            self.unfinished().await
        );
    }

    pub(crate) async fn owe_scan(&self) {
        let scan = Job::ScanMirror {
            mirror: self.mirror,
        };
        let store = &self.cx.store;
        store
            .owe(&[Owe::changed(scan, Priority::ByHand)])
            .await
            .unwrap();
    }

    /// Works on what is due now, or waits for what is due next. `false`: there is neither.
    pub(crate) async fn round(&self, at_once: usize) -> bool {
        self.round_of(self.mirror, at_once).await
    }

    /// As [`World::round`], of another mirror on the same record.
    pub(crate) async fn round_of(&self, mirror: MirrorId, at_once: usize) -> bool {
        let store = &self.cx.store;
        let claimed = store.claim_of(mirror, at_once, LEASE).await.unwrap();
        if !claimed.is_empty() {
            stream::iter(claimed)
                .for_each_concurrent(None, |claimed| {
                    mirror_worker::execute(&self.cx, claimed.ticket)
                })
                .await;
            return true;
        }
        let due = store.due(mirror).await.unwrap();
        match due.next_run_at {
            Some(next) if due.pending > 0 => {
                self.clock.advance_to(next);
                true
            }
            _ => false,
        }
    }

    /// Keys and errors of what is not done.
    pub(crate) async fn unfinished(&self) -> Vec<(String, Option<String>)> {
        let rows = self.cx.store.unfinished(self.mirror, 1_000).await.unwrap();
        rows.into_iter()
            .map(|row| (row.key, row.last_error))
            .collect()
    }

    /// Time passes.
    pub(crate) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }

    pub(crate) fn forget_requests(&self) {
        self.source.clear_requests();
        self.target.clear_requests();
    }

    /// What was sent to the target that changes something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.target.requests();
        let writes = requests.iter().filter(|request| request.method != "GET");
        writes.map(shown).collect()
    }

    /// Everything sent to the target.
    pub(crate) fn target_requests(&self) -> Vec<String> {
        self.target.requests().iter().map(shown).collect()
    }

    /// Everything sent to the source.
    pub(crate) fn source_requests(&self) -> Vec<String> {
        self.source.requests().iter().map(shown).collect()
    }

    /// Everything told, as text.
    pub(crate) fn told(&self) -> String {
        format!("{:?}", self.heard.told().all)
    }

    /// Errors of jobs that failed, whether or not they were tried again, and reasons to rest.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.heard.told().failures.clone()
    }

    pub(crate) fn waits(&self) -> Vec<String> {
        self.heard.told().waits.clone()
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.heard.told().notices.clone()
    }

    /// What became of an issue in its last job that ended well.
    pub(crate) fn outcome(&self, of: u64) -> Option<Outcome> {
        let of = i64::try_from(of).unwrap();
        let told = self.heard.told();
        let last = told.outcomes.iter().rfind(|(iid, _)| *iid == of);
        last.map(|(_, outcome)| outcome.clone())
    }

    /// Steps planned so far, in order.
    pub(crate) fn planned(&self) -> Vec<Step> {
        self.heard.told().planned.clone()
    }

    /// Fails if a job did.
    pub(crate) async fn all_went_well(&self) {
        assert_eq!(self.failures(), Vec::<String>::new());
        assert_eq!(self.unfinished().await, Vec::new());
    }

    /// Writes an issue on the source.
    pub(crate) fn write(&self, spec: IssueSpec) -> u64 {
        let project = self.from.project;
        self.source
            .edit(|world| world.create_issue(project, spec))
            .unwrap()
    }

    /// Comments on a source issue.
    pub(crate) fn say(&self, iid: u64, spec: NoteSpec) -> u64 {
        let project = self.from.project;
        self.source
            .edit(|world| world.add_note(project, iid, spec))
            .unwrap()
    }

    /// Edits a source issue.
    pub(crate) fn edit(&self, iid: u64, edit: IssueEdit) {
        let (project, by) = (self.from.project, self.alice);
        self.source
            .edit(|world| world.edit_issue(project, iid, by, edit))
            .unwrap();
    }

    /// Somebody of the target edits there.
    pub(crate) fn edit_target(&self, iid: u64, edit: IssueEdit) {
        let (project, by) = (self.to.project, self.tom);
        self.target
            .edit(|world| world.edit_issue(project, iid, by, edit))
            .unwrap();
    }

    /// Somebody of the target comments there.
    pub(crate) fn say_on_target(&self, iid: u64, spec: NoteSpec) -> u64 {
        let project = self.to.project;
        self.target
            .edit(|world| world.add_note(project, iid, spec))
            .unwrap()
    }

    /// A source issue as it stands.
    pub(crate) fn source_issue(&self, iid: u64) -> Issue {
        let project = self.from.project;
        self.source
            .world(|world| world.issue(project, iid).cloned())
            .unwrap()
    }

    /// A target issue as it stands.
    pub(crate) fn target_issue(&self, iid: u64) -> Issue {
        let project = self.to.project;
        self.target
            .world(|world| world.issue(project, iid).cloned())
            .unwrap()
    }

    /// How many issues the target has.
    pub(crate) fn target_count(&self) -> usize {
        self.target
            .world(|world| world.issues(self.to.project).count())
    }
}

fn shown(request: &RequestRecord) -> String {
    let path = request
        .path
        .strip_prefix("/api/v4/projects/")
        .unwrap_or(&request.path);
    format!("{} {path}", request.method)
}

fn context(store: Store, clock: &TestClock, mode: Mode, heard: &Heard) -> Context {
    Context {
        store,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(11)),
        key: Key::new([9; 32]),
        links: Links::default(),
        lease: LEASE,
        mode,
        events: heard.listener(),
        shutdown: Shutdown::new(),
        facts: Facts::default(),
        target_labels: TargetLabels::default(),
        accounts: Accounts::default(),
        planned: Planned::default(),
        proof: Each::default(),
        transfers: Transfers::default(),
        in_hand: InHand::default(),
        owner: "test".to_owned(),
    }
}
