//! Which tables a copy of one mirror holds, and of which mirrors.

/// Rows that go into a copy. `$1` is a mirror, where there is one.
pub(super) struct Copied {
    /// Where they go.
    pub(super) table: &'static str,
    /// Where they come from; its columns have the names of the table's.
    pub(super) rows: &'static str,
}

macro_rules! rows {
    ($($table:literal: $rows:expr,)*) => {
        &[$(Copied { table: $table, rows: $rows }),*]
    };
}

/// The mirror, and the one in the opposite direction: what came from there is not sent there.
pub(super) const HALVES: &str = "\
SELECT a.id FROM mirrors own JOIN mirrors a
    ON a.id = own.id
    OR (a.source_instance_id = own.target_instance_id
    AND a.source_project_id = own.target_project_id
    AND a.target_instance_id = own.source_instance_id
    AND a.target_project_id = own.source_project_id)
WHERE own.id = $1 ORDER BY a.id";

/// What is not one mirror's, whole: those first that others refer to. Whose copies may come along, and
/// what else is mirrored, is asked of all mirrors. No token is among it, and no certificate.
pub(super) const AROUND: &[Copied] = rows! {
    "instances": "\
SELECT id, name, api_base, created_at, updated_at, title, limits, concurrency, revision
FROM instances",
    "instance_names": "SELECT * FROM instance_names",
    "our_users": "SELECT * FROM our_users",
    "target_facts": "SELECT * FROM target_facts",
    "target_dropped_fields": "SELECT * FROM target_dropped_fields",
    "mirrors": "SELECT * FROM mirrors",
};

/// Of the mirror, and of the one in the opposite direction.
pub(super) const OF_EACH: &[Copied] = rows! {
    "mirror_issue_configs": "SELECT * FROM mirror_issue_configs WHERE mirror_id = $1",
    "issue_mappings": "SELECT * FROM issue_mappings WHERE mirror_id = $1",
    "comment_mappings": "\
SELECT c.* FROM comment_mappings c JOIN issue_mappings i ON i.id = c.issue_mapping_id
WHERE i.mirror_id = $1",
    "thread_mappings": "\
SELECT t.* FROM thread_mappings t JOIN issue_mappings i ON i.id = t.issue_mapping_id
WHERE i.mirror_id = $1",
    "target_edits": "\
SELECT e.* FROM target_edits e JOIN issue_mappings i ON i.id = e.issue_mapping_id
WHERE i.mirror_id = $1",
    "attachment_mappings": "\
SELECT a.* FROM attachment_mappings a JOIN mirrors m
    ON m.source_instance_id = a.source_instance_id AND m.source_project_id = a.source_project_id
   AND m.target_instance_id = a.target_instance_id AND m.target_project_id = a.target_project_id
WHERE m.id = $1",
    "adoption_pairs": "SELECT * FROM adoption_pairs WHERE mirror_id = $1",
    "awaited_mirrors": "SELECT * FROM awaited_mirrors WHERE mirror_id = $1",
    "awaited_moves": "SELECT * FROM awaited_moves WHERE mirror_id = $1",
    "create_intents": "SELECT * FROM create_intents WHERE mirror_id = $1",
    "gone_issues": "SELECT * FROM gone_issues WHERE mirror_id = $1",
    "impostors": "SELECT * FROM impostors WHERE mirror_id = $1",
    "link_mappings": "SELECT * FROM link_mappings WHERE mirror_id = $1",
    "upload_transfers": "SELECT * FROM upload_transfers WHERE mirror_id = $1",
    "upload_waiters": "\
SELECT w.* FROM upload_waiters w JOIN upload_transfers t ON t.id = w.transfer_id
WHERE t.mirror_id = $1",
};

/// Of the mirror alone: the issues that are owed, all due and in nobody's hands. No scan, since the
/// copy's owner asks for one, and no file to be carried.
pub(super) const OWED: Copied = Copied {
    table: "work",
    rows: "\
SELECT id, kind, key, mirror_id, priority,
       CASE WHEN state = 'dead' THEN 'dead' ELSE 'pending' END AS state, created_at AS run_at,
       CAST(0 AS BIGINT) AS attempts, CAST(0 AS BIGINT) AS crashes, ticket, rerun_changed,
       last_error, error_fingerprint, created_at, updated_at
FROM work WHERE mirror_id = $1 AND kind = 'sync_issue' AND state <> 'done'",
};

/// Of the mirrors beside, between the same instances: which copies there are, because a moved issue
/// may have its copy by any of them.
pub(super) const BESIDE: Copied = Copied {
    table: "issue_mappings",
    rows: "\
SELECT i.id, i.mirror_id, i.source_issue_id, i.source_issue_iid, i.target_issue_id,
       i.target_issue_iid, i.owned_labels, i.sync_status, i.created_at, i.updated_at
FROM mirrors own
JOIN mirrors m ON m.source_instance_id = own.source_instance_id
              AND m.target_instance_id = own.target_instance_id
JOIN issue_mappings i ON i.mirror_id = m.id
WHERE own.id = $1 AND m.id <> own.id AND i.target_issue_iid IS NOT NULL
  AND (m.source_project_id <> own.target_project_id OR m.target_project_id <> own.source_project_id
       OR m.source_instance_id <> m.target_instance_id)",
};

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{Connection, SqlSafeStr, SqliteConnection};
    use std::collections::BTreeSet;

    /// What runs a service, and what nobody who only plans has any business with. What is kept count of
    /// counts itself.
    const LEFT: [&str; 20] = [
        "api_tokens",
        "audit",
        "errands",
        "error_counts",
        "hook_receipts",
        "hooks",
        "issue_sync_jobs",
        "login_attempts",
        "mirror_counts",
        "queues",
        "requests",
        "run_counts",
        "run_groups",
        "run_issues",
        "run_memberships",
        "sessions",
        "setup_codes",
        "users",
        "work_attempts",
        "workers",
    ];

    #[tokio::test]
    async fn of_every_table_it_is_decided_whether_a_copy_holds_it() {
        let mut memory = SqliteConnection::connect(":memory:").await.unwrap();
        for migration in crate::open::SCHEMA.iter() {
            let sql = migration.sql.clone().into_sql_str();
            sqlx::raw_sql(sql).execute(&mut memory).await.unwrap();
        }
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        )
        .fetch_all(&mut memory)
        .await
        .unwrap();
        let tables: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
        let copied = AROUND.iter().chain(OF_EACH).chain([&OWED, &BESIDE]);
        let copied: BTreeSet<&str> = copied.map(|copied| copied.table).collect();
        let left = BTreeSet::from(LEFT);
        assert_eq!(copied.intersection(&left).next(), None);
        let decided: BTreeSet<&str> = copied.union(&left).copied().collect();
        assert_eq!(decided, tables);
    }
}
