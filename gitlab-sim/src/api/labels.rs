//! Labels (facts section 5).

use serde_json::Value;

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::page::paginate;
use super::params::Given;
use super::{entities, projects};
use crate::model::{Home, Label, LabelSpec, ProjectId, World};

/// `GET /projects/:id/labels`, by title; those of the groups above unless they are not wanted.
pub(crate) fn list(world: &World, call: &Call, project: ProjectId) -> Reply {
    let above = call
        .params
        .boolean("include_ancestor_groups")?
        .unwrap_or(true);
    let counts = call.params.boolean("with_counts")?.unwrap_or(false);
    let search = call.params.text("search").map(|text| text.to_lowercase());
    let mut found: Vec<&Label> = world
        .labels_of(project)
        .filter(|label| above || label.home == Home::Project(project))
        .filter(|label| {
            search
                .as_ref()
                .is_none_or(|text| label.title.to_lowercase().contains(text))
        })
        .collect();
    found.sort_by(|a, b| a.title.cmp(&b.title));
    let page = paginate(world, call, found)?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|label| entities::label(world, project, label, counts))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// By id, or by title.
fn find<'w>(world: &'w World, project: ProjectId, name: &str) -> Result<&'w Label, ApiError> {
    let by_id = name.parse().ok().and_then(|id| world.label(id));
    let homes = world.homes_of(project);
    by_id
        .filter(|label| homes.contains(&label.home))
        .or_else(|| world.label_titled(project, name))
        .ok_or_else(|| ApiError::missing("Label"))
}

/// `GET /projects/:id/labels/:id_or_title`
pub(crate) fn single(world: &World, call: &Call, project: ProjectId, name: &str) -> Reply {
    let counts = call.params.boolean("with_counts")?.unwrap_or(false);
    Ok(Answer::ok(entities::label(
        world,
        project,
        find(world, project, name)?,
        counts,
    )))
}

fn check(world: &World, call: &Call, project: ProjectId) -> Result<u64, ApiError> {
    let by = call.user()?;
    let home = projects::require(world, project)?;
    if home.archived || !world.plans(call.actor(), home) {
        return Err(ApiError::forbidden());
    }
    Ok(by)
}

fn valid_title(text: &str) -> Result<String, ApiError> {
    let title = text.trim();
    if title.is_empty() {
        return Err(ApiError::field("title", "can't be blank"));
    }
    if title.contains(',') {
        return Err(ApiError::field("title", "is invalid"));
    }
    if title.chars().count() > 255 {
        return Err(ApiError::field(
            "title",
            "is too long (maximum is 255 characters)",
        ));
    }
    Ok(title.to_owned())
}

fn valid_color(text: &str) -> Result<String, ApiError> {
    let named = match text.trim().to_ascii_lowercase().as_str() {
        "red" => "#FF0000",
        "green" => "#008000",
        "blue" => "#0000FF",
        "yellow" => "#FFFF00",
        "orange" => "#FFA500",
        "black" => "#000000",
        "white" => "#FFFFFF",
        _ => text.trim(),
    };
    let digits = named.strip_prefix('#').unwrap_or("");
    let hexadecimal = digits.chars().all(|digit| digit.is_ascii_hexdigit());
    if hexadecimal && digits.len() == 3 {
        return Ok(digits.chars().fold("#".to_owned(), |color, digit| {
            format!("{color}{digit}{digit}")
        }));
    }
    if hexadecimal && digits.len() == 6 {
        return Ok(named.to_owned());
    }
    Err(ApiError::field("color", "must be a valid color code"))
}

fn valid_description(text: Option<String>) -> Result<Option<String>, ApiError> {
    if text.as_ref().is_some_and(|text| text.len() > 512 * 1024) {
        return Err(ApiError::field(
            "description",
            "is too long. The maximum size is 512 KiB.",
        ));
    }
    Ok(text)
}

fn priority(call: &Call) -> Result<Option<Option<i64>>, ApiError> {
    match call.params.integer("priority")? {
        Given::Absent => Ok(None),
        Given::Cleared => Ok(Some(None)),
        Given::Value(number) => Ok(Some(Some(number))),
    }
}

/// `POST /projects/:id/labels`
pub(crate) fn create(world: &mut World, call: &Call, project: ProjectId) -> Reply {
    let by = check(world, call, project)?;
    let name = call.params.required("name")?;
    let color = valid_color(&call.params.required("color")?)?;
    let title = valid_title(&name)?;
    let description = valid_description(call.params.text("description"))?;
    let priority = priority(call)?;
    if world.label_titled(project, &title).is_some() {
        return Err(ApiError::message(409, "Label already exists"));
    }
    let id = world.add_label(
        Home::Project(project),
        by,
        LabelSpec {
            title,
            color,
            description,
        },
    )?;
    if let (Some(label), Some(priority)) = (world.labels.get_mut(&id), priority) {
        label.priority = priority;
    }
    let label = world.label(id).ok_or_else(ApiError::not_found)?;
    Ok(Answer::created(entities::label(
        world, project, label, true,
    )))
}

/// The label of a change: named in the path, or as `name`/`label_id` in the older form.
fn named(
    world: &World,
    call: &Call,
    project: ProjectId,
    name: Option<&str>,
) -> Result<u64, ApiError> {
    let from_params = call
        .params
        .text("label_id")
        .or_else(|| call.params.text("name"));
    let name = match name {
        Some(name) => name.to_owned(),
        None => from_params.ok_or_else(|| {
            ApiError::error(
                400,
                "label_id, name are missing, exactly one parameter must be provided",
            )
        })?,
    };
    let label = find(world, project, &name)?;
    if label.home != Home::Project(project) {
        return Err(ApiError::missing("Label"));
    }
    Ok(label.id)
}

/// `PUT /projects/:id/labels/:id_or_title`
pub(crate) fn update(
    world: &mut World,
    call: &Call,
    project: ProjectId,
    name: Option<&str>,
) -> Reply {
    let by = check(world, call, project)?;
    let id = named(world, call, project, name)?;
    let fields = ["new_name", "color", "description", "priority"];
    if !fields.iter().any(|field| call.params.has(field)) {
        let text = format!(
            "{} are missing, at least one parameter must be provided",
            fields.join(", ")
        );
        return Err(ApiError::error(400, &text));
    }
    let title = call
        .params
        .text("new_name")
        .map(|text| valid_title(&text))
        .transpose()?;
    let color = call
        .params
        .text("color")
        .map(|text| valid_color(&text))
        .transpose()?;
    let given = call.params.clearable("description").into_edit();
    let description = given.map(valid_description).transpose()?;
    let priority = priority(call)?;
    world.edit_label(id, by, title, color, description)?;
    if let (Some(label), Some(priority)) = (world.labels.get_mut(&id), priority) {
        label.priority = priority;
    }
    let label = world.label(id).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(entities::label(world, project, label, true)))
}

/// `DELETE /projects/:id/labels/:id_or_title`
pub(crate) fn delete(
    world: &mut World,
    call: &Call,
    project: ProjectId,
    name: Option<&str>,
) -> Reply {
    let by = check(world, call, project)?;
    let id = named(world, call, project, name)?;
    world.delete_label(id, by)?;
    Ok(Answer::no_content())
}
