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

/// The servers that a deployment keeps its record on and sends its tickets over.
struct Shared {
    database: TestDatabase,
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

#[expect(
    clippy::disallowed_methods,
    reason = "./test tells where its servers are"
)]
pub(super) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run ./test, which starts the server"))
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
                database,
                database_url: address.to_string(),
                redis_url,
                prefix: format!("fleet-{:016x}:", SystemEntropy.next_u64()),
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
        let (source, target) = (&self.stage.source, &self.stage.target);
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
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.stage.state().join("log"))
            .unwrap();
        let mut command = self.command(words);
        command.stdout(Stdio::null()).stderr(log);
        command.spawn().unwrap()
    }

    /// Waits until nothing is owed any more and every issue has a copy.
    pub(super) async fn settled(&self) {
        let count = |end: &crate::process::stage::End| {
            end.sim.world(|world| world.issues(end.project).count())
        };
        let issues = count(&self.stage.source);
        within(async {
            loop {
                let list = ["jobs", "list", "--json", "--limit", "5"];
                let owed = self.well(&list).await.json();
                if owed.as_array().unwrap().is_empty() && count(&self.stage.target) >= issues {
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
    }

    /// Fills the source with so many issues.
    pub(super) fn fill(&self, count: u64) {
        world::fill(&self.stage.source, count);
    }

    /// Breaks every connection to the database, as a restart of its server does.
    pub(super) async fn disconnect_database(&self) {
        if let Some(shared) = &self.shared {
            shared.database.disconnect_all().await.unwrap();
        }
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
