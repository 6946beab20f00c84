use serde_json::{Value, json};

use super::{moment, planning};
use crate::api::call::Call;
use crate::model::{FeatureAccess, IssueState, Project, World};

/// A project, as far as a mirror of issues can be interested.
pub(crate) fn project(world: &World, call: &Call, project: &Project) -> Value {
    let base = world.base_url();
    let web_url = format!("{base}/{}", project.path);
    let api = format!("{base}/api/v4/projects/{}", project.id);
    let namespace = project.namespace();
    let short = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let open = project
        .issues
        .values()
        .filter(|issue| issue.state == IssueState::Opened)
        .count();
    let enabled = project.issues_access_level != FeatureAccess::Disabled;
    let mut value = json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": format!("{} / {}", namespace.replace('/', " / "), project.name),
        "path": short(&project.path),
        "path_with_namespace": project.path,
        "created_at": moment(project.created_at),
        "default_branch": "main",
        "topics": [],
        "web_url": web_url,
        "readme_url": Value::Null,
        "avatar_url": Value::Null,
        "forks_count": 0,
        "star_count": 0,
        "last_activity_at": moment(project.created_at),
        "visibility": project.visibility.word(),
        "archived": project.archived,
        "empty_repo": false,
        "issues_enabled": enabled,
        "issues_access_level": project.issues_access_level.word(),
        "merge_requests_enabled": true,
        "open_issues_count": open,
        "marked_for_deletion_at": Value::Null,
        "namespace": {
            "id": planning::group_id(world, namespace),
            "name": short(namespace),
            "path": short(namespace),
            "kind": "group",
            "full_path": namespace,
            "parent_id": Value::Null,
            "avatar_url": Value::Null,
            "web_url": format!("{base}/groups/{namespace}"),
        },
        "_links": {
            "self": api,
            "issues": format!("{api}/issues"),
            "labels": format!("{api}/labels"),
            "members": format!("{api}/members"),
        },
    });
    if let (Some(user), Value::Object(map)) = (call.actor().user, &mut value) {
        let access = project
            .members
            .get(&user)
            .map(|level| json!({ "access_level": level.number(), "notification_level": 3 }));
        map.insert(
            "permissions".into(),
            json!({ "project_access": access, "group_access": Value::Null }),
        );
        if world.settings.premium() {
            map.insert(
                "issues_template".into(),
                json!(project.default_description_template),
            );
        }
    }
    value
}
