//! Looks at a mirror that rests for a fault, and lets it go on when that is mended.

use super::check_instance;
use crate::{
    Context, Side, SyncError,
    execute::{Ended, end, hand_back},
    lease::Lease,
};
use chrono::TimeDelta;
use mirror_core::{
    ids::MirrorId,
    outcome::{Outcome, Verdict},
    retry::next_look,
};
use mirror_store::End;

/// Reads both ends anew, whatever was known of them.
pub(crate) async fn run(cx: &Context, mirror: MirrorId) -> Result<Outcome, SyncError> {
    cx.links.doubt(mirror, &[Side::Source, Side::Target]);
    let link = cx.links.reach(mirror, false).await?;
    check_instance::run(cx, &link, Side::Source).await?;
    check_instance::run(cx, &link, Side::Target).await?;
    let resumed = cx.store.resume_mended(mirror).await?;
    if resumed {
        tracing::info!("what was at fault is mended; the mirror goes on");
    }
    Ok(Outcome::Checked { resumed })
}

/// However it ended, unless well, it is looked at again: nothing else would let the mirror go on.
pub(crate) async fn settle(cx: &Context, lease: &Lease, mirror: MirrorId, look: i64, ended: Ended) {
    let error = match ended {
        Ended::Well(outcome) => {
            end(cx, lease, End::Done { outcome: &outcome }).await;
            return;
        }
        Ended::Panicked => {
            let error = "the look panicked; this is a defect, please report it";
            tracing::error!("{error}");
            again(cx, lease, look, error).await;
            return;
        }
        Ended::Badly(error) => error,
    };
    let story = error.story();
    if let SyncError::AtFault { reason } = &error {
        if let Err(error) = cx.store.restate_fault(mirror, reason).await {
            tracing::warn!(%error, "what is at fault could not be recorded");
        }
        again(cx, lease, look, &story).await;
        return;
    }
    match error.verdict(look, cx.store.now(), cx.clock.now()) {
        Some(Verdict::Snooze(until)) => {
            let why = &story;
            end(cx, lease, End::Snooze { until, why }).await;
        }
        None => hand_back(cx, lease).await,
        Some(Verdict::Done | Verdict::Wait | Verdict::Retry | Verdict::GiveUp) => {
            again(cx, lease, look, &story).await;
        }
    }
}

async fn again(cx: &Context, lease: &Lease, look: i64, error: &str) {
    let wait = TimeDelta::from_std(next_look(look)).unwrap_or(TimeDelta::hours(1));
    let at = cx.store.now() + wait;
    tracing::info!(error, %at, "the mirror is at fault still; it will be looked at again");
    end(cx, lease, End::Retry { at, error }).await;
}
