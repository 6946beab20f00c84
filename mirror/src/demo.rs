//! `demo`: two simulated GitLabs in this process, and a mirror between them.

use crate::{
    cli::{Cli, Command, DemoArguments, MirrorArguments},
    connect::{self, Addresses, Reach},
    exit::Ending,
    output, progress,
    report::Report,
    sync::{Run, State, settings},
    tokens::Tokens,
};
use anyhow::Context as _;
use clap::Parser;
use gitlab_sim::{Edition, Server, Sim, seed, seed::SeededProject};
use mirror_runtime::{Environment, Shutdown};
use std::path::{Path, PathBuf};

/// Runs `demo`.
pub(crate) async fn run(
    arguments: &DemoArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let shutdown = Shutdown::listen()?;
    let demo = Demo::begin(arguments, environment).await?;
    if !arguments.json {
        demo.greet();
    }
    let first = demo.mirror(&shutdown).await?;
    first.print(arguments.json)?;
    let mut in_sync = first.in_sync;
    if !arguments.json {
        demo.show_where(arguments.once);
    }
    let mut step = 0;
    while !arguments.once && !shutdown.is_requested() {
        tokio::select! {
            () = demo.reach.clock.sleep(arguments.every) => {}
            () = shutdown.requested() => break,
        }
        let edit = seed::edit_something(&demo.source.sim, demo.source.project.project, 1, step)
            .map_err(|error| anyhow::anyhow!("the source could not be edited: {error}"))?;
        step += 1;
        if !arguments.json {
            output::line(&format!("\nOn the source: {edit}"));
        }
        let report = demo.mirror(&shutdown).await?;
        in_sync = report.in_sync || shutdown.is_requested();
        report.print(arguments.json)?;
    }
    if !arguments.json && !arguments.once {
        output::line("\nThe demo has ended; nothing of it is left.");
    }
    demo.end();
    Ok(if in_sync {
        Ending::Well
    } else {
        Ending::Failed
    })
}

/// A simulated GitLab with one project.
struct Simulated {
    sim: Sim,
    server: Server,
    project: SeededProject,
}

impl Simulated {
    fn web_url(&self) -> String {
        format!("{}/{}", self.server.url(), self.project.path)
    }
}

struct Demo {
    source: Simulated,
    target: Simulated,
    reach: Reach,
    arguments: MirrorArguments,
    folder: PathBuf,
    environment: Environment,
}

impl Demo {
    async fn begin(arguments: &DemoArguments, environment: &Environment) -> anyhow::Result<Self> {
        let sim = Sim::builder().edition(Edition::Ultimate).seed(1).build();
        let project = seed::demo(&sim).map_err(|error| anyhow::anyhow!("{error}"))?;
        let server = sim
            .serve("127.0.0.1:0")
            .await
            .context("the source cannot be served")?;
        let source = Simulated {
            sim,
            server,
            project,
        };
        let sim = Sim::builder()
            .edition(Edition::Premium)
            .seed(2)
            .ids_from(5_000)
            .build();
        let project = seed::empty_target(&sim, "mirrors/checkout");
        let server = sim
            .serve("127.0.0.1:0")
            .await
            .context("the target cannot be served")?;
        let target = Simulated {
            sim,
            server,
            project,
        };
        let folder = std::env::temp_dir().join(format!("issue-mirror-demo-{}", std::process::id()));
        let mirror = mirror_arguments(&source, &target, &folder, arguments.json)?;
        let reach = Reach::new(&mirror.reach)?;
        let environment = environment.clone();
        Ok(Self {
            source,
            target,
            reach,
            arguments: mirror,
            folder,
            environment,
        })
    }

    fn greet(&self) {
        output::line("Two simulated GitLabs run in this process:");
        output::line(&format!("  source  {}", self.source.web_url()));
        output::line(&format!("  target  {}", self.target.web_url()));
        output::line("");
        let issues = self
            .source
            .sim
            .world(|world| world.issues(self.source.project.project).count());
        output::line(&format!("Mirroring {issues} issues, the closed ones too:"));
    }

    fn show_where(&self, once: bool) {
        output::line("");
        if once {
            output::line("That was one mirror. Without --once the two stay up to be looked at.");
            return;
        }
        output::line("Open both in a browser and compare:");
        output::line(&format!("  {}/-/issues", self.source.web_url()));
        output::line(&format!("  {}/-/issues", self.target.web_url()));
        output::line(
            "The source is edited now and then, and mirrored again. Ctrl-C ends the demo.",
        );
    }

    async fn mirror(&self, shutdown: &Shutdown) -> anyhow::Result<Report> {
        let addresses = Addresses::parse(
            &self.arguments.source,
            &self.arguments.target,
            &self.arguments.reach,
        )?;
        let tokens = Tokens::new(&self.source.project.token, &self.target.project.token);
        let state = State::open(&self.arguments, &self.environment).await?;
        let asked = connect::ask(&self.reach, &self.arguments.reach, &addresses, &tokens).await;
        let (source, target, _) = asked.both()?;
        let link = connect::link(&state.store, source, target, settings(&self.arguments)).await?;
        let run = Run {
            reach: &self.reach,
            store: state.store,
            key: state.key,
            arguments: &self.arguments,
            shutdown: shutdown.clone(),
        };
        run.once(link).await
    }

    fn end(&self) {
        // Nothing depends on it; a folder left behind is only untidy.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The very arguments that a person would give.
fn mirror_arguments(
    source: &Simulated,
    target: &Simulated,
    folder: &Path,
    json: bool,
) -> anyhow::Result<MirrorArguments> {
    let (source, target) = (source.web_url(), target.web_url());
    let folder = folder.to_string_lossy().into_owned();
    let mut line = vec![
        "issue-mirror",
        "sync",
        &source,
        &target,
        "--state-dir",
        &folder,
    ];
    line.push("--include-closed");
    if json {
        line.push("--json");
    }
    let Command::Sync(sync) = Cli::try_parse_from(line)?.command else {
        anyhow::bail!("the demo's own command line is not a sync")
    };
    Ok(sync.mirror)
}
