//! How many reads the API answers in a second, how long one takes, and whether that stays so however
//! much is on record. What sources tell by hooks is answered beside, too:
//!
//! ```sh
//! . .ci/postgres && postgres_start
//! cargo bench -p mirror-api --bench reads; postgres_stop
//! ```
//!
//! The API serves a loopback socket; connections that are kept open ask with a bearer token, one
//! question after the other. Server, database and questioners share the machine. Each list is asked for
//! on a record with a thousand rows of everything, and on one with a million
//! (`ISSUE_MIRROR_BENCH_ROWS`); `ISSUE_MIRROR_BENCH_MS` is how long each question is asked, and
//! `ISSUE_MIRROR_BENCH_ONLY` a part of the names of those that are. Without
//! `ISSUE_MIRROR_TEST_POSTGRES` only SQLite is measured.

mod client;
mod questions;
mod served;

use anyhow::Context;
use client::{Load, Measured, load};
use mirror_core::ports::Clock;
use mirror_runtime::SystemClock;
use mirror_store::{
    DatabaseUrl,
    testing::{TestDatabase, VARIABLE},
};
use questions::{Question, hooks, jobs, lists};
use served::Served;
use std::{process::ExitCode, sync::Arc, time::Duration};

const FEW: i64 = 1_000;
const MANY: i64 = 1_000_000;
const MILLISECONDS: i64 = 3_000;
/// Connections that ask for the status of jobs.
const CROWD: usize = 32;
/// Connections that walk through lists.
const FEW_AT_ONCE: usize = 4;
/// A list is asked for so much shorter than the status of a job.
const SHARE: u32 = 6;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(()) => ExitCode::SUCCESS,
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

async fn measure() -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let many = number("ISSUE_MIRROR_BENCH_ROWS", MANY)?;
    let length = number("ISSUE_MIRROR_BENCH_MS", MILLISECONDS)?;
    let length = Duration::from_millis(u64::try_from(length)?);
    let folder = tempfile::tempdir()?;
    let file = |name: &str| DatabaseUrl::sqlite(folder.path().join(name));
    let small = Served::on(&file("few.sqlite3"), clock.clone(), FEW).await?;
    let large = Served::on(&file("many.sqlite3"), clock.clone(), many).await?;
    compare("SQLite", (&small, &large), many, length, &clock).await?;
    if variable(VARIABLE).is_none() {
        say(&format!("{VARIABLE} is not set; PostgreSQL is left out"));
        return Ok(());
    }
    let (few, much) = (TestDatabase::create().await?, TestDatabase::create().await?);
    let small = Served::on(&address(&few)?, clock.clone(), FEW).await?;
    let large = Served::on(&address(&much)?, clock.clone(), many).await?;
    for database in [&few, &much] {
        database.gather_statistics().await?;
        database.write_out().await?;
    }
    compare("PostgreSQL", (&small, &large), many, length, &clock).await
}

/// With the password, which the database's own address hides.
fn address(database: &TestDatabase) -> anyhow::Result<DatabaseUrl> {
    let mut server = url::Url::parse(&variable(VARIABLE).context("it is set")?)?;
    server.set_path(url::Url::parse(&database.url().to_string())?.path());
    Ok(server.as_str().parse()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark has no arguments of its own"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str, usual: i64) -> anyhow::Result<i64> {
    let Some(given) = variable(name) else {
        return Ok(usual);
    };
    given
        .parse()
        .with_context(|| format!("{name} is no number: {given}"))
}

/// Asks the same of a record with little in it and of one with much.
async fn compare(
    name: &str,
    (small, large): (&Served, &Served),
    many: i64,
    length: Duration,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<()> {
    say(&format!(
        "\n{name}: requests a second, p50 and p99 in ms, with {FEW} rows of everything, with {many}, \
         and the second p50 as a multiple of the first"
    ));
    let only = variable("ISSUE_MIRROR_BENCH_ONLY").unwrap_or_default();
    let plan = [
        (CROWD, length, jobs as fn(&Served) -> Vec<Question>),
        (FEW_AT_ONCE, length / SHARE, lists),
        (CROWD, length, hooks),
    ];
    for (connections, length, questions) in plan {
        say(&format!("{connections} connections:"));
        let both = questions(small).into_iter().zip(questions(large));
        for (on_small, on_large) in both.filter(|(one, _)| one.name.contains(&only)) {
            let load_of = |question: &Question, served: &Served| Load {
                address: served.address,
                requests: question.requests.clone(),
                connections,
                length,
            };
            let first = load(load_of(&on_small, small), clock).await;
            let first = first.context(on_small.name)?;
            let second = load(load_of(&on_large, large), clock).await;
            let second = second.context(on_large.name)?;
            line(on_small.name, &first, &second);
        }
    }
    Ok(())
}

fn line(name: &str, first: &Measured, second: &Measured) {
    let times = second.p50.as_secs_f64() / first.p50.as_secs_f64();
    say(&format!("  {name:<38} {first} | {second} | x {times:.2}"));
}
