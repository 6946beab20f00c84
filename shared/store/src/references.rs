//! Which mirrors texts can lead to, and which they wait for.

use crate::{Fence, Owe, Store, StoreError, database::PATIENCE, sql::Text, work::owe_in};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::Priority,
};
use sqlx::types::Json;
use std::collections::{BTreeMap, BTreeSet};

// A list is bound as one JSON value, so that its length does not change the text.
const MIRRORED: Text = Text {
    sqlite: "\
SELECT source_issue_iid, target_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND target_issue_iid IS NOT NULL
  AND source_issue_iid IN (SELECT value FROM json_each($2))",
    postgres: "\
SELECT source_issue_iid, target_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND target_issue_iid IS NOT NULL
  AND source_issue_iid IN (SELECT CAST(jsonb_array_elements($2) AS BIGINT))",
};

const AWAITED_BY: &str = "\
SELECT awaited_iid FROM awaited_mirrors WHERE mirror_id = $1 AND source_iid = $2";

const FORGET: Text = Text {
    sqlite: "\
DELETE FROM awaited_mirrors WHERE mirror_id = $1 AND source_iid = $2
  AND awaited_iid NOT IN (SELECT value FROM json_each($3))",
    postgres: "\
DELETE FROM awaited_mirrors WHERE mirror_id = $1 AND source_iid = $2
  AND awaited_iid NOT IN (SELECT CAST(jsonb_array_elements($3) AS BIGINT))",
};

// SQLite takes the conflict for a join's condition where none stands before it.
const AWAIT: Text = Text {
    sqlite: "\
INSERT INTO awaited_mirrors (mirror_id, awaited_iid, source_iid)
SELECT $1, value, $2 FROM json_each($3) WHERE true ON CONFLICT DO NOTHING",
    postgres: "\
INSERT INTO awaited_mirrors (mirror_id, awaited_iid, source_iid)
SELECT $1, CAST(jsonb_array_elements($3) AS BIGINT), $2 ON CONFLICT DO NOTHING",
};

const WAITING_FOR: &str = "\
SELECT source_iid FROM awaited_mirrors WHERE mirror_id = $1 AND awaited_iid = $2
ORDER BY source_iid";

const APPEARED: &str = "\
DELETE FROM awaited_mirrors WHERE mirror_id = $1 AND awaited_iid = $2";

impl Store {
    /// The mirrors of these source issues, by number; nothing for those that have none.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn mirrors_of(
        &self,
        mirror: MirrorId,
        iids: &BTreeSet<Iid>,
    ) -> Result<BTreeMap<Iid, Iid>, StoreError> {
        let query = self.read(MIRRORED).bind(mirror.0).bind(Json(numbers(iids)));
        let rows: Vec<(i64, i64)> = query.fetch_all().await?;
        Ok(rows
            .into_iter()
            .map(|(source, target)| (Iid(source), Iid(target)))
            .collect())
    }

    /// As [`Store::mirrors_of`], for an issue whose text refers to these. It is remembered to wait
    /// for the others, and is owed again when one of them appears ([`Store::mirror_appeared`]).
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn await_mirrors(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        referred: &BTreeSet<Iid>,
    ) -> Result<BTreeMap<Iid, Iid>, StoreError> {
        let found = self.mirrors_of(mirror, referred).await?;
        let missing: BTreeSet<Iid> = referred
            .iter()
            .filter(|iid| !found.contains_key(iid))
            .copied()
            .collect();
        let rows: Vec<(i64,)> = self
            .read(AWAITED_BY)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_all()
            .await?;
        let known: BTreeSet<Iid> = rows.into_iter().map(|(iid,)| Iid(iid)).collect();
        if known == missing {
            return Ok(found);
        }
        let missing = numbers(&missing);
        let mut tx = self.begin_fenced(fence).await?;
        for text in [FORGET, AWAIT] {
            tx.query(text)
                .bind(mirror.0)
                .bind(iid.0)
                .bind(Json(&missing))
                .execute()
                .await?;
        }
        tx.commit().await?;
        // One that appeared before this was written found nobody waiting.
        self.mirrors_of(mirror, referred).await
    }

    /// The mirror of an issue is recorded: the issues whose text waits for it are owed again. To be
    /// called when that record is committed, and before the job that made it ends. Not fenced: who
    /// is owed in vain finds nothing to do. Returns how many they are.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn mirror_appeared(&self, mirror: MirrorId, iid: Iid) -> Result<usize, StoreError> {
        let waiting = self.read(WAITING_FOR).bind(mirror.0).bind(iid.0);
        let waiting: Vec<(i64,)> = waiting.fetch_all().await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        // Each keeps the urgency it has.
        let iids = waiting.iter().map(|(iid,)| Iid(*iid));
        let owes = Owe::issues(mirror, iids, Priority::Backfill);
        let mut tx = self.begin(PATIENCE).await?;
        // The work first: a job that begins to wait holds its own before it says so.
        owe_in(&mut tx, &owes, self.now()).await?;
        tx.query(APPEARED)
            .bind(mirror.0)
            .bind(iid.0)
            .execute()
            .await?;
        tx.commit().await?;
        Ok(owes.len())
    }
}

fn numbers(iids: &BTreeSet<Iid>) -> Vec<i64> {
    iids.iter().map(|iid| iid.0).collect()
}
