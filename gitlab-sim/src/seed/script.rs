//! How a story about an issue is told and played.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::cast::Cast;
use super::pictures;
use crate::text::duration;
use crate::{
    Content, EditError, IssueEdit, IssueSpec, IssueState, IssueType, NoteSpec, ProjectId, UserId,
    World,
};

/// One issue and what became of it. People, milestones and epics are called by name.
///
/// In texts `{upload:NAME}` stands for the link of a file of that name, made when it is needed;
/// `{project-upload:NAME}`, `{path-upload:NAME}` and `{absolute-upload:NAME}` are the other forms in
/// which GitLab writes such links.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) title: &'static str,
    pub(super) by: &'static str,
    /// Days before now.
    pub(super) day: f64,
    pub(super) text: &'static str,
    pub(super) labels: &'static [&'static str],
    pub(super) assignees: &'static [&'static str],
    pub(super) milestone: &'static str,
    pub(super) iteration: Option<usize>,
    pub(super) epic: &'static str,
    pub(super) weight: Option<i64>,
    /// As people write it, `1d 4h`.
    pub(super) estimate: &'static str,
    /// Days from now.
    pub(super) due: Option<i64>,
    pub(super) kind: IssueType,
    pub(super) confidential: bool,
    pub(super) steps: &'static [Step],
}

/// A story of which nothing has been told yet.
pub(super) const UNTOLD: Story = Story {
    title: "",
    by: "mara",
    day: 0.0,
    text: "",
    labels: &[],
    assignees: &[],
    milestone: "",
    iteration: None,
    epic: "",
    weight: None,
    estimate: "",
    due: None,
    kind: IssueType::Issue,
    confidential: false,
    steps: &[],
};

/// Days after the issue was written, who, and what.
#[derive(Debug)]
pub(super) struct Step(pub(super) f64, pub(super) &'static str, pub(super) Act);

/// What somebody does. Comments are counted from 0 in the order in which the story tells them.
#[derive(Debug)]
pub(super) enum Act {
    Say(&'static str),
    Thread(&'static str),
    Reply(usize, &'static str),
    Internal(&'static str),
    InternalReply(usize, &'static str),
    Rephrase(usize, &'static str),
    Settle(usize),
    Close,
    Reopen,
    Labels(&'static [&'static str]),
    Log(&'static str, &'static str),
    Describe(&'static str),
    Retitle(&'static str),
    Hide,
    React(&'static str),
}

/// An issue on the stage.
#[derive(Default)]
struct Stage {
    iid: u64,
    notes: Vec<u64>,
}

/// Plays all stories at once, in the order of time, so that what mentions what comes out right.
pub(super) fn play(world: &mut World, cast: &Cast, stories: &[&Story]) -> Result<(), EditError> {
    let mut moments: Vec<(DateTime<Utc>, usize, Option<&Step>)> = Vec::new();
    for (number, story) in stories.iter().enumerate() {
        let start = moment(cast, story, 0.0);
        moments.push((start, number, None));
        for step in story.steps {
            moments.push((moment(cast, story, step.0), number, Some(step)));
        }
    }
    moments.sort_by_key(|(at, ..)| *at);
    let mut stages: HashMap<usize, Stage> = HashMap::new();
    for (at, number, step) in moments {
        let Some(story) = stories.get(number) else {
            continue;
        };
        let stage = stages.entry(number).or_default();
        world.at(at, |world| match step {
            None => open(world, cast, story, stage),
            Some(Step(_, by, act)) => perform(world, cast, cast.person(by), act, stage),
        })?;
    }
    Ok(())
}

/// A moment of a story, moved into the hours in which people work. The order of moments stays.
fn moment(cast: &Cast, story: &Story, after: f64) -> DateTime<Utc> {
    const OPENS: i64 = 7 * 3_600;
    const HOURS: (i64, i64) = (11, 24);
    // Some minutes of its own for each story, or all would be told at the full hour of now.
    let own = story
        .title
        .bytes()
        .fold(0_i64, |sum, byte| (sum * 7 + i64::from(byte)) % 8_640);
    let at = cast.now - TimeDelta::seconds(((story.day - after) * 86_400.0) as i64 + own);
    let second = i64::from(at.num_seconds_from_midnight());
    let moved = at + TimeDelta::seconds(OPENS + second * HOURS.0 / HOURS.1 - second);
    moved.min(cast.now)
}

fn open(world: &mut World, cast: &Cast, story: &Story, stage: &mut Stage) -> Result<(), EditError> {
    let author = cast.person(story.by);
    let text = with_files(world, cast.project, author, story.text)?;
    let spec = IssueSpec {
        author,
        title: story.title.to_owned(),
        description: (!text.is_empty()).then_some(text),
        issue_type: story.kind,
        state: IssueState::Opened,
        labels: owned(story.labels),
        assignees: story
            .assignees
            .iter()
            .map(|name| cast.person(name))
            .collect(),
        milestone: cast.milestones.get(story.milestone).copied(),
        iteration: story
            .iteration
            .and_then(|number| cast.iterations.get(number).copied()),
        epic: cast.epics.get(story.epic).copied(),
        weight: story.weight,
        due_date: story
            .due
            .map(|days| (cast.now + TimeDelta::days(days)).date_naive()),
        confidential: story.confidential,
        time_estimate: duration::parse(story.estimate).unwrap_or(0),
    };
    stage.iid = world.create_issue(cast.project, spec)?;
    Ok(())
}

fn perform(
    world: &mut World,
    cast: &Cast,
    by: UserId,
    act: &Act,
    stage: &mut Stage,
) -> Result<(), EditError> {
    let (project, iid) = (cast.project, stage.iid);
    let note = |number: &usize| stage.notes.get(*number).copied().unwrap_or_default();
    let said = match act {
        Act::Say(text) => NoteSpec::new(by, text),
        Act::Thread(text) => NoteSpec {
            thread: true,
            ..NoteSpec::new(by, text)
        },
        Act::Reply(to, text) => NoteSpec {
            reply_to: Some(note(to)),
            ..NoteSpec::new(by, text)
        },
        Act::Internal(text) => NoteSpec {
            internal: true,
            ..NoteSpec::new(by, text)
        },
        Act::InternalReply(to, text) => NoteSpec {
            internal: true,
            reply_to: Some(note(to)),
            ..NoteSpec::new(by, text)
        },
        Act::Rephrase(number, text) => {
            return world.edit_note(project, iid, note(number), by, text);
        }
        Act::Settle(number) => {
            let discussion = world
                .issue(project, iid)
                .and_then(|issue| issue.note(note(number)));
            let discussion = discussion
                .map(|note| note.discussion.clone())
                .unwrap_or_default();
            return world.resolve_discussion(project, iid, &discussion, by, true);
        }
        Act::Log(time, summary) => {
            let seconds = duration::parse(time).unwrap_or(0);
            return world.log_time(
                project,
                iid,
                by,
                seconds,
                Some(*summary).filter(|text| !text.is_empty()),
            );
        }
        Act::Labels(titles) => return world.set_labels(project, iid, by, titles),
        Act::React(name) => return world.add_award(project, iid, by, name),
        Act::Close | Act::Reopen | Act::Describe(_) | Act::Retitle(_) | Act::Hide => {
            let edit = edit(world, project, by, act)?;
            return world.edit_issue(project, iid, by, edit);
        }
    };
    let body = with_files(world, project, by, &said.body)?;
    stage
        .notes
        .push(world.add_note(project, iid, NoteSpec { body, ..said })?);
    Ok(())
}

fn edit(
    world: &mut World,
    project: ProjectId,
    by: UserId,
    act: &Act,
) -> Result<IssueEdit, EditError> {
    let mut edit = IssueEdit::default();
    match act {
        Act::Close => edit.state = Some(IssueState::Closed),
        Act::Reopen => edit.state = Some(IssueState::Opened),
        Act::Describe(text) => edit.description = Some(Some(with_files(world, project, by, text)?)),
        Act::Retitle(title) => edit.title = Some((*title).to_owned()),
        Act::Hide => edit.confidential = Some(true),
        Act::Say(_)
        | Act::Thread(_)
        | Act::Reply(..)
        | Act::Internal(_)
        | Act::InternalReply(..)
        | Act::Rephrase(..)
        | Act::Settle(_)
        | Act::Labels(_)
        | Act::Log(..)
        | Act::React(_) => {}
    }
    Ok(edit)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What needs no escape in a link.
const IN_A_LINK: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Uploads the files that a text names and puts their links in.
pub(super) fn with_files(
    world: &mut World,
    project: ProjectId,
    by: UserId,
    text: &str,
) -> Result<String, EditError> {
    let path = world
        .project(project)
        .map(|project| project.path.clone())
        .unwrap_or_default();
    let base = world.base_url().to_owned();
    let forms = [
        ("{upload:", String::new()),
        ("{project-upload:", format!("/-/project/{project}")),
        ("{path-upload:", format!("/{path}")),
        ("{absolute-upload:", format!("{base}/{path}")),
        (
            "{absolute-project-upload:",
            format!("{base}/-/project/{project}"),
        ),
    ];
    let mut text = text.to_owned();
    for (mark, home) in forms {
        while let Some((before, rest)) = text.split_once(mark) {
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            let content = Content::Stored(pictures::file(name));
            let upload = world.add_upload(project, by, name, content)?;
            let file = percent_encoding::utf8_percent_encode(name, IN_A_LINK);
            text = format!("{before}{home}/uploads/{}/{file}{after}", upload.secret);
        }
    }
    Ok(text)
}
