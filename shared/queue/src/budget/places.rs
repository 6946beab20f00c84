//! Places under a limit, and who holds them.
//!
//! Of many answers those close together share a slot whose time is the latest they may have: they
//! are forgotten a little late, never early.

use super::{lineage::Recall, room::Room, written};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// So many slots hold one answer each; with more, a slot is a five-hundredth of the period wide.
const EXACT: usize = 100;
const FINENESS: u32 = 500;

/// So many were answered, at this time or before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    pub(super) at: Duration,
    pub(super) requests: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Places {
    pub(super) on_their_way: u64,
    #[serde(with = "written::slots")]
    pub(super) answered: VecDeque<Slot>,
}

impl Places {
    pub(super) fn counted(&self) -> u64 {
        let answered = self.answered.iter().map(|slot| slot.requests);
        answered.fold(self.on_their_way, u64::saturating_add)
    }

    pub(super) fn note_answer(&mut self, now: Duration, period: Duration) {
        let width = match self.answered.len() {
            ..EXACT => Duration::ZERO,
            EXACT.. => period / FINENESS,
        };
        match self.answered.back_mut() {
            Some(slot) if slot.at >= now => slot.requests = slot.requests.saturating_add(1),
            Some(_) | None => self.answered.push_back(Slot {
                at: now.saturating_add(width),
                requests: 1,
            }),
        }
    }

    pub(super) fn forget(&mut self, now: Duration, occupied: Duration) {
        while let Some(slot) = self.answered.front()
            && now.saturating_sub(slot.at) >= occupied
        {
            self.answered.pop_front();
        }
    }

    /// Takes over what a lost book said.
    pub(super) fn recall(&mut self, lost: &Self, recall: &Recall) {
        let news = lost.answered.iter().filter(|slot| slot.at > recall.after);
        self.answered.extend(news.map(|slot| Slot {
            at: slot.at.min(recall.now),
            ..*slot
        }));
        self.answered.make_contiguous().sort_by_key(|slot| slot.at);
    }

    pub(super) fn room(&self, now: Duration, places: u64, occupied: Duration) -> Room {
        if self.counted() < places {
            return Room::Free;
        }
        match self.answered.front() {
            Some(slot) => Room::at(slot.at.saturating_add(occupied), now),
            None => Room::AfterAnswer,
        }
    }
}
