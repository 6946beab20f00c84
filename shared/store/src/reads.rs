//! How the databases go about what the API reads, which must not grow with what is on record. The ways
//! are recorded in `plans/`, to be read and to be compared; `ISSUE_MIRROR_RECORD_PLANS=1` with
//! these tests writes them anew.

use crate::{
    ConnectOptions, MirrorEnd, NewMirror, Store, TimeSource,
    access::BY_DIGEST,
    audit, happened,
    issues::list,
    listed, runs,
    sql::Text,
    testing::{Still, TestDatabase, fill},
    url::Kind,
    work,
};
use mirror_core::ids::{InstanceName, MirrorId, ProjectId};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqlSafeStr, SqliteConnection};
use std::{fmt::Write, fs, path::Path, sync::Arc};

/// Everything that is read, and what it is put in order by: nothing but what is little.
fn reads() -> Vec<(&'static str, Text, Order)> {
    use Order::{Little, Walked};
    let mut reads: Vec<(&'static str, Text, Order)> = vec![
        ("a token", BY_DIGEST.into(), Walked),
        ("a sync job", runs::ONE.into(), Walked),
        ("what is owed to a mirror", work::DUE.into(), Walked),
        (
            "how a mirror's issues stand",
            list::BY_STATUS_COUNT.into(),
            Walked,
        ),
        ("a mirror", listed::MIRROR.into(), Walked),
        ("mirrors", listed::MIRRORS.into(), Little),
        ("issues", list::ISSUES, Walked),
        ("issues by how they stand", list::BY_STATUS.into(), Walked),
        (
            "issues that were edited on the target",
            list::IN_CONFLICT,
            Walked,
        ),
        ("an issue by number", list::BY_IID.into(), Walked),
        ("an issue", list::ISSUE.into(), Walked),
        ("sync jobs", runs::PAGE, Walked),
        (
            "sync jobs by how they stand",
            runs::BY_STATUS.into(),
            Walked,
        ),
        (
            "why issues of a sync job failed",
            runs::REASONS.into(),
            Little,
        ),
        ("a job", work::ONE.into(), Walked),
        ("a job by key", work::BY_KEY.into(), Walked),
        ("a job's tries", work::ATTEMPTS.into(), Little),
        ("changes on record", audit::LIST.into(), Walked),
        ("changes by somebody", audit::BY_WHO, Walked),
        ("changes of a kind", audit::BY_WHAT, Walked),
        ("changes of a thing", audit::BY_OBJECT, Walked),
        ("kinds of changes", audit::KINDS.into(), Walked),
        ("the first change since then", audit::SINCE.into(), Walked),
        ("tries that ended", happened::ATTEMPTS.into(), Little),
        (
            "sync jobs that began or ended",
            happened::RUNS.into(),
            Little,
        ),
    ];
    for (lists, names) in [
        (
            work::UNFINISHED,
            [
                "jobs",
                "jobs of some mirrors",
                "jobs of a rare kind",
                "jobs with a like error",
            ],
        ),
        (
            work::PENDING,
            [
                "jobs that wait",
                "jobs of some mirrors that wait",
                "jobs of a rare kind that wait",
                "jobs with a like error that wait",
            ],
        ),
        (
            work::DEAD,
            [
                "dead letters",
                "dead letters of some mirrors",
                "dead letters of a rare kind",
                "dead letters with a like error",
            ],
        ),
    ] {
        let [all, of_mirrors, unusual, alike] = names;
        reads.push((all, lists.all, Walked));
        // A page of each.
        reads.push((of_mirrors, lists.of_mirrors, Little));
        reads.push((unusual, lists.unusual, Walked));
        reads.push((alike, lists.alike, Walked));
    }
    reads.push(("queues", crate::queues::QUEUES.into(), Little));
    reads.push(("the deployment in numbers", work::TOTALS.into(), Walked));
    reads.push(("errors of jobs", work::ERRORS.into(), Little));
    reads.push((
        "the last job owed before a time",
        work::LAST_OWED_BEFORE.into(),
        Walked,
    ));
    reads.push(("jobs handed out", work::QUEUED.all, Little));
    reads.push(("jobs that run", work::RUNNING.all, Little));
    reads
}

/// How rows come in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    /// As they are walked through.
    Walked,
    /// What was found is sorted: never more than there are mirrors, what is out, what happened of
    /// late, or what went wrong.
    Little,
}

/// Of these there may be very many; with what the texts call them.
const LARGE: [(&str, &str); 9] = [
    ("issue_mappings", "i"),
    ("work", "w"),
    ("work_attempts", "a"),
    ("issue_sync_jobs", "r"),
    ("run_memberships", "run_memberships"),
    ("run_groups", "run_groups"),
    ("target_edits", "e"),
    ("audit", "a"),
    ("errands", "errands"),
];

/// So many parameters a text has.
fn parameters(text: &str) -> usize {
    (1..=10)
        .rev()
        .find(|number| text.contains(&format!("${number}")))
        .unwrap_or(0)
}

/// Another version may go another way that keeps the rules as well.
fn compare(file: &str, version: &str, ways: &[(&'static str, Vec<String>)]) {
    let mut text = format!("{version}\n\n");
    for (name, way) in ways {
        writeln!(text, "{name}").unwrap();
        for step in way {
            writeln!(text, "  {step}").unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("plans")
        .join(file);
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no arguments of its own"
    )]
    if std::env::var_os("ISSUE_MIRROR_RECORD_PLANS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let recorded = fs::read_to_string(&path).unwrap();
    if recorded.lines().next() == Some(version) {
        assert_eq!(text, recorded, "{file} tells of another way");
    }
}

#[tokio::test]
async fn a_file_is_read_by_its_indexes_alone() {
    let mut memory = SqliteConnection::connect(":memory:").await.unwrap();
    for migration in crate::open::SCHEMA.iter() {
        let sql = migration.sql.clone().into_sql_str();
        sqlx::raw_sql(sql).execute(&mut memory).await.unwrap();
    }
    let mut ways = Vec::new();
    for (name, text, order) in reads() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text.sqlite));
        let mut query = sqlx::query(explain);
        for _ in 0..parameters(text.sqlite) {
            query = query.bind(0i64);
        }
        let rows = query.fetch_all(&mut memory).await.unwrap();
        let way: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        for step in &way {
            // As it tells that it walks through all of a table.
            let whole = step.strip_prefix("SCAN ");
            let walked = LARGE
                .iter()
                .any(|(table, alias)| whole == Some(*table) || whole == Some(*alias));
            assert!(!walked, "{name}: {way:#?}");
            let sorted = step.starts_with("USE TEMP B-TREE");
            assert!(!sorted || order == Order::Little, "{name}: {way:#?}");
        }
        ways.push((name, way));
    }
    let version: String = sqlx::query_scalar("SELECT 'SQLite ' || sqlite_version()")
        .fetch_one(&mut memory)
        .await
        .unwrap();
    compare("sqlite.txt", &version, &ways);
}

const ROWS: i64 = 20_000;
const LITTLE: i64 = 60;

/// A busy mirror and a quiet one.
async fn filled(database: &TestDatabase) {
    let options = ConnectOptions {
        time: TimeSource::Clock,
        ..ConnectOptions::default()
    };
    let store = Store::connect_with(database.url(), Arc::new(Still), options);
    let store = store.await.unwrap();
    for (project, rows) in [(1, ROWS), (2, LITTLE)] {
        fill(&store, mirror(&store, project).await, rows)
            .await
            .unwrap();
    }
    database.gather_statistics().await.unwrap();
}

async fn mirror(store: &Store, project: i64) -> MirrorId {
    let mut ends = Vec::new();
    for name in ["gitlab.a", "gitlab.b"] {
        let name = InstanceName(name.to_owned());
        let base = format!("https://{name}/");
        ends.push(MirrorEnd {
            instance: store.register_instance(&name, &base, &[]).await.unwrap(),
            project: ProjectId(project),
            path: "group/project".to_owned(),
        });
    }
    let (target, source) = (ends.pop().unwrap(), ends.pop().unwrap());
    let mirror = store.ensure_mirror(&NewMirror { source, target }).await;
    mirror.unwrap().id
}

/// As the store's connections are set.
const SETTINGS: &str = "\
SET enable_bitmapscan = off; SET jit = off; SET max_parallel_workers_per_gather = 0";

/// Each text is looked at with the plan that serves whatever is asked for, but for these: of them that
/// plan is thought to be so much dearer that the server stays with plans for what is asked for. So they
/// are looked at as it goes about them once it has been asked often.
const PLANNED_EACH_TIME: [(&str, &str); 4] = [
    ("issues by how they stand", "1, 0, 50, 0, 'blocked'"),
    (
        "sync jobs by how they stand",
        "1, 9223372036854775807, 50, 0, 'cancelled'",
    ),
    (
        "changes by somebody",
        "9223372036854775807, 'user:7', NULL, NULL, '1970-01-01', 50, 0, 0",
    ),
    (
        "changes of a thing",
        "9223372036854775807, NULL, NULL, 'mirror/7', '1970-01-01', 50, 0, 0",
    ),
];

/// Lists of jobs need to be told, as the store's driver does; the others tell by themselves.
fn types(text: &str) -> &'static str {
    match parameters(text) {
        10 => " (text, bigint, boolean, bigint, bigint, timestamptz, text, bigint, bigint, bigint)",
        _ => "",
    }
}

/// After five times it considers the plan that serves whatever is asked for.
const OFTEN: usize = 6;

/// How a read is explained: whose plan, and for which values.
fn explained(name: &str, text: &str) -> (&'static str, String) {
    let own = PLANNED_EACH_TIME.iter().find(|(of, _)| *of == name);
    match own {
        Some((_, values)) => ("auto", format!(" ({values})")),
        None => {
            let values = vec!["NULL"; parameters(text)].join(", ");
            let values = if values.is_empty() {
                values
            } else {
                format!(" ({values})")
            };
            ("force_generic_plan", values)
        }
    }
}

#[tokio::test]
async fn a_server_reads_by_its_indexes_alone() {
    let database = TestDatabase::create().await;
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    filled(&database).await;
    let Kind::Postgres(address) = database.url().kind() else {
        panic!("a server");
    };
    let mut server = PgConnection::connect_with(address).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut server).await.unwrap();
    let mut ways = Vec::new();
    for (name, text, order) in reads() {
        let types = types(text.postgres);
        let prepare = AssertSqlSafe(format!("PREPARE asked{types} AS {}", text.postgres));
        sqlx::raw_sql(prepare).execute(&mut server).await.unwrap();
        let (mode, values) = explained(name, text.postgres);
        let mode = AssertSqlSafe(format!("SET plan_cache_mode = {mode}"));
        sqlx::raw_sql(mode).execute(&mut server).await.unwrap();
        for _ in 0..OFTEN {
            let asked = AssertSqlSafe(format!("EXECUTE asked{values}"));
            sqlx::raw_sql(asked).execute(&mut server).await.unwrap();
        }
        let explain = format!("EXPLAIN (COSTS OFF) EXECUTE asked{values}");
        let rows = sqlx::raw_sql(AssertSqlSafe(explain));
        let rows = rows.fetch_all(&mut server).await.unwrap();
        let lines = rows.iter().map(|row| row.get::<String, _>(0));
        // What is done with the rows that were found differs between versions.
        let way: Vec<String> = lines
            .map(|line| line.trim_start_matches([' ', '-', '>']).to_owned())
            .filter(|line| {
                ["Scan", "Sort", "Cond"]
                    .iter()
                    .any(|word| line.contains(word))
            })
            .filter(|line| !line.starts_with("Sort Key") && !line.starts_with("Presorted"))
            .collect();
        for step in &way {
            let walked = |(table, _): &(&str, &str)| {
                let rest = step.strip_prefix("Seq Scan on ").unwrap_or_default();
                rest.split(' ').next() == Some(*table)
            };
            assert!(!LARGE.iter().any(walked), "{name}: {way:#?}");
            assert!(
                !step.ends_with("Sort") || order == Order::Little,
                "{name}: {way:#?}"
            );
        }
        ways.push((name, way));
        sqlx::raw_sql("DEALLOCATE asked")
            .execute(&mut server)
            .await
            .unwrap();
    }
    let version = sqlx::query_scalar(
        "SELECT 'PostgreSQL ' || current_setting('server_version_num')::int / 10000",
    );
    let version: String = version.fetch_one(&mut server).await.unwrap();
    compare("postgres.txt", &version, &ways);
}
