//! From a source issue to what its mirror should look like.

mod footer;
mod labels;
mod parts;
mod reactions;

use crate::{
    desired::{Desired, DesiredNote, DesiredThread, Place},
    ids::{Iid, InstanceName, IssueId, NoteId, ProjectId},
    issue::{Discussion, Issue, IssueType, Note},
    markdown::{
        self, Inert, mentions,
        references::{self, Leads},
        uploads::{self, SourceProject, UploadRef},
    },
    merge::Ways,
    people::People,
    preserve::Origin,
    provenance::{Found, Hop, Key, Kind, Marker},
    rules::Rules,
};
use footer::{footer, moment, person};
pub use parts::Parts;
use std::collections::BTreeSet;

/// GitLab's limit for a description, in bytes.
pub const MAX_DESCRIPTION: usize = 1024 * 1024;
/// GitLab's limit for a note, in characters.
pub const MAX_NOTE: usize = 1_000_000;

/// No chain of mirrors is so long; a longer path was made up.
const MAX_STATIONS: usize = 16;

/// What rendering needs to know of the two ends.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The source's instance, as markers name it.
    pub source_instance: &'a InstanceName,
    /// The source project.
    pub source: SourceProject<'a>,
    /// The target's instance, as markers name it.
    pub target_instance: &'a InstanceName,
    /// The target project.
    pub target_project: ProjectId,
    /// The target instance's web address: a link to one of its objects would write a cross-reference
    /// note there.
    pub target_address: &'a str,
    /// Both ends are on one instance: that goes for links to the source, too.
    pub same_instance: bool,
    /// The deployment's key.
    pub key: &'a Key,
    /// The label that tells people that an issue is a mirror; `None` for none.
    pub mirrored_label: Option<&'a str>,
    /// What is to be mirrored otherwise than by default.
    pub rules: &'a Rules,
    /// The target has no field for weights, or takes none.
    pub weightless: bool,
    /// What becomes of edits on the target, which the footer tells.
    pub ways: Ways,
}

/// Where a file can be linked: the target's link when it has been carried over; `None` keeps an
/// absolute link to the source.
pub type Links<'a> = dyn Fn(&UploadRef) -> Option<String> + 'a;

/// The address of a source issue's mirror; `None` where it has none.
pub type Mirrors<'a> = dyn Fn(Iid) -> Option<String> + 'a;

/// Where what a text points to can be found on the target.
#[derive(Clone, Copy)]
pub struct There<'a> {
    /// Files.
    pub files: &'a Links<'a>,
    /// Issues.
    pub issues: &'a Mirrors<'a>,
    /// The copy of what the issue itself became when it was moved, if it may be told.
    pub moved: Option<&'a str>,
    /// People.
    pub people: &'a People,
}

impl Frame<'_> {
    /// Who the source issue (or one of its notes) is.
    pub fn hop(&self, issue: &Issue, note: Option<NoteId>) -> Hop {
        self.hop_of(issue.id, issue, note)
    }

    fn hop_of(&self, id: IssueId, issue: &Issue, note: Option<NoteId>) -> Hop {
        Hop {
            instance: self.source_instance.clone(),
            project: self.source.id,
            issue: id,
            iid: issue.iid,
            note,
        }
    }

    /// The hidden first line of the issue's (or the note's) copy.
    pub fn marker(&self, issue: &Issue, note: Option<NoteId>) -> String {
        self.marker_of(issue, note, Kind::Mirror)
    }

    fn marker_of(&self, issue: &Issue, note: Option<NoteId>, kind: Kind) -> String {
        let mut marker = Marker::of(
            self.hop(issue, note),
            self.target_instance.clone(),
            self.target_project,
        );
        marker.path.splice(0..0, self.stations(issue));
        Marker { kind, ..marker }.line(self.key)
    }

    /// Where an issue has come through that is the copy of another deployment: so it is known again
    /// in a ring of them, by the first project that it comes back to.
    fn stations(&self, issue: &Issue) -> Vec<Hop> {
        let found = Found::in_body(&issue.description).map(|found| found.marker);
        let made_for_here = found.filter(|marker| {
            marker.target_project == self.source.id
                && marker.target_instance == *self.source_instance
                && marker.path.len() < MAX_STATIONS
        });
        made_for_here.map_or_else(Vec::new, |marker| marker.path)
    }

    fn inert(&self, text: &str, there: There<'_>) -> String {
        let text = uploads::rewrite(text, &self.source, there.files);
        let aside = mentions::set_aside(&text, there.people);
        let leads = Leads {
            mirror: there.issues,
            to_source: !self.same_instance,
        };
        let linked = references::link(&aside.text, &self.source, &leads);
        let inert = Inert {
            mirrors: &linked.mirrors,
            ..self.inertly()
        };
        aside.put_back(markdown::defuse_with(&linked.text, &inert))
    }

    fn inertly(&self) -> Inert<'_> {
        Inert {
            target: Some(self.target_address),
            source_project_web_url: self.source.web_url,
            mirrors: &[],
        }
    }

    /// A link to the source; on one shared instance a code span, which refers to nothing.
    fn link(&self, text: &str, url: &str) -> String {
        if self.same_instance {
            markdown::code(text)
        } else {
            format!("[{}]({url})", markdown::literal(text))
        }
    }
}

/// Renders an issue with its comments.
pub fn render(
    frame: &Frame<'_>,
    issue: &Issue,
    discussions: &[Discussion],
    there: There<'_>,
) -> Desired {
    let (description, is_cut) = description(frame, issue, there);
    let (notes, mut cut) = notes(frame, issue, discussions, there);
    cut.extend(is_cut.then_some(None));
    Desired {
        title: markdown::defuse_title_with(&issue.title, &frame.inertly()),
        description,
        state: issue.state,
        issue_type: carried_type(&issue.issue_type),
        due_date: issue.due_date,
        confidential: issue.confidential,
        weight: issue.weight,
        estimate: issue.time.estimate,
        spent: issue.time.spent,
        locked: issue.locked,
        labels: labels::all(frame, issue, there.people),
        assignees: labels::assignees(frame, issue, there.people),
        notes,
        cut,
        threads: threads(discussions),
        origin: Origin::from(issue),
    }
}

/// The text of a create whose confidentiality has yet to be proven: the marker, and nothing of the
/// issue.
pub fn neutral_description(frame: &Frame<'_>, issue: &Issue) -> String {
    format!(
        "{}\n\nThis issue is being mirrored.",
        frame.marker(issue, None)
    )
}

/// The text of a comment whose hiddenness has yet to be proven.
pub fn neutral_note(frame: &Frame<'_>, issue: &Issue, note: NoteId) -> String {
    format!(
        "{}\n\nThis comment is being mirrored.",
        frame.marker(issue, Some(note))
    )
}

/// What is left of a copy whose original was deleted, where somebody has answered it: nothing of its
/// text, and no copy any more.
pub fn deleted_note(frame: &Frame<'_>, issue: &Issue, note: NoteId) -> String {
    format!(
        "{}\n\n*This comment was deleted at the source.*",
        frame.marker_of(issue, Some(note), Kind::Notice)
    )
}

/// Every file that the issue and its comments mention, once each; with whether a confidential
/// issue or an internal note is all that mentions it.
pub fn mentioned_uploads(
    source: &SourceProject<'_>,
    issue: &Issue,
    discussions: &[Discussion],
) -> Vec<(UploadRef, bool)> {
    let mut mentioned: Vec<(UploadRef, bool)> = Vec::new();
    for (body, hidden) in bodies(issue, discussions) {
        for upload in uploads::find(body, source) {
            match mentioned.iter_mut().find(|(known, _)| *known == upload) {
                Some((_, only_hidden)) => *only_hidden &= hidden,
                None => mentioned.push((upload, hidden)),
            }
        }
    }
    mentioned
}

/// Every issue of the source project that the issue and its comments refer to.
pub fn mentioned_issues(
    source: &SourceProject<'_>,
    issue: &Issue,
    discussions: &[Discussion],
) -> BTreeSet<Iid> {
    bodies(issue, discussions)
        .flat_map(|(body, _)| references::find(body, source))
        .collect()
}

/// Everybody whose account on the target is to be known, by the source's names: assignees whom the
/// rules name, and where mentions are to reach people, those mentioned.
pub fn people_named(
    frame: &Frame<'_>,
    issue: &Issue,
    discussions: &[Discussion],
) -> BTreeSet<String> {
    let users = &frame.rules.users;
    let assignees = issue.assignees.iter().map(|user| user.username.clone());
    let texts = bodies(issue, discussions).filter(|_| users.mentions());
    let mentioned = texts.flat_map(|(body, _)| mentions::find(body));
    assignees
        .chain(mentioned)
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| users.target(name).is_some())
        .collect()
}

/// Every text that crosses; with whether it is hidden from the public.
fn bodies<'a>(
    issue: &'a Issue,
    discussions: &'a [Discussion],
) -> impl Iterator<Item = (&'a str, bool)> {
    let notes = discussions
        .iter()
        .flat_map(|thread| &thread.notes)
        .filter(|note| !note.system);
    std::iter::once((issue.description.as_str(), issue.confidential))
        .chain(notes.map(|note| (note.body.as_str(), issue.confidential || note.internal)))
}

/// Types that REST creates everywhere stay; the others arrive as ordinary issues.
fn carried_type(source: &IssueType) -> IssueType {
    match source {
        IssueType::Incident | IssueType::Task | IssueType::TestCase => source.clone(),
        IssueType::Issue | IssueType::Other(_) => IssueType::Issue,
    }
}

/// The description, and whether it is cut.
fn description(frame: &Frame<'_>, issue: &Issue, there: There<'_>) -> (String, bool) {
    let footer = footer(frame, issue, there.moved);
    let head = format!("{}\n\n", frame.marker(issue, None));
    let room = MAX_DESCRIPTION.saturating_sub(head.len() + footer.len());
    let (body, cut) = fitted(frame, &issue.web_url, room, str::len, || {
        frame.inert(&issue.description, there)
    });
    let close = markdown::closing(&body);
    let gap = if body.is_empty() { "" } else { "\n\n" };
    (format!("{head}{body}{close}{gap}---\n\n{footer}"), cut)
}

/// The body, cut to `room` (in `measure`'s unit) where it is too long, with a link to the whole
/// text; and whether it was. What would be left open by the cut is closed by the caller.
fn fitted(
    frame: &Frame<'_>,
    url: &str,
    room: usize,
    measure: impl Fn(&str) -> usize,
    body: impl FnOnce() -> String,
) -> (String, bool) {
    // Separators, and the longest closing of what a body may leave open.
    const RESERVE: usize = 512;
    let body = body();
    if measure(&body) + RESERVE <= room {
        return (body, false);
    }
    let notice = format!("\n\n… (cut here; {})", frame.link("the whole text", url));
    let mut room = room.saturating_sub(RESERVE + notice.len());
    let mut cut = String::new();
    // At a line's end, so that no construct inside a line is torn.
    for line in body.split_inclusive('\n') {
        let length = measure(line);
        if length > room {
            break;
        }
        room -= length;
        cut.push_str(line);
    }
    let cut = cut.trim_end();
    let close = markdown::closing(cut);
    (format!("{cut}{close}{notice}"), true)
}

/// The comments, and those that are cut.
fn notes(
    frame: &Frame<'_>,
    issue: &Issue,
    discussions: &[Discussion],
    there: There<'_>,
) -> (Vec<DesiredNote>, BTreeSet<Option<NoteId>>) {
    let mut notes: Vec<DesiredNote> = Vec::new();
    let mut cut = BTreeSet::new();
    for thread in discussions {
        let written = thread.notes.iter().filter(|note| !note.system);
        for (index, note) in written.enumerate() {
            let place = match (thread.individual, index) {
                (true, _) => Place::Plain,
                (false, 0) => Place::Start,
                (false, _) => Place::Reply,
            };
            let (body, is_cut) = note_body(frame, issue, note, there);
            cut.extend(is_cut.then_some(Some(note.id)));
            notes.push(DesiredNote {
                source_note: note.id,
                discussion: thread.id.clone(),
                place,
                body,
                internal: note.internal,
                created_at: note.created_at,
            });
        }
    }
    notes.sort_by_key(|note| (note.created_at, note.source_note));
    (notes, cut)
}

fn threads(discussions: &[Discussion]) -> Vec<DesiredThread> {
    let threads = discussions.iter().filter(|thread| !thread.individual);
    threads
        .filter_map(|thread| {
            Some(DesiredThread {
                discussion: thread.id.clone(),
                resolved: thread.resolved()?,
            })
        })
        .collect()
}

fn note_body(frame: &Frame<'_>, issue: &Issue, note: &Note, there: There<'_>) -> (String, bool) {
    let url = format!("{}#note_{}", issue.web_url, note.id);
    let head = format!(
        "{}\n\n{} · {}\n\n",
        frame.marker(issue, Some(note.id)),
        person(&note.author),
        frame.link(&moment(note.created_at), &url),
    );
    let characters = |text: &str| text.chars().count();
    let room = MAX_NOTE.saturating_sub(characters(&head));
    let (body, cut) = fitted(frame, &url, room, characters, || {
        frame.inert(&note.body, there)
    });
    (format!("{head}{body}").trim_end().to_owned(), cut)
}
