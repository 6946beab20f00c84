-- Why: every job that starts and ends paid for an index that only a listing used; and forgetting old
-- runs looked through all of them.

-- What runs at one worker is found among what is out, which is little.
DROP INDEX work_running_at;

-- Of the runs that found nothing to do, which are nearly all, and of the others.
CREATE INDEX issue_sync_jobs_uneventful ON issue_sync_jobs (started_at)
    WHERE status = 'completed' AND requested_by = 'schedule'
      AND issues_created = 0 AND issues_updated = 0;
CREATE INDEX issue_sync_jobs_by_start ON issue_sync_jobs (started_at);
