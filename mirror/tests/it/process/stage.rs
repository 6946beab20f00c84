//! Two simulated GitLabs, a state folder, and the binary between them.

use gitlab_sim::{
    AccessLevel, Edition, ProjectId, ProjectSpec, RequestRecord, Server, Sim, SimBuilder,
    TokenSpec, UserId, UserSpec, seed,
};
use mirror_core::ports::Clock;
use mirror_runtime::SystemClock;
use std::{path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Far more than any story takes: who waits longer waits in vain.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) const SOURCE_TOKEN: &str = "glpat-the-source-secret";
pub(crate) const TARGET_TOKEN: &str = "glpat-the-target-secret";

/// A simulated GitLab with the project of one end.
pub(crate) struct End {
    pub(crate) sim: Sim,
    pub(crate) server: Server,
    pub(crate) project: ProjectId,
    path: String,
    /// Whose token the binary is given.
    pub(crate) user: UserId,
}

impl End {
    pub(crate) fn web_url(&self) -> String {
        format!("{}/{}", self.server.url(), self.path)
    }

    /// The requests that were meant to change something.
    pub(crate) fn writes(&self) -> Vec<RequestRecord> {
        let requests = self.sim.requests().into_iter();
        requests.filter(|one| one.method != "GET").collect()
    }
}

pub(crate) fn source_sim() -> SimBuilder {
    Sim::builder().edition(Edition::Premium).seed(1)
}

pub(crate) fn target_sim() -> SimBuilder {
    let sim = Sim::builder().edition(Edition::Premium);
    sim.seed(2).ids_from(5_000)
}

/// Everything of one story; stories share nothing.
pub(crate) struct Stage {
    pub(crate) source: End,
    pub(crate) target: End,
    state: TempDir,
}

impl Stage {
    /// An empty source `shop/checkout`, read by a Reporter, and an empty target `mirrors/checkout`,
    /// owned by a bot.
    pub(crate) async fn new() -> Self {
        Self::between(source_sim(), target_sim()).await
    }

    /// As [`Stage::new`], between GitLabs of the story's choice.
    pub(crate) async fn between(source: SimBuilder, target: SimBuilder) -> Self {
        let sim = source.build();
        let user = sim.add_user(UserSpec::new("mirror-reader", "Mirror (reads)"));
        let members = [(user, AccessLevel::Reporter)];
        let project = sim.add_project(ProjectSpec::new("shop/checkout", &members));
        sim.add_token(user, TokenSpec::read_api(SOURCE_TOKEN));
        let source = End {
            server: sim.serve("127.0.0.1:0").await.unwrap(),
            sim,
            project,
            path: "shop/checkout".to_owned(),
            user,
        };
        let sim = target.build();
        let seeded = seed::empty_target(&sim, "mirrors/checkout");
        sim.add_token(seeded.token_user, TokenSpec::api(TARGET_TOKEN));
        let target = End {
            server: sim.serve("127.0.0.1:0").await.unwrap(),
            sim,
            project: seeded.project,
            path: seeded.path,
            user: seeded.token_user,
        };
        Self {
            source,
            target,
            state: state_folder(),
        }
    }

    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// A command between the two, with tokens and state of this story and nothing of the
    /// environment that the tests run in.
    pub(crate) fn command(&self, command: &str, more: &[&str]) -> Command {
        let ends = [self.source.web_url(), self.target.web_url()];
        let mut all = vec![command, ends[0].as_str(), ends[1].as_str()];
        all.extend(more);
        self.bare(&all)
    }

    /// As [`Stage::command`], with all words given.
    pub(crate) fn bare(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_issue-mirror"));
        command
            .args(words)
            .arg("--state-dir")
            .arg(self.state())
            .env_clear()
            .env("SOURCE_TOKEN", SOURCE_TOKEN)
            .env("TARGET_TOKEN", TARGET_TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command between the two to its end.
    pub(crate) async fn run(&self, command: &str, more: &[&str]) -> Ended {
        ended(self.command(command, more)).await
    }

    /// Syncs, the closed issues too.
    pub(crate) async fn sync(&self, more: &[&str]) -> Ended {
        let mut all = vec!["--include-closed"];
        all.extend(more);
        self.run("sync", &all).await
    }

    /// Syncs and expects it to end well.
    #[track_caller]
    pub(crate) fn sync_well(&self, more: &[&str]) -> impl Future<Output = Ended> {
        let mut command = self.command("sync", &["--include-closed"]);
        command.args(more);
        async {
            let ended = ended(command).await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
            ended
        }
    }

    /// How many requests both got that were meant to change something.
    pub(crate) fn writes(&self) -> usize {
        self.source.writes().len() + self.target.writes().len()
    }
}

/// A new folder, in memory where the machine has that: a mirror's record is synced to its disk at
/// every step, and no story asks for the disk's speed.
pub(crate) fn state_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        TempDir::new_in(memory).unwrap()
    } else {
        TempDir::new().unwrap()
    }
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn keeps_the_tokens_to_itself(&self) {
        for token in [SOURCE_TOKEN, TARGET_TOKEN] {
            assert!(
                !self.out.contains(token) && !self.err.contains(token),
                "{self:?}"
            );
        }
    }
}

/// Runs to the end.
pub(crate) async fn ended(mut command: Command) -> Ended {
    finish(command.spawn().unwrap()).await
}

/// Waits for the end.
pub(crate) async fn finish(child: Child) -> Ended {
    let output = within(child.wait_with_output()).await.unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits for something that comes soon or never.
#[track_caller]
pub(crate) fn within<T>(awaited: impl Future<Output = T>) -> impl Future<Output = T> {
    let asked = std::panic::Location::caller();
    async move {
        tokio::select! {
            value = awaited => value,
            () = SystemClock::new().sleep(DEADLINE) => panic!("in vain: {asked}"),
        }
    }
}
