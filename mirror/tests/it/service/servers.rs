//! Servers of one story's own, that it may stop and start.

use crate::process::stage::within;
use mirror_core::ports::Clock;
use mirror_runtime::SystemClock;
use std::{net::TcpListener, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A Redis of one story's own.
pub(super) struct Redis {
    folder: TempDir,
    pub(super) port: u16,
    process: Option<Child>,
}

impl Redis {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut redis = Self {
            folder: TempDir::new().unwrap(),
            port: listener.local_addr().unwrap().port(),
            process: None,
        };
        drop(listener);
        redis.begin().await;
        redis
    }

    pub(super) async fn begin(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let address = ("127.0.0.1", self.port);
        within(async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                pause(20).await;
            }
        })
        .await;
    }

    pub(super) async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.unwrap();
        }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// A PostgreSQL of one story's own, set up as `./test` sets up its.
pub(super) struct Postgres {
    url: String,
    folder: String,
}

impl Postgres {
    pub(super) async fn start() -> Self {
        let told = script(
            "postgres_start >&2 && printf '%s\\n%s\\n' \"$ISSUE_MIRROR_TEST_POSTGRES\" \
             \"$postgres_folder\"",
            "",
        )
        .await;
        let mut lines = told.lines().map(str::to_owned);
        Self {
            url: lines.next().unwrap(),
            folder: lines.next().unwrap(),
        }
    }

    /// As a machine that lost its power.
    pub(super) async fn stop(&self) {
        self.control("stop --mode immediate").await;
    }

    pub(super) async fn begin(&self) {
        // With the options it was first started with.
        self.control("restart").await;
    }

    async fn control(&self, what: &str) {
        let call = format!(
            "postgres_as_nobody_special \"$(postgres_programs)/pg_ctl\" {what} --silent --wait \
             --pgdata \"$postgres_folder/data\" --log \"$postgres_folder/data/log\" >&2"
        );
        script(&call, &self.folder).await;
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A destructor cannot await.
        let mut command = std::process::Command::new("bash");
        let _ = command
            .args(["-c", &with_functions("postgres_stop")])
            .env("postgres_folder", &self.folder)
            .status();
    }
}

fn with_functions(call: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/postgres");
    format!(". '{}' && {call}", file.display())
}

fn bash(call: &str, folder: &str) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-c", &with_functions(call)])
        .env("postgres_folder", folder)
        .stdin(Stdio::null());
    command
}

async fn script(call: &str, folder: &str) -> String {
    let output = bash(call, folder).output().await.unwrap();
    assert!(output.status.success(), "{call}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

pub(super) async fn pause(millis: u64) {
    let clock = SystemClock::new();
    clock.sleep(Duration::from_millis(millis)).await;
}
