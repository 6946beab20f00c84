//! Judges a target by its source; looks at what the two GitLabs hold and at nothing else.

use super::stage::Stage;
use gitlab_sim::{Issue, Note, Via};
use std::collections::BTreeMap;

/// What a marker says a text is the copy of: the last hop's issue number, and its note.
fn original(text: &str) -> Option<(u64, Option<u64>)> {
    let line = text
        .lines()
        .next()?
        .strip_prefix("<!-- issue-mirror:1 mirror path=")?;
    let path = line.split(' ').next()?;
    let mut parts = path.rsplit(',').next()?.split(';').skip(3);
    let iid = parts.next()?.parse().ok()?;
    let note = parts.next().map(|note| note.parse().unwrap());
    Some((iid, note))
}

fn comments(issue: &Issue) -> Vec<&Note> {
    issue.notes.iter().filter(|note| !note.system).collect()
}

/// As [`mirrored`], for a story that says first where it is.
#[track_caller]
pub(crate) fn mirrored_after(stage: &Stage, what: &str) {
    // Shown only where the test fails.
    println!("after {what}:");
    mirrored(stage);
}

/// Nothing is missing, nothing is there twice, nothing was executed, nobody was told.
#[track_caller]
pub(crate) fn mirrored(stage: &Stage) {
    let (source, target) = (&stage.source, &stage.target);
    let originals: Vec<(Issue, Vec<String>)> = source.sim.world(|world| {
        let issues = world.issues(source.project);
        issues
            .map(|issue| (issue.clone(), world.label_titles(issue)))
            .collect()
    });
    target.sim.world(|world| {
        let mut copies: BTreeMap<u64, Vec<&Issue>> = BTreeMap::new();
        for copy in world.issues(target.project) {
            let (iid, note) = original(copy.description.as_deref().unwrap_or(""))
                .unwrap_or_else(|| panic!("whose copy is {copy:?}"));
            assert_eq!(note, None);
            copies.entry(iid).or_default().push(copy);
        }
        assert_eq!(copies.len(), originals.len(), "issues that have a copy");
        for (issue, labels) in &originals {
            let [copy] = copies[&issue.iid].as_slice() else {
                panic!("#{} has {} copies", issue.iid, copies[&issue.iid].len());
            };
            same_fields(issue, copy);
            same_comments(issue, copy);
            let mut there = world.label_titles(copy);
            there.retain(|title| title != "MIRRORED");
            // A confidential issue brings no label that nobody else brought: its title would be seen.
            let wanted = labels
                .iter()
                .filter(|label| !issue.confidential || there.contains(label));
            assert_eq!(
                sorted(there.clone()),
                sorted(wanted.cloned().collect()),
                "#{}",
                issue.iid
            );
        }
        let titles: Vec<_> = world
            .labels_of(target.project)
            .map(|label| label.title.clone())
            .collect();
        let mut once = titles.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), titles.len(), "labels twice: {titles:?}");
        assert!(
            world.executed_commands().is_empty(),
            "{:?}",
            world.executed_commands()
        );
        let told = world.notifications().iter();
        assert_eq!(told.filter(|one| one.via == Via::Api).count(), 0);
    });
}

fn sorted(mut titles: Vec<String>) -> Vec<String> {
    titles.sort();
    titles
}

#[track_caller]
fn same_fields(issue: &Issue, copy: &Issue) {
    let iid = issue.iid;
    assert_eq!(copy.title, issue.title, "#{iid}");
    assert_eq!(copy.state, issue.state, "#{iid}");
    assert_eq!(copy.confidential, issue.confidential, "#{iid}");
    assert_eq!(copy.time_estimate, issue.time_estimate, "#{iid}");
    assert_eq!(copy.time_spent(), issue.time_spent(), "#{iid}");
    let text = |issue: &Issue| issue.description.clone().unwrap_or_default();
    let (text, copied) = (text(issue), text(copy));
    let opening = text.split('@').next().unwrap_or_default();
    assert!(copied.contains(opening), "#{iid}: {copied}");
}

/// Each once, in the same order, in the same threads, seen by the same people.
#[track_caller]
fn same_comments(issue: &Issue, copy: &Issue) {
    let iid = issue.iid;
    let (theirs, ours) = (comments(issue), comments(copy));
    let copied: Vec<u64> = ours
        .iter()
        .map(|note| {
            let (of, note) = original(&note.body).unwrap_or_else(|| panic!("whose is {note:?}"));
            assert_eq!(of, iid);
            note.unwrap()
        })
        .collect();
    let wanted: Vec<u64> = theirs.iter().map(|note| note.id).collect();
    assert_eq!(copied, wanted, "comments of #{iid}");
    for (theirs_at, one) in theirs.iter().enumerate() {
        let other = ours[theirs_at];
        assert_eq!(other.internal, one.internal, "#{iid}");
        let first_line = one.body.lines().next().unwrap();
        assert!(other.body.contains(first_line), "#{iid}: {}", other.body);
        for (later, after) in theirs.iter().enumerate().skip(theirs_at + 1) {
            assert_eq!(
                other.discussion == ours[later].discussion,
                one.discussion == after.discussion,
                "threads of #{iid}"
            );
        }
    }
}
