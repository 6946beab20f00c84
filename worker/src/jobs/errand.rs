//! Does what a person wants of a GitLab, and writes down what came of it. Whatever an errand did
//! stands in its own record; its row of work only ends, so that a refusal is no dead letter.

mod connect_mirror;
mod plan;
mod register_hook;
mod unlink;

use crate::{
    Connector, Context, SyncError,
    execute::{Ended, delay, end, hand_back},
    lease::Lease,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    errand::{Errand, ErrandReport},
    ids::ErrandId,
    outcome::{Outcome, Verdict},
    retry::MAX_ATTEMPTS,
};
use mirror_store::{End, StoreError};

/// When it is looked again whether what comes first has ended.
const SOON: TimeDelta = TimeDelta::seconds(5);

/// What came of an errand.
enum Came {
    /// This, yet to be written down.
    Of(ErrandReport),
    /// It is written down already, together with what was done.
    Recorded,
}

pub(crate) async fn run(cx: &Context, lease: &Lease, id: ErrandId) -> Result<Outcome, SyncError> {
    let Some(errand) = cx.store.start_errand(&lease.fence, id).await? else {
        tracing::info!("it has ended, or went with what it was about");
        return Ok(Outcome::Errand);
    };
    tracing::info!(errand.kind = errand.kind(), "an errand");
    let came = match errand {
        Errand::CheckInstance { instance } => {
            let report = connector(cx)?.inspect(instance).await?;
            Came::Of(ErrandReport::Instance(report))
        }
        Errand::ConnectMirror { source, target } => {
            connect_mirror::run(cx, lease, id, &source, &target).await?
        }
        Errand::Plan { mirror, iids } => Came::Of(plan::run(cx, lease, mirror, &iids).await?),
        Errand::RegisterHook { mirror, url } => {
            register_hook::run(cx, lease, (id, mirror), &url).await?
        }
        Errand::Unlink {
            mirror,
            mapping,
            delete_target,
        } => unlink::run(cx, lease, (mirror, mapping), delete_target).await?,
    };
    if let Came::Of(report) = came {
        cx.store.errand_done(&lease.fence, id, &report).await?;
    }
    Ok(Outcome::Errand)
}

fn connector(cx: &Context) -> Result<&Connector, SyncError> {
    cx.links.connector().ok_or_else(|| {
        refused("this process reaches only what it was given; a worker of the service does errands")
    })
}

/// For good: it says what, why, and what would mend it.
fn refused(why: impl Into<String>) -> SyncError {
    SyncError::PersonNeeded(why.into())
}

/// Ends its row of work. A failure that may pass is tried again for as long as any job would be;
/// meanwhile people see what it waits for.
pub(crate) async fn settle(cx: &Context, lease: &Lease, id: ErrandId, attempt: i64, ended: Ended) {
    let error = match ended {
        Ended::Well(outcome) => {
            end(cx, lease, End::Done { outcome: &outcome }).await;
            return;
        }
        Ended::Panicked => {
            let problem = "the errand panicked; this is a defect, please report it";
            tracing::error!("{problem}");
            fail(cx, lease, id, problem).await;
            return;
        }
        Ended::Badly(error) => error,
    };
    let story = error.story();
    let now = cx.store.now();
    let again = match &error {
        // No mirror rests that would be looked at again by itself.
        SyncError::AtFault { .. } => Some(Verdict::GiveUp),
        // Somebody waits for it: not for ever.
        SyncError::Unreachable { .. } if attempt < MAX_ATTEMPTS => Some(Verdict::Retry),
        SyncError::Unreachable { .. } => Some(Verdict::GiveUp),
        SyncError::GitLab { .. }
        | SyncError::Store(_)
        | SyncError::LeaseLost
        | SyncError::Stopping
        | SyncError::MayStillLand { .. }
        | SyncError::Stale
        | SyncError::Relearnt
        | SyncError::Waits(_)
        | SyncError::MoreToCome
        | SyncError::RulesToCome { .. }
        | SyncError::Later { .. }
        | SyncError::PersonNeeded(_)
        | SyncError::NotConnected(_) => error.verdict(attempt, now, cx.clock.now()),
    };
    match again {
        None | Some(Verdict::Done) => {
            tracing::info!(reason = story, "handed back");
            hand_back(cx, lease).await;
        }
        Some(Verdict::Wait) => {
            let soon = now + SOON;
            wait(cx, lease, id, (soon, &story), None).await;
        }
        Some(Verdict::Snooze(until)) => wait(cx, lease, id, (until, &story), None).await,
        Some(Verdict::Retry) => {
            let at = now + delay(attempt, cx);
            wait(cx, lease, id, (at, &story), Some(&story)).await;
        }
        Some(Verdict::GiveUp) => fail(cx, lease, id, &problem(&error, &story)).await,
    }
}

/// What is told of a failure for good. Who refuses says what would mend it; of a GitLab's answer the
/// mend is to look at it and ask again.
fn problem(error: &SyncError, story: &str) -> String {
    match error {
        SyncError::PersonNeeded(_) | SyncError::AtFault { .. } => story.to_owned(),
        SyncError::GitLab { .. } | SyncError::Unreachable { .. } => {
            format!("{story}; see to that GitLab, then ask for it again")
        }
        SyncError::Store(_)
        | SyncError::LeaseLost
        | SyncError::Stopping
        | SyncError::MayStillLand { .. }
        | SyncError::Stale
        | SyncError::Relearnt
        | SyncError::Waits(_)
        | SyncError::MoreToCome
        | SyncError::RulesToCome { .. }
        | SyncError::Later { .. }
        | SyncError::NotConnected(_) => format!("{story}; ask for it again"),
    }
}

async fn wait(
    cx: &Context,
    lease: &Lease,
    id: ErrandId,
    (until, why): (DateTime<Utc>, &str),
    failed: Option<&str>,
) {
    tracing::info!(%until, why, "the errand waits");
    if !noted(cx.store.errand_waits(&lease.fence, id, why).await) {
        return;
    }
    let how = match failed {
        Some(error) => End::Retry { at: until, error },
        None => End::Snooze { until, why },
    };
    end(cx, lease, how).await;
}

async fn fail(cx: &Context, lease: &Lease, id: ErrandId, problem: &str) {
    tracing::warn!(problem, "the errand failed");
    if noted(cx.store.errand_failed(&lease.fence, id, problem).await) {
        let outcome = Outcome::Errand;
        end(cx, lease, End::Done { outcome: &outcome }).await;
    }
}

/// `false`: it could not be written down, so its row stays as it is; the lease runs out, and it is
/// done again.
fn noted(written: Result<(), StoreError>) -> bool {
    if let Err(error) = &written {
        tracing::warn!(%error, "how an errand stands could not be recorded");
    }
    written.is_ok()
}
