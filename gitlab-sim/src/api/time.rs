//! Estimates and logged time (facts section 7).

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::issue_list::readable;
use super::{entities, projects};
use crate::model::{IssueEdit, ProjectId, World};
use crate::text::duration;

/// `GET …/time_stats`
pub(crate) fn stats(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    Ok(Answer::ok(entities::time_stats(readable(world, call, at)?)))
}

fn check(world: &World, call: &Call, at: (ProjectId, u64)) -> Result<u64, ApiError> {
    let by = call.user()?;
    readable(world, call, at)?;
    if !world.can_set_metadata(call.actor(), projects::require(world, at.0)?) {
        return Err(ApiError::forbidden());
    }
    Ok(by)
}

fn answer(world: &World, call: &Call, at: (ProjectId, u64), status: u16) -> Reply {
    Ok(Answer::json(
        status,
        entities::time_stats(readable(world, call, at)?),
    ))
}

fn set_estimate(
    world: &mut World,
    call: &Call,
    at: (ProjectId, u64),
    by: u64,
    seconds: i64,
) -> Reply {
    let edit = IssueEdit {
        time_estimate: Some(seconds),
        ..IssueEdit::default()
    };
    world.edit_issue(at.0, at.1, by, edit)?;
    answer(world, call, at, 200)
}

/// `POST …/time_estimate`; "0" is understood only by newer versions.
pub(crate) fn estimate(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = check(world, call, at)?;
    let text = call.params.required("duration")?;
    let seconds = duration::parse(&text).filter(|seconds| *seconds >= 0);
    let seconds = seconds.filter(|seconds| *seconds > 0 || world.settings.version.at_least(15, 7));
    let seconds =
        seconds.ok_or_else(|| ApiError::field("time_estimate", "must have a valid format"))?;
    set_estimate(world, call, at, by, seconds)
}

/// `POST …/reset_time_estimate`
pub(crate) fn reset_estimate(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = check(world, call, at)?;
    set_estimate(world, call, at, by, 0)
}

/// `POST …/add_spent_time`: a signed duration; answers 201 where the others answer 200.
pub(crate) fn add_spent(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = check(world, call, at)?;
    let text = call.params.required("duration")?;
    let seconds = duration::parse(&text).filter(|seconds| *seconds != 0);
    let seconds =
        seconds.ok_or_else(|| ApiError::field("time_spent", "must have a valid format"))?;
    let summary = call.params.text("summary");
    if summary
        .as_ref()
        .is_some_and(|text| text.chars().count() > 255)
    {
        return Err(ApiError::field(
            "summary",
            "is too long (maximum is 255 characters)",
        ));
    }
    world.log_time(at.0, at.1, by, seconds, summary.as_deref())?;
    answer(world, call, at, 201)
}

/// `POST …/reset_spent_time`
pub(crate) fn reset_spent(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = check(world, call, at)?;
    world.reset_time_spent(at.0, at.1, by)?;
    answer(world, call, at, 200)
}
