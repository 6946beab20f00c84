//! A store, a clock that stands still unless moved, and a mirror to work with.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{Iid, InstanceId, InstanceName, IssueId, MirrorId, ProjectId, RunId},
    job::{Job, Priority},
    mapping::{IssueMapping, MappingStatus, SourceRead, TargetIssue},
    ports::{BoxFuture, Clock},
};
use mirror_store::testing::{TestDatabase, miscounted};
use mirror_store::{
    Claimed, ConnectOptions, Fence, MirrorEnd, NewMirror, Owe, Requested, Run, RunKind, RunRequest,
    Started, Store, TimeSource,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const ALL: usize = 1_000_000;

type Hook = Box<dyn FnOnce() + Send>;

/// Moves only when told to, or by what is slept.
#[derive(Default)]
pub(crate) struct TestClock {
    passed: Mutex<Duration>,
    before_next_sleep: Mutex<Option<Hook>>,
}

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.passed.lock().unwrap() += by;
    }

    pub(crate) fn before_next_sleep(&self, hook: impl FnOnce() + Send + 'static) {
        *self.before_next_sleep.lock().unwrap() = Some(Box::new(hook));
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        at(0) + *self.passed.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        *self.passed.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let hook = self.before_next_sleep.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        self.advance(duration);
        Box::pin(tokio::task::yield_now())
    }
}

/// So many seconds after the world began.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) source: InstanceId,
    pub(crate) target: InstanceId,
    pub(crate) mirror: MirrorId,
    pub(crate) folder: Option<Arc<TempDir>>,
    database: Option<Arc<TestDatabase>>,
}

async fn on_server(database: &TestDatabase, clock: Arc<TestClock>) -> Store {
    let options = ConnectOptions {
        time: TimeSource::Clock,
        ..ConnectOptions::default()
    };
    let store = Store::connect_with(database.url(), clock, options).await;
    store.unwrap()
}

impl World {
    pub(crate) async fn in_memory() -> Self {
        let clock = Arc::new(TestClock::default());
        let store = Store::in_memory(clock.clone()).await.unwrap();
        Self::around(store, clock, None).await
    }

    pub(crate) async fn in_file() -> Self {
        let clock = Arc::new(TestClock::default());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite3");
        let store = Store::open(&path, clock.clone()).await.unwrap();
        Self::around(store, clock, Some(folder)).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = TestDatabase::create().await;
        let database = database.unwrap_or_else(|error| panic!("{error}"));
        let clock = Arc::new(TestClock::default());
        let store = on_server(&database, clock.clone()).await;
        let mut world = Self::around(store, clock, None).await;
        world.database = Some(Arc::new(database));
        world
    }

    /// Another process's store on the same database, with the same clock.
    pub(crate) async fn beside(&self) -> Store {
        on_server(self.database(), self.clock.clone()).await
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().unwrap()
    }

    async fn around(store: Store, clock: Arc<TestClock>, folder: Option<TempDir>) -> Self {
        let source = instance(&store, "gitlab.a").await;
        let target = instance(&store, "gitlab.b").await;
        let mut world = Self {
            store,
            clock,
            source,
            target,
            mirror: MirrorId(0),
            folder: folder.map(Arc::new),
            database: None,
        };
        world.mirror = world.another_mirror(1).await;
        world
    }

    /// Tells a story, and looks afterwards whether all that is kept count of is right.
    pub(crate) async fn told<F: Future<Output = ()>>(self, story: impl FnOnce(Self) -> F) {
        let (folder, database) = (self.folder.clone(), self.database.clone());
        let store = self.store.clone();
        story(self).await;
        match miscounted(&store).await {
            Ok(wrong) => assert_eq!(wrong, Vec::<String>::new()),
            // The story has put an end to its store.
            Err(error) => assert!(store.check().await.is_err(), "{error}"),
        }
        drop((folder, database));
    }

    /// From source project `project` to a target project of its own.
    pub(crate) async fn another_mirror(&self, project: i64) -> MirrorId {
        let mirror = self.store.ensure_mirror(&self.new_mirror(project)).await;
        mirror.unwrap().id
    }

    pub(crate) fn new_mirror(&self, project: i64) -> NewMirror {
        NewMirror {
            source: MirrorEnd {
                instance: self.source,
                project: ProjectId(project),
                path: format!("group/project-{project}"),
            },
            target: MirrorEnd {
                instance: self.target,
                project: ProjectId(1_000 + project),
                path: format!("team/project-{project}"),
            },
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn issue(&self, iid: i64) -> Job {
        Job::SyncIssue {
            mirror: self.mirror,
            iid: Iid(iid),
        }
    }

    pub(crate) async fn owe_changed(&self, iid: i64) {
        let owe = Owe::changed(self.issue(iid), Priority::Incremental);
        self.store.owe(&[owe]).await.unwrap();
    }

    pub(crate) async fn claim_all(&self) -> Vec<Claimed> {
        self.store.claim(ALL, ALL, LEASE).await.unwrap()
    }

    pub(crate) async fn claim_one(&self) -> Claimed {
        let mut claimed = self.store.claim(1, ALL, LEASE).await.unwrap();
        claimed.pop().expect("something is due")
    }

    pub(crate) async fn start_next(&self) -> Started {
        let claimed = self.claim_one().await;
        let started = self.store.start(claimed.ticket, "worker", LEASE).await;
        started.unwrap().expect("the ticket is good")
    }

    /// The fence of a job on that issue, owed, claimed and started.
    pub(crate) async fn working_on(&self, iid: i64) -> Fence {
        self.owe_changed(iid).await;
        self.start_next().await.fence
    }

    /// Asks for a run that begins with the scan.
    pub(crate) async fn request(&self, kind: RunKind) -> Requested {
        let request = RunRequest {
            mirror: self.mirror,
            kind,
            jobs: &[self.scan()],
            priority: Priority::ByHand,
            by: "somebody",
        };
        self.store.request_run(&request).await.unwrap()
    }

    pub(crate) fn scan(&self) -> Job {
        Job::ScanMirror {
            mirror: self.mirror,
        }
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        self.store.run(run).await.unwrap().unwrap()
    }

    pub(crate) fn mapping(&self, iid: i64) -> IssueMapping {
        IssueMapping {
            mirror: self.mirror,
            source_iid: Iid(iid),
            source_id: IssueId(10_000 + iid),
            title: Some(format!("Title of {iid}")),
            target: None,
            read: Some(SourceRead {
                read_at: at(100),
                updated_at: at(50),
                notes_count: 3,
            }),
            fingerprint: None,
            owned_labels: BTreeSet::new(),
            owned_assignees: BTreeSet::new(),
            carried_spent: Some(0),
            base: None,
            is_reverse: false,
            status: MappingStatus::Pending,
        }
    }

    pub(crate) fn mapped(&self, iid: i64, target: i64) -> IssueMapping {
        IssueMapping {
            target: Some(target_issue(target)),
            fingerprint: Some(format!("fingerprint of {iid}")),
            status: MappingStatus::Synced,
            ..self.mapping(iid)
        }
    }
}

pub(crate) fn target_issue(id: i64) -> TargetIssue {
    TargetIssue {
        id: IssueId(id),
        iid: Iid(id % 1_000),
        updated_at: at(60),
        notes_count: 2,
        digest: Some(format!("digest of {id}")),
    }
}

/// A mirror on a store that no world was made around.
pub(crate) async fn mirror_on(store: &Store, project: i64) -> MirrorId {
    let end = |instance, project| MirrorEnd {
        instance,
        project: ProjectId(project),
        path: format!("group/project-{project}"),
    };
    let new = NewMirror {
        source: end(instance(store, "gitlab.a").await, project),
        target: end(instance(store, "gitlab.b").await, 1_000 + project),
    };
    store.ensure_mirror(&new).await.unwrap().id
}

pub(crate) async fn instance(store: &Store, name: &str) -> InstanceId {
    let base = format!("https://{name}/api/v4");
    let name = InstanceName(name.to_owned());
    store.register_instance(&name, &base, &[]).await.unwrap()
}

/// Tells each story on every database the store runs on. However it goes, what is kept count of is
/// right at its end.
macro_rules! stories {
    ($($story:ident)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $story() {
                $crate::world::World::in_memory().await.told(super::$story).await;
            })*
        }
        mod in_file {
            $(#[tokio::test]
            async fn $story() {
                $crate::world::World::in_file().await.told(super::$story).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $story() {
                $crate::world::World::on_postgres().await.told(super::$story).await;
            })*
        }
    };
}
pub(crate) use stories;
