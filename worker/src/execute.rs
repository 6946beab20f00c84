//! From a ticket to a verdict.

use crate::{
    Context, SyncError,
    events::Event,
    jobs::{check_instance, errand, look_again, scan_mirror, sync_issue, transfer_upload},
    lease::Lease,
};
use chrono::TimeDelta;
use futures_util::{
    FutureExt,
    future::{Either, ready, select},
};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority, Ticket},
    outcome::{Outcome, Verdict},
    retry,
};
use mirror_gitlab::Errand;
use mirror_store::{End, StoreError, UnknownJob};
use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};
use tracing::Instrument;

/// How long a record that is away is waited for before a ticket is started; well within what a
/// ticket is good for.
const TO_START: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// Work that waits for other work is looked at again after so long, in case nobody set it free.
const AT_THE_LATEST: TimeDelta = TimeDelta::minutes(10);

/// How long work rests that only a newer version knows.
const FOR_NEWER: TimeDelta = TimeDelta::minutes(5);

/// Executes the job behind a ticket, if the ticket still stands, and settles its row of work. Ends
/// well whatever the job does: what becomes of the work is written in the record, not returned.
pub async fn execute(cx: &Context, ticket: Ticket) {
    let start = || cx.store.start(ticket, &cx.owner, cx.lease);
    let started = match insist(cx, TO_START, start).await {
        Ok(Some(started)) => started,
        // Handed out again meanwhile, or done: a doubled or stale ticket.
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(work.id = %ticket.work, %error, "a ticket could not be started");
            return;
        }
    };
    let held = cx.in_hand.take(ticket, started.fence, started.priority);
    let lease = &held.lease;
    let job = match started.job {
        Ok(job) => job,
        Err(unknown) => {
            leave_to_newer(cx, lease, &unknown).await;
            return;
        }
    };
    let span = tracing::info_span!(
        "job",
        job.kind = job.kind(),
        mirror.id = job.mirror().map(|mirror| mirror.0),
        issue.iid = iid_of(&job).map(|iid| iid.0),
    );
    let attempt = started.attempts + 1;
    let urgent = started.priority == Priority::ByHand;
    async {
        let ended = sending(cx, lease, job)
            .run(run_to_end(cx, lease, job, urgent))
            .await;
        match job {
            Job::CheckInstance { mirror } => {
                look_again::settle(cx, lease, mirror, attempt, ended).await;
            }
            Job::Errand { errand } => errand::settle(cx, lease, errand, attempt, ended).await,
            Job::ScanMirror { mirror }
            | Job::SyncIssue { mirror, .. }
            | Job::TransferUpload { mirror, .. } => {
                settle(cx, lease, (job, mirror), attempt, ended).await;
            }
        }
    }
    .instrument(span)
    .await;
}

/// Its requests count for the job. Between the decision to send one and its turn a process may
/// stand still for longer than its lease is good; then it is not sent. How long it may still take
/// effect counts from its turn. A plan sends nothing that changes anything, whatever its jobs want.
fn sending(cx: &Context, lease: &Lease, job: Job) -> Errand {
    let (store, fence, intended) = (cx.store.clone(), lease.fence.clone(), lease.intended());
    let (clock, plans) = (cx.clock.clone(), cx.plans_only());
    Errand {
        sent: lease.sent(),
        may_change: Arc::new(move || {
            let good = !plans && !store.lease_left(&fence).is_zero();
            let now = clock.monotonic();
            let late = intended.is_stale(now);
            let (Some((mirror, iid)), true) = (issue_of(&job), good && late) else {
                return ready(good).boxed();
            };
            let (store, fence, intended) = (store.clone(), fence.clone(), intended.clone());
            let (mirror, iid) = intended.of().unwrap_or((mirror, iid));
            async move {
                let delayed = store.intent_delayed(&fence, mirror, iid).await;
                intended.set(matches!(delayed, Ok(true)).then_some(now));
                delayed.is_ok()
            }
            .boxed()
        }),
    }
}

/// While versions are mixed, somebody newer may get it next; if nobody does, asking again and again
/// at once would be all that this process does.
async fn leave_to_newer(cx: &Context, lease: &Lease, unknown: &UnknownJob) {
    let until = cx.store.now() + FOR_NEWER;
    tracing::warn!(
        work.key = unknown.key,
        %until,
        "a newer version owes work of this kind; it is left to a newer worker"
    );
    let why = &unknown.to_string();
    end(cx, lease, End::Snooze { until, why }).await;
}

fn iid_of(job: &Job) -> Option<Iid> {
    issue_of(job).map(|(_, iid)| iid)
}

fn issue_of(job: &Job) -> Option<(MirrorId, Iid)> {
    match job {
        Job::ScanMirror { .. }
        | Job::TransferUpload { .. }
        | Job::CheckInstance { .. }
        | Job::Errand { .. } => None,
        Job::SyncIssue { mirror, iid } => Some((*mirror, *iid)),
    }
}

/// How a job ended.
pub(crate) enum Ended {
    Well(Outcome),
    Badly(SyncError),
    Panicked,
}

/// Runs the job, renewing its lease meanwhile. Both are polled all the time: the job may hold the
/// very connection that the renewal waits for.
async fn run_to_end(cx: &Context, lease: &Lease, job: Job, urgent: bool) -> Ended {
    let running = pin!(AssertUnwindSafe(run(cx, lease, job, urgent)).catch_unwind());
    match select(running, pin!(renewed(cx, lease))).await {
        Either::Left((Ok(Ok(outcome)), _)) => Ended::Well(outcome),
        Either::Left((Ok(Err(error)), _)) => Ended::Badly(error),
        Either::Left((Err(_), _)) => Ended::Panicked,
        Either::Right((never, _)) => match never {},
    }
}

/// Renews the lease at a third of its length, for as long as it is polled.
async fn renewed(cx: &Context, lease: &Lease) -> Infallible {
    loop {
        cx.clock.sleep(cx.lease / 3).await;
        if let Err(error) = cx.store.heartbeat(&lease.fence, cx.lease).await {
            tracing::warn!(%error, "a lease could not be renewed");
        }
    }
}

async fn run(cx: &Context, lease: &Lease, job: Job, urgent: bool) -> Result<Outcome, SyncError> {
    let reach = |mirror| cx.links.reach(mirror, urgent);
    let (link, ended) = match job {
        Job::CheckInstance { mirror } => return look_again::run(cx, mirror).await,
        Job::Errand { errand } => return errand::run(cx, lease, errand).boxed().await,
        Job::ScanMirror { mirror } => {
            let link = reach(mirror).await?;
            let ended = scan_mirror::run(cx, lease, &link).await;
            (link, ended)
        }
        Job::SyncIssue { mirror, iid } => {
            let link = reach(mirror).await?;
            // Kept on the heap: its walk is deep, and a thread's stack is small.
            let ended = sync_issue::run(cx, lease, &link, iid).boxed().await;
            (link, ended)
        }
        Job::TransferUpload { mirror, transfer } => {
            let link = reach(mirror).await?;
            let ended = transfer_upload::run(cx, lease, &link, transfer).await;
            (link, ended)
        }
    };
    let Err(error) = ended else { return ended };
    // Before a failure is this issue's, the project and the token are looked at.
    if let Some(side) = error.suspect() {
        check_instance::run(cx, &link, side).await?;
    }
    Err(error)
}

async fn settle(
    cx: &Context,
    lease: &Lease,
    (job, mirror): (Job, MirrorId),
    attempt: i64,
    ended: Ended,
) {
    let iid = iid_of(&job);
    let error = match ended {
        Ended::Well(outcome) => {
            end(cx, lease, End::Done { outcome: &outcome }).await;
            return;
        }
        Ended::Panicked => {
            let error = "the job panicked; this is a defect, please report it".to_owned();
            tracing::error!("{error}");
            let failed = Event::Failed {
                mirror,
                iid,
                error: error.clone(),
                gave_up: true,
            };
            end_and_tell(cx, lease, job, End::GiveUp { error: &error }, failed).await;
            return;
        }
        Ended::Badly(error) => error,
    };
    let story = error.story();
    cx.links.doubt(mirror, error.doubts());
    if let SyncError::AtFault { reason } = &error {
        pause(cx, mirror, reason).await;
    }
    let now = cx.store.now();
    let failed = |gave_up| Event::Failed {
        mirror,
        iid,
        error: story.clone(),
        gave_up,
    };
    match error.verdict(attempt, now, cx.clock.now()) {
        None => {
            tracing::info!(reason = story, "handed back");
            hand_back(cx, lease).await;
        }
        Some(Verdict::Done) => hand_back(cx, lease).await,
        Some(Verdict::Wait) => {
            tracing::info!(why = story, "waiting for other work");
            let until = now + AT_THE_LATEST;
            let why = &story;
            end(cx, lease, End::Wait { until, why }).await;
        }
        Some(Verdict::Snooze(until)) => {
            tracing::info!(%until, why = story, "waiting");
            let waiting = Event::Waiting {
                mirror,
                iid,
                until,
                why: story.clone(),
            };
            let why = &story;
            end_and_tell(cx, lease, job, End::Snooze { until, why }, waiting).await;
        }
        Some(Verdict::Retry) => {
            let at = now + delay(attempt, cx);
            tracing::warn!(error = story, %at, "failed; will be tried again");
            let end = End::Retry { at, error: &story };
            end_and_tell(cx, lease, job, end, failed(false)).await;
        }
        Some(Verdict::GiveUp) => {
            tracing::error!(error = story, "failed for good");
            let end = End::GiveUp { error: &story };
            end_and_tell(cx, lease, job, end, failed(true)).await;
            if let Job::TransferUpload { transfer, .. } = job {
                // Who waited finds it given up, and fails of itself.
                let released = cx.store.release_waiters(mirror, transfer).await;
                if let Err(error) = released {
                    tracing::warn!(%error, "those who waited could not be told");
                }
            }
        }
    }
}

/// How a job ended is told only by who held it to the end: to whoever lost it something else may
/// have happened than to the work.
async fn end_and_tell(cx: &Context, lease: &Lease, job: Job, how: End<'_>, event: Event) {
    // Events tell of issues and of the scan; how a file fails for good, its issue tells.
    let told = !matches!(job, Job::TransferUpload { .. });
    if end(cx, lease, how).await && told {
        cx.events.emit(event);
    }
}

pub(crate) fn delay(attempt: i64, cx: &Context) -> TimeDelta {
    let wait: Duration = retry::delay(attempt, cx.entropy.next_u64());
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(15))
}

/// A mirror that rests already stays as it is: of many jobs that find the fault the first tells it,
/// and what a person said is not written over.
async fn pause(cx: &Context, mirror: MirrorId, reason: &str) {
    let pause = async {
        if cx.links.are_on_demand() {
            return cx.store.pause_for_fault(mirror, reason).await;
        }
        if cx.store.mirror(mirror).await?.paused.is_some() {
            return Ok(false);
        }
        cx.store.pause_mirror(mirror, reason).await?;
        Ok::<_, StoreError>(true)
    };
    match pause.await {
        Ok(false) => return,
        Ok(true) => {}
        Err(error) => tracing::warn!(%error, "the mirror could not be paused"),
    }
    cx.events.emit(Event::Paused {
        mirror,
        reason: reason.to_owned(),
    });
}

/// `false`: somebody else ends it.
pub(crate) async fn end(cx: &Context, lease: &Lease, end: End<'_>) -> bool {
    let left = cx.store.lease_left(&lease.fence);
    let took = lease.took();
    let record = || cx.store.end_after(&lease.fence, end, &took);
    match insist(cx, left, record).await {
        Ok(()) => true,
        Err(StoreError::Fenced) => {
            tracing::info!("the lease was lost; somebody else ends it");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "the end of a job could not be recorded");
            true
        }
    }
}

/// Asks the record again while it is away for a moment. Where an answer was lost the second one
/// finds it done, and is refused as any stale one is.
async fn insist<T, F>(
    cx: &Context,
    patience: Duration,
    ask: impl Fn() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let until = cx.clock.monotonic().saturating_add(patience);
    loop {
        match ask().await {
            Err(error) if error.is_transient() && cx.clock.monotonic() < until => {
                cx.clock.sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

pub(crate) async fn hand_back(cx: &Context, lease: &Lease) {
    let left = cx.store.lease_left(&lease.fence);
    let took = lease.took();
    match insist(cx, left, || cx.store.handback_after(&lease.fence, &took)).await {
        Ok(()) | Err(StoreError::Fenced) => {}
        Err(error) => tracing::warn!(%error, "a job could not be handed back"),
    }
}
