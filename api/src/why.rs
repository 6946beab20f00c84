//! Why a job is not running, in one sentence.

use chrono::{DateTime, SecondsFormat, Utc};
use mirror_store::{JobEntry, WorkState};

/// One sentence, and what to do where something is to be done.
pub fn why(job: &JobEntry, now: DateTime<Utc>, workers: usize) -> String {
    let error = job.last_error.as_deref().unwrap_or("no error is recorded");
    match job.state {
        None => format!("it is done, since {}", time(Some(job.updated_at))),
        Some(WorkState::Running) => format!(
            "it runs, at {} since {}",
            job.owner.as_deref().unwrap_or("a worker"),
            time(job.started_at)
        ),
        Some(WorkState::Queued) if workers == 0 => {
            "it was handed out, but no worker is alive; start one with `issue-mirror worker`"
                .to_owned()
        }
        Some(WorkState::Queued) => format!(
            "it was handed out and waits for a worker to take it; {workers} are alive, look with \
             `issue-mirror workers` whether all are busy"
        ),
        Some(WorkState::Paused) if job.at_fault => format!(
            "its mirror rests: {}; mend that, and it goes on by itself within the hour, or at once \
             with `issue-mirror mirrors resume {}`",
            job.paused.as_deref().unwrap_or("no reason is recorded"),
            job.mirror
        ),
        Some(WorkState::Paused) => format!(
            "its mirror rests: {}; mend that, then `issue-mirror mirrors resume {}`",
            job.paused.as_deref().unwrap_or("no reason is recorded"),
            job.mirror
        ),
        Some(WorkState::Dead) => format!(
            "it was given up after {} attempts: {error}; mend that, then `issue-mirror jobs retry \
             {}`",
            job.attempts, job.work
        ),
        Some(WorkState::Pending) if job.not_before.is_some_and(|at| at > now) => format!(
            "it waits until {}: {}",
            time(job.not_before),
            job.waiting_for
                .as_deref()
                .unwrap_or("no reason is recorded")
        ),
        Some(WorkState::Pending) if job.run_at > now && job.attempts > 0 => format!(
            "it failed {} times and is tried again at {}: {error}",
            job.attempts,
            time(Some(job.run_at))
        ),
        Some(WorkState::Pending) if job.run_at > now && job.waiting_for.is_some() => format!(
            "it waits {}, which sets it free when it ends, or until {}",
            job.waiting_for.as_deref().unwrap_or_default(),
            time(Some(job.run_at))
        ),
        Some(WorkState::Pending) if job.run_at > now => {
            format!("its time comes at {}", time(Some(job.run_at)))
        }
        Some(WorkState::Pending) if workers == 0 => format!(
            "it is due since {}, but no worker is alive; start `issue-mirror all`, or `issue-mirror \
             scheduler` and `issue-mirror worker`",
            time(Some(job.run_at))
        ),
        Some(WorkState::Pending) => format!(
            "it is due since {} and waits for its turn: others come first, or its instance has as \
             many jobs out as may be",
            time(Some(job.run_at))
        ),
    }
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(
        || "an unknown time".to_owned(),
        |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use mirror_core::ids::{MirrorId, WorkId};

    fn job(state: Option<WorkState>) -> (JobEntry, DateTime<Utc>) {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let job = JobEntry {
            work: WorkId(5),
            key: "sync_issue/7/123".to_owned(),
            mirror: MirrorId(7),
            state,
            paused: None,
            at_fault: false,
            priority: 1,
            run_at: now,
            not_before: None,
            waiting_for: None,
            attempts: 0,
            crashes: 0,
            owner: Some("w-1".to_owned()),
            started_at: Some(now),
            lease_until: None,
            last_error: Some("on the target: 502".to_owned()),
            error_fingerprint: None,
            updated_at: now,
        };
        (job, now)
    }

    #[test]
    fn each_way_of_waiting_has_its_sentence() {
        let hour = TimeDelta::hours(1);
        let says = |change: &dyn Fn(&mut JobEntry), workers, part: &str| {
            let (mut entry, now) = job(Some(WorkState::Pending));
            change(&mut entry);
            let sentence = why(&entry, now, workers);
            assert!(sentence.contains(part), "{sentence}");
        };
        says(&|job| job.state = None, 1, "it is done");
        says(&|job| job.state = Some(WorkState::Running), 1, "at w-1");
        says(&|job| job.state = Some(WorkState::Queued), 0, "no worker");
        says(&|job| job.state = Some(WorkState::Queued), 2, "2 are alive");
        says(&|job| job.state = Some(WorkState::Dead), 1, "jobs retry 5");
        says(
            &|job| {
                job.state = Some(WorkState::Paused);
                job.paused = Some("moving house".to_owned());
            },
            1,
            "moving house; mend that, then",
        );
        says(
            &|job| {
                job.state = Some(WorkState::Paused);
                job.paused = Some("the token is gone".to_owned());
                job.at_fault = true;
            },
            1,
            "by itself within the hour",
        );
        says(
            &|job| {
                job.not_before = Some(job.run_at + hour);
                job.waiting_for = Some("on the target: 429".to_owned());
            },
            1,
            ": on the target: 429",
        );
        says(
            &|job| {
                job.run_at += hour;
                job.attempts = 2;
            },
            1,
            "failed 2 times",
        );
        says(&|job| job.run_at += hour, 1, "its time comes");
        says(
            &|job| {
                job.run_at += hour;
                job.waiting_for = Some("for its large files".to_owned());
            },
            1,
            "waits for its large files",
        );
        says(&|_| {}, 0, "no worker is alive");
        says(&|_| {}, 1, "waits for its turn");
    }
}
