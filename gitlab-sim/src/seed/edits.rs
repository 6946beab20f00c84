//! What the people of a project do while somebody watches.

use chrono::TimeDelta;

use super::dice::Dice;
use crate::{
    AccessLevel, EditError, Issue, IssueEdit, IssueSpec, IssueState, NoteSpec, ProjectId, Sim,
    UserId, World,
};

/// Makes one believable edit, now, and says in one line what it was.
///
/// The same seed and step choose the same kind of edit; on which issue depends on the world as it
/// is. Quick actions, mentions and references are left to the stories: these edits cost what an
/// ordinary day costs.
///
/// # Errors
/// If there is no such project.
pub fn edit_something(
    sim: &Sim,
    project: ProjectId,
    seed: u64,
    step: u64,
) -> Result<String, EditError> {
    let mut dice = Dice::new(seed, step);
    sim.edit(|world| {
        let person = somebody(world, project, &mut dice)?;
        let Some(issue) = an_issue(world, project, &mut dice) else {
            return write_issue(world, project, person, &mut dice);
        };
        let scene = Scene {
            project,
            iid: issue.iid,
            person,
        };
        match dice.below(20) {
            0..=6 => comment(world, &scene, &mut dice),
            7..=8 => log_time(world, &scene, &mut dice),
            9..=10 => relabel(world, &scene, &mut dice),
            11..=12 => add_to_description(world, &scene, &mut dice),
            13 => reweigh(world, &scene, &mut dice),
            14 => set_due_date(world, &scene, &mut dice),
            15 => rephrase_a_comment(world, &scene, &mut dice),
            16 => close(world, &scene, &mut dice),
            17 => reopen(world, &scene, &mut dice),
            _rest => write_issue(world, project, person, &mut dice),
        }
    })
}

/// Who does it, where.
struct Scene {
    project: ProjectId,
    iid: u64,
    person: UserId,
}

impl Scene {
    fn line(&self, world: &World, what: &str) -> String {
        let title = world
            .issue(self.project, self.iid)
            .map_or("", |issue| issue.title.as_str());
        format!(
            "{} {what} #{} “{title}”",
            name(world, self.person),
            self.iid
        )
    }
}

fn name(world: &World, person: UserId) -> &str {
    world
        .user(person)
        .map_or("Somebody", |user| user.name.as_str())
}

fn somebody(world: &World, project: ProjectId, dice: &mut Dice) -> Result<UserId, EditError> {
    let home = world
        .project(project)
        .ok_or(EditError::NoSuchProject(project))?;
    let is_bot = |id: &UserId| world.user(*id).is_some_and(|user| user.bot);
    let able = home
        .members
        .iter()
        .filter(|(id, role)| **role >= AccessLevel::Planner && !is_bot(id));
    let people: Vec<UserId> = able.map(|(id, _)| *id).collect();
    dice.pick(&people).copied().ok_or(EditError::NoSuchUser(0))
}

/// An open issue, mostly a young one.
fn an_issue<'w>(world: &'w World, project: ProjectId, dice: &mut Dice) -> Option<&'w Issue> {
    let mut issues: Vec<&Issue> = world
        .issues(project)
        .filter(|issue| issue.state == IssueState::Opened)
        .filter(|issue| issue.moved_to.is_none())
        .collect();
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.iid));
    let reach = if dice.chance(60) { 12 } else { issues.len() };
    let young: Vec<&Issue> = issues.into_iter().take(reach).collect();
    dice.pick(&young).copied()
}

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

fn comment(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
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

fn log_time(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
    let quarters = 1 + dice.below(16);
    let seconds = i64::try_from(quarters * 900).unwrap_or(900);
    world.log_time(scene.project, scene.iid, scene.person, seconds, None)?;
    let shown = crate::text::duration::human(seconds).unwrap_or_default();
    Ok(scene.line(world, &format!("logged {shown} on")))
}

fn relabel(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
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

fn add_to_description(
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

fn reweigh(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
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

fn set_due_date(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
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

fn rephrase_a_comment(
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

fn close(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
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
fn reopen(world: &mut World, scene: &Scene, dice: &mut Dice) -> Result<String, EditError> {
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

fn write_issue(
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
