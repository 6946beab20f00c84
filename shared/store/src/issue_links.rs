//! Links between mirrors: those that we made, and those that stood there already.

use crate::{Fence, Store, StoreError, database::PATIENCE};
use mirror_core::{
    ids::{Iid, MirrorId},
    issue_links::{KnownLink, LinkKind},
};
use std::collections::BTreeMap;

const SET_WANTED: &str = "\
UPDATE mirror_issue_configs SET issue_links = $2, revision = revision + 1, updated_at = $3
WHERE mirror_id = $1";

const OF_ISSUE: &str = "\
SELECT lower_iid, higher_iid, kind, ours FROM link_mappings
WHERE mirror_id = $1 AND (lower_iid = $2 OR higher_iid = $2)";

const SAVE: &str = "\
INSERT INTO link_mappings (mirror_id, lower_iid, higher_iid, kind, ours, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (mirror_id, lower_iid, higher_iid) DO UPDATE SET
    kind = excluded.kind, ours = excluded.ours";

const FORGET: &str = "\
DELETE FROM link_mappings WHERE mirror_id = $1 AND lower_iid = $2 AND higher_iid = $3";

impl Store {
    /// Sets whether a mirror carries links between issues.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn set_issue_links(&self, mirror: MirrorId, wanted: bool) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let set = tx.query(SET_WANTED).bind(mirror.0).bind(wanted);
        if set.bind(self.now()).execute().await? == 0 {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        tx.commit().await
    }

    /// The links between the mirror of an issue and other mirrors, by the other source issue.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn issue_links(
        &self,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<BTreeMap<Iid, KnownLink>, StoreError> {
        let rows: Vec<(i64, i64, String, bool)> = self
            .read(OF_ISSUE)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_all()
            .await?;
        let seen = rows.into_iter().map(|(lower, higher, kind, ours)| {
            let kind = LinkKind::named(&kind);
            if lower == iid.0 {
                (Iid(higher), KnownLink { kind, ours })
            } else {
                let kind = kind.reversed();
                (Iid(lower), KnownLink { kind, ours })
            }
        });
        Ok(seen.collect())
    }

    /// Records that the mirrors of two issues are linked, as that of the first shows it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn record_issue_link(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        other: Iid,
        link: KnownLink,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let kind = if iid < other {
            link.kind
        } else {
            link.kind.reversed()
        };
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(SAVE)
            .bind(mirror.0)
            .bind(iid.min(other).0)
            .bind(iid.max(other).0)
            .bind(kind.name())
            .bind(link.ours)
            .bind(now)
            .execute()
            .await?;
        tx.commit().await
    }

    /// The mirrors of two issues are linked no more.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn forget_issue_link(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        other: Iid,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        let forget = tx.query(FORGET).bind(mirror.0);
        let forget = forget.bind(iid.min(other).0).bind(iid.max(other).0);
        forget.execute().await?;
        tx.commit().await
    }
}
