//! Creates under way: written down before they are sent, because the answer may never arrive.

use crate::{
    Fence, Store, StoreError,
    database::{PATIENCE, Tx},
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, IntentId, MirrorId},
    mapping::{Intended, Intent},
};
use sqlx::types::Json;

macro_rules! columns {
    () => {
        "id, mirror_id, source_iid, what, sent_at, resent, candidate"
    };
}

const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM create_intents WHERE mirror_id = $1 AND source_iid = $2 AND settled_at IS NULL ",
    "ORDER BY id"
);

const TWINS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM create_intents WHERE mirror_id = $1 AND settled_at IS NOT NULL ORDER BY id"
);

const BEGIN: &str = concat!(
    "INSERT INTO create_intents ",
    "(mirror_id, source_iid, kind, what, created_at, sent_at, resent) ",
    "VALUES ($1, $2, $3, $4, $5, $5, false) ",
    "ON CONFLICT (mirror_id, source_iid) WHERE settled_at IS NULL DO NOTHING ",
    "RETURNING ",
    columns!()
);

const RESENT: &str = "\
UPDATE create_intents SET resent = true, sent_at = $2, what = $3
WHERE id = $1 AND settled_at IS NULL";

const DELAYED: &str = "\
UPDATE create_intents SET sent_at = $3
WHERE mirror_id = $1 AND source_iid = $2 AND settled_at IS NULL";

const REPLACED: &str = "\
UPDATE create_intents SET resent = true, sent_at = $2, settled_at = $2
WHERE id = $1 AND settled_at IS NULL";

const ANSWERED: &str = "UPDATE create_intents SET candidate = $2 WHERE id = $1";

const FORGET: &str = "DELETE FROM create_intents WHERE id = $1";

const SETTLE_RESENT: &str = "\
UPDATE create_intents SET settled_at = $4
WHERE id = $1 AND mirror_id = $2 AND source_iid = $3 AND settled_at IS NULL AND resent";

const SETTLE: &str = "\
DELETE FROM create_intents
WHERE id = $1 AND mirror_id = $2 AND source_iid = $3 AND settled_at IS NULL";

#[derive(sqlx::FromRow)]
struct IntentRow {
    id: i64,
    mirror_id: i64,
    source_iid: i64,
    what: Json<Intended>,
    sent_at: DateTime<Utc>,
    resent: bool,
    candidate: Option<i64>,
}

impl From<IntentRow> for Intent {
    fn from(row: IntentRow) -> Self {
        Self {
            id: IntentId(row.id),
            mirror: MirrorId(row.mirror_id),
            source_iid: Iid(row.source_iid),
            what: row.what.0,
            sent_at: row.sent_at,
            resent: row.resent,
            candidate: row.candidate,
        }
    }
}

impl Store {
    /// The creates of an issue that are not settled: at most one.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn intents(&self, mirror: MirrorId, iid: Iid) -> Result<Vec<Intent>, StoreError> {
        let rows: Vec<IntentRow> = self
            .read(OPEN)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_all()
            .await?;
        Ok(rows.into_iter().map(Intent::from).collect())
    }

    /// The settled creates that were sent twice: the other one may still turn up. They stay until
    /// [`Store::drop_intent`].
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn twin_watch(&self, mirror: MirrorId) -> Result<Vec<Intent>, StoreError> {
        let rows: Vec<IntentRow> = self.read(TWINS).bind(mirror.0).fetch_all().await?;
        Ok(rows.into_iter().map(Intent::from).collect())
    }

    /// Writes down, durably, what is about to be created.
    ///
    /// # Errors
    /// [`StoreError::Fenced`]; [`StoreError::IntentOpen`] with the one that must be settled first.
    pub async fn begin_intent(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        what: Intended,
    ) -> Result<Intent, StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        let intent = open_intent(&mut tx, mirror, iid, what, self.now()).await?;
        tx.commit().await?;
        Ok(intent)
    }

    /// Writes down that it is about to be sent once more, as this; its `sent_at` is now, because the
    /// second request can land as late after its sending as the first could.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::NoSuchIntent`].
    pub async fn intent_resent(
        &self,
        fence: &Fence,
        intent: IntentId,
        what: &Intended,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        let found = tx
            .query(RESENT)
            .bind(intent.0)
            .bind(self.now())
            .bind(Json(what))
            .execute()
            .await?;
        if found == 0 {
            return Err(StoreError::NoSuchIntent);
        }
        tx.commit().await
    }

    /// Writes down that what an issue's open intent is about leaves only now: its turn was long in
    /// coming. `false` where nothing is open.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn intent_delayed(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        let found = tx
            .query(DELAYED)
            .bind(mirror.0)
            .bind(iid.0)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await?;
        Ok(found > 0)
    }

    /// Settles an intent that was sent, is proven absent, and gives way to another one of its
    /// issue: what it was about is sent again under a new intent, so this one is watched as one
    /// that was sent twice.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn intent_replaced(&self, fence: &Fence, intent: IntentId) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(REPLACED)
            .bind(intent.0)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await
    }

    /// Writes down the id that the answer named. Not fenced: the answer is known only here, and
    /// whoever holds the work by now needs it.
    ///
    /// # Errors
    /// [`StoreError::NoSuchIntent`].
    pub async fn intent_answered(&self, intent: IntentId, created: i64) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let found = tx
            .query(ANSWERED)
            .bind(intent.0)
            .bind(created)
            .execute()
            .await?;
        if found == 0 {
            return Err(StoreError::NoSuchIntent);
        }
        tx.commit().await
    }

    /// Forgets an intent: it is decided that it did not happen, or that it has no twin.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn drop_intent(&self, fence: &Fence, intent: IntentId) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(FORGET).bind(intent.0).execute().await?;
        tx.commit().await
    }
}

pub(crate) async fn open_intent(
    tx: &mut Tx,
    mirror: MirrorId,
    iid: Iid,
    what: Intended,
    now: DateTime<Utc>,
) -> Result<Intent, StoreError> {
    let kind = match what {
        Intended::Issue { .. } => "issue",
        Intended::Note { .. } => "note",
        Intended::Time { .. } => "time",
    };
    let opened: Option<IntentRow> = tx
        .query(BEGIN)
        .bind(mirror.0)
        .bind(iid.0)
        .bind(kind)
        .bind(Json(what))
        .bind(now)
        .fetch_optional()
        .await?;
    match opened {
        Some(row) => Ok(row.into()),
        None => {
            let open: IntentRow = tx
                .query(OPEN)
                .bind(mirror.0)
                .bind(iid.0)
                .fetch_one()
                .await?;
            Err(StoreError::IntentOpen(Box::new(open.into())))
        }
    }
}

/// Closes an intent whose effect is being recorded in the same transaction.
pub(crate) async fn settle_intent(
    tx: &mut Tx,
    mirror: MirrorId,
    iid: Iid,
    intent: IntentId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let kept = tx
        .query(SETTLE_RESENT)
        .bind(intent.0)
        .bind(mirror.0)
        .bind(iid.0)
        .bind(now)
        .execute()
        .await?;
    if kept == 1 {
        return Ok(());
    }
    let closed = tx
        .query(SETTLE)
        .bind(intent.0)
        .bind(mirror.0)
        .bind(iid.0)
        .execute()
        .await?;
    if closed == 1 {
        Ok(())
    } else {
        Err(StoreError::NoSuchIntent)
    }
}
