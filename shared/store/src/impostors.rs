//! Objects on a target that carry our marker but were written by a stranger: they block the create
//! until a person has looked.

use crate::{Fence, Store, StoreError, database::Tx};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId, UserId},
    mapping::Impostor,
};

/// An object that carries the marker of a source issue but was written by a stranger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SightedImpostor {
    /// The source issue that the marker names.
    pub source_iid: Iid,
    /// The object.
    pub impostor: Impostor,
}

const IMPOSTOR: &str = "\
INSERT INTO impostors (mirror_id, source_iid, target_iid, author_id, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (mirror_id, source_iid, target_iid) DO UPDATE SET author_id = excluded.author_id
WHERE impostors.author_id <> excluded.author_id";

const IMPOSTOR_OF: &str = "\
SELECT target_iid, author_id FROM impostors
WHERE mirror_id = $1 AND source_iid = $2
ORDER BY target_iid LIMIT 1";

const CLEAR_IMPOSTOR: &str = "\
DELETE FROM impostors WHERE mirror_id = $1 AND source_iid = $2 AND target_iid = $3";

impl Store {
    /// The object that blocks an issue's create, if one does.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn impostor(
        &self,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<Option<Impostor>, StoreError> {
        let row: Option<(i64, i64)> = self
            .read(IMPOSTOR_OF)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_optional()
            .await?;
        Ok(row.map(|(target_iid, author)| Impostor {
            target_iid: Iid(target_iid),
            author: UserId(author),
        }))
    }

    /// Forgets a blocking object that no longer carries the marker.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn clear_impostor(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        target_iid: Iid,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(CLEAR_IMPOSTOR)
            .bind(mirror.0)
            .bind(iid.0)
            .bind(target_iid.0)
            .execute()
            .await?;
        tx.commit().await
    }
}

/// Notes them in the transaction of the walk that saw them.
pub(crate) async fn note_impostors(
    tx: &mut Tx,
    mirror: MirrorId,
    sighted: &[SightedImpostor],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for SightedImpostor {
        source_iid,
        impostor,
    } in sighted
    {
        tx.query(IMPOSTOR)
            .bind(mirror.0)
            .bind(source_iid.0)
            .bind(impostor.target_iid.0)
            .bind(impostor.author.0)
            .bind(now)
            .execute()
            .await?;
    }
    Ok(())
}
