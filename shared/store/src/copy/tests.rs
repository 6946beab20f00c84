//! Every table is filled for four mirrors, and looked at in a copy of the first.

use super::{
    rows::{Cell, Cells},
    tables::{AROUND, OF_EACH},
};
use crate::{
    ConnectOptions, Store, TimeSource,
    database::Database,
    testing::{Still, TestDatabase},
};
use chrono::SecondsFormat;
use mirror_core::ids::MirrorId;
use sqlx::{AssertSqlSafe, Row};
use std::{collections::BTreeSet, sync::Arc};

/// Of two projects there and back (1, 2), beside it (3), and of others (4). The databases number them.
const FILL: &str = "
INSERT INTO instances (name, api_base, created_at, updated_at, title, token, ca, limits)
VALUES ('gitlab.a', 'https://a', '2026-01-02T03:04:05.123456+00:00',
        '2026-01-02T03:04:05+00:00', 'A', 'sealed', 'pem', '[\"api=1/1\"]'),
       ('gitlab.b', 'https://b', '2026-01-02T03:04:05+00:00', '2026-01-02T03:04:05+00:00', 'B',
        'sealed', 'pem', '[]');
INSERT INTO instance_names (name, instance_id) SELECT name, id FROM instances;
INSERT INTO our_users (instance_id, user_id, username, created_at)
SELECT id, 7, 'bot', created_at FROM instances;
INSERT INTO target_facts (instance_id, project_id, confidential_proven, updated_at)
SELECT id, 20, true, created_at FROM instances;
INSERT INTO target_dropped_fields (instance_id, project_id, field, stamp, updated_at)
SELECT id, 20, 'weight', 'ce', created_at FROM instances;
INSERT INTO mirrors (source_instance_id, source_project_id, source_path, target_instance_id,
                     target_project_id, target_path, created_at, updated_at)
SELECT v.a, v.b, 'from', v.c, v.d, 'to', i.created_at, i.created_at
FROM instances i CROSS JOIN
     (SELECT 1 AS m, 1 AS a, 10 AS b, 2 AS c, 20 AS d UNION ALL SELECT 2, 2, 20, 1, 10
      UNION ALL SELECT 3, 1, 11, 2, 20 UNION ALL SELECT 4, 2, 30, 2, 31) v
WHERE i.id = 1 ORDER BY v.m;
INSERT INTO mirror_issue_configs (mirror_id, pair_id, source_watermark, created_at, updated_at)
SELECT id, CASE WHEN id = 1 THEN 2 WHEN id = 2 THEN 1 END, created_at, created_at, created_at
FROM mirrors;
INSERT INTO issue_mappings (mirror_id, source_issue_id, source_issue_iid, target_issue_id,
                            target_issue_iid, source_content_hash, owned_labels, carried_spent,
                            sync_status, created_at, updated_at, is_reverse)
SELECT id, 100, 1, 200, 2, 'print', '[\"bug\"]', 60, 'synced', created_at, created_at, id = 2
FROM mirrors;
INSERT INTO comment_mappings (issue_mapping_id, source_note_id, source_discussion_id,
                              target_note_id, created_at, updated_at)
SELECT id, 5, 'd', 6, created_at, created_at FROM issue_mappings;
INSERT INTO thread_mappings (issue_mapping_id, source_discussion_id, resolved, created_at,
                             updated_at)
SELECT id, 'd', true, created_at, created_at FROM issue_mappings;
INSERT INTO target_edits (issue_mapping_id, field, source_note_id, conflict, source_digest,
                          target_digest, found_at)
SELECT id, 'title', 0, true, 'a', 'b', created_at FROM issue_mappings;
INSERT INTO attachment_mappings (source_instance_id, source_project_id, source_secret, filename,
                                 target_instance_id, target_project_id, target_url, uploaded_at)
SELECT source_instance_id, source_project_id, 's', 'f', target_instance_id, target_project_id, 'u',
       created_at FROM mirrors;
INSERT INTO adoption_pairs (mirror_id, source_iid, target_iid, by_hand, created_at)
SELECT id, 3, 4, true, created_at FROM mirrors;
INSERT INTO awaited_mirrors (mirror_id, awaited_iid, source_iid) SELECT id, 5, 6 FROM mirrors;
INSERT INTO awaited_moves (mirror_id, source_iid, moved_to_id) SELECT id, 7, 8 FROM mirrors;
INSERT INTO create_intents (mirror_id, source_iid, kind, what, created_at, sent_at, resent)
SELECT id, 9, 'issue', '{}', created_at, created_at, false FROM mirrors;
INSERT INTO gone_issues (mirror_id, source_iid, missed_at, released)
SELECT id, 10, created_at, true FROM mirrors;
INSERT INTO impostors (mirror_id, source_iid, target_iid, author_id, created_at)
SELECT id, 11, 12, 13, created_at FROM mirrors;
INSERT INTO link_mappings (mirror_id, lower_iid, higher_iid, kind, ours, created_at)
SELECT id, 1, 2, 'blocks', true, created_at FROM mirrors;
INSERT INTO upload_transfers (mirror_id, source_secret, filename, created_at)
SELECT id, 's', 'f', created_at FROM mirrors;
INSERT INTO upload_waiters (transfer_id, source_iid) SELECT id, 1 FROM upload_transfers;
INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket,
                  rerun_changed, created_at, updated_at)
SELECT 'sync_issue', 'sync_issue/1', id, 1, 'running', created_at, 3, 1, 9, true, created_at,
       created_at FROM mirrors WHERE id = 1;
INSERT INTO hooks (mirror_id, url, token) SELECT id, 'https://hook', 'sealed' FROM mirrors;
INSERT INTO users (name, role, password, created_at, updated_at)
SELECT 'anna', 'admin', 'phc', created_at, created_at FROM instances WHERE id = 1;";

type Rows = BTreeSet<Vec<(String, Option<String>)>>;

/// By their columns' names, as text, as SQLite keeps it.
fn read(rows: &[impl Cells]) -> Rows {
    let text = |cell| match cell {
        Cell::Nothing => None,
        Cell::Number(number) => Some(number.to_string()),
        Cell::Text(text) => Some(text),
        Cell::Time(time) => Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, false)),
    };
    let rows = rows.iter().map(|row| {
        let names = row.names().into_iter().enumerate();
        let mut cells: Vec<_> = names
            .map(|(at, name)| (name, text(row.cell(at).unwrap())))
            .collect();
        // Columns that came later stand in another order on a server.
        cells.sort();
        cells
    });
    rows.collect()
}

async fn rows(store: &Store, text: String) -> Rows {
    let query = AssertSqlSafe(text);
    match store.database() {
        Database::Sqlite { readers, .. } => {
            read(&sqlx::query(query).fetch_all(readers).await.unwrap())
        }
        Database::Postgres { light, .. } => {
            read(&sqlx::query(query).fetch_all(light).await.unwrap())
        }
    }
}

async fn a_copy_is_whole_and_no_more(store: Store) {
    match store.database() {
        Database::Sqlite { writer, .. } => {
            sqlx::raw_sql(FILL).execute(writer).await.map(drop).unwrap();
        }
        Database::Postgres { light, .. } => {
            sqlx::raw_sql(FILL).execute(light).await.map(drop).unwrap();
        }
    }
    let copy = store.copy_of(MirrorId(1)).await.unwrap();
    let copied = async |table| rows(&copy, format!("SELECT * FROM {table}")).await;
    for table in AROUND.iter().map(|copied| copied.table) {
        let mut all = rows(&store, format!("SELECT * FROM {table}")).await;
        if table == "instances" {
            let secret = |cell: &mut (String, Option<String>)| {
                if cell.0 == "token" || cell.0 == "ca" {
                    assert!(cell.1.take().is_some());
                }
            };
            all = all
                .into_iter()
                .map(|mut row| {
                    row.iter_mut().for_each(secret);
                    row
                })
                .collect();
        }
        assert!(!all.is_empty(), "{table}");
        assert_eq!(copied(table).await, all, "{table}");
    }
    for from in OF_EACH {
        let table = from.table;
        let everything = rows(&store, format!("SELECT * FROM {table}")).await;
        assert_eq!(everything.len(), 4, "{table}");
        let mut halves = Rows::new();
        for half in ["1", "2"] {
            halves.extend(rows(&store, from.rows.replace("$1", half)).await);
        }
        assert_eq!(halves.len(), 2, "{table}");
        let mut found = copied(table).await;
        if table == "issue_mappings" {
            let beside = ("mirror_id".to_owned(), Some("3".to_owned()));
            let unknown = ("source_content_hash".to_owned(), None);
            let (slim, whole): (Rows, Rows) =
                found.into_iter().partition(|row| row.contains(&beside));
            assert_eq!(slim.len(), 1);
            assert!(slim.iter().all(|row| row.contains(&unknown)));
            found = whole;
        }
        assert_eq!(found, halves, "{table}");
    }
    for left in ["hooks", "users", "errands"] {
        assert!(copied(left).await.is_empty(), "{left}");
    }
    let Database::Sqlite { readers, .. } = copy.database() else {
        panic!("it is on a server");
    };
    let owed = "SELECT state, attempts, crashes, lease_until IS NULL FROM work";
    let owed = sqlx::query(owed).fetch_one(readers).await.unwrap();
    let (state, attempts): (String, i64) = (owed.get(0), owed.get(1));
    assert_eq!((state.as_str(), attempts), ("pending", 0));
    assert!(owed.get::<i64, _>(2) == 0 && owed.get::<bool, _>(3));
}

#[tokio::test]
async fn a_copy_of_a_file_is_whole_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite3");
    a_copy_is_whole_and_no_more(Store::open(&path, Arc::new(Still)).await.unwrap()).await;
}

#[tokio::test]
async fn a_copy_from_memory_is_whole_and_no_more() {
    a_copy_is_whole_and_no_more(Store::in_memory(Arc::new(Still)).await.unwrap()).await;
}

#[tokio::test]
async fn a_copy_from_a_server_is_whole_and_no_more() {
    let database = TestDatabase::create().await;
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let options = ConnectOptions {
        time: TimeSource::Clock,
        ..ConnectOptions::default()
    };
    let store = Store::connect_with(database.url(), Arc::new(Still), options).await;
    a_copy_is_whole_and_no_more(store.unwrap()).await;
}
