//! Edits that people make on copies, where they are protected: none is overwritten by anybody who
//! could have seen it, and each is told (law 7).

use super::{manner::Manner, network::Delivered, people::People, time::Actor};
use crate::support::copies;
use gitlab_sim::Issue;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// What Tom made of fields of copies, by their numbers.
#[derive(Clone, Default)]
pub(super) struct Edits(Arc<Mutex<BTreeMap<(u64, &'static str), String>>>);

const ADDED: &str = "Added there.";

/// The fields that he edits, in words.
pub(super) fn fields(issue: &Issue) -> [(&'static str, String); 7] {
    let text = issue.description.as_deref().unwrap_or_default();
    [
        ("title", issue.title.clone()),
        ("state", issue.state.word().to_owned()),
        ("weight", format!("{:?}", issue.weight)),
        ("due date", format!("{:?}", issue.due_date)),
        ("estimate", format!("{:?}", issue.time_estimate)),
        (
            "lock",
            format!("{:?}", issue.discussion_locked == Some(true)),
        ),
        ("text", text.contains(ADDED).to_string()),
    ]
}

impl People {
    /// Tom has edited a copy that was so before.
    pub(super) fn has_edited(&self, before: &Issue, after: &Issue) {
        if self.manner != Manner::Protecting {
            return;
        }
        let mut edits = self.edits.0.lock().unwrap();
        for ((what, was), (_, is)) in fields(before).into_iter().zip(fields(after)) {
            if was != is {
                edits.insert((after.iid, what), is);
            }
        }
    }

    /// Whether a copy says there what Tom made of it, or a person decided that it stays.
    pub(super) fn is_toms(&self, copy: &Issue, what: &str) -> bool {
        if what == "text" && self.texts_stay.contains(&copy.iid) {
            return true;
        }
        let edits = self.edits.0.lock().unwrap();
        let fields = fields(copy);
        let mut found = fields.iter().filter(|(field, _)| *field == what);
        found.any(|(field, is)| edits.get(&(copy.iid, *field)) == Some(is))
    }

    /// A person has decided that the target holds in these fields. Where a copy was edited before
    /// anybody heard that it was made, that may be more than was edited: nobody knows.
    pub(super) fn take_for_edited(&mut self, iid: u64, names: &BTreeSet<String>) {
        let copies = copies(&self.target, self.to.project);
        let mut edits = self.edits.0.lock().unwrap();
        for copy in copies.iter().filter(|copy| copy.of == iid) {
            if names.contains("description") {
                self.texts_stay.insert(copy.issue.iid);
            }
            for (what, is) in fields(&copy.issue) {
                let name = if what == "text" { "description" } else { what };
                if names.contains(name) {
                    edits.insert((copy.issue.iid, what), is);
                }
            }
        }
    }

    /// Whether a person has decided that this comment's copy stays as it is. One that nobody edited
    /// may be taken for edited after a crash (decision 41).
    pub(super) fn stays(&self, note: u64) -> bool {
        self.stay.contains(&note)
    }

    /// A person has decided that the source holds.
    pub(super) fn give_up_edits_of(&self, iid: u64) {
        let originals = originals(self);
        let mut edits = self.edits.0.lock().unwrap();
        edits.retain(|(copy, _), _| originals.get(copy) != Some(&iid));
    }
}

/// Watches whether what Tom edited stays.
#[derive(Default)]
pub(super) struct Guard {
    /// Deliveries so far.
    beats: u64,
    /// When each edit was first met.
    since: BTreeMap<(u64, &'static str), (String, u64)>,
    /// Who was shown a copy: the number of the letter that asked for it, and when it was delivered.
    looks: BTreeMap<(Actor, u64), (u64, u64)>,
}

impl Guard {
    /// Before anything is delivered: what is edited by now, and what something that landed late, or
    /// the source itself, has made void.
    pub(super) fn before(&mut self, people: &People) {
        if people.manner != Manner::Protecting {
            return;
        }
        self.beats += 1;
        let originals = originals(people);
        let mut edits = people.edits.0.lock().unwrap();
        edits.retain(|(copy, what), value| {
            let there = shown(people, *copy, what);
            let wanted = originals
                .get(copy)
                .and_then(|iid| original(people, *iid, what));
            let stands = there.as_ref() == Some(value) && wanted.as_ref() != Some(value);
            let since = self.since.get(&(*copy, *what));
            if since.is_none_or(|(known, _)| known != value) {
                let since = (value.clone(), self.beats);
                self.since.insert((*copy, *what), since);
            }
            stands
        });
        self.since.retain(|key, _| edits.contains_key(key));
    }

    /// After it: nobody may have overwritten what he was shown.
    pub(super) fn after(&mut self, people: &People, delivered: &Delivered) -> Vec<String> {
        if people.manner != Manner::Protecting {
            return Vec::new();
        }
        let Some(copy) = delivered.target_issue else {
            return Vec::new();
        };
        let who = (delivered.from, copy);
        if !delivered.writes {
            self.looks.insert(who, (delivered.id, self.beats));
            return Vec::new();
        }
        let edits = people.edits.0.lock().unwrap();
        let overwritten = edits.iter().filter(|((number, what), value)| {
            let stands = shown(people, copy, what).as_ref() == Some(*value);
            let since = self.since.get(&(*number, *what)).map(|(_, since)| *since);
            let seen = self.looks.get(&who).is_some_and(|(letter, at)| {
                *letter < delivered.id && since.is_some_and(|since| since <= *at)
            });
            *number == copy && !stands && seen
        });
        overwritten
            .map(|((number, what), _)| format!("law 7: {what} of target #{number} was overwritten"))
            .collect()
    }
}

fn shown(people: &People, copy: u64, what: &str) -> Option<String> {
    let issue = people
        .target
        .world(|world| world.issue(people.to.project, copy).cloned())?;
    let mut fields = fields(&issue).into_iter();
    fields.find(|(field, _)| *field == what).map(|(_, is)| is)
}

fn original(people: &People, iid: u64, what: &str) -> Option<String> {
    let issue = people
        .source
        .world(|world| world.issue(people.from.project, iid).cloned())?;
    let mut fields = fields(&issue).into_iter();
    fields.find(|(field, _)| *field == what).map(|(_, is)| is)
}

/// Of what the target's issues are copies.
fn originals(people: &People) -> BTreeMap<u64, u64> {
    let copies = copies(&people.target, people.to.project);
    copies
        .into_iter()
        .map(|copy| (copy.issue.iid, copy.of))
        .collect()
}
