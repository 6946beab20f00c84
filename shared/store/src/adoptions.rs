//! Target issues that are to be adopted as mirrors, because a person or another tool's footer says
//! so. The issue's own job does it; until then it is on record.

use crate::{
    Fence, Owe, Store, StoreError,
    database::{PATIENCE, Tx},
    issues::save,
    work::owe_in,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::Priority,
    mapping::IssueMapping,
};

/// A source issue, and the target issue that is to be its mirror.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pair {
    /// The source issue.
    pub source: Iid,
    /// The target issue.
    pub target: Iid,
}

/// Why a pair cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PairConflict {
    /// The source issue has another mirror.
    Mirrored {
        /// The pair.
        pair: Pair,
        /// What it is mirrored by.
        by: Iid,
    },
    /// The target issue is the mirror of another issue, or is to be.
    Taken {
        /// The pair.
        pair: Pair,
        /// Whose mirror it is.
        of: Iid,
    },
}

/// A pair on record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedPair {
    /// The target issue.
    pub target: Iid,
    /// A person asked for it; else another tool's footer was found to say so.
    pub by_hand: bool,
}

const MIRROR_OF: &str = "\
SELECT target_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND source_issue_iid = $2 AND target_issue_iid IS NOT NULL";

const ORIGINAL_OF: &str = "\
SELECT source_issue_iid FROM issue_mappings WHERE mirror_id = $1 AND target_issue_iid = $2";

const ASKED_FOR_TARGET: &str = "\
SELECT source_iid FROM adoption_pairs WHERE mirror_id = $1 AND target_iid = $2";

const ASK: &str = "\
INSERT INTO adoption_pairs (mirror_id, source_iid, target_iid, by_hand, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (mirror_id, source_iid) DO UPDATE SET
    target_iid = excluded.target_iid, by_hand = excluded.by_hand, created_at = excluded.created_at";

const NOTE: &str = "\
INSERT INTO adoption_pairs (mirror_id, source_iid, target_iid, by_hand, created_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const ASKED: &str = "\
SELECT target_iid, by_hand FROM adoption_pairs WHERE mirror_id = $1 AND source_iid = $2";

const FORGET: &str = "DELETE FROM adoption_pairs WHERE mirror_id = $1 AND source_iid = $2";

impl Store {
    /// Records that these target issues are to be adopted, and owes their jobs. All of them or, where
    /// there are conflicts, none: then these are returned. A pair that is mapped already is left.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn ask_adoptions(
        &self,
        mirror: MirrorId,
        pairs: &[Pair],
    ) -> Result<Vec<PairConflict>, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let iids = pairs.iter().map(|pair| pair.source);
        let owes = Owe::issues(mirror, iids, Priority::ByHand);
        // The work first: a job holds its own before it comes to its pair.
        owe_in(&mut tx, &owes, now).await?;
        let mut conflicts = Vec::new();
        for pair in pairs {
            match conflict(&mut tx, mirror, *pair).await? {
                Err(conflict) => conflicts.push(conflict),
                Ok(true) => {}
                Ok(false) => keep(&mut tx, ASK, mirror, *pair, true, now).await?,
            }
        }
        if conflicts.is_empty() {
            tx.commit().await?;
        }
        Ok(conflicts)
    }

    /// The target issue that this source issue is to be mirrored by, where that is on record.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn asked_adoption(
        &self,
        mirror: MirrorId,
        source: Iid,
    ) -> Result<Option<AskedPair>, StoreError> {
        let row: Option<(i64, bool)> = self
            .read(ASKED)
            .bind(mirror.0)
            .bind(source.0)
            .fetch_optional()
            .await?;
        Ok(row.map(|(target, by_hand)| AskedPair {
            target: Iid(target),
            by_hand,
        }))
    }

    /// Records an adoption that was asked for as done.
    ///
    /// # Errors
    /// As [`Store::record_issue`].
    pub async fn record_adopted(
        &self,
        fence: &Fence,
        mapping: &IssueMapping,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        save(&mut tx, mapping, self.now()).await?;
        forget(&mut tx, mapping.mirror, mapping.source_iid).await?;
        tx.commit().await
    }

    /// Forgets that an adoption was asked for. `false`: none was.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn forget_adoption(&self, mirror: MirrorId, source: Iid) -> Result<bool, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let forgotten = forget(&mut tx, mirror, source).await?;
        tx.commit().await?;
        Ok(forgotten > 0)
    }
}

/// `true`: it is as asked already.
async fn conflict(
    tx: &mut Tx,
    mirror: MirrorId,
    pair: Pair,
) -> Result<Result<bool, PairConflict>, StoreError> {
    if let Some(by) = look(tx, MIRROR_OF, mirror, pair.source).await? {
        return Ok(if by == pair.target {
            Ok(true)
        } else {
            Err(PairConflict::Mirrored { pair, by })
        });
    }
    for text in [ORIGINAL_OF, ASKED_FOR_TARGET] {
        if let Some(of) = look(tx, text, mirror, pair.target).await?
            && of != pair.source
        {
            return Ok(Err(PairConflict::Taken { pair, of }));
        }
    }
    Ok(Ok(false))
}

async fn look(
    tx: &mut Tx,
    text: &'static str,
    mirror: MirrorId,
    iid: Iid,
) -> Result<Option<Iid>, StoreError> {
    let query = tx.query(text).bind(mirror.0).bind(iid.0);
    let row: Option<(i64,)> = query.fetch_optional().await?;
    Ok(row.map(|(iid,)| Iid(iid)))
}

async fn keep(
    tx: &mut Tx,
    text: &'static str,
    mirror: MirrorId,
    pair: Pair,
    by_hand: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.query(text)
        .bind(mirror.0)
        .bind(pair.source.0)
        .bind(pair.target.0)
        .bind(by_hand)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

async fn forget(tx: &mut Tx, mirror: MirrorId, source: Iid) -> Result<u64, StoreError> {
    let query = tx.query(FORGET).bind(mirror.0).bind(source.0);
    Ok(query.execute().await?)
}

/// Notes pairs that a walk found; what a person asked for, or an earlier walk found, stays.
pub(crate) async fn note_pairs(
    tx: &mut Tx,
    mirror: MirrorId,
    pairs: &[Pair],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for pair in pairs {
        keep(tx, NOTE, mirror, *pair, false, now).await?;
    }
    Ok(())
}
