//! What flows back from a copy to its original, where two mirrors are a pair.

use super::{Base, Field, Merged, Sides, digest, merge};
use crate::desired::{Desired, Observed};
use std::collections::BTreeSet;

/// The fields that flow back.
const FLOWING: [Field; 3] = [Field::State, Field::Weight, Field::Estimate];

/// The fields that only the copy has left. Where nobody knows what both were, none is.
pub fn flows_back(base: Option<&Base>, original: &Observed, copy: &Observed) -> BTreeSet<Field> {
    let Some(base) = base else {
        return BTreeSet::new();
    };
    let both_weigh = original.has_weight && copy.has_weight;
    FLOWING
        .into_iter()
        .filter(|field| *field != Field::Weight || both_weigh)
        .filter(|field| {
            let now = Sides {
                source: digest(&field.value(original)),
                target: digest(&field.value(copy)),
            };
            let then = base.then(*field, &now);
            let then = then.as_ref().map(Sides::pair);
            merge(then, &now.source, &now.target) == Merged::Kept
        })
        .collect()
}

/// What the original is to look like: as it does, but for what flows back, and for the comments of
/// the copy's people, as rendered. `spent` are the seconds that were logged on the copy itself.
pub fn going_back(
    rendered: &Desired,
    original: &Observed,
    copy: &Observed,
    flows: &BTreeSet<Field>,
    spent: i64,
) -> Desired {
    let side = |field| {
        if flows.contains(&field) {
            copy
        } else {
            original
        }
    };
    Desired {
        title: original.title.clone(),
        description: original.description.clone(),
        state: side(Field::State).state,
        issue_type: original.issue_type.clone(),
        due_date: original.due_date,
        confidential: original.confidential,
        weight: side(Field::Weight).weight,
        estimate: side(Field::Estimate).estimate,
        spent,
        locked: original.locked,
        // None is brought, and none that is there is ours.
        labels: Vec::new(),
        assignees: Vec::new(),
        ..rendered.clone()
    }
}

/// The seconds that were logged on one side itself, of all that it shows.
pub fn own_time(total: i64, carried_in: i64) -> i64 {
    total - carried_in
}

impl Base {
    /// Notes what is about to be sent back, since nobody may learn whether it arrived.
    pub fn about_to_send_back(&mut self, flows: &BTreeSet<Field>, copy: &Observed) {
        for field in flows {
            self.sent_back.insert(*field, digest(&field.value(copy)));
        }
    }
}
