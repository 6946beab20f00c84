//! Finds what changed on either side of a mirror.

use crate::{
    Context, SyncError,
    events::Event,
    lease::Lease,
    link::Link,
    stages::{source_walk, target_walk},
};
use chrono::TimeDelta;
use mirror_core::outcome::Outcome;

/// By then a worker has read a mirror's settings anew.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(2);

/// The target first: whatever is there already is adopted before anything is created. Then the
/// source.
pub(crate) async fn run(cx: &Context, lease: &Lease, link: &Link) -> Result<Outcome, SyncError> {
    let mirror = cx.store.mirror(link.mirror).await?;
    let full = link.settings.full || cx.store.serves_full_run(&lease.fence).await?;
    let new_rules = has_new_rules(cx, link).await?;
    if full || new_rules {
        cx.store
            .forget_fingerprints(&lease.fence, link.mirror, None)
            .await?;
    }
    if full {
        cx.store
            .forget_refused_uploads(&lease.fence, link.mirror)
            .await?;
    }
    let touched = target_walk::run(cx, lease, link, &mirror.watermarks, full).await?;
    let everything = full || new_rules;
    let due = source_walk::run(cx, lease, link, &mirror.watermarks, everything).await?;
    if new_rules {
        let rules = &link.settings.rules;
        cx.store
            .record_rules_walked(&lease.fence, link.mirror, rules.text(), &rules.digest())
            .await?;
    }
    if full && link.settings.only.is_none() {
        cx.store.record_full_walk(&lease.fence, link.mirror).await?;
    }
    cx.events.emit(Event::Scanned {
        mirror: link.mirror,
    });
    Ok(Outcome::Scanned {
        owed: touched + due,
    })
}

/// Whether the rules have changed since everything was walked. Then all is walked anew, but not
/// while some worker may still go by the old ones.
async fn has_new_rules(cx: &Context, link: &Link) -> Result<bool, SyncError> {
    let rules = &link.settings.rules;
    let kept = cx.store.rules(link.mirror).await?;
    if link.settings.only.is_some() || kept.walked == Some(rules.digest()) {
        return Ok(false);
    }
    if cx.plans_only() {
        // Its rules may be none that were ever kept, and nobody else goes by them.
        return Ok(true);
    }
    let now = cx.store.now();
    let until = kept.known_at.filter(|at| *at > now);
    if let Some(until) = until {
        return Err(SyncError::RulesToCome { until });
    }
    if kept.text != rules.text() {
        // This process has old ones itself.
        let until = now + LOOK_AGAIN;
        return Err(SyncError::RulesToCome { until });
    }
    Ok(true)
}
