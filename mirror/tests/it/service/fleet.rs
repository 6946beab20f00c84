//! A deployment: the record, Redis, the processes, and the two GitLabs between which they mirror.

use crate::process::{
    oracle,
    stage::{Ended, SOURCE_TOKEN, Stage, TARGET_TOKEN, ended, within},
    world,
};
use mirror_core::ports::{Clock, Entropy};
use mirror_runtime::{SystemClock, SystemEntropy};
use mirror_store::testing::TestDatabase;
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, Command};
use url::Url;

pub(super) const WORKER: &[&str] = &["worker", "--concurrency", "4"];
pub(super) const SCHEDULER: &[&str] = &["scheduler"];

/// The servers that a deployment keeps its record on and sends its tickets over.
struct Shared {
    /// Dropped at the end.
    database: Option<TestDatabase>,
    database_url: String,
    redis_url: String,
    prefix: String,
}

/// A deployment.
pub(super) struct Fleet {
    pub(super) stage: Stage,
    /// None: in its state folder, within the process.
    shared: Option<Box<Shared>>,
}

pub(super) fn variable(name: &str) -> String {
    optional(name)
        .unwrap_or_else(|| panic!("{name} is not set: run ./test, which starts the server"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "./test tells where its servers are"
)]
pub(super) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Fleet {
    /// Everything in one process, on a file.
    pub(super) async fn alone() -> Self {
        Self {
            stage: Stage::new().await,
            shared: None,
        }
    }

    /// On PostgreSQL and Redis, with names of its own on both.
    pub(super) async fn scaled() -> Self {
        Self::on_redis(variable("ISSUE_MIRROR_TEST_REDIS")).await
    }

    /// As [`Fleet::scaled`], on a Redis of the story's own.
    pub(super) async fn on_redis(redis_url: String) -> Self {
        let database = TestDatabase::create().await.unwrap();
        // The database's own address hides the password.
        let mut address = Url::parse(&variable(mirror_store::testing::VARIABLE)).unwrap();
        let name = Url::parse(&database.url().to_string()).unwrap();
        address.set_path(name.path());
        Self {
            stage: Stage::new().await,
            shared: Some(Box::new(Shared {
                database: Some(database),
                database_url: address.to_string(),
                redis_url,
                prefix: format!("fleet-{:016x}:", SystemEntropy.next_u64()),
            })),
        }
    }

    /// On servers of the story's own; the database has no tables yet.
    pub(super) async fn on_servers(database_url: &str, redis_url: String) -> Self {
        Self {
            stage: Stage::new().await,
            shared: Some(Box::new(Shared {
                database: None,
                database_url: database_url.to_owned(),
                redis_url,
                prefix: "fleet:".to_owned(),
            })),
        }
    }

    /// A command of this deployment.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.stage.bare(words);
        if let Some(shared) = &self.shared {
            command
                .env("DATABASE_URL", &shared.database_url)
                .env("REDIS_URL", &shared.redis_url)
                .env("ISSUE_MIRROR_REDIS_PREFIX", &shared.prefix);
        }
        command
    }

    /// Runs a command to its end.
    pub(super) async fn run(&self, words: &[&str]) -> Ended {
        ended(self.command(words)).await
    }

    /// Runs a command and expects it to end well.
    pub(super) async fn well(&self, words: &[&str]) -> Ended {
        let ended = self.run(words).await;
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
        ended.keeps_the_tokens_to_itself();
        ended
    }

    /// Adds both GitLabs and the mirror between them; the closed issues too.
    pub(super) async fn set_up(&self) {
        self.set_up_with(&[]).await;
    }

    /// As [`Fleet::set_up`], with more words for `mirrors add`.
    pub(super) async fn set_up_with(&self, more: &[&str]) {
        self.add(&self.stage, more).await;
    }

    /// Adds another mirror, between GitLabs of another stage; returns its id.
    pub(super) async fn add_mirror_of(&self, stage: &Stage) -> i64 {
        self.add(stage, &[]).await;
        let listed = self.well(&["mirrors", "list", "--json"]).await.json();
        let mirrors = listed.as_array().unwrap().iter();
        mirrors
            .map(|one| one["id"].as_i64().unwrap())
            .max()
            .unwrap()
    }

    async fn add(&self, stage: &Stage, more: &[&str]) {
        let (source, target) = (&stage.source, &stage.target);
        for (end, token) in [(source, SOURCE_TOKEN), (target, TARGET_TOKEN)] {
            let url = end.server.url();
            let mut add = self.command(&["instances", "add", &url]);
            add.env("GITLAB_TOKEN", token);
            let added = ended(add).await;
            assert_eq!(added.code, Some(0), "{added:?}");
            added.keeps_the_tokens_to_itself();
        }
        let (from, to) = (source.web_url(), target.web_url());
        let mut words = vec!["mirrors", "add", &from, &to, "--include-closed"];
        words.extend(more);
        self.well(&words).await;
    }

    /// Starts a role; its log goes to a file beside the state, and it ends with the value.
    pub(super) fn start(&self, words: &[&str]) -> Child {
        self.start_skewed(words, "0")
    }

    /// As [`Fleet::start`], on a machine whose clock is off by so many seconds.
    pub(super) fn start_skewed(&self, words: &[&str], seconds: &str) -> Child {
        let mut command = self.command(words);
        command.env("ISSUE_MIRROR_TEST_CLOCK_SKEW", seconds);
        self.spawn(command)
    }

    /// As [`Fleet::start`], and a job that asks for an address with such a part in it does that.
    pub(super) fn start_poisoned(&self, words: &[&str], doses: &str) -> Child {
        let mut command = self.command(words);
        command.env("ISSUE_MIRROR_TEST_POISON", doses);
        self.spawn(command)
    }

    /// Starts a command of this deployment; its log goes to the same file.
    pub(super) fn spawn(&self, mut command: Command) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.stage.state().join("log"))
            .unwrap();
        command.stdout(Stdio::null()).stderr(log);
        command.spawn().unwrap()
    }

    /// What all roles have logged so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.stage.state().join("log")).unwrap()
    }

    /// Waits until nothing is owed any more and every issue has a copy.
    pub(super) async fn settled(&self) {
        self.settled_of(1, &self.stage).await;
    }

    /// As [`Fleet::settled`], of one mirror, between these GitLabs.
    pub(super) async fn settled_of(&self, mirror: i64, stage: &Stage) {
        let mirror = mirror.to_string();
        let count = |end: &crate::process::stage::End| {
            end.sim.world(|world| world.issues(end.project).count())
        };
        let issues = count(&stage.source);
        within(async {
            loop {
                let list = [
                    "jobs", "list", "--json", "--limit", "5", "--mirror", &mirror,
                ];
                let owed = self.well(&list).await.json();
                if owed.as_array().unwrap().is_empty() && count(&stage.target) >= issues {
                    return;
                }
                SystemClock::new().sleep(Duration::from_millis(300)).await;
            }
        })
        .await;
    }

    /// Asks for a scan now, waits until all is settled, and judges.
    pub(super) async fn mirrors_all(&self) {
        self.well(&["mirrors", "sync-now", "1"]).await;
        self.settled().await;
        oracle::mirrored(&self.stage);
        let (copies, writes) = (self.copies(), self.stage.target.writes().len());
        println!("{copies} issues, {writes} writes: none lost, none twice");
    }

    /// Sends one command to the fleet's Redis.
    pub(super) fn tell_redis(&self, words: &[&str]) {
        let shared = self.shared.as_ref().unwrap();
        let words: Vec<String> = words
            .iter()
            .map(|word| word.replace("PREFIX:", &shared.prefix))
            .collect();
        let status = std::process::Command::new("redis-cli")
            .args(["-u", &shared.redis_url])
            .args(words)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(super) fn database(&self) -> &TestDatabase {
        let shared = self.shared.as_ref().unwrap();
        shared.database.as_ref().unwrap()
    }

    /// How many issues the target has.
    pub(super) fn copies(&self) -> usize {
        let target = &self.stage.target;
        target
            .sim
            .world(|world| world.issues(target.project).count())
    }

    /// Fills the source with so many issues.
    pub(super) fn fill(&self, count: u64) {
        world::fill(&self.stage.source, count);
    }

    /// Breaks every connection to the database, as a restart of its server does.
    pub(super) async fn disconnect_database(&self) {
        self.database().disconnect_all().await.unwrap();
    }
}

/// Empties the Redis server at this address.
pub(super) fn flush(redis_url: &str) {
    let address = redis_url.trim_start_matches("redis://");
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"FLUSHALL\r\n").unwrap();
    let mut answer = [0_u8; 5];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

/// Sends a signal, by its name, to a process.
pub(super) async fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("it runs").to_string();
    let status = Command::new("kill")
        .args([format!("-{name}"), pid])
        .status()
        .await
        .unwrap();
    assert!(status.success());
}
