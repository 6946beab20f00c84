//! How issues come and go.

use super::Scene;
use crate::seed::dice::Dice;
use crate::{
    EditError, Issue, IssueEdit, IssueSpec, IssueState, NoteSpec, ProjectId, UserId, World,
};

pub(super) fn close(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    if dice.chance(50) {
        let farewell = dice.word(&[
            "That was the last piece.",
            "Live since this morning.",
            "Not needed any more.",
        ]);
        world.add_note(
            scene.project,
            scene.iid,
            NoteSpec::new(scene.person, farewell),
        )?;
    }
    set_state(world, scene, IssueState::Closed)?;
    Ok(scene.line(world, "closed"))
}

/// Takes up one of the issues closed last; closes one if none is closed.
pub(super) fn reopen(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let mut closed: Vec<&Issue> = world
        .issues(scene.project)
        .filter(|issue| issue.state == IssueState::Closed)
        .collect();
    closed.sort_by_key(|issue| std::cmp::Reverse(issue.closed_at));
    closed.truncate(5);
    let Some(iid) = dice.pick(&closed).map(|issue| issue.iid) else {
        return close(world, scene, dice);
    };
    let scene = Scene { iid, ..*scene };
    set_state(world, &scene, IssueState::Opened)?;
    Ok(scene.line(world, "reopened"))
}

fn set_state(world: &mut World, scene: &Scene, state: IssueState) -> Result<(), EditError> {
    let edit = IssueEdit {
        state: Some(state),
        ..IssueEdit::default()
    };
    world.edit_issue(scene.project, scene.iid, scene.person, edit)
}

const THINGS: &[&str] = &[
    "voucher",
    "delivery date",
    "order summary",
    "wallet button",
    "country list",
    "receipt",
];
const TROUBLES: &[&str] = &[
    "is cut off on small phones",
    "needs a clearer word",
    "loads twice",
    "forgets the language",
    "could explain itself better",
];

pub(super) fn write_issue(
    world: &mut World,
    project: ProjectId,
    person: UserId,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let (thing, trouble) = (dice.word(THINGS), dice.word(TROUBLES));
    let known: Vec<String> = world
        .labels_of(project)
        .map(|label| label.title.clone())
        .collect();
    let labels = dice.pick(&known).cloned().into_iter().collect();
    let spec = IssueSpec {
        author: person,
        title: format!("The {thing} {trouble}"),
        description: Some(format!(
            "Seen on staging and in the shop.\n\n1. open the checkout\n2. look at the {thing}\n\nIt {trouble}."
        )),
        labels,
        ..IssueSpec::default()
    };
    let iid = world.create_issue(project, spec)?;
    Ok(Scene {
        project,
        iid,
        person,
    }
    .line(world, "wrote"))
}
