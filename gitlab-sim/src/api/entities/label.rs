use serde_json::{Value, json};

use crate::model::{Home, IssueState, Label, ProjectId, World};

/// Dark text on light colours, white on dark ones, as GitLab chooses it.
fn text_color(color: &str) -> &'static str {
    let part = |from: usize| {
        color
            .get(from..from + 2)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .unwrap_or(0)
    };
    if part(1) + part(3) + part(5) > 500 {
        "#1F1E24"
    } else {
        "#FFFFFF"
    }
}

/// A label within an issue, with `with_labels_details`.
pub(crate) fn label_basic(label: &Label) -> Value {
    json!({
        "id": label.id,
        "name": label.title,
        "description": label.description,
        "description_html": label.description,
        "color": label.color,
        "text_color": text_color(&label.color),
        "remove_on_close": false,
    })
}

/// A label in a project's list.
pub(crate) fn label(world: &World, project: ProjectId, label: &Label, with_counts: bool) -> Value {
    let mut value = json!({
        "id": label.id,
        "name": label.title,
        "description": label.description,
        "description_html": label.description,
        "color": label.color,
        "text_color": text_color(&label.color),
        "archived": false,
        "subscribed": false,
        "priority": label.priority,
        "is_project_label": matches!(label.home, Home::Project(_)),
    });
    if with_counts && let Value::Object(map) = &mut value {
        let count = |state: IssueState| {
            world
                .issues(project)
                .filter(|issue| issue.state == state && issue.labels.contains(&label.id))
                .count()
        };
        map.insert("open_issues_count".into(), json!(count(IssueState::Opened)));
        map.insert(
            "closed_issues_count".into(),
            json!(count(IssueState::Closed)),
        );
        map.insert("open_merge_requests_count".into(), json!(0));
    }
    value
}
