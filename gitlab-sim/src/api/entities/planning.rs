use serde_json::{Value, json};

use super::moment;
use crate::model::{Epic, Home, Iteration, Milestone, World};

fn home_url(world: &World, home: &Home) -> String {
    match home {
        Home::Project(id) => {
            let path = world
                .project(*id)
                .map_or("", |project| project.path.as_str());
            format!("{}/{path}", world.base_url())
        }
        Home::Group(path) => format!("{}/groups/{path}", world.base_url()),
    }
}

/// A milestone: with `project_id` or `group_id`, never both.
pub(crate) fn milestone(world: &World, milestone: &Milestone) -> Value {
    let mut value = json!({
        "id": milestone.id,
        "iid": milestone.iid,
        "title": milestone.title,
        "description": milestone.description,
        "state": if milestone.closed { "closed" } else { "active" },
        "created_at": moment(milestone.created_at),
        "updated_at": moment(milestone.updated_at),
        "due_date": milestone.due_date,
        "start_date": milestone.start_date,
        "expired": world.is_past(milestone.due_date),
        "web_url": format!("{}/-/milestones/{}", home_url(world, &milestone.home), milestone.iid),
    });
    if let Value::Object(map) = &mut value {
        match &milestone.home {
            Home::Project(id) => map.insert("project_id".into(), json!(id)),
            Home::Group(path) => map.insert("group_id".into(), json!(group_id(world, path))),
        };
    }
    value
}

pub(super) fn group_id(world: &World, path: &str) -> Option<u64> {
    world.groups.get(path).map(|group| group.id)
}

/// An iteration; its title is null in practice (facts section 8).
pub(super) fn iteration(world: &World, iteration: &Iteration) -> Value {
    let today = world.now().date_naive();
    let state = if today > iteration.due_date {
        3
    } else if today < iteration.start_date {
        1
    } else {
        2
    };
    json!({
        "id": iteration.id,
        "iid": iteration.iid,
        "sequence": iteration.iid,
        "group_id": group_id(world, &iteration.group),
        "title": iteration.title,
        "description": Value::Null,
        "state": state,
        "created_at": moment(iteration.created_at),
        "updated_at": moment(iteration.created_at),
        "start_date": iteration.start_date,
        "due_date": iteration.due_date,
        "web_url": format!("{}/groups/{}/-/iterations/{}", world.base_url(), iteration.group, iteration.id),
    })
}

/// An epic within an issue.
pub(super) fn epic(world: &World, epic: &Epic) -> Value {
    json!({
        "id": epic.id,
        "iid": epic.iid,
        "title": epic.title,
        "url": format!("/groups/{}/-/epics/{}", epic.group, epic.iid),
        "group_id": group_id(world, &epic.group),
    })
}
