//! What a target refuses.

use mirror_core::{issue::IssueType, plan::NewIssue};
use mirror_gitlab::{Error, ErrorKind};

/// Whether a create was refused for its type.
pub(super) fn refuses_type(error: &Error, new: &NewIssue) -> bool {
    let of_type = |text: &str| text.contains("issue_type") || text.contains("work_item_type");
    new.issue_type != IssueType::Issue
        && match error.kind() {
            ErrorKind::Validation { fields } => {
                fields.keys().any(|field| of_type(field)) || error.message().is_some_and(of_type)
            }
            ErrorKind::Unauthorized { .. }
            | ErrorKind::InsufficientScope { .. }
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Moved { .. }
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict(_)
            | ErrorKind::Spam { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { .. }
            | ErrorKind::Transport(_)
            | ErrorKind::Input(_)
            | ErrorKind::Malformed { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::SignIn
            | ErrorKind::UnprovenWalk
            | ErrorKind::Unsendable { .. }
            | ErrorKind::Withdrawn
            | ErrorKind::Refused => false,
        }
}
