//! Redis servers for tests: the one that `./test` started, told apart by key prefixes, and own ones
//! for stories that empty, stop or starve a server.

use mirror_core::ports::{Clock, Entropy};
use mirror_queue::{
    connection::{Redis, RedisUrl},
    names::Prefix,
};
use mirror_runtime::{SystemClock, SystemEntropy};
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

const VARIABLE: &str = "ISSUE_MIRROR_TEST_REDIS";

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until it is so.
#[track_caller]
pub(crate) fn eventually<F>(
    what: &'static str,
    mut is_so: impl FnMut() -> F,
) -> impl Future<Output = ()>
where
    F: Future<Output = bool>,
{
    let clock = SystemClock::new();
    async move {
        while !is_so().await {
            assert!(clock.monotonic() < DEADLINE, "never: {what}");
            clock.sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The server of `./test`, with names of this test's own.
pub(crate) fn redis() -> Redis {
    connect(&shared_url())
}

#[expect(
    clippy::disallowed_methods,
    reason = "./test tells where its server is"
)]
pub(crate) fn shared_url() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} names no Redis: run ./test, which starts one, or set it to a URL")
    })
}

pub(crate) fn connect(url: &str) -> Redis {
    let number = SystemEntropy.next_u64();
    named(url, &format!("test-{number:016x}:"))
}

pub(crate) fn named(url: &str, prefix: &str) -> Redis {
    let prefix: Prefix = prefix.parse().unwrap();
    let url: RedisUrl = url.parse().unwrap();
    Redis::new(
        url,
        prefix,
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
    )
    .unwrap()
}

/// A server of one test's own; ends with it.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    process: Option<Child>,
}

impl Server {
    pub(crate) async fn start(options: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Self {
            folder: TempDir::new().unwrap(),
            port,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            process: None,
        };
        server.begin().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, empty.
    pub(crate) async fn begin(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server: ./test installs it");
        self.process = Some(process);
        let port = self.port;
        eventually("the server listens", || async move {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Runs a command as an administrator would.
    pub(crate) fn admin(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string()]).args(command);
        let output = cli.stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
