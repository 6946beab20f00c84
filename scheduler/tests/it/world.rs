//! A record with mirrors and work, on a clock that the story moves.

use chrono::{DateTime, TimeDelta};
use mirror_core::{
    ids::{Iid, InstanceId, InstanceName, MirrorId, ProjectId},
    job::{Job, Priority, Ticket},
    outcome::Outcome,
    ports::Entropy,
};
use mirror_runtime::{SeededEntropy, testing::ManualClock};
use mirror_store::{
    Cipher, ConnectOptions, End, InstanceAccess, MirrorEnd, NewMirror, Owe, Store, TimeSource,
    testing::TestDatabase,
};
use std::{sync::Arc, time::Duration};

pub(crate) const LEASE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) database: Option<TestDatabase>,
}

fn clock() -> ManualClock {
    ManualClock::starting_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
}

pub(crate) fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SeededEntropy::new(1))
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = clock();
        let store = Store::in_memory(Arc::new(clock.clone())).await.unwrap();
        Self {
            clock,
            store,
            database: None,
        }
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = TestDatabase::create().await;
        let database = database.unwrap_or_else(|error| panic!("{error}"));
        let clock = clock();
        let store = connect(&database, &clock).await;
        Self {
            clock,
            store,
            database: Some(database),
        }
    }

    /// What another process would hold: connections of its own, if there is a server.
    pub(crate) async fn beside(&self) -> Store {
        match &self.database {
            Some(database) => connect(database, &self.clock).await,
            None => self.store.clone(),
        }
    }

    pub(crate) async fn instance(&self, name: &str) -> InstanceId {
        let base = format!("https://{name}/api/v4");
        let name = InstanceName(name.to_owned());
        let id = self.store.register_instance(&name, &base, &[]).await;
        id.unwrap()
    }

    /// An instance that has at most so many jobs out at once.
    pub(crate) async fn instance_of(&self, name: &str, concurrency: i64) -> InstanceId {
        let id = self.instance(name).await;
        let access = InstanceAccess {
            id,
            title: name.to_owned(),
            api_base: format!("https://{name}/api/v4"),
            token: "a token".to_owned(),
            ca: None,
            limits: Vec::new(),
            concurrency,
        };
        let cipher = Cipher::new(&[7; 32]);
        let entropy = entropy();
        let saved = self.store.save_instance_access(&access, &cipher, &*entropy);
        saved.await.unwrap();
        id
    }

    pub(crate) async fn mirror(&self, source: i64, target: i64) -> MirrorId {
        let instance = self.instance("gitlab.example").await;
        self.mirror_between((instance, source), (instance, target))
            .await
    }

    pub(crate) async fn mirror_between(
        &self,
        source: (InstanceId, i64),
        target: (InstanceId, i64),
    ) -> MirrorId {
        let end = |(instance, project)| MirrorEnd {
            instance,
            project: ProjectId(project),
            path: format!("group/project-{project}"),
        };
        let new = NewMirror {
            source: end(source),
            target: end(target),
        };
        self.store.ensure_mirror(&new).await.unwrap().id
    }

    /// A mirror that is due now, and then every five minutes.
    pub(crate) async fn scheduled(&self, project: i64) -> MirrorId {
        let mirror = self.mirror(project, 1_000 + project).await;
        let mut schedule = self.store.schedule(mirror).await.unwrap();
        schedule.interval = TimeDelta::seconds(300);
        schedule.full_interval = None;
        schedule.next_scan_at = Some(self.store.now());
        self.store.set_schedule(mirror, &schedule).await.unwrap();
        mirror
    }

    pub(crate) async fn owe_issues(&self, mirror: MirrorId, issues: std::ops::Range<i64>) {
        self.owe_at(mirror, issues, Priority::Incremental).await;
    }

    pub(crate) async fn owe_at(
        &self,
        mirror: MirrorId,
        issues: std::ops::Range<i64>,
        priority: Priority,
    ) {
        let owes: Vec<_> = issues
            .map(|iid| {
                let job = Job::SyncIssue {
                    mirror,
                    iid: Iid(iid),
                };
                Owe::changed(job, priority)
            })
            .collect();
        self.store.owe(&owes).await.unwrap();
    }

    /// Until so many sleep: all loops have done what there was to do.
    pub(crate) async fn asleep(&self, loops: usize) {
        while self.clock.sleepers() < loops {
            tokio::task::yield_now().await;
        }
    }

    /// Until no turn is open.
    pub(crate) async fn turns_are_taken(&self) {
        loop {
            let next = self.store.next_turn().await;
            if next.is_ok_and(|next| next.is_none_or(|next| next > self.store.now())) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Starts the ticket and ends it as done; `false` for a void one.
    pub(crate) async fn work(&self, ticket: Ticket) -> bool {
        work(&self.store, ticket).await
    }
}

pub(crate) async fn work(store: &Store, ticket: Ticket) -> bool {
    let Some(started) = store.start(ticket, "worker", LEASE).await.unwrap() else {
        return false;
    };
    let outcome = Outcome::Unchanged;
    let end = End::Done { outcome: &outcome };
    store.end(&started.fence, end).await.unwrap();
    true
}

async fn connect(database: &TestDatabase, clock: &ManualClock) -> Store {
    let options = ConnectOptions {
        time: TimeSource::Clock,
        ..ConnectOptions::default()
    };
    let store = Store::connect_with(database.url(), Arc::new(clock.clone()), options).await;
    store.unwrap()
}

/// Tells each story on both databases.
macro_rules! stories {
    ($($story:ident)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::world::World::new().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::world::World::on_postgres().await).await;
            })*
        }
    };
}
pub(crate) use stories;
