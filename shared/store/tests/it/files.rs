//! State files: whose they are, what shape they are in, and what a kill leaves of them.

use crate::world::{TestClock, World, at};
use mirror_core::ids::Iid;
use mirror_store::{OpenError, Store};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

async fn open(path: &Path) -> Result<Store, OpenError> {
    Store::open(path, Arc::new(TestClock::default())).await
}

async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

struct Folder {
    _folder: tempfile::TempDir,
    state: PathBuf,
}

fn folder() -> Folder {
    let folder = tempfile::tempdir().unwrap();
    Folder {
        state: folder.path().join("state.sqlite3"),
        _folder: folder,
    }
}

#[tokio::test]
async fn a_closed_file_opens_again_with_all_that_was_in_it() {
    let world = World::in_file().await;
    let path = world.folder.as_ref().unwrap().path().join("state.sqlite3");
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapping).await.unwrap();
    world.store.close().await;
    let again = open(&path).await.unwrap();
    let found = again.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(found, Some(mapping));
    assert_eq!(again.due(world.mirror).await.unwrap().running, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::in_file().await;
    let folder = world.folder.as_ref().unwrap().path();
    let mut files = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
        files += 1;
    }
    assert!(files >= 2, "the file and its log");
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let folder = folder();
    let mut other = raw(&folder.state).await;
    run(
        &mut other,
        "CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 3",
    )
    .await;
    other.close().await.unwrap();
    let before = fs::read(&folder.state).unwrap();
    let refused = open(&folder.state).await;
    assert!(
        matches!(refused, Err(OpenError::Foreign { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read(&folder.state).unwrap(), before);
}

#[tokio::test]
async fn another_programs_empty_database_is_known_by_its_number() {
    let folder = folder();
    let mut other = raw(&folder.state).await;
    run(&mut other, "PRAGMA application_id = 7").await;
    other.close().await.unwrap();
    let refused = open(&folder.state).await;
    assert!(
        matches!(refused, Err(OpenError::Foreign { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_is_no_database_is_called_that() {
    let folder = folder();
    for content in [
        "no database",
        "SQLite format 3\0 but then nothing of the kind",
    ] {
        fs::write(&folder.state, content).unwrap();
        let refused = open(&folder.state).await;
        assert!(
            matches!(refused, Err(OpenError::Corrupt { .. })),
            "{refused:?}"
        );
        assert_eq!(fs::read(&folder.state).unwrap(), content.as_bytes());
    }
}

#[tokio::test]
async fn a_damaged_file_is_found_out_when_it_is_opened() {
    let world = World::in_file().await;
    let path = world.folder.as_ref().unwrap().path().join("state.sqlite3");
    let fence = world.working_on(0).await;
    for iid in 1..=300 {
        let mapping = world.mapped(iid, 500 + iid);
        world.store.record_issue(&fence, &mapping).await.unwrap();
    }
    world.store.close().await;
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let refused = open(&path).await;
    assert!(
        matches!(refused, Err(OpenError::Corrupt { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_newer_versions_file_asks_for_an_update() {
    let folder = folder();
    open(&folder.state).await.unwrap().close().await;
    let mut newer = raw(&folder.state).await;
    run(
        &mut newer,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .await;
    newer.close().await.unwrap();
    let refused = open(&folder.state).await;
    let Err(OpenError::Newer { found, known, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(found, 9999);
    assert!(known < found);
}

#[tokio::test]
async fn a_missing_folder_or_a_folder_in_its_place_is_unreadable() {
    let folder = folder();
    let missing = folder.state.join("state.sqlite3");
    let refused = open(&missing).await;
    assert!(
        matches!(refused, Err(OpenError::Unreadable { .. })),
        "{refused:?}"
    );
    fs::create_dir(&folder.state).unwrap();
    let refused = open(&folder.state).await;
    assert!(
        matches!(refused, Err(OpenError::Unreadable { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn every_refusal_names_the_file_and_a_mend() {
    let folder = folder();
    fs::write(&folder.state, "no database").unwrap();
    let text = open(&folder.state).await.unwrap_err().to_string();
    assert!(
        text.contains("state.sqlite3") && text.contains("move it away"),
        "{text}"
    );
}

/// The files as they are at this moment are what a killed process leaves behind.
fn as_a_kill_leaves_it(path: &Path) -> Folder {
    let copy = folder();
    for side in ["", "-wal"] {
        let mut from = path.as_os_str().to_owned();
        from.push(side);
        let mut to = copy.state.as_os_str().to_owned();
        to.push(side);
        if Path::new(&from).exists() {
            fs::copy(from, to).unwrap();
        }
    }
    copy
}

#[tokio::test]
async fn a_kill_at_any_moment_keeps_what_was_committed() {
    let world = World::in_file().await;
    let path = world.folder.as_ref().unwrap().path().join("state.sqlite3");
    let fence = world.working_on(0).await;
    for iid in 1..=20 {
        let mapping = world.mapped(iid, 500 + iid);
        world.store.record_issue(&fence, &mapping).await.unwrap();
        let left = as_a_kill_leaves_it(&path);
        let again = open(&left.state).await.unwrap();
        let all = again.all_mappings(world.mirror).await.unwrap();
        assert_eq!(all.len(), usize::try_from(iid).unwrap());
        let reclaimed = again.reclaim(world.mirror).await.unwrap();
        assert_eq!(reclaimed.running, 1);
        again.close().await;
    }
}

#[tokio::test]
async fn a_kill_while_the_file_is_made_does_not_spoil_it() {
    let folder = folder();
    // Made, nothing written.
    fs::write(&folder.state, "").unwrap();
    open(&folder.state).await.unwrap().close().await;
    // Marked as ours, no table yet.
    let marked = self::folder();
    let mut ours = raw(&marked.state).await;
    run(
        &mut ours,
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 1232293225",
    )
    .await;
    drop(ours);
    let store = open(&marked.state).await.unwrap();
    assert!(store.mirrors().await.unwrap().is_empty());
    assert!(store.now() >= at(0));
}

#[tokio::test]
async fn a_copy_holds_what_was_committed_and_goes_its_own_way() {
    let world = World::in_file().await;
    let fence = world.working_on(0).await;
    let mapping = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapping).await.unwrap();
    let copy = world.folder.as_ref().unwrap().path().join("copy.sqlite3");
    world.store.copy_to(&copy).await.unwrap();
    let later = world.mapped(2, 502);
    world.store.record_issue(&fence, &later).await.unwrap();

    let store = open(&copy).await.unwrap();
    assert_eq!(store.all_mappings(world.mirror).await.unwrap(), [mapping]);
    let over = world.store.copy_to(&copy).await;
    assert!(
        matches!(over, Err(OpenError::Unreadable { .. })),
        "{over:?}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_record_in_memory_can_be_copied_too() {
    let world = World::in_memory().await;
    let fence = world.working_on(0).await;
    let mapping = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapping).await.unwrap();
    let folder = self::folder();
    let copy = folder.state.with_file_name("a copy, 100 %?#.sqlite3");
    world.store.copy_to(&copy).await.unwrap();
    let store = open(&copy).await.unwrap();
    assert_eq!(store.all_mappings(world.mirror).await.unwrap(), [mapping]);
}
