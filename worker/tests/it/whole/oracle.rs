//! Says which laws are broken, by what the two GitLabs hold and by nothing else.

use super::{
    gone,
    paired::{self, is_original},
    people::People,
    protecting::Edits,
    ruled::{self, Fate},
};
use crate::support::{Copy, body_of, copies, exposed, reads_like, shown};
use gitlab_sim::{ChangeKind, Issue, Note, Via, text::visible::visible_text};
use std::collections::{BTreeMap, BTreeSet};

/// What must not be at any moment.
pub(super) fn at_any_moment(people: &People, may_be_twice: bool) -> Vec<String> {
    let mut broken = Vec::new();
    if !may_be_twice {
        broken.extend(twice(people));
    }
    let places = exposed(&people.target, people.to.project);
    broken.extend(places.into_iter().map(|place| format!("a secret: {place}")));
    broken.extend(noise(people));
    broken.extend(theirs_touched(people));
    broken.extend(ruled::crossed(people));
    broken
}

/// What must not be once everything has come to rest.
pub(super) fn in_the_end(people: &People) -> Vec<String> {
    let mut broken = at_any_moment(people, false);
    let of_target = copies(&people.target, people.to.project);
    let copies: BTreeMap<u64, &Copy> = of_target.iter().map(|copy| (copy.of, copy)).collect();
    for issue in people.seen().iter().filter(|issue| is_original(issue)) {
        let copy = copies.get(&issue.iid).copied();
        match (ruled::fate(people, issue, copy), copy) {
            (Fate::Left(wrong), _) => broken.extend(wrong),
            (Fate::Alike, None) => broken.push(format!("#{} has no copy", issue.iid)),
            (Fate::AlikeIfThere, None) => {}
            (Fate::Alike | Fate::AlikeIfThere, Some(copy)) => {
                broken.extend(unlike(people, issue, copy));
            }
        }
    }
    broken.extend(paired::unequal(people));
    broken.extend(gone::otherwise_than_asked(people, &of_target));
    broken
}

/// Issues whose copies are as their people edited them, and how they differ.
pub(super) fn edited(people: &People) -> Vec<(u64, Vec<String>)> {
    let all = copies(&people.target, people.to.project);
    let people = People {
        edits: Edits::default(),
        ..people.clone()
    };
    let issues = people.seen().into_iter();
    let differing = issues.filter_map(|issue| {
        let copy = all.iter().find(|copy| copy.of == issue.iid)?;
        Some((issue.iid, unlike(&people, &issue, copy)))
    });
    differing.filter(|(_, wrong)| !wrong.is_empty()).collect()
}

/// Law 4.
fn twice(people: &People) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for copy in copies(&people.target, people.to.project) {
        if !seen.insert(copy.of) {
            broken.push(format!("#{} has two copies", copy.of));
        }
        let mut notes = BTreeSet::new();
        for (of, _) in copy.notes() {
            if !notes.insert(of) {
                broken.push(format!("note {of} of #{} has two copies", copy.of));
            }
        }
    }
    broken
}

/// Law 6.
fn noise(people: &People) -> Vec<String> {
    let mirrored = paired::with_copies(people);
    people.target.world(|world| {
        let mut broken = Vec::new();
        for command in world.executed_commands() {
            broken.push(format!("/{} ran on #{}", command.name, command.issue));
        }
        let told = world.notifications().iter();
        for told in told.filter(|told| told.via == Via::Api) {
            broken.push(format!("{} was told of #{}", told.mentioned, told.issue));
        }
        for issue in world.issues(people.to.project) {
            let by = issue.notes.iter().filter_map(|note| note.mentioned_by);
            // Copies may refer to copies, those that were taken away for twins among them, and to what
            // the other half of a pair has copied.
            let strange = by.filter(|(project, iid)| {
                let of_tom = |issue: &Issue| issue.author == people.tom;
                let theirs = of_tom(issue) && !mirrored.contains(&issue.iid);
                theirs || world.issue(*project, *iid).is_some_and(of_tom)
            });
            for (_, iid) in strange {
                broken.push(format!("#{iid} is noted on target #{}", issue.iid));
            }
        }
        broken
    })
}

/// Law 7: what the target's people wrote is theirs.
fn theirs_touched(people: &People) -> Vec<String> {
    let tom = people.tom;
    people.target.world(|world| {
        let mut broken = Vec::new();
        let mut notes = BTreeSet::new();
        let mut issues = BTreeSet::new();
        for change in world.changes() {
            match (&change.kind, change.via) {
                (ChangeKind::NoteCreated(note), Via::Edit) if change.by == tom => {
                    notes.insert(*note);
                }
                (ChangeKind::IssueCreated, Via::Edit) if change.by == tom => {
                    issues.insert(change.issue);
                }
                (ChangeKind::NoteUpdated(note) | ChangeKind::NoteDeleted(note), Via::Api)
                    if notes.contains(note) =>
                {
                    broken.push(format!("somebody else's comment {note} was changed"));
                }
                (kind, Via::Api) if issues.contains(&change.issue) && !people.are_a_pair() => {
                    broken.push(format!("somebody else's issue: {kind:?}"));
                }
                (_, Via::Api | Via::Edit) => {}
            }
        }
        for issue in world.issues(people.to.project) {
            let mut toms = BTreeSet::new();
            for event in &issue.label_events {
                if event.added && event.user == tom {
                    toms.insert(event.label);
                } else if !event.added && toms.remove(&event.label) && event.user != tom {
                    broken.push(format!("a label of theirs was taken off #{}", issue.iid));
                }
            }
        }
        broken
    })
}

/// Laws 1 and 8.
pub(super) fn unlike(people: &People, source: &Issue, copy: &Copy) -> Vec<String> {
    let (iid, target) = (source.iid, &copy.issue);
    let mut broken = Vec::new();
    let mut compare = |what: &str, wanted: String, found: String| {
        if wanted != found && !people.is_toms(target, what) {
            broken.push(format!("{what} of #{iid} is {found}, not {wanted}"));
        }
    };
    let title = target.title.replace('\u{2060}', "");
    compare("title", source.title.trim().to_owned(), title);
    compare(
        "state",
        source.state.word().into(),
        target.state.word().into(),
    );
    let pairs = [
        ("type", shows(source.issue_type), shows(target.issue_type)),
        (
            "hiding",
            shows(source.confidential),
            shows(target.confidential),
        ),
        ("weight", shows(source.weight), shows(target.weight)),
        ("lock", locked(source), locked(target)),
        ("due date", shows(source.due_date), shows(target.due_date)),
        (
            "estimate",
            shows(source.time_estimate),
            shows(target.time_estimate),
        ),
        (
            "time",
            shows(source.time_spent()),
            shows(carried(people, target)),
        ),
    ];
    for (what, wanted, found) in pairs {
        compare(what, wanted, found);
    }
    let text = source.description.as_deref().unwrap_or_default();
    let copied = target.description.as_deref().unwrap_or_default();
    let alike = copied.contains("\n\n---\n\nMirrored from ") && reads_like(body_of(copied), text);
    if !alike && !people.is_toms(target, "text") {
        broken.push(format!("text of #{iid}:\n{copied}\n--- of ---\n{text}"));
    }
    broken.extend(unlike_assignees(people, source, target));
    broken.extend(unlike_labels(people, source, target));
    broken.extend(unlike_notes(people, source, copy));
    broken
}

fn shows(value: impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

fn locked(issue: &Issue) -> String {
    shows(issue.discussion_locked == Some(true))
}

/// The time that we logged, whatever others did.
fn carried(people: &People, target: &Issue) -> i64 {
    let others = |user| user != people.tom || people.are_a_pair();
    let logs = target.timelogs.iter().filter(|log| others(log.user));
    logs.map(|log| log.seconds).sum()
}

/// Those of the source by their accounts on the target, whoever else the target's people assigned.
fn unlike_assignees(people: &People, source: &Issue, target: &Issue) -> Option<String> {
    let known = people.known.iter();
    let wanted: BTreeSet<u64> = known
        .filter(|(of, _)| source.assignees.contains(of))
        .map(|(_, to)| *to)
        .collect();
    let found = target.assignees.iter().copied();
    let found: BTreeSet<u64> = found.filter(|user| *user != people.tom).collect();
    (found != wanted).then(|| format!("assignees of #{} are {found:?}, not {wanted:?}", source.iid))
}

/// The source's labels and the target's people's own, and no others. A confidential issue need not
/// bring its labels.
fn unlike_labels(people: &People, source: &Issue, target: &Issue) -> Option<String> {
    let wanted: BTreeSet<String> = people
        .source
        .world(|world| people.names(world.label_titles(source)));
    let found: BTreeSet<String> = people.target.world(|world| {
        let of_tom = |label: u64| {
            let mut events = target.label_events.iter().rev();
            let last = events.find(|event| event.label == label);
            last.is_some_and(|event| event.added && event.user == people.tom)
        };
        let ours = target.labels.iter().filter(|label| !of_tom(**label));
        let titles = ours.filter_map(|label| world.label(*label));
        titles
            .map(|label| label.title.clone())
            .filter(|title| title != "MIRRORED")
            .collect()
    });
    let alike = if source.confidential {
        found.is_subset(&wanted)
    } else {
        found == wanted
    };
    (!alike).then(|| format!("labels of #{} are {found:?}, not {wanted:?}", source.iid))
}

/// Every one once, the earlier before the later. Of two whose times say otherwise than their
/// numbers, for the clock went back between them, the one that was there first may stay so.
fn as_they_came(of: &[&Note], found: &[u64]) -> bool {
    let at = |note: &Note| found.iter().position(|id| *id == note.id);
    let before = |a: &Note, b: &Note| a.id > b.id || at(a) < at(b);
    let mut places = of.iter().enumerate();
    found.len() == of.len()
        && of.iter().all(|note| at(note).is_some())
        && places.all(|(place, a)| of[place + 1..].iter().all(|b| before(a, b)))
}

/// All comments, in order, in the same threads, each with its text and as hidden.
fn unlike_notes(people: &People, source: &Issue, copy: &Copy) -> Vec<String> {
    let iid = source.iid;
    let is_own = |note: &&Note| !note.system && !note.body.starts_with("<!-- issue-mirror:");
    let mut of: Vec<&Note> = source.notes.iter().filter(is_own).collect();
    of.sort_by_key(|note| (note.created_at, note.id));
    let to = copy.notes();
    let wanted: Vec<u64> = of.iter().map(|note| note.id).collect();
    let found: Vec<u64> = to.iter().map(|(of, _)| *of).collect();
    if !as_they_came(&of, &found) {
        return vec![format!("comments on #{iid} are {found:?}, not {wanted:?}")];
    }
    let mut broken = Vec::new();
    for (id, target) in &to {
        let source = of.iter().find(|note| note.id == *id).unwrap();
        let mut parts = target.body.splitn(3, "\n\n");
        let (_, head) = (parts.next(), parts.next().unwrap_or_default());
        let text = parts.next().unwrap_or_default();
        let author = people
            .source
            .world(|world| world.user(source.author).unwrap().username.clone());
        let alike = target.internal == source.internal
            && shown(text) == shown(&source.body)
            && visible_text(head).contains(&author);
        if !alike && !people.stays(source.id) {
            let (id, body) = (source.id, &target.body);
            broken.push(format!(
                "comment {id} on #{iid}:\n{body}\n--- of ---\n{}",
                source.body
            ));
        }
    }
    let threads = |notes: Vec<(u64, &Note)>| {
        let mut threads: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (id, note) in notes {
            threads.entry(note.discussion.clone()).or_default().push(id);
        }
        threads.into_values().collect::<BTreeSet<_>>()
    };
    if threads(to) != threads(of.iter().map(|note| (note.id, *note)).collect()) {
        broken.push(format!("threads on #{iid}"));
    }
    broken
}
