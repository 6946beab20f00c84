//! Steps on an issue's time.

use super::{
    super::{case::Case, edits, settle},
    issue::{target, target_iid, unsuccessful},
};
use crate::{
    SyncError,
    error::{On, Side},
};
use mirror_core::{desired::Observed, mapping::Intended};

/// Sets the estimate; 0 clears it.
pub(crate) async fn set_estimate(case: &mut Case<'_>, seconds: i64) -> Result<(), SyncError> {
    let (client, project) = target(case);
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    if let Some(before) = &case.observed {
        let asked = Observed {
            estimate: seconds,
            ..before.clone()
        };
        let (cx, mapping) = (case.cx, &mut case.mapping);
        edits::about_to_send(cx, case.lease, case.link, mapping, (before, &asked)).await?;
    }
    let stats = client
        .set_time_estimate(project, iid, seconds)
        .await
        .on(Side::Target)?;
    observed_time(case, stats.estimate, None);
    if stats.estimate != seconds {
        case.dropped("time_estimate").await?;
    }
    Ok(())
}

/// Adds a signed difference of logged time, under an intent: a second one would count twice.
pub(crate) async fn add_spent_time(case: &mut Case<'_>, step: i64) -> Result<(), SyncError> {
    let (client, project) = target(case);
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    let before = case.observed.as_ref().map_or(0, |observed| observed.spent);
    let intent = case.intent(Intended::Time { step, before }).await?;
    match client.add_spent_time(project, iid, step).await {
        Ok(stats) => {
            let carried = case.mapping.carried_spent.unwrap_or(0) + step;
            case.mapping.carried_spent = Some(carried);
            observed_time(case, stats.estimate, Some(stats.spent));
            let store = &case.cx.store;
            let fence = &case.lease.fence;
            store
                .record_time(fence, case.link.mirror, case.iid(), carried, intent.id)
                .await?;
            Ok(())
        }
        Err(error) if error.outcome_unknown() => {
            let intent = case.as_recorded(intent).await?;
            if settle::time(case, &intent, step, before).await? {
                return Ok(());
            }
            Err(SyncError::GitLab {
                side: Side::Target,
                source: error,
            })
        }
        Err(error) => Err(unsuccessful(case, &intent, error).await?),
    }
}

fn observed_time(case: &mut Case<'_>, estimate: i64, spent: Option<i64>) {
    if let Some(Observed {
        estimate: shown,
        spent: total,
        ..
    }) = &mut case.observed
    {
        *shown = estimate;
        *total = spent.unwrap_or(*total);
    }
}
