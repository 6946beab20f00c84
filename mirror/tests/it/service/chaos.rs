//! Scaled out, and everything goes wrong: nothing is lost, nothing is there twice (laws 4 and 8).

use super::{
    fleet::{Fleet, SCHEDULER, WORKER, flush, optional, signal},
    servers::{Postgres, Redis, pause},
};
use crate::process::{oracle, stage::within, world};
use gitlab_sim::{Fault, FaultRule, IssueEdit, NoteSpec, When};
use mirror_core::ports::Entropy;
use mirror_runtime::SeededEntropy;
use mirror_worker::Side;
use tokio::process::Child;

impl Fleet {
    /// Waits until the target got so many requests that change something, in all.
    async fn writes(&self, count: usize) {
        within(async {
            while self.stage.target.writes().len() < count {
                pause(5).await;
            }
        })
        .await;
    }

    /// As [`Fleet::mirrors_all`], of a mirror that is looked at every second: on a busy machine that
    /// takes a second, and something would always be owed.
    async fn comes_to_rest(&self) {
        self.set_up_with(&["--every", "3600"]).await;
        self.mirrors_all().await;
    }
}

/// One worker and one scheduler.
struct Pair {
    worker: Child,
    scheduler: Child,
}

impl Pair {
    /// Started on a new mirror of thirty issues, which is asked for at once.
    async fn at_work(fleet: &Fleet) -> Self {
        fleet.fill(30);
        fleet.set_up().await;
        let worker = fleet.start(WORKER);
        let scheduler = fleet.start(SCHEDULER);
        fleet.well(&["mirrors", "sync-now", "1"]).await;
        Self { worker, scheduler }
    }

    #[track_caller]
    fn lived_on(&mut self) {
        for process in [&mut self.worker, &mut self.scheduler] {
            assert!(process.try_wait().unwrap().is_none());
        }
    }
}

/// People go on editing the source: new titles, new comments, a new issue now and then.
fn edit_something(fleet: &Fleet, dice: &SeededEntropy, edits: u64) {
    let source = &fleet.stage.source;
    let author = world::author(source);
    let count = source.sim.world(|sim| sim.issues(source.project).count());
    for _ in 0..edits {
        let number = dice.next_u64();
        let iid = 1 + number % count as u64;
        source.sim.edit(|sim| {
            let title = Some(format!("Title {}", number % 1_000));
            let edit = IssueEdit {
                title,
                ..IssueEdit::default()
            };
            sim.edit_issue(source.project, iid, author, edit).unwrap();
            let note = NoteSpec::new(author, &format!("Comment {}", number % 1_000));
            sim.add_note(source.project, iid, note).unwrap();
        });
    }
    world::add_issue(
        source,
        &format!("Issue {}", dice.next_u64() % 1_000),
        "New.",
    );
}

/// Kills a process every two seconds while people edit and ask for everything to be compared, then
/// lets it come to an end.
async fn killed_for(seconds: u64, issues: u64, edits: u64) {
    let fleet = Fleet::scaled().await;
    fleet.fill(issues);
    fleet.set_up_with(&["--every", "1"]).await;
    let dice = SeededEntropy::new(7);
    let mut workers: Vec<Child> = (0..3).map(|_| fleet.start(WORKER)).collect();
    let mut schedulers: Vec<Child> = (0..2).map(|_| fleet.start(SCHEDULER)).collect();
    let kills = seconds / 2;
    for kill in 1..=kills {
        pause(2_000).await;
        edit_something(&fleet, &dice, edits);
        if kill % 4 == 0 {
            fleet.well(&["mirrors", "sync-now", "1", "--full"]).await;
        }
        let (role, words) = if kill % 5 == 0 {
            (&mut schedulers, SCHEDULER)
        } else {
            (&mut workers, WORKER)
        };
        let victim = usize::try_from(dice.next_u64() % role.len() as u64).unwrap();
        role[victim].kill().await.unwrap();
        role[victim] = fleet.start(words);
    }
    fleet.comes_to_rest().await;
    let jobs = fleet.database().jobs_done().await.unwrap();
    println!("{kills} kills in {seconds} s: {jobs} jobs");
}

/// One minute; ten minutes of many more jobs by `ISSUE_MIRROR_CHAOS_SECONDS=600 cargo test --release
/// -p issue-mirror --test it -- --nocapture every_two`, with the servers of `.ci/postgres` and
/// `.ci/redis`.
#[tokio::test]
async fn killed_every_two_seconds_the_fleet_loses_nothing_and_doubles_nothing() {
    match optional("ISSUE_MIRROR_CHAOS_SECONDS") {
        None => killed_for(60, 40, 4).await,
        Some(seconds) => killed_for(seconds.parse().unwrap(), 2_000, 60).await,
    }
}

#[tokio::test]
async fn redis_emptied_five_times_loses_nothing() {
    let redis = Redis::start().await;
    let fleet = Fleet::on_redis(redis.url()).await;
    let _pair = Pair::at_work(&fleet).await;
    for flushed in 1..=5 {
        fleet.writes(flushed * 20).await;
        flush(&format!("127.0.0.1:{}", redis.port));
    }
    fleet.mirrors_all().await;
}

#[tokio::test]
async fn redis_stopped_and_started_empty_is_outlived() {
    let mut redis = Redis::start().await;
    let fleet = Fleet::on_redis(redis.url()).await;
    let mut pair = Pair::at_work(&fleet).await;
    fleet.writes(30).await;
    redis.stop().await;
    pause(20_000).await;
    redis.begin().await;
    fleet.mirrors_all().await;
    pair.lived_on();
}

#[tokio::test]
async fn a_database_that_drops_every_connection_is_outlived() {
    let fleet = Fleet::scaled().await;
    let mut pair = Pair::at_work(&fleet).await;
    for broken in 1..=5 {
        fleet.writes(broken * 25).await;
        fleet.disconnect_database().await;
    }
    fleet.mirrors_all().await;
    pair.lived_on();
}

#[tokio::test]
async fn a_database_that_is_stopped_and_started_is_outlived() {
    let postgres = Postgres::start().await;
    let redis = Redis::start().await;
    let fleet = Fleet::on_servers(&postgres.url(), redis.url()).await;
    fleet.well(&["migrate"]).await;
    let mut pair = Pair::at_work(&fleet).await;
    fleet.writes(30).await;
    postgres.stop().await;
    pause(20_000).await;
    postgres.begin().await;
    fleet.mirrors_all().await;
    pair.lived_on();
}

#[tokio::test]
async fn of_three_schedulers_one_is_paused_and_nobody_notices() {
    let fleet = Fleet::scaled().await;
    fleet.fill(25);
    fleet.set_up_with(&["--every", "1"]).await;
    let schedulers: Vec<Child> = (0..3).map(|_| fleet.start(SCHEDULER)).collect();
    let _workers: Vec<Child> = (0..2).map(|_| fleet.start(WORKER)).collect();
    for paused in &schedulers {
        signal(paused, "STOP").await;
        let before = fleet.stage.source.sim.requests().len();
        within(async {
            // Scans go on.
            while fleet.stage.source.sim.requests().len() < before + 5 {
                pause(20).await;
            }
        })
        .await;
        signal(paused, "CONT").await;
    }
    fleet.comes_to_rest().await;
}

#[tokio::test]
async fn workers_whose_clocks_are_off_by_minutes_rescue_nothing_falsely() {
    let fleet = Fleet::scaled().await;
    fleet.fill(25);
    fleet.set_up().await;
    let _workers: Vec<Child> = ["600", "-600"]
        .into_iter()
        .map(|skew| fleet.start_skewed(WORKER, skew))
        .collect();
    let _scheduler = fleet.start_skewed(SCHEDULER, "300");
    fleet.mirrors_all().await;
    within(async {
        loop {
            let listed = fleet.well(&["runs", "list", "1", "--json"]).await.json();
            assert_eq!(listed[0]["failed"], 0);
            if listed[0]["status"] != "running" {
                assert_eq!(listed[0]["status"], "completed");
                return;
            }
            pause(100).await;
        }
    })
    .await;
    let log = fleet.log();
    assert!(!log.contains("lost its worker"), "{log}");
    assert!(!log.contains("the lease was lost"), "{log}");
}

#[tokio::test]
async fn a_worker_stopped_past_its_lease_writes_nothing_twice() {
    let fleet = Fleet::scaled().await;
    fleet.fill(25);
    fleet.set_up().await;
    let mut stalled = fleet.start(WORKER);
    let _scheduler = fleet.start(SCHEDULER);
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    fleet.writes(40).await;
    signal(&stalled, "STOP").await;
    let _other = fleet.start(WORKER);
    fleet.settled().await;
    signal(&stalled, "CONT").await;
    fleet.mirrors_all().await;
    assert!(stalled.try_wait().unwrap().is_none(), "it lives on");
}

#[tokio::test]
async fn one_post_in_five_lost_leaves_no_duplicate() {
    let fleet = Fleet::scaled().await;
    fleet.fill(20);
    fleet.stage.target.sim.fail(FaultRule::new(
        "POST",
        ".",
        When::Share(0.2),
        Fault::LoseResponse,
    ));
    fleet.set_up().await;
    let _workers: Vec<Child> = (0..2).map(|_| fleet.start(WORKER)).collect();
    let _scheduler = fleet.start(SCHEDULER);
    fleet.mirrors_all().await;
}

/// A second mirror of the fleet, into a GitLab of its own.
async fn neighbour(fleet: &Fleet) -> (Fleet, i64) {
    let beside = Fleet::alone().await;
    beside.fill(10);
    let id = fleet.add_mirror_of(&beside.stage).await;
    (beside, id)
}

#[tokio::test]
async fn instances_that_refuse_hang_or_dawdle_hold_up_nobody_else() {
    let refuses = Fault::TooManyRequests {
        headers: true,
        retry_after: Some(5),
        application: false,
    };
    let dawdles = Fault::Delay(std::time::Duration::from_secs(30));
    let troubles: [(Side, &str, Fault); 6] = [
        (Side::Target, "/issues", refuses),
        (Side::Target, "/issues", Fault::Hang { effect: false }),
        (Side::Target, "/issues", Fault::Stall(10)),
        (Side::Target, "/labels", Fault::Stall(10)),
        (Side::Target, "/issues", dawdles),
        (Side::Source, "/issues", Fault::Stall(10)),
    ];
    for (side, path, fault) in troubles {
        let fleet = Fleet::scaled().await;
        fleet.fill(40);
        fleet.set_up().await;
        let (beside, id) = neighbour(&fleet).await;
        let troubled = match side {
            Side::Source => &fleet.stage.source,
            Side::Target => &fleet.stage.target,
        };
        let trouble = format!("{fault:?} at {path} of the {side}");
        let rule = FaultRule::new("*", path, When::Always, fault);
        troubled.sim.fail(rule);
        let _worker = fleet.start(&["worker"]);
        let _scheduler = fleet.start(SCHEDULER);
        fleet.well(&["mirrors", "sync-now", "1"]).await;
        fleet.well(&["mirrors", "sync-now", &id.to_string()]).await;
        fleet.settled_of(id, &beside.stage).await;
        oracle::mirrored(&beside.stage);
        assert!(
            fleet.copies() < 40,
            "{trouble}: it was in trouble all the time"
        );
        println!("{trouble}: 10 issues beside it are mirrored");
        troubled.sim.clear_faults();
    }
}

#[tokio::test]
async fn a_cancelled_runs_jobs_stop_on_every_host_and_its_work_stays_owed() {
    let fleet = Fleet::scaled().await;
    fleet.fill(40);
    fleet.set_up().await;
    let slow = Fault::Delay(std::time::Duration::from_millis(400));
    let rule = FaultRule::new("POST", ".", When::Always, slow);
    fleet.stage.target.sim.fail(rule);
    let _workers: Vec<Child> = (0..2).map(|_| fleet.start(WORKER)).collect();
    let _scheduler = fleet.start(SCHEDULER);
    // The first turn is the schedule's.
    fleet.writes(10).await;
    fleet.well(&["runs", "cancel", "1"]).await;
    within(async {
        let running = ["jobs", "list", "--state", "running", "--json"];
        while fleet.well(&running).await.json() != serde_json::json!([]) {
            pause(50).await;
        }
    })
    .await;
    let written = fleet.stage.target.writes().len();
    let run = fleet.well(&["runs", "show", "1", "--json"]).await.json();
    assert_eq!(run["status"], "cancelled");
    let owed = fleet.well(&["jobs", "list", "--json"]).await.json();
    assert!(owed.as_array().unwrap().len() > 5, "{owed}");
    assert_eq!(fleet.stage.target.writes().len(), written, "all rests");
    fleet.stage.target.sim.clear_faults();
    for job in owed.as_array().unwrap() {
        let id = job["id"].to_string();
        fleet.well(&["jobs", "retry", &id]).await;
    }
    fleet.mirrors_all().await;
}
