//! Finds copies by the claim in their hidden first line, read here anew: the judge shares no code
//! with the engine.

use super::World;
use gitlab_sim::{Issue, Note, Sim};

/// A target issue, as the copy of a source issue.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) of: u64,
    pub(crate) issue: Issue,
}

impl Copy {
    /// Comments that claim to be copies, with the source note each claims, in the target's order.
    pub(crate) fn notes(&self) -> Vec<(u64, &Note)> {
        let notes = self.issue.notes.iter().filter(|note| !note.system);
        notes
            .filter_map(|note| Some((claim_of(&note.body)?.1?, note)))
            .collect()
    }
}

/// Which source issue, and which of its comments, a text says it is the copy of.
pub(crate) fn claim_of(text: &str) -> Option<(u64, Option<u64>)> {
    let line = text.lines().next()?;
    let claim = line.strip_prefix("<!-- issue-mirror:1 mirror path=")?;
    let path = claim.split(' ').next()?;
    let last: Vec<&str> = path.split(',').next_back()?.split(';').collect();
    let iid = last.get(3)?.parse().ok()?;
    let note = last.get(4).and_then(|note| note.parse().ok());
    Some((iid, note))
}

/// All copies on the target, in its order.
pub(crate) fn copies(sim: &Sim, project: u64) -> Vec<Copy> {
    sim.world(|world| {
        let issues = world.issues(project).filter_map(|issue| {
            let (of, _) = claim_of(issue.description.as_deref()?)?;
            Some(Copy {
                of,
                issue: issue.clone(),
            })
        });
        issues.collect()
    })
}

/// What a description's copy holds between its first line and its footer.
pub(crate) fn body_of(description: &str) -> &str {
    let (_, rest) = description.split_once("\n\n").expect("a first line");
    let (body, _) = rest.rsplit_once("---\n\nMirrored from ").expect("a footer");
    body.trim_end()
}

impl World {
    /// The one copy of a source issue.
    pub(crate) fn copy(&self, of: u64) -> Copy {
        let mut found = self.copies_of(of);
        assert_eq!(found.len(), 1, "copies of #{of}");
        found.remove(0)
    }

    pub(crate) fn copies_of(&self, of: u64) -> Vec<Copy> {
        let mut all = self.copies();
        all.retain(|copy| copy.of == of);
        all
    }

    /// The labels on the copy of a source issue.
    pub(crate) fn titles(&self, of: u64) -> Vec<String> {
        let copy = self.copy(of).issue;
        self.target.world(|world| world.label_titles(&copy))
    }

    pub(crate) fn copies(&self) -> Vec<Copy> {
        copies(&self.target, self.to.project)
    }
}
