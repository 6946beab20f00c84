//! Merges an issue itself: its fields and labels.

use super::{
    Base, Decisions, Edit, Field, Merged, Resolution, Rule, Sides, Ways, What, base::footer_of,
    decided, digest, field::as_shown, merge, shown,
};
use crate::{
    desired::{Desired, Observed},
    provenance::alike,
    render::Parts,
};
use std::collections::BTreeSet;

/// An issue, merged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merge {
    /// The rendered source, but for what stays as it is on the target.
    pub desired: Desired,
    /// What both sides are settled to by now.
    pub base: Base,
    /// What somebody edited there.
    pub edits: Vec<Edit>,
    /// Fields of a pair that were changed on both sides: the original holds.
    pub lost: BTreeSet<Field>,
    ways: Ways,
    follows: BTreeSet<Field>,
    off: BTreeSet<String>,
}

impl Merge {
    /// Merges the issue itself. Logged time is a matter of differences, and no field.
    pub fn issue(
        ways: Ways,
        base: Option<&Base>,
        decisions: &Decisions,
        (desired, observed): (&Desired, &Observed),
    ) -> Self {
        let mut merge = Self {
            desired: desired.clone(),
            base: base.cloned().unwrap_or_default(),
            edits: Vec::new(),
            lost: BTreeSet::new(),
            ways,
            follows: BTreeSet::new(),
            off: BTreeSet::new(),
        };
        // Ours, whatever was recorded: it is what would be written now.
        let recorded = merge.base.footers.clone();
        merge.base.footers.extend(footer_of(&desired.description));
        let asked = as_shown(desired, observed.has_weight);
        for field in Field::WHOLE {
            merge.field(field, decisions, &asked, observed);
        }
        merge.labels(decisions, desired, observed);
        merge.base.footers = recorded;
        merge
    }

    /// Whether the target follows the source in a field, or is in line with it.
    pub(super) fn follows(&self, field: Field) -> bool {
        self.follows.contains(&field)
    }

    /// Whether a label that the source brings stays off.
    pub(super) fn stays_off(&self, title: &str) -> bool {
        self.off.contains(title)
    }

    fn field(
        &mut self,
        field: Field,
        decisions: &Decisions,
        asked: &Observed,
        observed: &Observed,
    ) {
        let (source, target) = (
            self.base.value(field, asked),
            self.base.value(field, observed),
        );
        let now = Sides {
            source: digest(&source),
            target: digest(&target),
        };
        let rule = self.ways.rule(field);
        let then = self.then(field, decisions, asked, &now);
        let merged = merge(then.as_ref().map(Sides::pair), &now.source, &now.target);
        match merged {
            Merged::Settled => {
                if now.source == now.target {
                    self.base.accepted.remove(&field);
                }
                if self.base.accepted.contains(&field) {
                    self.keep(field, observed);
                } else {
                    self.follows.insert(field);
                }
                self.base.sent.remove(&field);
                self.base.sent_back.remove(&field);
                self.base.fields.insert(field, now);
            }
            Merged::Follow => {
                self.base.accepted.remove(&field);
                self.follows.insert(field);
                self.base.fields.extend(then.map(|then| (field, then)));
            }
            Merged::Conflict if rule == Rule::FlowBack => {
                self.lost.insert(field);
                self.follows.insert(field);
            }
            Merged::Kept if rule == Rule::FlowBack => self.keep(field, observed),
            Merged::Kept | Merged::Conflict => {
                self.keep(field, observed);
                let hidden = asked.confidential || observed.confidential;
                self.edits.push(Edit {
                    what: What::Field(field),
                    conflict: merged == Merged::Conflict,
                    sides: now,
                    values: (!hidden).then(|| (shown(&source), shown(&target))),
                });
            }
        }
    }

    /// What both sides were, or are taken to have been because a person decided.
    fn then(
        &mut self,
        field: Field,
        decisions: &Decisions,
        asked: &Observed,
        now: &Sides,
    ) -> Option<Sides> {
        let overwritten = Sides {
            source: String::new(),
            target: now.target.clone(),
        };
        let overwrites = self.ways.rule(field) == Rule::Overwrite;
        if overwrites || (field == Field::Confidential && asked.confidential) {
            // What is hidden at the source is hidden there, too, whatever the policy.
            return Some(overwritten);
        }
        let Some(decided) = decided(decisions, What::Field(field), &now.target) else {
            return self.base.then(field, now);
        };
        Some(match decided.resolution {
            Resolution::UseSource => overwritten,
            Resolution::UseTarget => {
                self.base.accepted.insert(field);
                decided.sides.clone()
            }
        })
    }

    fn keep(&mut self, field: Field, observed: &Observed) {
        if field != Field::Description {
            field.keep(&mut self.desired, observed);
            return;
        }
        // Their text, between our marker and our footer: by these the copy is known again.
        let there = Parts::of(&observed.description);
        let ours = Parts::of(&self.desired.description);
        let whole = if self.base.has_our_footer(&there) {
            ours.around(there.text, true)
        } else {
            ours.around(there.rest, false)
        };
        let whole = whole.filter(|whole| !alike(whole, &observed.description));
        self.desired.description = whole.unwrap_or_else(|| observed.description.clone());
    }

    /// Only what the target's people took off is a matter of both sides: what they put on is theirs
    /// anyway.
    fn labels(&mut self, decisions: &Decisions, desired: &Desired, observed: &Observed) {
        let brought: BTreeSet<String> = desired
            .labels
            .iter()
            .map(|label| label.title.clone())
            .collect();
        self.base.forget_labels_but(&brought);
        let mut taken_off = BTreeSet::new();
        for title in &brought {
            let then = (
                &self.base.brought.contains(title),
                &self.base.shown.contains(title),
            );
            let here = observed.labels.contains(title);
            let merged = match self.ways.rule(Field::Labels) {
                Rule::Overwrite if !here => Merged::Follow,
                Rule::Overwrite | Rule::Protect | Rule::FlowBack => merge(Some(then), &true, &here),
            };
            match merged {
                Merged::Settled if here => {
                    self.base.off.remove(title);
                    self.base.brought.insert(title.clone());
                    self.base.shown.insert(title.clone());
                }
                // A label that is not there to be put on is another matter.
                Merged::Settled if !self.base.off.contains(title) => {}
                Merged::Settled => {
                    self.off.insert(title.clone());
                }
                Merged::Follow => {}
                Merged::Kept | Merged::Conflict => {
                    taken_off.insert(title.clone());
                }
            }
        }
        self.taken_off(
            decisions,
            desired.confidential || observed.confidential,
            taken_off,
        );
        let off = &self.off;
        self.desired
            .labels
            .retain(|label| !off.contains(&label.title));
    }

    fn taken_off(&mut self, decisions: &Decisions, hidden: bool, titles: BTreeSet<String>) {
        if titles.is_empty() {
            return;
        }
        let what = What::Field(Field::Labels);
        let list = titles.iter().cloned().collect::<Vec<_>>().join(", ");
        let sides = Sides::same(digest(&list));
        match decided(decisions, what, &sides.target).map(|decided| decided.resolution) {
            Some(Resolution::UseSource) => return,
            Some(Resolution::UseTarget) => {
                self.base.shown.retain(|title| !titles.contains(title));
                self.base.off.extend(titles.iter().cloned());
            }
            None => self.edits.push(Edit {
                what,
                conflict: false,
                sides,
                values: (!hidden).then(|| (shown(&list), String::new())),
            }),
        }
        self.off.extend(titles);
    }
}
