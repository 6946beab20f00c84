//! Executes jobs: scan a mirror, sync an issue.
