//! What both sides of a mirrored issue were when they were last settled.

use super::{Field, Merge, Sides, digest, field::as_shown};
use crate::{
    desired::{Desired, Observed},
    ids::UserId,
    render::Parts,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What both sides were when they were last settled; digests, but for the titles of labels.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Base {
    /// What the source was rendered to, and what the target showed.
    pub(super) fields: BTreeMap<Field, Sides>,
    /// What was about to be sent, and may have arrived.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) sent: BTreeMap<Field, String>,
    /// What was about to be sent back to the source, and may have arrived.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) sent_back: BTreeMap<Field, String>,
    /// Fields that differ because a person said so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) accepted: BTreeSet<Field>,
    /// Footers of ours that the description may show.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) footers: BTreeSet<String>,
    /// Labels that the source brought.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) brought: BTreeSet<String>,
    /// Those of them that the target showed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) shown: BTreeSet<String>,
    /// Those of them that are off because a person said so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) off: BTreeSet<String>,
    /// Who was seen to be assigned on the target, and not taken off by us since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    assigned: BTreeSet<UserId>,
}

impl Base {
    /// Of a target that nobody has edited since we wrote it: whatever differs follows the source.
    pub fn untouched(observed: &Observed) -> Self {
        let mut base = Self {
            footers: footer_of(&observed.description),
            assigned: observed.assignees.keys().copied().collect(),
            ..Self::default()
        };
        for field in Field::WHOLE {
            let target = digest(&base.value(field, observed));
            let source = String::new();
            base.fields.insert(field, Sides { source, target });
        }
        base
    }

    /// Of an issue that is about to be created: what shows this is ours.
    pub fn to_be_created(asked: &Observed) -> Self {
        let mut base = Self {
            footers: footer_of(&asked.description),
            ..Self::default()
        };
        for field in Field::WHOLE {
            let sent = digest(&base.value(field, asked));
            base.sent.insert(field, sent);
        }
        base
    }

    /// What was to be created is there, and shows this.
    #[must_use]
    pub fn found(mut self, observed: &Observed) -> Self {
        self.assigned.extend(observed.assignees.keys());
        self
    }

    /// Of an issue that was just created; `asked` is how it would look had the target taken all.
    pub fn created(asked: &Observed, echo: &Observed) -> Self {
        let mut base = Self {
            footers: footer_of(&asked.description),
            assigned: echo.assignees.keys().copied().collect(),
            ..Self::default()
        };
        for field in Field::WHOLE {
            let sides = Sides {
                source: digest(&base.value(field, asked)),
                target: digest(&base.value(field, echo)),
            };
            base.fields.insert(field, sides);
        }
        base.brought.clone_from(&asked.labels);
        base.shown = asked.labels.intersection(&echo.labels).cloned().collect();
        base
    }

    /// Notes what is about to be sent, since nobody may learn whether it arrived. What others edited
    /// stays told apart. `true`: there is something to be recorded first.
    pub fn about_to_send(&mut self, before: &Observed, asked: &Observed) -> bool {
        let known = self.clone();
        for field in Field::WHOLE {
            let now = digest(&self.value(field, before));
            let is_ours = |base: &Self| {
                let then = base.fields.get(&field).map(|sides| &sides.target);
                then == Some(&now) || base.sent.get(&field) == Some(&now)
            };
            if !is_ours(self) {
                continue;
            }
            if field == Field::Description && before.description != asked.description {
                self.footers.extend(footer_of(&asked.description));
            }
            let then = digest(&self.value(field, asked));
            if then != now {
                self.sent.insert(field, then);
            }
        }
        let goes = |user: &UserId| {
            before.assignees.contains_key(user) && !asked.assignees.contains_key(user)
        };
        self.assigned.retain(|user| !goes(user));
        *self != known
    }

    /// Whether somebody was assigned there, so that only the target's people can have taken them
    /// off. That we were about to assign them does not tell.
    pub fn has_assigned(&self, user: UserId) -> bool {
        self.assigned.contains(&user)
    }

    /// Both sides are in line, but for what stays by this merge (`None`: nothing does).
    pub fn settle(&mut self, merge: Option<&Merge>, desired: &Desired, observed: &Observed) {
        let asked = as_shown(desired, observed.has_weight);
        let footers = footer_of(&desired.description);
        if footers == footer_of(&observed.description) {
            self.footers = footers;
        }
        for field in Field::WHOLE {
            if merge.is_none_or(|merge| merge.follows(field)) {
                let sides = Sides {
                    source: digest(&self.value(field, &asked)),
                    target: digest(&self.value(field, observed)),
                };
                self.fields.insert(field, sides);
                self.accepted.remove(&field);
            }
        }
        let wanted = |user: &UserId| {
            let mut assignees = desired.assignees.iter();
            assignees.any(|assignee| assignee.account.id == *user)
        };
        self.assigned.retain(wanted);
        self.assigned.extend(observed.assignees.keys());
        self.sent.clear();
        self.sent_back.clear();
        for title in &asked.labels {
            if merge.is_some_and(|merge| merge.stays_off(title)) {
                continue;
            }
            self.brought.insert(title.clone());
            if observed.labels.contains(title) {
                self.shown.insert(title.clone());
            } else {
                self.shown.remove(title);
            }
        }
        self.forget_labels_but(&asked.labels);
    }

    pub(super) fn forget_labels_but(&mut self, brought: &BTreeSet<String>) {
        for titles in [&mut self.brought, &mut self.shown, &mut self.off] {
            titles.retain(|title| brought.contains(title));
        }
    }

    /// What both sides were; what was sent and has arrived was settled by that.
    pub(super) fn then(&self, field: Field, now: &Sides) -> Option<Sides> {
        let arrived = |sent: &BTreeMap<Field, String>, shows: &String| {
            sent.get(&field).is_some_and(|sent| sent == shows)
        };
        if arrived(&self.sent, &now.target) {
            return Some(Sides::same(now.target.clone()));
        }
        if arrived(&self.sent_back, &now.source) {
            return Some(Sides::same(now.source.clone()));
        }
        self.fields.get(&field).cloned()
    }

    /// What an issue says of a field, as it is compared.
    pub(super) fn value(&self, field: Field, issue: &Observed) -> String {
        if field != Field::Description {
            return field.value(issue);
        }
        let parts = Parts::of(&issue.description);
        if self.has_our_footer(&parts) {
            parts.text.to_owned()
        } else {
            parts.rest.to_owned()
        }
    }

    /// Whether a description ends as we wrote it, or has lost its end.
    pub(super) fn has_our_footer(&self, parts: &Parts<'_>) -> bool {
        parts.footer.is_empty() || self.footers.contains(&digest(parts.footer))
    }
}

pub(super) fn footer_of(description: &str) -> BTreeSet<String> {
    let footer = Parts::of(description).footer;
    let some = (!footer.is_empty()).then(|| digest(footer));
    some.into_iter().collect()
}
