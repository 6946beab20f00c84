//! Executing quick actions with the sender's rights (facts section 3).

use serde_json::{Map, Value, json};

use super::answer::ApiError;
use super::call::Call;
use crate::model::{ExecutedCommand, IssueEdit, IssueState, ProjectId, World};
use crate::text::duration;
use crate::text::quick_actions::Command;

/// What commands did, in the words of `commands_changes` and `summary`.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    pub(crate) changes: Map<String, Value>,
    pub(crate) summary: Vec<String>,
}

/// Runs commands on an issue and remembers each of them.
pub(crate) fn execute(
    world: &mut World,
    call: &Call,
    at: (ProjectId, u64),
    commands: &[Command],
    in_note: bool,
) -> Result<Executed, ApiError> {
    let by = call.user()?;
    let mut executed = Executed::default();
    for command in commands {
        let moment = world.now();
        world.commands.push(ExecutedCommand {
            at: moment,
            by,
            project: at.0,
            issue: at.1,
            in_note,
            name: command.name.clone(),
            args: command.args.clone(),
        });
        if allowed(world, call, at, command) {
            run(world, by, at, command, &mut executed)?;
        } else {
            executed
                .summary
                .push(format!("Could not apply {} command.", command.name));
        }
    }
    Ok(executed)
}

fn allowed(world: &World, call: &Call, at: (ProjectId, u64), command: &Command) -> bool {
    let (Some(project), Some(issue)) = (world.project(at.0), world.issue(at.0, at.1)) else {
        return false;
    };
    match command.name.as_str() {
        "close" | "reopen" | "open" | "title" => {
            world.can_update_issue(call.actor(), project, issue)
        }
        "todo" | "done" | "subscribe" | "unsubscribe" | "award" | "react" | "shrug"
        | "tableflip" => true,
        _ => world.can_set_metadata(call.actor(), project),
    }
}

fn run(
    world: &mut World,
    by: u64,
    at: (ProjectId, u64),
    command: &Command,
    executed: &mut Executed,
) -> Result<(), ApiError> {
    let name = command.name.as_str();
    if matches!(name, "spend" | "spent" | "spend_time" | "remove_time_spent") {
        return spend(world, by, at, command, executed);
    }
    if matches!(
        name,
        "label" | "labels" | "unlabel" | "remove_label" | "relabel"
    ) {
        return relabel(world, by, at, command, executed);
    }
    let Some((edit, change)) = edit_of(world, by, at, command) else {
        executed.summary.push(format!("Executed {name}."));
        return Ok(());
    };
    world.edit_issue(at.0, at.1, by, edit)?;
    executed.changes.insert(change.0.to_owned(), change.1);
    executed.summary.push(format!("Executed {name}."));
    Ok(())
}

/// The edit that a command means, with its entry in `commands_changes`.
fn edit_of(
    world: &World,
    by: u64,
    at: (ProjectId, u64),
    command: &Command,
) -> Option<(IssueEdit, (&'static str, Value))> {
    let none = IssueEdit::default;
    let args = command.args.trim();
    let mut edit = none();
    let change = match command.name.as_str() {
        "close" => {
            edit.state = Some(IssueState::Closed);
            ("state_event", json!("close"))
        }
        "reopen" | "open" => {
            edit.state = Some(IssueState::Opened);
            ("state_event", json!("reopen"))
        }
        "title" => {
            edit.title =
                Some(args.chars().take(255).collect()).filter(|title: &String| !title.is_empty());
            ("title", json!(args))
        }
        "confidential" => {
            edit.confidential = Some(true);
            ("confidential", json!(true))
        }
        "lock" | "unlock" => {
            edit.discussion_locked = Some(command.name == "lock");
            ("discussion_locked", json!(command.name == "lock"))
        }
        "weight" => {
            edit.weight = Some(Some(args.parse().ok()?));
            ("weight", json!(args))
        }
        "clear_weight" => {
            edit.weight = Some(None);
            ("weight", Value::Null)
        }
        "due" => {
            edit.due_date = Some(Some(args.parse().ok()?));
            ("due_date", json!(args))
        }
        "remove_due_date" => {
            edit.due_date = Some(None);
            ("due_date", Value::Null)
        }
        "estimate" | "estimate_time" => {
            edit.time_estimate = Some(duration::parse(args)?);
            ("time_estimate", json!(edit.time_estimate))
        }
        "remove_estimate" | "remove_time_estimate" => {
            edit.time_estimate = Some(0);
            ("time_estimate", json!(0))
        }
        "assign" | "reassign" | "unassign" => {
            edit.assignees = Some(assignees(world, by, at, command));
            ("assignee_ids", json!(edit.assignees))
        }
        "milestone" => {
            let title = args.trim_start_matches('%').trim_matches('"');
            let homes = world.homes_of(at.0);
            let found = world
                .milestones
                .values()
                .find(|one| one.title == title && homes.contains(&one.home))?;
            edit.milestone = Some(Some(found.id));
            ("milestone_id", json!(found.id))
        }
        "remove_milestone" => {
            edit.milestone = Some(None);
            ("milestone_id", Value::Null)
        }
        _ => return None,
    };
    Some((edit, change))
}

fn assignees(world: &World, by: u64, at: (ProjectId, u64), command: &Command) -> Vec<u64> {
    let named =
        command
            .args
            .split_whitespace()
            .filter_map(|word| match word.trim_start_matches('@') {
                "me" => Some(by),
                name => world.user_named(name).map(|user| user.id),
            });
    let named: Vec<u64> = named.collect();
    let present = world
        .issue(at.0, at.1)
        .map(|issue| issue.assignees.clone())
        .unwrap_or_default();
    let mut wanted = match command.name.as_str() {
        "unassign" if named.is_empty() => Vec::new(),
        "unassign" => present
            .into_iter()
            .filter(|user| !named.contains(user))
            .collect(),
        "assign" if world.settings.premium() => present.into_iter().chain(named).collect(),
        _ => named,
    };
    wanted.dedup();
    if !world.settings.premium() {
        wanted.truncate(1);
    }
    wanted
}

fn spend(
    world: &mut World,
    by: u64,
    at: (ProjectId, u64),
    command: &Command,
    executed: &mut Executed,
) -> Result<(), ApiError> {
    if command.name == "remove_time_spent" {
        world.reset_time_spent(at.0, at.1, by)?;
        executed
            .changes
            .insert("spend_time".to_owned(), json!({ "duration": "reset" }));
        return Ok(());
    }
    let words: Vec<&str> = command
        .args
        .split_whitespace()
        .filter(|word| !word.contains('-') || word.starts_with('-'))
        .collect();
    let Some(seconds) = duration::parse(&words.join(" ")) else {
        executed
            .summary
            .push("Could not apply spend command.".to_owned());
        return Ok(());
    };
    if world.log_time(at.0, at.1, by, seconds, None).is_ok() {
        executed
            .changes
            .insert("spend_time".to_owned(), json!({ "duration": seconds }));
        executed.summary.push("Executed spend.".to_owned());
    }
    Ok(())
}

fn relabel(
    world: &mut World,
    by: u64,
    at: (ProjectId, u64),
    command: &Command,
    executed: &mut Executed,
) -> Result<(), ApiError> {
    let named: Vec<u64> = label_titles(&command.args)
        .iter()
        .filter_map(|title| world.label_titled(at.0, title))
        .map(|one| one.id)
        .collect();
    let present = world
        .issue(at.0, at.1)
        .map(|issue| issue.labels.clone())
        .unwrap_or_default();
    let (wanted, key): (Vec<u64>, &str) = match command.name.as_str() {
        "label" | "labels" => {
            let added = named.iter().copied().filter(|id| !present.contains(id));
            (
                present.iter().copied().chain(added).collect(),
                "add_label_ids",
            )
        }
        "relabel" => (named.clone(), "label_ids"),
        _ if named.is_empty() => (Vec::new(), "remove_label_ids"),
        _ => (
            present
                .iter()
                .copied()
                .filter(|id| !named.contains(id))
                .collect(),
            "remove_label_ids",
        ),
    };
    if world.replace_labels(at.0, at.1, by, wanted)? {
        world.finish_edit(at.0, at.1, by, vec!["labels"], false)?;
    }
    executed.changes.insert(key.to_owned(), json!(named));
    executed.summary.push(format!("Executed {}.", command.name));
    Ok(())
}

/// `~bug ~"needs review" plain` as titles.
fn label_titles(args: &str) -> Vec<String> {
    let mut titles = Vec::new();
    let mut rest = args.trim();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(['~', ' ', ',']);
        let (title, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once([' ', ',']).unwrap_or((rest, "")),
        };
        if !title.is_empty() {
            titles.push(title.to_owned());
        }
        rest = tail.trim_start();
    }
    titles
}
