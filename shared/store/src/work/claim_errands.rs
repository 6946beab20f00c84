//! Errands are of no mirror, and dealt out beside what mirrors owe.

use super::claim::ClaimedRow;
use crate::{
    StoreError,
    database::Tx,
    sql::{Text, on_work},
};
use chrono::{DateTime, Utc};

/// So many errands are out at once.
const ERRANDS_AT_ONCE: i64 = 4;

// Of no mirror, so none rests. Few at once: they may take long, and mirroring goes on beside them.
pub(super) const ERRANDS: Text = on_work!(
    "state = 'pending' AND kind = 'errand' AND run_at <= $1 ORDER BY run_at LIMIT $2",
    free,
    "UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $3, owner = NULL,
                     started_at = NULL, updated_at = $1
     WHERE state = 'pending' AND id IN (SELECT id FROM held)
     RETURNING id, ticket, key, mirror_id, priority, run_at"
);

pub(super) const ERRANDS_OUT: &str = "\
SELECT COUNT(*) FROM work
WHERE state IN ('queued', 'running') AND mirror_id IS NULL AND kind = 'errand'";

pub(super) async fn claim_errands(
    tx: &mut Tx,
    limit: usize,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Vec<ClaimedRow>, StoreError> {
    let (out,): (i64,) = tx.query(ERRANDS_OUT).fetch_one().await?;
    let room = ERRANDS_AT_ONCE.saturating_sub(out).max(0);
    let room = i64::try_from(limit).unwrap_or(i64::MAX).min(room);
    let errands = tx.query(ERRANDS).bind(now).bind(room).bind(lease_until);
    Ok(errands.fetch_all().await?)
}
