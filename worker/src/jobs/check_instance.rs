//! Whose fault: the project's and the token's, or the one issue's.

use crate::{Context, SyncError, error::Side, link::Link};
use mirror_core::project::{Project, Role};
use mirror_gitlab::ErrorKind;

/// Looks at the end that refused something. An error says that project or token are at fault, and
/// what would mend it; `Ok` says that they are not.
pub(crate) async fn run(cx: &Context, link: &Link, side: Side) -> Result<(), SyncError> {
    let project = readable(cx, link, side).await?;
    if side == Side::Target {
        judge_writing(&project)?;
    }
    Ok(())
}

/// Whether a target's issues can be written, as it says of itself.
pub(crate) fn judge_writing(project: &Project) -> Result<(), SyncError> {
    let path = &project.path;
    if project.archived {
        return at_fault(format!(
            "the target project {path} is archived, which makes it read-only; unarchive it"
        ));
    }
    if project.role.is_none_or(|role| role < Role::PLANNER) {
        return at_fault(format!(
            "the target token's user has not at least the Planner (or Reporter) role in {path}; \
             raise it"
        ));
    }
    Ok(())
}

/// Whether the issues of an end can be read at all, so that an empty list of them means that there
/// are none (facts section 1, "List").
pub(crate) async fn readable(_: &Context, link: &Link, side: Side) -> Result<Project, SyncError> {
    let end = match side {
        Side::Source => &link.source,
        Side::Target => &link.target,
    };
    let project = match end.client.project(end.project.id).await {
        Ok(project) => project,
        Err(error) => return Err(reading_failed(side, &end.project.path, error)),
    };
    judge_reading(side, &project)?;
    Ok(project)
}

/// Whether the issues of a project can be read, as it says of itself.
pub(crate) fn judge_reading(side: Side, project: &Project) -> Result<(), SyncError> {
    let path = &project.path;
    if project.issues_disabled {
        return at_fault(format!(
            "issues are switched off in the {side} project {path}; switch them on in its settings"
        ));
    }
    if !project.issues_readable {
        return at_fault(format!(
            "the {side} token may not read the issues of {path}; give its user at least the Guest \
             role, Planner or Reporter for confidential ones"
        ));
    }
    Ok(())
}

fn at_fault<T>(reason: String) -> Result<T, SyncError> {
    Err(SyncError::AtFault { reason })
}

/// What its refusal to be read means for a project at this path.
pub(crate) fn reading_failed(side: Side, path: &str, error: mirror_gitlab::Error) -> SyncError {
    match mend(side, path, &error) {
        Some(mend) => SyncError::AtFault {
            reason: format!("{mend} ({error})"),
        },
        None => SyncError::GitLab {
            side,
            source: error,
        },
    }
}

/// What would mend it that the project at this path cannot be read, if that is the project's or the
/// token's fault.
pub(crate) fn mend(side: Side, path: &str, error: &mirror_gitlab::Error) -> Option<String> {
    Some(match error.kind() {
        ErrorKind::Unauthorized { .. } => {
            format!("the {side} token is not accepted any more; make a new one")
        }
        ErrorKind::InsufficientScope { .. } => {
            format!("the {side} token lacks a scope; the source needs read_api, the target api")
        }
        ErrorKind::Forbidden | ErrorKind::NotFound => format!(
            "the {side} token does not see project {path} any more; check that the project still \
             exists and that the token's user is a member"
        ),
        ErrorKind::Moved { .. }
        | ErrorKind::MethodNotAllowed
        | ErrorKind::Conflict(_)
        | ErrorKind::Validation { .. }
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
        | ErrorKind::Refused => return None,
    })
}
