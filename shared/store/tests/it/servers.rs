//! PostgreSQL servers: whose time counts, what a restart costs, and what is said of unfit ones.

use crate::world::{LEASE, World, at, mirror_on};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::Iid,
    job::{Job, Priority},
    ports::{BoxFuture, Clock},
};
use mirror_store::{
    ConnectError, ConnectOptions, DatabaseUrl, Owe, Store, StoreError, TimeSource,
    testing::{TestDatabase, VARIABLE},
};
use sqlx::{Connection, PgConnection};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Runs as real clocks do, but its time of day is off.
#[derive(Clone, Default)]
struct Off {
    by: TimeDelta,
    /// What a test lets pass at once, by this clock and its clones.
    passed: Arc<AtomicU64>,
}

impl Off {
    fn pass(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    fn passed(&self) -> Duration {
        Duration::from_secs(self.passed.load(Ordering::SeqCst))
    }
}

fn monotonic() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a real clock is what is told apart here"
    )]
    let began = BEGAN.get_or_init(Instant::now);
    began.elapsed()
}

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a real clock is what is told apart here"
        )]
        let now = Utc::now();
        now + self.by + self.passed()
    }

    fn monotonic(&self) -> Duration {
        monotonic() + self.passed()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

async fn store_with(database: &TestDatabase, clock: Off) -> Store {
    Store::connect(database.url(), Arc::new(clock))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_worker_whose_clock_is_ten_minutes_off_disturbs_nobody() {
    let database = TestDatabase::create().await.unwrap();
    for off in [TimeDelta::minutes(10), TimeDelta::minutes(-10)] {
        let clock = Off::default();
        let right = store_with(&database, clock.clone()).await;
        let ahead_or_behind = Off {
            by: off,
            ..clock.clone()
        };
        let wrong = store_with(&database, ahead_or_behind).await;
        let apart = (wrong.now() - right.now()).abs();
        assert!(apart < TimeDelta::seconds(1), "{apart}");
        wrong.refresh_time().await.unwrap();
        let apart = (wrong.now() - right.now()).abs();
        assert!(apart < TimeDelta::seconds(1), "{apart}");

        let mirror = mirror_on(&right, 1).await;
        let iid = Iid(off.num_minutes());
        let owe = Owe::changed(Job::SyncIssue { mirror, iid }, Priority::Incremental);
        // What the one owes is due for the other, and a lease of the one is good for the other.
        wrong.owe(&[owe]).await.unwrap();
        clock.pass(1);
        let claimed = right.claim(1, 9, LEASE).await.unwrap();
        assert_eq!(wrong.sweep(9).await.unwrap().returned, 0);
        let started = right.start(claimed[0].ticket, "right", LEASE).await;
        let fence = started.unwrap().unwrap().fence;
        assert_eq!(wrong.sweep(9).await.unwrap().returned, 0);
        right.handback(&fence).await.unwrap();
        clock.pass(1);
        let claimed = wrong.claim(1, 9, LEASE).await.unwrap();
        let started = wrong.start(claimed[0].ticket, "wrong", LEASE).await;
        let fence = started.unwrap().unwrap().fence;
        assert_eq!(right.sweep(9).await.unwrap().returned, 0);
        let outcome = &mirror_core::outcome::Outcome::Unchanged;
        let done = mirror_store::End::Done { outcome };
        wrong.end(&fence, done).await.unwrap();
    }
}

#[tokio::test]
async fn broken_connections_are_outlived() {
    let world = World::on_postgres().await;
    let fence = world.working_on(1).await;
    for iid in 2..12 {
        world.database().disconnect_all().await.unwrap();
        // A transaction that could not begin is begun again, so a record goes through at once.
        let mapping = world.mapped(iid, 500 + iid);
        world.store.record_issue(&fence, &mapping).await.unwrap();
        world.database().disconnect_all().await.unwrap();
        // A statement that broke off says so, and the next try has a new connection.
        loop {
            match world.store.heartbeat(&fence, LEASE).await {
                Ok(held) => break assert!(held),
                Err(error) => {
                    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
                    assert!(error.is_transient());
                }
            }
        }
    }
    assert_eq!(
        world.store.all_mappings(world.mirror).await.unwrap().len(),
        10
    );
}

async fn run(database: &TestDatabase, sql: &'static str) {
    let mut connection = raw(database).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn named() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no arguments of their own"
    )]
    std::env::var(VARIABLE).unwrap()
}

/// The server's own URL, with this database's name.
pub(crate) fn address(database: &TestDatabase) -> String {
    let shown = database.url().to_string();
    let name = shown.rsplit('/').next().unwrap();
    let named = named();
    format!("{}/{name}", named.rsplit_once('/').unwrap().0)
}

async fn raw(database: &TestDatabase) -> PgConnection {
    PgConnection::connect(&address(database)).await.unwrap()
}

async fn connect(url: &str) -> Result<Store, ConnectError> {
    let url: DatabaseUrl = url.parse().unwrap();
    let clock = Arc::new(Off::default());
    Store::connect(&url, clock).await
}

async fn refused(url: &str, mend: &str) -> ConnectError {
    let error = connect(url).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(error.to_string().contains(mend), "{error}");
    let named = named();
    let password = named.split([':', '@']).nth(2).unwrap();
    assert!(
        !text.contains(password) && !text.contains("s3cret"),
        "{text}"
    );
    error
}

#[tokio::test]
async fn each_unfit_server_is_told_with_its_mend() {
    let database = TestDatabase::create().await.unwrap();
    let good = address(&database);
    connect(&good).await.unwrap().check().await.unwrap();
    let (user, rest) = good.rsplit_once('@').unwrap();
    let wrong = format!("{}:s3cret@{rest}", user.rsplit_once(':').unwrap().0);
    let error = refused(&wrong, "password").await;
    assert!(
        matches!(error, ConnectError::WrongPassword { .. }),
        "{error:?}"
    );
    let nowhere = format!("{}/no_such_database", good.rsplit_once('/').unwrap().0);
    let error = refused(&nowhere, "CREATE DATABASE").await;
    assert!(
        matches!(error, ConnectError::NoDatabase { .. }),
        "{error:?}"
    );
    let closed = "postgres://mirror:s3cret@127.0.0.1:1/issues";
    let error = refused(closed, "check address").await;
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(error.is_transient());
    let error = refused(&format!("{good}?sslmode=require"), "TLS").await;
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn roles_refuse_a_schema_that_is_not_theirs() {
    let database = TestDatabase::create().await.unwrap();
    let url = address(&database);
    run(
        &database,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', true, '\\x00', 0)",
    )
    .await;
    let error = refused(&url, "update issue-mirror").await;
    assert!(
        matches!(error, ConnectError::Newer { found: 9999, .. }),
        "{error:?}"
    );
    let migrated = Store::migrate(database.url(), Arc::new(Off::default())).await;
    assert!(
        matches!(migrated, Err(ConnectError::Newer { .. })),
        "{migrated:?}"
    );

    run(&database, "DELETE FROM _sqlx_migrations WHERE version > 1").await;
    let error = refused(&url, "issue-mirror migrate").await;
    assert!(
        matches!(error, ConnectError::Older { found: 1, .. }),
        "{error:?}"
    );

    run(&database, "UPDATE _sqlx_migrations SET checksum = '\\x00'").await;
    let error = refused(&url, "another program").await;
    assert!(matches!(error, ConnectError::Foreign { .. }), "{error:?}");

    run(
        &database,
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    )
    .await;
    let error = refused(&url, "issue-mirror migrate").await;
    assert!(matches!(error, ConnectError::NoSchema { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_migrate_at_once_all_find_it_done() {
    let database = TestDatabase::create().await.unwrap();
    run(
        &database,
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    )
    .await;
    let migrating: Vec<_> = (0..5)
        .map(|_| {
            let url = database.url().clone();
            let clock = Arc::new(Off::default());
            tokio::spawn(async move { Store::migrate(&url, clock).await })
        })
        .collect();
    for migrating in migrating {
        let migrated = migrating.await.unwrap().unwrap();
        assert!(migrated.to >= 3, "{migrated:?}");
    }
    connect(&address(&database)).await.unwrap();
}

#[tokio::test]
async fn a_standby_and_a_user_without_rights_are_told() {
    let database = TestDatabase::create().await.unwrap();
    let url = address(&database);
    let read_only = format!("{url}?options=-c%20default_transaction_read_only%3Don");
    let error = refused(&read_only, "read-only").await;
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");

    let mut connection = raw(&database).await;
    let name = format!("reader_{}", std::process::id());
    for sql in [
        format!("CREATE ROLE {name} LOGIN PASSWORD 's3cret'"),
        format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"),
    ] {
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
    let rest = url.rsplit_once('@').unwrap().1;
    let error = refused(&format!("postgres://{name}:s3cret@{rest}"), "grant it").await;
    assert!(matches!(error, ConnectError::Denied { .. }), "{error:?}");
    for sql in [format!("DROP OWNED BY {name}"), format!("DROP ROLE {name}")] {
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_turns_read_only_says_so_and_recovers() {
    let world = World::on_postgres().await;
    let owe = Owe::changed(world.issue(1), Priority::Incremental);
    let database = world.database();
    turn(database, "SET default_transaction_read_only = on").await;
    let error = world.store.owe(&[owe]).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert!(error.is_transient());
    let unfit = checked(&world.store).await;
    assert!(matches!(unfit, Err(StoreError::ReadOnly(_))), "{unfit:?}");
    turn(database, "RESET default_transaction_read_only").await;
    world.store.owe(&[owe]).await.unwrap();
    checked(&world.store).await.unwrap();
}

/// Past the connections that were broken under it.
async fn checked(store: &Store) -> Result<(), StoreError> {
    loop {
        match store.check().await {
            Err(StoreError::Unreachable(_)) => {}
            checked => return checked,
        }
    }
}

/// Alters the database from another one, and lets everybody come back to what it is now.
async fn turn(database: &TestDatabase, how: &str) {
    let mut connection = PgConnection::connect(&named()).await.unwrap();
    let url = database.url().to_string();
    let name = url.rsplit('/').next().unwrap();
    let sql = sqlx::AssertSqlSafe(format!("ALTER DATABASE {name} {how}"));
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    database.disconnect_all().await.unwrap();
}

#[tokio::test]
async fn a_zero_character_in_a_message_costs_no_end() {
    let world = World::on_postgres().await;
    let fence = world.working_on(1).await;
    let give_up = mirror_store::End::GiveUp { error: "bad\0byte" };
    world.store.end(&fence, give_up).await.unwrap();
    let row = &world.store.unfinished(world.mirror, 9).await.unwrap()[0];
    assert_eq!(row.last_error.as_deref(), Some("bad\u{fffd}byte"));
}

#[tokio::test]
async fn a_tests_clock_counts_where_all_share_it() {
    let world = World::on_postgres().await;
    assert_eq!(world.store.now(), at(0));
    let options = ConnectOptions {
        connections: 2,
        time: TimeSource::Clock,
    };
    let url = world.database().url();
    let beside = Store::connect_with(url, world.clock.clone(), options).await;
    assert_eq!(beside.unwrap().now(), at(0));
}
