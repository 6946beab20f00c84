//! What was dealt out, and which rows came of it.

use super::{
    claim::ClaimedRow,
    deal::{Table, Waiting},
};
use std::collections::{BTreeMap, VecDeque};

/// How many rows each was dealt, by mirror and priority.
pub(super) struct Hands(BTreeMap<(i64, i64), i64>);

impl Hands {
    pub(super) fn of(dealt: &[Waiting]) -> Self {
        let mut hands = BTreeMap::new();
        for waiting in dealt {
            let hand = hands.entry((waiting.mirror, waiting.priority));
            *hand.or_default() += 1;
        }
        Self(hands)
    }

    pub(super) fn as_columns(&self) -> Vec<(i64, i64, i64)> {
        let hands = self.0.iter();
        hands
            .map(|((mirror, priority), rows)| (*mirror, *priority, *rows))
            .collect()
    }

    pub(super) fn largest(&self) -> i64 {
        self.0.values().copied().max().unwrap_or(0)
    }

    /// Puts the rows, which an update returns in no order, into the order of dealing, and tells
    /// the table who had less than was dealt.
    pub(super) fn play(
        self,
        mut rows: Vec<ClaimedRow>,
        dealt: &[Waiting],
        table: &mut Table,
    ) -> Vec<ClaimedRow> {
        rows.sort_by_key(|row| (row.run_at, row.id));
        let mut by_hand: BTreeMap<(i64, i64), VecDeque<ClaimedRow>> = BTreeMap::new();
        for row in rows {
            // All that is dealt is of a mirror.
            let Some(mirror) = row.mirror_id else {
                continue;
            };
            let hand = by_hand.entry((mirror, row.priority));
            hand.or_default().push_back(row);
        }
        let mut played = Vec::with_capacity(dealt.len());
        let mut short: BTreeMap<(i64, i64), (Waiting, i64)> = BTreeMap::new();
        for waiting in dealt {
            let of = (waiting.mirror, waiting.priority);
            match by_hand.get_mut(&of).and_then(VecDeque::pop_front) {
                Some(row) => played.push(row),
                None => short.entry(of).or_insert((*waiting, 0)).1 += 1,
            }
        }
        for (waiting, less) in short.values() {
            table.had_less(waiting, *less);
        }
        played
    }
}
