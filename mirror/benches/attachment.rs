//! What memory a large attachment costs the binary: `cargo bench -p issue-mirror --bench attachment`.
//!
//! A project with one file is mirrored twice, once with a small file and once with one of 1 GiB. The
//! peak of the process's resident memory may grow by 64 MiB at most; else this ends with failure.
//! Both simulated GitLabs live in this process: theirs is not counted.

use anyhow::{Context, bail, ensure};
use gitlab_sim::{AccessLevel, Content, IssueSpec, ProjectSpec, Sim, TokenSpec, UserSpec, seed};
use mirror_core::ports::Clock;
use mirror_runtime::SystemClock;
use std::{process::ExitCode, process::Stdio, time::Duration};
use tokio::process::Command;

const SMALL: u64 = 1 << 10;
const LARGE: u64 = 1 << 30;
/// In KiB, as the kernel tells it.
const MAY_GROW: u64 = 64 << 10;

#[tokio::main]
async fn main() -> ExitCode {
    match compare().await {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}

async fn compare() -> anyhow::Result<String> {
    let small = peak(SMALL).await?;
    let large = peak(LARGE).await?;
    let growth = large.saturating_sub(small);
    let line = format!(
        "peak memory: {small} KiB with a file of 1 KiB, {large} KiB with one of 1 GiB; growth \
         {growth} KiB of {MAY_GROW} KiB"
    );
    ensure!(growth <= MAY_GROW, "{line}");
    Ok(line)
}

/// The peak of the binary's resident memory, in KiB, over a sync with one file of `size` bytes.
async fn peak(size: u64) -> anyhow::Result<u64> {
    let content = Content::Generated { seed: 11, size };
    let wanted = content.sha256();
    let source = Sim::builder().max_attachment_bytes(None).seed(1).build();
    let reader = source.add_user(UserSpec::new("reader", "Reader"));
    let members = [(reader, AccessLevel::Reporter)];
    let project = source.add_project(ProjectSpec::new("shop/checkout", &members));
    let token = source.add_token(reader, TokenSpec::default());
    let upload = source.add_upload(project, reader, "large.bin", content)?;
    let issue = IssueSpec {
        author: reader,
        title: "A large file".to_owned(),
        description: Some(format!("See [large.bin]({}).", upload.path())),
        ..IssueSpec::default()
    };
    source.edit(|world| world.create_issue(project, issue))?;
    let target = Sim::builder()
        .max_attachment_bytes(None)
        .seed(2)
        .ids_from(5_000)
        .build();
    let empty = seed::empty_target(&target, "mirrors/checkout");
    let (from, to) = (
        source.serve("127.0.0.1:0").await?,
        target.serve("127.0.0.1:0").await?,
    );
    let state = tempfile::tempdir()?;

    let child = Command::new(env!("CARGO_BIN_EXE_issue-mirror"))
        .arg("sync")
        .arg(format!("{}/shop/checkout", from.url()))
        .arg(format!("{}/{}", to.url(), empty.path))
        .args(["--max-attachment-size", "2GiB", "--state-dir"])
        .arg(state.path())
        .env_clear()
        .env("SOURCE_TOKEN", token)
        .env("TARGET_TOKEN", empty.token)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let peak = watched(child).await?;

    let arrived = target.world(|world| {
        let uploads = world
            .project(empty.project)
            .map(|project| project.uploads.clone());
        uploads.unwrap_or_default()
    });
    let [arrived] = arrived.as_slice() else {
        bail!("{} files arrived", arrived.len());
    };
    ensure!(arrived.content.sha256() == wanted, "another file arrived");
    Ok(peak)
}

/// Waits for a good end and returns the highest peak seen: the kernel keeps it, so that a last look
/// shortly before the end has seen all but that moment.
async fn watched(mut child: tokio::process::Child) -> anyhow::Result<u64> {
    let status = format!(
        "/proc/{}/status",
        child.id().context("it has ended already")?
    );
    let clock = SystemClock::new();
    let mut peak = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            peak = peak.max(high_water(&text).unwrap_or(0));
        }
        tokio::select! {
            ended = child.wait() => {
                ensure!(ended?.success(), "the sync failed");
                break;
            }
            () = clock.sleep(Duration::from_millis(2)) => {}
        }
    }
    ensure!(peak > 0, "the kernel told no peak");
    Ok(peak)
}

fn high_water(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
