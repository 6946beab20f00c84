//! What the people of a mirror want of labels and issues, and what that comes to, told without the
//! engine.

use super::{dice::Dice, manner::Manner, people::People};
use crate::support::{Copy, copies, note};
use gitlab_sim::{ChangeKind, Issue, IssueEdit, IssueState};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// What becomes of a copy whose issue is none any more of those that are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Left {
    Stop,
    Follow,
    Close,
}

/// Rules, as their people understand them.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Ruling {
    map: &'static [(&'static str, &'static str)],
    skip: &'static [&'static str],
    /// Beginnings of titles that do not cross.
    exclude: &'static [&'static str],
    prefix: &'static str,
    any_label: &'static [&'static str],
    no_label: &'static [&'static str],
    left: Left,
}

const ALL: Ruling = Ruling {
    map: &[],
    skip: &[],
    exclude: &[],
    prefix: "",
    any_label: &[],
    no_label: &[],
    left: Left::Stop,
};

pub(super) static RULINGS: [&Ruling; 5] = [
    &Ruling {
        map: &[("bug", "defect")],
        skip: &["ui"],
        exclude: &["p::l"],
        prefix: "s/",
        ..ALL
    },
    &Ruling {
        any_label: &["bug", "ui"],
        ..ALL
    },
    &Ruling {
        no_label: &["p::high"],
        left: Left::Close,
        ..ALL
    },
    &Ruling {
        any_label: &["bug", "ui"],
        left: Left::Follow,
        ..ALL
    },
    &Ruling {
        map: &[("new", "s/new"), ("p::low", "later on")],
        prefix: "s/",
        no_label: &["bug"],
        ..ALL
    },
];

impl Ruling {
    /// The rules as the mirror is told them, with who is who.
    pub(super) fn document(&self, filters: bool) -> String {
        let map: serde_json::Map<_, _> = self
            .map
            .iter()
            .map(|(of, to)| ((*of).to_owned(), json!(to)))
            .collect();
        let exclude = self.exclude.iter().map(|begins| format!("^{begins}"));
        let exclude: Vec<String> = exclude.collect();
        let left = match self.left {
            Left::Stop => "stop",
            Left::Follow => "follow",
            Left::Close => "close",
        };
        let mut rules = json!({
            "users": {"map": {"alice-w": "anna", "bob": "ben"}},
            "labels": {"map": map, "skip": self.skip, "exclude": exclude, "prefix": self.prefix},
        });
        if filters {
            rules["only"] = json!({
                "any_label": self.any_label, "no_label": self.no_label, "when_left": left});
        }
        rules.to_string()
    }

    /// Under what name a label crosses, if it does.
    fn name(&self, title: &str) -> Option<String> {
        if let Some((_, to)) = self.map.iter().find(|(of, _)| *of == title) {
            return Some((*to).to_owned());
        }
        let excluded = self.exclude.iter().any(|begins| title.starts_with(begins));
        let stays = self.skip.contains(&title) || excluded;
        (!stays).then(|| format!("{}{title}", self.prefix))
    }

    fn takes(&self, titles: &[String]) -> bool {
        let carries = |title: &&str| titles.iter().any(|there| there == title);
        (self.any_label.is_empty() || self.any_label.iter().any(carries))
            && !self.no_label.iter().any(carries)
    }
}

/// What is known of issues that the mirror does not take.
#[derive(Clone, Default)]
pub(super) struct Alone(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Words said on issues since they are outside.
    said: Vec<(u64, String)>,
    /// Issues that have been inside.
    insiders: BTreeSet<u64>,
}

impl People {
    fn ruling(&self) -> Option<&'static Ruling> {
        match self.manner {
            Manner::Ruled(ruling) => Some(ruling),
            Manner::Plain | Manner::Gone { .. } | Manner::Protecting | Manner::Paired => None,
        }
    }

    /// The names of an issue's labels on the target.
    pub(super) fn names(&self, titles: Vec<String>) -> BTreeSet<String> {
        match self.ruling() {
            Some(ruling) => titles
                .iter()
                .filter_map(|title| ruling.name(title))
                .collect(),
            None => titles.into_iter().collect(),
        }
    }

    fn is_outside(&self, issue: &Issue) -> bool {
        let titles = self.source.world(|world| world.label_titles(issue));
        self.ruling().is_some_and(|ruling| !ruling.takes(&titles))
    }

    /// Somebody takes an issue out and says in it what is for its people alone. `false`: nobody does.
    pub(super) fn keep_alone(&self, number: u64) -> bool {
        let mut dice = Dice::new(number, 8);
        let Some(ruling) = self.ruling().filter(|_| dice.chance(40)) else {
            return false;
        };
        let (project, alice) = (self.from.project, self.alice);
        let issues: Vec<Issue> = self
            .source
            .world(|world| world.issues(project).cloned().collect());
        let Some(issue) = dice.pick(&issues) else {
            return false;
        };
        let mut titles = self.source.world(|world| world.label_titles(issue));
        let leaves = !self.is_outside(issue) || dice.chance(20);
        if leaves {
            titles.retain(|title| !ruling.any_label.contains(&title.as_str()));
            titles.extend(ruling.no_label.first().map(|title| (*title).to_owned()));
        }
        titles.dedup();
        let word = format!("ALONE-{number}-");
        self.source.edit(|world| {
            let labels = Some(titles.clone());
            let edit = IssueEdit {
                labels,
                ..IssueEdit::default()
            };
            world.edit_issue(project, issue.iid, alice, edit).unwrap();
            world
                .add_note(project, issue.iid, note(alice, &format!("Psst, {word}.")))
                .unwrap();
        });
        if !ruling.takes(&titles) {
            self.alone.0.lock().unwrap().said.push((issue.iid, word));
        }
        true
    }

    /// What was said on issues that have come back is for all; and who has ever been inside.
    pub(super) fn look_who_is_inside(&self) {
        if self.ruling().is_none() {
            return;
        }
        let inside = self.seen();
        let inside = inside.iter().filter(|issue| !self.is_outside(issue));
        let inside: BTreeSet<u64> = inside.map(|issue| issue.iid).collect();
        let mut known = self.alone.0.lock().unwrap();
        known.said.retain(|(iid, _)| !inside.contains(iid));
        known.insiders.extend(inside);
    }
}

/// Words that crossed although their issue was outside when they were said, and is still.
pub(super) fn crossed(people: &People) -> Vec<String> {
    let stays = |ruling: &&Ruling| ruling.left != Left::Follow;
    if people.ruling().filter(stays).is_none() {
        return Vec::new();
    }
    let known = people.alone.0.lock().unwrap();
    if known.said.is_empty() {
        return Vec::new();
    }
    let copies = copies(&people.target, people.to.project);
    let crossed = known.said.iter().filter(|(iid, word)| {
        let mut of_it = copies.iter().filter(|copy| copy.of == *iid);
        of_it.any(|copy| copy.issue.notes.iter().any(|note| note.body.contains(word)))
    });
    crossed
        .map(|(iid, word)| format!("{word} crossed, after #{iid} had left"))
        .collect()
}

/// How an issue is to be judged by the rules.
pub(super) enum Fate {
    /// As any.
    Alike,
    /// It has no copy, or one that is to be alike.
    AlikeIfThere,
    /// What is wrong with its copy.
    Left(Vec<String>),
}

pub(super) fn fate(people: &People, issue: &Issue, copy: Option<&Copy>) -> Fate {
    let Some(ruling) = people.ruling().filter(|_| people.is_outside(issue)) else {
        return Fate::Alike;
    };
    let Some(copy) = copy else {
        return Fate::Left(Vec::new());
    };
    let iid = issue.iid;
    if !people.alone.0.lock().unwrap().insiders.contains(&iid) {
        return Fate::Left(vec![format!("#{iid}, never inside, has a copy")]);
    }
    let mut broken = Vec::new();
    if issue.confidential && !copy.issue.confidential {
        broken.push(format!("the copy of #{iid}, which has left, is not hidden"));
    }
    let closed = match ruling.left {
        Left::Follow => return Fate::AlikeIfThere,
        Left::Stop => true,
        Left::Close => copy.issue.state == IssueState::Closed || is_toms_state(people, copy),
    };
    if !closed {
        broken.push(format!("the copy of #{iid}, which has left, is open"));
    }
    Fate::Left(broken)
}

/// Whether it was Tom who opened or closed it last.
fn is_toms_state(people: &People, copy: &Copy) -> bool {
    people.target.world(|world| {
        let mut changes = world.changes().iter().rev();
        let last = changes.find(|change| {
            let ChangeKind::IssueUpdated(fields) = &change.kind else {
                return false;
            };
            change.issue == Some(copy.issue.iid) && fields.contains(&"state")
        });
        last.is_some_and(|change| change.by == people.tom)
    })
}
