//! The two schemas say the same.

use crate::{servers::address, world::World};
use mirror_store::testing::TestDatabase;
use sqlx::{Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

type Column = (String, String, bool);

const ON_SQLITE: &str = "\
SELECT t.name, c.name, c.\"notnull\" = 1 OR c.pk > 0
FROM sqlite_master t, pragma_table_info(t.name) c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";

const ON_POSTGRES: &str = "\
SELECT CAST(table_name AS text), CAST(column_name AS text), is_nullable = 'NO'
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";

#[tokio::test]
async fn both_schemas_have_the_same_tables_and_columns() {
    let world = World::in_file().await;
    let path = world.folder.as_ref().unwrap().path().join("state.sqlite3");
    let options = SqliteConnectOptions::new().filename(path);
    let mut file = SqliteConnection::connect_with(&options).await.unwrap();
    let on_sqlite: Vec<Column> = sqlx::query_as(ON_SQLITE)
        .fetch_all(&mut file)
        .await
        .unwrap();

    let database = TestDatabase::create().await.unwrap();
    let mut server = PgConnection::connect(&address(&database)).await.unwrap();
    let query = sqlx::query_as(ON_POSTGRES);
    let on_postgres: Vec<Column> = query.fetch_all(&mut server).await.unwrap();

    let on_sqlite: BTreeSet<Column> = on_sqlite.into_iter().collect();
    let on_postgres: BTreeSet<Column> = on_postgres.into_iter().collect();
    assert!(on_sqlite.len() > 100);
    let apart: Vec<_> = on_sqlite.symmetric_difference(&on_postgres).collect();
    assert!(apart.is_empty(), "{apart:#?}");
}

/// Whose clock that would be, and whether it is right, nobody could say (rule 26).
#[test]
fn no_statement_asks_a_clock_but_the_one_that_learns_the_servers_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut asking = Vec::new();
    for folder in ["src", "../../migrations"] {
        for file in files(&root.join(folder)) {
            let text = fs::read_to_string(&file).unwrap().to_lowercase();
            let named = ["current_timestamp", "_timestamp()", "'now'", "strftime"];
            let bare = text.match_indices("now()").any(|(at, _)| {
                let before = text[..at].chars().next_back();
                before.is_some_and(|before| before != '.' && before != ':')
            });
            if bare || named.iter().any(|clock| text.contains(clock)) {
                asking.push(file.file_name().unwrap().to_owned());
            }
        }
    }
    assert_eq!(asking, ["server_time.rs"]);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
