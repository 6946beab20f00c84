//! Random worlds for property and chaos tests.

use chrono::{DateTime, TimeDelta, Utc};

use super::dice::Dice;
use super::{fragments, script};
use crate::{
    AccessLevel, EditError, Home, IssueEdit, IssueSpec, IssueState, IssueType, LabelSpec,
    MilestoneSpec, NoteSpec, ProjectId, Sim, UserId, UserSpec, World,
};

/// Adds `count` issues of every kind, state and text that has broken a mirror before: comments,
/// threads, internal notes, edits, files, labels, plans, logged time. The same seed makes the same
/// ones.
///
/// # Errors
/// If there is no such project.
pub fn rich(sim: &Sim, project: ProjectId, count: u64, seed: u64) -> Result<(), EditError> {
    let mut dice = Dice::new(seed, 0);
    sim.edit(|world| {
        let stock = Stock::fill(world, project, seed)?;
        let start = world.now() - TimeDelta::days(30);
        for number in 0..count {
            let at = start
                + TimeDelta::minutes(i64::try_from(number * 40_000 / count.max(1)).unwrap_or(0));
            let iid = world.at(at, |world| write(world, project, &stock, number, &mut dice))?;
            live(world, project, iid, at, &stock, &mut dice)?;
        }
        Ok(())
    })
}

/// What the issues can carry.
struct Stock {
    people: Vec<UserId>,
    labels: Vec<String>,
    milestones: Vec<u64>,
    iterations: Vec<u64>,
    epics: Vec<u64>,
}

impl Stock {
    fn fill(world: &mut World, project: ProjectId, seed: u64) -> Result<Self, EditError> {
        let group = world
            .project(project)
            .ok_or(EditError::NoSuchProject(project))?
            .namespace()
            .to_owned();
        let people = people(world, project)?;
        let by = people.first().copied().unwrap_or_default();
        let labels = [
            "bug",
            "Bug",
            "a b",
            "p::high",
            "p::low",
            "a::b::c",
            "a::b::d",
            "Q&A?",
            "emoji 🏔️",
            "::odd",
        ];
        for title in labels {
            if world.label_titled(project, title).is_none() {
                world.add_label(Home::Project(project), by, LabelSpec::new(title, "#336699"))?;
            }
        }
        let titles = [
            "v1.0",
            "with, comma",
            "with :: colons",
            "ends::",
            &"long ".repeat(48),
        ];
        let milestones = titles.map(|title| {
            let spec = MilestoneSpec {
                title: title.to_owned(),
                ..MilestoneSpec::default()
            };
            world.add_milestone(Home::Project(project), spec)
        });
        let today = world.now().date_naive();
        let iterations = [Some("Sprint, the first"), None]
            .map(|title| world.add_iteration(&group, title, today, today + TimeDelta::days(13)));
        let epics = ["An epic", "Epic :: with, both"].map(|title| world.add_epic(&group, title));
        let labels = labels
            .map(str::to_owned)
            .into_iter()
            .chain([format!("new {seed}")])
            .collect();
        Ok(Self {
            people,
            labels,
            milestones: milestones.into(),
            iterations: iterations.into(),
            epics: epics.into(),
        })
    }

    fn person(&self, dice: &mut Dice) -> UserId {
        dice.pick(&self.people).copied().unwrap_or_default()
    }

    fn some_labels(&self, dice: &mut Dice) -> Vec<String> {
        (0..dice.below(4))
            .filter_map(|_| dice.pick(&self.labels).cloned())
            .collect()
    }
}

fn people(world: &mut World, project: ProjectId) -> Result<Vec<UserId>, EditError> {
    let people = ["alice", "bob", "carol"].map(|name| match world.user_named(name) {
        Some(user) => user.id,
        None => world.add_user(UserSpec::new(name, &format!("{name} <of> \"the\" *tests*"))),
    });
    let home = world
        .project_mut(project)
        .ok_or(EditError::NoSuchProject(project))?;
    for person in people {
        home.members.entry(person).or_insert(AccessLevel::Developer);
    }
    Ok(people.into())
}

fn write(
    world: &mut World,
    project: ProjectId,
    stock: &Stock,
    number: u64,
    dice: &mut Dice,
) -> Result<u64, EditError> {
    let author = stock.person(dice);
    let text = body(world, project, author, dice, 7)?;
    let days = i64::try_from(dice.below(90)).unwrap_or(0);
    let due = (world.now() + TimeDelta::days(days)).date_naive();
    let sometimes = |dice: &mut Dice, ids: &[u64]| {
        let chosen = dice.pick(ids).copied();
        chosen.filter(|_| dice.chance(30))
    };
    let kinds = [
        IssueType::Issue,
        IssueType::Issue,
        IssueType::Issue,
        IssueType::Incident,
        IssueType::Task,
    ];
    let spec = IssueSpec {
        author,
        title: fragments::title(dice, number),
        description: Some(text).filter(|text| !text.is_empty() || dice.chance(50)),
        issue_type: dice.pick(&kinds).copied().unwrap_or_default(),
        state: IssueState::Opened,
        labels: stock.some_labels(dice),
        assignees: if dice.chance(40) {
            stock
                .people
                .iter()
                .copied()
                .filter(|_| dice.chance(50))
                .collect()
        } else {
            Vec::new()
        },
        milestone: sometimes(dice, &stock.milestones),
        iteration: sometimes(dice, &stock.iterations),
        epic: sometimes(dice, &stock.epics),
        weight: dice
            .pick(&[None, None, Some(0), Some(1), Some(13)])
            .copied()
            .flatten(),
        due_date: Some(due).filter(|_| dice.chance(30)),
        confidential: dice.chance(10),
        time_estimate: dice
            .pick(&[0, 0, 0, 1, 5_400, 126_230_400])
            .copied()
            .unwrap_or(0),
    };
    world.create_issue(project, spec)
}

/// What becomes of an issue after it was written.
fn live(
    world: &mut World,
    project: ProjectId,
    iid: u64,
    written: DateTime<Utc>,
    stock: &Stock,
    dice: &mut Dice,
) -> Result<(), EditError> {
    let mut at = written;
    for _ in 0..dice.below(7) {
        at += TimeDelta::seconds(i64::try_from(1 + dice.below(600)).unwrap_or(1));
        let by = stock.person(dice);
        world.at(at, |world| happen(world, project, iid, by, stock, dice))?;
    }
    Ok(())
}

fn happen(
    world: &mut World,
    project: ProjectId,
    iid: u64,
    by: UserId,
    stock: &Stock,
    dice: &mut Dice,
) -> Result<(), EditError> {
    let mut edit = IssueEdit::default();
    match dice.below(12) {
        0..=4 => return say(world, project, iid, by, dice),
        5 => {
            return world.log_time(
                project,
                iid,
                by,
                1 + i64::try_from(dice.below(90_000)).unwrap_or(0),
                None,
            );
        }
        6 => edit.labels = Some(stock.some_labels(dice)),
        7 => {
            edit.state = dice
                .pick(&[IssueState::Closed, IssueState::Closed, IssueState::Opened])
                .copied()
        }
        8 => edit.description = Some(Some(body(world, project, by, dice, 5)?)),
        9 => edit.confidential = Some(dice.chance(50)),
        10 => edit.weight = Some(dice.pick(&[None, Some(2), Some(9)]).copied().flatten()),
        _rest => return change_a_note(world, project, iid, by, dice),
    }
    world.edit_issue(project, iid, by, edit)
}

fn say(
    world: &mut World,
    project: ProjectId,
    iid: u64,
    by: UserId,
    dice: &mut Dice,
) -> Result<(), EditError> {
    let text = body(world, project, by, dice, 4)?;
    // GitLab stores no blank comment.
    let text = if text.trim().is_empty() {
        "Something.".to_owned()
    } else {
        text
    };
    let others = comments(world, project, iid);
    let answered = dice.pick(&others).copied().filter(|_| dice.chance(40));
    let spec = NoteSpec {
        reply_to: answered.map(|(note, _)| note),
        internal: answered.map_or_else(|| dice.chance(15), |(_, internal)| internal),
        thread: dice.chance(30),
        ..NoteSpec::new(by, &text)
    };
    world.add_note(project, iid, spec).map(|_| ())
}

fn change_a_note(
    world: &mut World,
    project: ProjectId,
    iid: u64,
    by: UserId,
    dice: &mut Dice,
) -> Result<(), EditError> {
    let Some((note, _)) = dice.pick(&comments(world, project, iid)).copied() else {
        return Ok(());
    };
    if dice.chance(30) {
        return world.delete_note(project, iid, note, by);
    }
    world.edit_note(
        project,
        iid,
        note,
        by,
        &format!("Edited. {}", fragments::text(dice, 2)),
    )
}

/// Id and internality of what people said.
fn comments(world: &World, project: ProjectId, iid: u64) -> Vec<(u64, bool)> {
    let notes = world
        .issue(project, iid)
        .map(|issue| issue.notes.as_slice())
        .unwrap_or_default();
    notes
        .iter()
        .filter(|note| !note.system)
        .map(|note| (note.id, note.internal))
        .collect()
}

fn body(
    world: &mut World,
    project: ProjectId,
    by: UserId,
    dice: &mut Dice,
    most: u64,
) -> Result<String, EditError> {
    let mut text = fragments::text(dice, most);
    let names = [
        "picture.png",
        "drawing.svg",
        "table.csv",
        "trace.log",
        "übersicht_2.txt",
    ];
    for form in [
        "upload",
        "project-upload",
        "path-upload",
        "absolute-upload",
        "absolute-project-upload",
    ] {
        let name = dice.word(&names);
        text = text.replace(&format!("{{{form}}}"), &format!("{{{form}:{name}}}"));
    }
    script::with_files(world, project, by, &text)
}
