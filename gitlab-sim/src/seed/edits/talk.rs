//! What people say.

use super::Scene;
use crate::seed::dice::Dice;
use crate::{EditError, NoteSpec, UserId, World};

const COMMENTS: &[&str] = &[
    "I can look at this tomorrow morning.",
    "Same here, on a slow line.",
    "Done on staging, please have a look.",
    "This is **better** than before, but the second case is still open.",
    "Could we do the small part first?\n\n1. what people see\n2. what they do not see",
    "Numbers of this week: `0.8 %`, last week `1.3 %`.",
    "I asked support: eleven people since Monday.",
    "Agreed.",
    "Let us talk about it after lunch ☕",
    "```\nexpected 200\ngot      204\n```\n\nIs that on purpose?",
    "Thanks, that was quick!",
    "Found the cause: the cache is older than it says.",
];

pub(super) fn comment(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let body = dice.word(COMMENTS);
    let notes = world
        .issue(scene.project, scene.iid)
        .map(|issue| issue.notes.as_slice())
        .unwrap_or_default();
    let answerable: Vec<(u64, bool)> = notes
        .iter()
        .filter(|note| !note.system)
        .map(|note| (note.id, note.internal))
        .collect();
    let answered = if dice.chance(30) {
        dice.pick(&answerable).copied()
    } else {
        None
    };
    let spec = NoteSpec {
        reply_to: answered.map(|(note, _)| note),
        internal: answered.is_some_and(|(_, internal)| internal),
        ..NoteSpec::new(scene.person, body)
    };
    world.add_note(scene.project, scene.iid, spec)?;
    let first_line = body.lines().next().unwrap_or_default();
    let what = if answered.is_some() {
        "answered on"
    } else {
        "commented on"
    };
    Ok(format!("{}: {first_line}", scene.line(world, what)))
}

pub(super) fn rephrase_a_comment(
    world: &mut World,
    scene: &Scene,
    dice: &mut Dice,
) -> Result<String, EditError> {
    let notes = world
        .issue(scene.project, scene.iid)
        .map(|issue| issue.notes.as_slice())
        .unwrap_or_default();
    let theirs: Vec<(u64, UserId, String)> = notes
        .iter()
        .filter(|note| !note.system)
        .map(|note| (note.id, note.author, note.body.clone()))
        .collect();
    let Some((note, author, body)) = dice.pick(&theirs).cloned() else {
        return comment(world, scene, dice);
    };
    let addition = dice.word(&[
        "Edit: fixed meanwhile.",
        "Edit: I was wrong about the time.",
        "Edit: typo.",
    ]);
    world.edit_note(
        scene.project,
        scene.iid,
        note,
        author,
        &format!("{}\n\n{addition}", body.trim_end()),
    )?;
    Ok(Scene {
        person: author,
        ..*scene
    }
    .line(world, "rephrased a comment on"))
}
