//! What a worker can do, one file a job.

pub(crate) mod check_instance;
pub(crate) mod errand;
pub(crate) mod look_again;
pub(crate) mod scan_mirror;
pub(crate) mod sync_issue;
pub(crate) mod transfer_upload;
