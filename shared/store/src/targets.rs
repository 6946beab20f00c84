//! What a target project turned out to do, learnt once and not fought again.

use crate::{Store, StoreError, database::PATIENCE};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ids::{InstanceId, ProjectId};
use std::collections::BTreeMap;

/// What is known of a target project.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TargetFacts {
    /// Fields it dropped without a word and did not take since.
    pub dropped: BTreeMap<String, Dropped>,
    /// Whether scoped labels exclude each other there; `None` until seen.
    pub scoped_exclusive: Option<bool>,
    /// Whether a confidential issue was proven to stay confidential there.
    pub confidential_proven: bool,
    /// Whether an internal note was proven to stay internal there.
    pub internal_proven: bool,
}

/// A field that was dropped without a word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// Digest of token, role and edition under which it was. Under another stamp the field is worth a
    /// new try.
    pub stamp: String,
    /// That was in the last twenty hours. Later it is worth one under the same stamp, too: nothing
    /// tells when a licence was bought.
    pub lately: bool,
}

/// One thing learnt of a target project. Recorded one by one, so that two jobs that learn at the
/// same time do not undo each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetFact {
    /// It drops this field, under this stamp.
    Dropped {
        /// The field, by GitLab's name.
        field: String,
        /// Digest of token, role, edition.
        stamp: String,
    },
    /// It takes this field, after all.
    Taken {
        /// The field, by GitLab's name.
        field: String,
    },
    /// Whether scoped labels exclude each other.
    ScopedExclusive(bool),
    /// Whether a confidential issue stays confidential.
    ConfidentialProven(bool),
    /// Whether an internal note stays internal.
    InternalProven(bool),
}

const FACTS: &str = "\
SELECT scoped_exclusive, confidential_proven, internal_proven FROM target_facts
WHERE instance_id = $1 AND project_id = $2";

const DROPPED: &str = "\
SELECT field, stamp, updated_at FROM target_dropped_fields
WHERE instance_id = $1 AND project_id = $2";

// So that each day's comparison of everything tries again.
const BELIEVED: TimeDelta = TimeDelta::hours(20);

const SAVE_DROPPED: &str = "\
INSERT INTO target_dropped_fields (instance_id, project_id, field, stamp, updated_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (instance_id, project_id, field) DO UPDATE SET
    stamp = excluded.stamp, updated_at = excluded.updated_at";

const TAKEN: &str = "\
DELETE FROM target_dropped_fields
WHERE instance_id = $1 AND project_id = $2 AND field = $3 AND updated_at < $4";

const SAVE_SCOPED: &str = "\
INSERT INTO target_facts (instance_id, project_id, scoped_exclusive, confidential_proven, updated_at)
VALUES ($1, $2, $3, false, $4)
ON CONFLICT (instance_id, project_id) DO UPDATE SET
    scoped_exclusive = excluded.scoped_exclusive, updated_at = excluded.updated_at";

const SAVE_CONFIDENTIAL: &str = "\
INSERT INTO target_facts (instance_id, project_id, confidential_proven, updated_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (instance_id, project_id) DO UPDATE SET
    confidential_proven = excluded.confidential_proven, updated_at = excluded.updated_at";

const SAVE_INTERNAL: &str = "\
INSERT INTO target_facts (instance_id, project_id, confidential_proven, internal_proven, updated_at)
VALUES ($1, $2, false, $3, $4)
ON CONFLICT (instance_id, project_id) DO UPDATE SET
    internal_proven = excluded.internal_proven, updated_at = excluded.updated_at";

impl Store {
    /// What is known of a target project; the default, which assumes nothing, if nothing is.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn target_facts(
        &self,
        instance: InstanceId,
        project: ProjectId,
    ) -> Result<TargetFacts, StoreError> {
        let facts: Option<(Option<bool>, bool, bool)> = self
            .read(FACTS)
            .bind(instance.0)
            .bind(project.0)
            .fetch_optional()
            .await?;
        let dropped: Vec<(String, String, DateTime<Utc>)> = self
            .read(DROPPED)
            .bind(instance.0)
            .bind(project.0)
            .fetch_all()
            .await?;
        let since = self.now() - BELIEVED;
        let (scoped_exclusive, confidential_proven, internal_proven) = facts.unwrap_or_default();
        Ok(TargetFacts {
            dropped: dropped
                .into_iter()
                .map(|(field, stamp, at)| {
                    let lately = at > since;
                    (field, Dropped { stamp, lately })
                })
                .collect(),
            scoped_exclusive,
            confidential_proven,
            internal_proven,
        })
    }

    /// Records one thing learnt.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn record_target_fact(
        &self,
        instance: InstanceId,
        project: ProjectId,
        fact: &TargetFact,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let query = match fact {
            TargetFact::Dropped { field, stamp } => tx
                .query(SAVE_DROPPED)
                .bind(instance.0)
                .bind(project.0)
                .bind(field)
                .bind(stamp),
            TargetFact::Taken { field } => {
                tx.query(TAKEN).bind(instance.0).bind(project.0).bind(field)
            }
            TargetFact::ScopedExclusive(exclusive) => tx
                .query(SAVE_SCOPED)
                .bind(instance.0)
                .bind(project.0)
                .bind(exclusive),
            TargetFact::ConfidentialProven(proven) => tx
                .query(SAVE_CONFIDENTIAL)
                .bind(instance.0)
                .bind(project.0)
                .bind(proven),
            TargetFact::InternalProven(proven) => tx
                .query(SAVE_INTERNAL)
                .bind(instance.0)
                .bind(project.0)
                .bind(proven),
        };
        query.bind(now).execute().await?;
        tx.commit().await
    }
}
