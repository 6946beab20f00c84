//! Which endpoint a request means.

use super::answer::{Answer, ApiError, Reply};
use super::call::{Call, find_project};
use super::{
    auth, discussions, events, hooks, instance, issue_create, issue_list, issue_update, labels,
    links, notes, projects, time, uploads,
};
use crate::model::{ProjectId, Via, World};

/// Carries out a request.
pub(crate) fn handle(world: &mut World, call: &Call) -> Answer {
    world.via = Via::Api;
    let reply = auth::check_scope(world, &call.identity, &call.method, &call.segments)
        .and_then(|()| dispatch(world, call));
    world.via = Via::Edit;
    reply.unwrap_or_else(Answer::from)
}

fn dispatch(world: &mut World, call: &Call) -> Reply {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["metadata"]) => instance::metadata(world, call),
        ("GET", ["version"]) => instance::version(world, call),
        ("GET", ["user"]) => instance::current_user(world, call),
        ("GET", ["users"]) => instance::users(world, call),
        ("GET", ["users", id]) => instance::user(world, call, id),
        ("GET", ["personal_access_tokens", "self"]) => instance::own_token(world, call),
        ("GET", ["issues"]) => issue_list::everywhere(world, call),
        ("GET", ["issues", id]) => issue_list::by_global_id(world, call, id),
        ("GET", ["projects"]) => projects::list(world, call),
        (_, ["projects", id, rest @ ..]) => {
            let project = find_project(world, call, id)?.id;
            in_project(world, call, project, rest)
        }
        _ => Err(ApiError::no_route()),
    }
}

fn in_project(world: &mut World, call: &Call, project: ProjectId, rest: &[&str]) -> Reply {
    match (call.method.as_str(), rest) {
        ("GET", []) => projects::single(world, call, project),
        ("GET", ["members", "all"]) => projects::members(world, call, project),
        ("GET", ["members", "all", user]) => projects::member(world, call, project, user),
        ("GET", ["milestones"]) => projects::milestones(world, call, project),
        ("POST", ["milestones"]) => projects::create_milestone(world, call, project),
        ("GET", ["labels"]) => labels::list(world, call, project),
        ("POST", ["labels"]) => labels::create(world, call, project),
        ("PUT", ["labels"]) => labels::update(world, call, project, None),
        ("DELETE", ["labels"]) => labels::delete(world, call, project, None),
        ("GET", ["labels", name]) => labels::single(world, call, project, name),
        ("PUT", ["labels", name]) => labels::update(world, call, project, Some(name)),
        ("DELETE", ["labels", name]) => labels::delete(world, call, project, Some(name)),
        ("POST", ["uploads"]) => uploads::create(world, call, project),
        ("GET", ["uploads"]) => uploads::list(world, call, project),
        ("GET", ["uploads", id]) => uploads::by_id(world, call, project, id),
        ("GET", ["uploads", secret, name]) => uploads::by_secret(world, project, secret, name),
        ("GET", ["hooks"]) => hooks::list(world, call, project),
        ("POST", ["hooks"]) => hooks::create(world, call, project),
        ("PUT", ["hooks", id]) => hooks::update(world, call, project, id),
        ("DELETE", ["hooks", id]) => hooks::delete(world, call, project, id),
        ("GET", ["issues"]) => issue_list::of_project(world, call, project),
        ("POST", ["issues"]) => issue_create::create(world, call, project),
        (_, ["issues", iid, tail @ ..]) => {
            let iid = iid
                .parse()
                .map_err(|_| ApiError::error(400, "issue_iid is invalid"))?;
            on_issue(world, call, (project, iid), tail)
        }
        _ => Err(ApiError::no_route()),
    }
}

fn on_issue(world: &mut World, call: &Call, at: (ProjectId, u64), tail: &[&str]) -> Reply {
    match (call.method.as_str(), tail) {
        ("GET", []) => issue_list::single(world, call, at),
        ("PUT", []) => issue_update::update(world, call, at),
        ("DELETE", []) => issue_update::delete(world, call, at),
        ("GET", ["notes"]) => notes::list(world, call, at),
        ("POST", ["notes"]) => notes::create(world, call, at),
        ("GET", ["notes", id]) => notes::single(world, call, at, id),
        ("PUT", ["notes", id]) => notes::update(world, call, at, id),
        ("DELETE", ["notes", id]) => notes::delete(world, call, at, id),
        ("GET", ["discussions"]) => discussions::list(world, call, at),
        ("POST", ["discussions"]) => discussions::start(world, call, at),
        ("GET", ["discussions", id]) => discussions::single(world, call, at, id),
        ("PUT", ["discussions", id]) => discussions::resolve(world, call, at, id),
        ("POST", ["discussions", id, "notes"]) => discussions::reply(world, call, at, id),
        ("GET", ["discussions", _, "notes", note]) => notes::single(world, call, at, note),
        ("PUT", ["discussions", _, "notes", note]) => notes::update(world, call, at, note),
        ("DELETE", ["discussions", _, "notes", note]) => notes::delete(world, call, at, note),
        ("GET", ["time_stats"]) => time::stats(world, call, at),
        ("POST", ["time_estimate"]) => time::estimate(world, call, at),
        ("POST", ["reset_time_estimate"]) => time::reset_estimate(world, call, at),
        ("POST", ["add_spent_time"]) => time::add_spent(world, call, at),
        ("POST", ["reset_spent_time"]) => time::reset_spent(world, call, at),
        ("GET", ["resource_label_events"]) => events::labels(world, call, at),
        ("GET", ["resource_state_events"]) => events::states(world, call, at),
        ("GET", ["award_emoji"]) => events::awards(world, call, at),
        ("POST", ["award_emoji"]) => events::award(world, call, at),
        ("GET", ["links"]) => links::list(world, call, at),
        ("POST", ["links"]) => links::create(world, call, at),
        ("DELETE", ["links", id]) => links::delete(world, call, at, id),
        _ => Err(ApiError::no_route()),
    }
}
