//! Merges copies of comments.

use super::{Decisions, Edit, Merged, Resolution, Sides, What, decided, digest, merge, shown};
use crate::{
    desired::DesiredNote,
    ids::NoteId,
    provenance::{Found, alike},
};

/// A copy of a comment, merged with its original.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compared {
    /// Whether it may be changed.
    pub follows: bool,
    /// What both sides are settled to by now; `None` while nobody knows.
    pub base: Option<Sides>,
    /// That somebody edited it.
    pub edit: Option<Edit>,
}

/// Merges a comment that is to be changed; `body` is what the target shows.
pub fn comment(
    base: Option<&Sides>,
    decisions: &Decisions,
    note: &DesiredNote,
    body: &str,
    hidden: bool,
) -> Compared {
    let what = What::Comment(note.source_note);
    let now = copied(&note.body, body);
    let decided = decided(decisions, what, &now.target);
    let then = match decided.map(|decided| (decided.resolution, &decided.sides)) {
        Some((Resolution::UseSource, _)) => Some(Sides {
            source: String::new(),
            target: now.target.clone(),
        }),
        Some((Resolution::UseTarget, sides)) => Some(sides.clone()),
        None => base.cloned(),
    };
    let merged = merge(then.as_ref().map(Sides::pair), &now.source, &now.target);
    let (follows, base, edit) = match merged {
        Merged::Settled => (now.source == now.target, Some(now), None),
        Merged::Follow => (true, then, None),
        Merged::Kept | Merged::Conflict => {
            let hidden = hidden || note.internal;
            let edit = Edit {
                what,
                conflict: merged == Merged::Conflict,
                sides: now,
                values: (!hidden).then(|| (shown(below(&note.body)), shown(below(body)))),
            };
            (false, base.cloned(), Some(edit))
        }
    };
    Compared {
        follows,
        base,
        edit,
    }
}

/// The copy of a comment that is gone at the source, where somebody edited it; `None`: nobody did,
/// or a person said that it may go.
pub fn gone_comment(
    base: Option<&Sides>,
    decisions: &Decisions,
    note: NoteId,
    body: &str,
    hidden: bool,
) -> Option<Edit> {
    let what = What::Comment(note);
    let target = digest(below(body));
    let may_go = decided(decisions, what, &target)
        .is_some_and(|decided| decided.resolution == Resolution::UseSource);
    if may_go || base.is_some_and(|base| base.target == target) {
        return None;
    }
    Some(Edit {
        what,
        conflict: true,
        sides: Sides {
            source: String::new(),
            target,
        },
        values: (!hidden).then(|| ("(deleted)".to_owned(), shown(below(body)))),
    })
}

/// Both sides of a comment: what it was rendered to, and what the target shows of it.
pub fn copied(rendered: &str, shows: &str) -> Sides {
    let source = digest(below(rendered));
    if alike(rendered, shows) {
        return Sides::same(source);
    }
    Sides {
        source,
        target: digest(below(shows)),
    }
}

/// Both sides of a copy that nobody has edited since we wrote it: it follows the source.
pub fn unedited(shows: &str) -> Sides {
    Sides {
        source: String::new(),
        target: digest(below(shows)),
    }
}

/// What stands below the marker.
fn below(body: &str) -> &str {
    match body.split_once('\n') {
        Some((_, rest)) if Found::in_body(body).is_some() => rest.trim(),
        Some(_) | None => body.trim(),
    }
}
