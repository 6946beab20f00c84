//! What a run is about beside deaths and lost answers: one matter in each, so that none hides behind
//! another.

use super::{
    dice::Dice,
    people::RULES,
    ruled::{RULINGS, Ruling},
};
use mirror_core::{
    gone::{Breaker, OnDelete},
    merge::EditPolicy,
};

/// The matter of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// Nothing else.
    Plain,
    /// Issues are deleted at the source, or out of sight there.
    Gone {
        on_delete: OnDelete,
        /// A person is asked before any copy follows.
        wary: bool,
    },
    /// The mirror takes some issues and labels only, and calls labels otherwise.
    Ruled(&'static Ruling),
    /// What people edit on copies is protected.
    Protecting,
    /// Two mirrors in opposite directions are a pair.
    Paired,
}

impl Manner {
    pub(super) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 6);
        match dice.below(14) {
            0..=4 => Self::Plain,
            5 | 6 => Self::Ruled(dice.pick(&RULINGS).unwrap()),
            7 | 8 => Self::Protecting,
            12 | 13 => Self::Paired,
            _ => Self::Gone {
                on_delete: *dice
                    .pick(&[OnDelete::Keep, OnDelete::Close, OnDelete::Delete])
                    .unwrap(),
                wary: dice.chance(30),
            },
        }
    }

    /// The word for it, to ask for runs of its kind.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gone { .. } => "gone",
            Self::Ruled(_) => "ruled",
            Self::Protecting => "protecting",
            Self::Paired => "paired",
        }
    }

    /// What becomes of the copies of issues that are gone.
    pub(super) fn on_delete(self) -> Option<OnDelete> {
        match self {
            Self::Plain | Self::Ruled(_) | Self::Protecting | Self::Paired => None,
            Self::Gone { on_delete, .. } => Some(on_delete),
        }
    }

    /// The rules that the mirror is told; whether all of them are.
    pub(super) fn rules(self, filters: bool) -> String {
        match self {
            Self::Ruled(ruling) => ruling.document(filters),
            Self::Plain | Self::Gone { .. } | Self::Protecting | Self::Paired => RULES.to_owned(),
        }
    }

    pub(super) fn on_edit(self) -> EditPolicy {
        match self {
            Self::Protecting => EditPolicy::Protect,
            Self::Plain | Self::Gone { .. } | Self::Ruled(_) | Self::Paired => {
                EditPolicy::Overwrite
            }
        }
    }

    pub(super) fn breaker(self) -> Breaker {
        match self {
            Self::Gone { wary: true, .. } => Breaker {
                count: 0,
                percent: 1,
            },
            Self::Gone { wary: false, .. }
            | Self::Plain
            | Self::Ruled(_)
            | Self::Protecting
            | Self::Paired => Breaker::default(),
        }
    }
}
