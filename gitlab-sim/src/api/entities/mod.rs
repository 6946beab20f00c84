//! The JSON that GitLab shows of its objects.

mod issue;
mod label;
mod note;
mod planning;
mod project;
mod upload;
mod user;

pub(crate) use issue::{IssueView, issue, link_row, time_stats};
pub(crate) use label::{label, label_basic};
pub(crate) use note::{discussion, is_resolvable, note};
pub(crate) use planning::milestone;
pub(crate) use project::project;
pub(crate) use upload::{created_upload, listed_upload};
pub(crate) use user::{current_user, member, token, user};

use chrono::{DateTime, SecondsFormat, Utc};

/// Times show milliseconds although the columns hold microseconds (facts section 1).
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
