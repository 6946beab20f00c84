//! What people change about an issue.

use chrono::TimeDelta;

use super::Scene;
use super::talk::comment;
use crate::seed::dice::Dice;
use crate::{EditError, IssueEdit, World};

pub(super) fn log_time(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let quarters = 1 + dice.below(16);
    let seconds = i64::try_from(quarters * 900).unwrap_or(900);
    world.log_time(scene.project, scene.iid, scene.person, seconds, None)?;
    let shown = crate::text::duration::human(seconds).unwrap_or_default();
    Ok(scene.line(world, &format!("logged {shown} on")))
}

pub(super) fn relabel(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let known: Vec<String> = world
        .labels_of(scene.project)
        .map(|label| label.title.clone())
        .collect();
    let Some(title) = dice.pick(&known).cloned() else {
        return comment(world, scene, dice);
    };
    let issue = world.issue(scene.project, scene.iid);
    let mut titles = issue
        .map(|issue| world.label_titles(issue))
        .unwrap_or_default();
    let what = if let Some(at) = titles.iter().position(|one| *one == title) {
        titles.remove(at);
        format!("took the label “{title}” from")
    } else {
        titles.push(title.clone());
        format!("put the label “{title}” on")
    };
    let edit = IssueEdit {
        labels: Some(titles),
        ..IssueEdit::default()
    };
    world.edit_issue(scene.project, scene.iid, scene.person, edit)?;
    Ok(scene.line(world, &what))
}

const ADDITIONS: &[&str] = &[
    "**Update:** the same on tablets.",
    "**Update:** only for carts with a voucher.",
    "- [ ] tell support when it is out",
    "| day | seen |\n|---|---:|\n| Monday | 14 |\n| Tuesday | 3 |",
    "> It used to work in spring.\n\nSo it is one of the changes since then.",
];

pub(super) fn add_to_description(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let issue = world.issue(scene.project, scene.iid);
    let old = issue
        .and_then(|issue| issue.description.clone())
        .unwrap_or_default();
    let (description, what) = match old.replacen("- [ ] ", "- [x] ", 1) {
        ticked if ticked != old && dice.chance(60) => (ticked, "ticked a task of"),
        _unticked => (
            format!("{}\n\n{}", old.trim_end(), dice.word(ADDITIONS)),
            "added to the text of",
        ),
    };
    let edit = IssueEdit {
        description: Some(Some(description.trim_start().to_owned())),
        ..IssueEdit::default()
    };
    world.edit_issue(scene.project, scene.iid, scene.person, edit)?;
    Ok(scene.line(world, what))
}

pub(super) fn reweigh(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    if !world.settings.premium() {
        return comment(world, scene, dice);
    }
    let old = world
        .issue(scene.project, scene.iid)
        .and_then(|issue| issue.weight);
    let others: Vec<i64> = [1, 2, 3, 5, 8, 13]
        .into_iter()
        .filter(|weight| Some(*weight) != old)
        .collect();
    let weight = dice.pick(&others).copied();
    let edit = IssueEdit {
        weight: Some(weight),
        ..IssueEdit::default()
    };
    world.edit_issue(scene.project, scene.iid, scene.person, edit)?;
    Ok(scene.line(
        world,
        &format!("gave a weight of {} to", weight.unwrap_or_default()),
    ))
}

pub(super) fn set_due_date(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let days = i64::try_from(1 + dice.below(40)).unwrap_or(1);
    let mut day = (world.now() + TimeDelta::days(days)).date_naive();
    if world
        .issue(scene.project, scene.iid)
        .is_some_and(|issue| issue.due_date == Some(day))
    {
        day += TimeDelta::days(1);
    }
    let edit = IssueEdit {
        due_date: Some(Some(day)),
        ..IssueEdit::default()
    };
    world.edit_issue(scene.project, scene.iid, scene.person, edit)?;
    Ok(scene.line(
        world,
        &format!("set {} as due date of", day.format("%-d %B")),
    ))
}
