//! The difference in the comments and their threads.

use super::step::{NewNote, Step};
use crate::{
    desired::{Desired, DesiredNote, DesiredThread, Place},
    ids::NoteId,
    mapping::NoteMapping,
    provenance::alike,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of an issue's comments besides what they should be.
#[derive(Clone, Copy, Debug)]
pub struct KnownNotes<'a> {
    /// What is mapped, by source note.
    pub recorded: &'a BTreeMap<NoteId, NoteMapping>,
    /// The target's comments where they were read (after lost state, in a full run). One whose
    /// digest is unknown is compared with its body, and rewritten where there is none to compare
    /// with.
    pub bodies: &'a BTreeMap<NoteId, String>,
    /// Copies whose originals are proven to be gone.
    pub gone: &'a [GoneNote],
    /// The target's threads by the source's, as they were last seen to stand or were left:
    /// resolved or not. One that is not among them is not resolved.
    pub resolved: &'a BTreeMap<String, bool>,
    /// Whether the target resolves threads at all.
    pub resolves: bool,
    /// Whether an internal comment was proven to stay internal there.
    pub internal_proven: bool,
    /// Whether new ones keep the time of their originals.
    pub dated: bool,
}

/// A copy whose original is proven to be gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoneNote {
    /// What it was the copy of.
    pub source_note: NoteId,
    /// The copy.
    pub target_note: NoteId,
    /// What is to stand there instead, where somebody on the target has answered it.
    pub instead: Option<String>,
}

/// Whether so many of an issue's copies of comments would go at once that a person should see to
/// it first: more than a few, and more than half.
pub fn is_sweep(going: usize, copies: usize) -> bool {
    const FEW: usize = 10;
    going > FEW && going.saturating_mul(2) > copies
}

/// The steps that bring the comments in line: those first whose originals are gone, then the others,
/// oldest first; last the threads, since a reply may open one again.
pub fn diff_notes(desired: &Desired, known: &KnownNotes<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = known.gone.iter().map(farewell).collect();
    let mut threads = Threads::standing(desired, known);
    let mut proven = known.internal_proven;
    for note in &desired.notes {
        match known.recorded.get(&note.source_note) {
            Some(mapping) if mapping.skipped.is_some() => {}
            Some(NoteMapping {
                target_note: Some(target),
                fingerprint,
                ..
            }) => {
                let same = match (known.bodies.get(target), fingerprint) {
                    (Some(body), _) => alike(body, &note.body),
                    (None, Some(print)) => *print == note.fingerprint(),
                    (None, None) => false,
                };
                if !same {
                    steps.push(Step::UpdateNote {
                        source_note: note.source_note,
                        target_note: *target,
                        body: note.body.clone(),
                    });
                }
            }
            Some(_) | None => {
                steps.push(Step::CreateNote(NewNote {
                    source_note: note.source_note,
                    discussion: note.discussion.clone(),
                    place: threads.place(note),
                    body: note.body.clone(),
                    internal: note.internal,
                    neutral_first: note.internal && !proven,
                    created_at: known.dated.then_some(note.created_at),
                }));
                proven |= note.internal;
                threads.add(note);
            }
        }
    }
    let states = desired.threads.iter().filter(|_| known.resolves);
    steps.extend(states.filter_map(|thread| threads.settle(thread, known)));
    steps
}

fn farewell(gone: &GoneNote) -> Step {
    let GoneNote {
        source_note,
        target_note,
        instead,
    } = gone.clone();
    match instead {
        Some(body) => Step::WithdrawNote {
            source_note,
            target_note,
            body,
        },
        None => Step::DeleteNote {
            source_note,
            target_note,
        },
    }
}

/// The target's threads, by the source's, as they are while the steps are sent.
struct Threads<'a> {
    copies: BTreeMap<&'a str, usize>,
    /// Those that get a new comment.
    grown: BTreeSet<&'a str>,
    /// Those with an internal comment, and so with internal ones only.
    internal: BTreeSet<&'a str>,
}

impl<'a> Threads<'a> {
    fn standing(desired: &'a Desired, known: &KnownNotes<'_>) -> Self {
        let mut threads = Self {
            copies: BTreeMap::new(),
            grown: BTreeSet::new(),
            internal: BTreeSet::new(),
        };
        for note in &desired.notes {
            let stands = known.recorded.get(&note.source_note).is_some_and(|copy| {
                copy.skipped.is_none()
                    && copy.target_note.is_some_and(|target| {
                        known.bodies.is_empty() || known.bodies.contains_key(&target)
                    })
            });
            if stands {
                threads.count(note);
            }
        }
        threads
    }

    fn count(&mut self, note: &'a DesiredNote) {
        *self.copies.entry(&note.discussion).or_default() += 1;
        if note.internal {
            self.internal.insert(&note.discussion);
        }
    }

    fn add(&mut self, note: &'a DesiredNote) {
        self.count(note);
        self.grown.insert(&note.discussion);
    }

    /// A thread lives on in whatever is left of it, and begins with the first that can be
    /// mirrored. A comment of its own never gets an answer that is none at the source.
    fn place(&self, note: &DesiredNote) -> Place {
        match note.place {
            Place::Plain => Place::Plain,
            Place::Start | Place::Reply if self.copies.contains_key(note.discussion.as_str()) => {
                Place::Reply
            }
            Place::Start | Place::Reply => Place::Start,
        }
    }

    fn settle(&self, thread: &DesiredThread, known: &KnownNotes<'_>) -> Option<Step> {
        let DesiredThread {
            discussion,
            resolved,
        } = thread.clone();
        let name = discussion.as_str();
        let copies = self.copies.get(name).copied().unwrap_or(0);
        let stands = known.resolved.get(name).copied();
        // GitLab cannot begin a thread with an internal comment: on its own it is none there, unless
        // it was answered once.
        let begins = !self.internal.contains(name) || stands.is_some();
        let is_thread = copies > 1 || (copies == 1 && begins);
        let stands = stands.unwrap_or(false);
        let reopened = resolved && self.grown.contains(name);
        (is_thread && (stands != resolved || reopened)).then_some(Step::SetResolved {
            discussion,
            resolved,
        })
    }
}
