//! Hooks of projects (facts section 10).

use serde_json::{Value, json};

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::page::paginate;
use super::{entities, projects};
use crate::model::{ChangeKind, ProjectHook, ProjectId, World};

/// Hooks are a Maintainer's, to read and to write.
fn check(world: &World, call: &Call, project: ProjectId) -> Result<u64, ApiError> {
    let by = call.user()?;
    if !world.maintains(call.actor(), projects::require(world, project)?) {
        return Err(ApiError::forbidden());
    }
    Ok(by)
}

/// `GET /projects/:id/hooks`
pub(crate) fn list(world: &World, call: &Call, project: ProjectId) -> Reply {
    check(world, call, project)?;
    let page = paginate(world, call, world.hooks(project).iter().collect())?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|hook| shown(project, hook))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// `POST /projects/:id/hooks`; the same address may be there many times.
pub(crate) fn create(world: &mut World, call: &Call, project: ProjectId) -> Reply {
    let by = check(world, call, project)?;
    let url = valid_url(&call.params.required("url")?)?;
    let id = world.add_hook(project, &url);
    let answer = set(world, call, (project, id), None)?;
    world.record(by, project, None, ChangeKind::HookSet(url));
    Ok(Answer::created(answer))
}

/// `PUT /projects/:id/hooks/:hook_id`
pub(crate) fn update(world: &mut World, call: &Call, project: ProjectId, id: &str) -> Reply {
    let by = check(world, call, project)?;
    let id = number(id)?;
    let url = call.params.text("url");
    let url = url.map(|url| valid_url(&url)).transpose()?;
    let answer = set(world, call, (project, id), url.clone())?;
    let url = url.unwrap_or_default();
    world.record(by, project, None, ChangeKind::HookSet(url));
    Ok(Answer::ok(answer))
}

/// `DELETE /projects/:id/hooks/:hook_id`
pub(crate) fn delete(world: &mut World, call: &Call, project: ProjectId, id: &str) -> Reply {
    let by = check(world, call, project)?;
    let id = number(id)?;
    let home = world
        .project_mut(project)
        .ok_or_else(|| ApiError::missing("Project"))?;
    let at = home.hooks.iter().position(|hook| hook.id == id);
    let hook = home.hooks.remove(at.ok_or_else(ApiError::not_found)?);
    world.record(by, project, None, ChangeKind::HookRemoved(hook.url));
    Ok(Answer::no_content())
}

fn number(id: &str) -> Result<u64, ApiError> {
    id.parse()
        .map_err(|_| ApiError::error(400, "hook_id is invalid"))
}

/// What GitLab calls local it does not tell anything, unless its administrator lets it.
fn valid_url(url: &str) -> Result<String, ApiError> {
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
        .ok_or_else(|| ApiError::error(422, "Invalid url given"))?;
    if host.starts_with("localhost") || host.starts_with("127.") {
        return Err(ApiError::error(422, "Invalid url given"));
    }
    Ok(url.to_owned())
}

fn set(
    world: &mut World,
    call: &Call,
    (project, id): (ProjectId, u64),
    url: Option<String>,
) -> Result<Value, ApiError> {
    let params = &call.params;
    let home = world
        .project_mut(project)
        .ok_or_else(|| ApiError::missing("Project"))?;
    let hook = home.hooks.iter_mut().find(|hook| hook.id == id);
    let hook = hook.ok_or_else(ApiError::not_found)?;
    for (name, flag) in [
        ("issues_events", &mut hook.issues_events),
        (
            "confidential_issues_events",
            &mut hook.confidential_issues_events,
        ),
        ("note_events", &mut hook.note_events),
        (
            "confidential_note_events",
            &mut hook.confidential_note_events,
        ),
        ("push_events", &mut hook.push_events),
        ("enable_ssl_verification", &mut hook.enable_ssl_verification),
    ] {
        *flag = params.boolean(name)?.unwrap_or(*flag);
    }
    if let Some(url) = url {
        hook.url = url;
    }
    if let Some(token) = params.text("token") {
        hook.token = Some(token);
    }
    if let Some(token) = params.text("signing_token") {
        hook.signing_token = Some(token);
    }
    Ok(shown(project, hook))
}

fn shown(project: ProjectId, hook: &ProjectHook) -> Value {
    json!({
        "id": hook.id,
        "url": hook.url,
        "project_id": project,
        "created_at": entities::moment(hook.created_at),
        "push_events": hook.push_events,
        "push_events_branch_filter": Value::Null,
        "tag_push_events": false,
        "merge_requests_events": false,
        "repository_update_events": false,
        "enable_ssl_verification": hook.enable_ssl_verification,
        "issues_events": hook.issues_events,
        "confidential_issues_events": hook.confidential_issues_events,
        "note_events": hook.note_events,
        "confidential_note_events": hook.confidential_note_events,
        "pipeline_events": false,
        "wiki_page_events": false,
        "job_events": false,
        "deployment_events": false,
        "releases_events": false,
        "emoji_events": false,
        "alert_status": "executable",
        "disabled_until": Value::Null,
        "custom_webhook_template": Value::Null,
        "signing_token_present": hook.signing_token.is_some(),
    })
}
