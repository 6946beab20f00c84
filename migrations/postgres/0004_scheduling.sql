-- Why: every job that starts and ends paid for an index that only a listing used; forgetting old
-- runs looked through all of them; and on PostgreSQL a claim could walk through all that waits.

-- What runs at one worker is found among what is out, which is little.
DROP INDEX work_running_at;

-- That nothing is due is one probe. Spelt so that only the statement which asks for that finds it:
-- where statistics were gathered while nothing was pending, a planner takes this index for the
-- smallest and walks through it for everything else that is pending.
DROP INDEX work_due;
CREATE INDEX work_due ON work (run_at) WHERE state || '' = 'pending';

-- Of the runs that found nothing to do, which are nearly all, and of the others.
CREATE INDEX issue_sync_jobs_uneventful ON issue_sync_jobs (started_at)
    WHERE status = 'completed' AND requested_by = 'schedule'
      AND issues_created = 0 AND issues_updated = 0;
CREATE INDEX issue_sync_jobs_by_start ON issue_sync_jobs (started_at);
