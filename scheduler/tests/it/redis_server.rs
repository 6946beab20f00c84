//! A Redis server of a story's own, which it may kill and start again, empty.

use mirror_queue::connection::Redis;
use mirror_runtime::{SystemClock, SystemEntropy};
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;
use tokio::net::TcpStream;

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Self {
            folder: TempDir::new().unwrap(),
            port,
            process: None,
        };
        server.begin().await;
        server
    }

    /// Starts it, empty.
    pub(crate) async fn begin(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server: ./test installs it");
        self.process = Some(process);
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn connect(&self) -> Redis {
        let url = format!("redis://127.0.0.1:{}", self.port);
        Redis::new(
            url.parse().unwrap(),
            "test:".parse().unwrap(),
            Arc::new(SystemClock::new()),
            Arc::new(SystemEntropy),
        )
        .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
