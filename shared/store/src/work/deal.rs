//! Dealing out room: whose rows go next, decided by counts alone.
//!
//! The urgent before the less urgent; then whoever's instance has least out, measured by its own
//! window; then the mirror that has least out; then in turns. How many rows each has waiting is not
//! known when it is dealt to: what it cannot use is dealt anew to the others.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::job::Priority;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// A backfill that has been due for so long counts as incremental: others' changes that never end
/// must not hold it up for ever.
const PATIENT_FOR: TimeDelta = TimeDelta::minutes(10);

/// A mirror that has something due at one priority.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Waiting {
    pub(super) mirror: i64,
    pub(super) priority: i64,
    /// Since when the first of it is due.
    pub(super) due_at: DateTime<Utc>,
    pub(super) source: i64,
    pub(super) target: i64,
    pub(super) source_window: i64,
    pub(super) target_window: i64,
}

/// What a mirror has out, delivered or running.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Out {
    pub(super) mirror: i64,
    pub(super) source: i64,
    pub(super) target: i64,
    pub(super) busy: i64,
}

/// What holds for all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) now: DateTime<Utc>,
    /// At most so many rows of one mirror out.
    pub(super) per_mirror: i64,
    /// Each instance's window holds.
    pub(super) windows: bool,
    /// Of those that are level, the mirrors after this one come first.
    pub(super) after: i64,
}

/// The order of dealing: the least goes first. Only grows while room is dealt out.
type Rank = (i64, i64, i64, bool, i64, i64);

/// Who waits, and what everybody has out.
#[derive(Debug)]
pub(super) struct Table {
    rules: Rules,
    waiting: Vec<Waiting>,
    mirrors: HashMap<i64, i64>,
    instances: HashMap<i64, i64>,
}

impl Table {
    pub(super) fn new(rules: Rules, waiting: Vec<Waiting>, out: &[Out]) -> Self {
        let mut table = Self {
            rules,
            waiting,
            mirrors: HashMap::new(),
            instances: HashMap::new(),
        };
        for out in out {
            table.count(out.mirror, (out.source, out.target), out.busy);
        }
        table
    }

    /// To whom one row each is dealt, in order, `room` in all or less.
    pub(super) fn deal(&mut self, room: usize) -> Vec<Waiting> {
        let ranked = self.waiting.iter().filter_map(|waiting| {
            let rank = self.rank(waiting)?;
            Some(Reverse((rank, Seat(*waiting))))
        });
        let mut heap: BinaryHeap<_> = ranked.collect();
        let mut dealt = Vec::new();
        while dealt.len() < room {
            let Some(Reverse((rank, seat))) = heap.pop() else {
                break;
            };
            let Some(rank_now) = self.rank(&seat.0) else {
                continue;
            };
            if rank_now == rank {
                let waiting = seat.0;
                self.count(waiting.mirror, (waiting.source, waiting.target), 1);
                dealt.push(waiting);
            }
            if let Some(rank) = self.rank(&seat.0) {
                heap.push(Reverse((rank, seat)));
            }
        }
        dealt
    }

    /// That mirror had so many rows less than it was dealt, and has none left.
    pub(super) fn had_less(&mut self, whose: &Waiting, less: i64) {
        let of = |other: &Waiting| (other.mirror, other.priority);
        self.waiting.retain(|waiting| of(waiting) != of(whose));
        self.count(whose.mirror, (whose.source, whose.target), -less);
    }

    /// Somebody waits for whom there would be no place, whatever room there were.
    pub(super) fn is_held_back(&self) -> bool {
        let held = |waiting: &Waiting| self.rank(waiting).is_none();
        self.waiting.iter().any(held)
    }

    fn count(&mut self, mirror: i64, (source, target): (i64, i64), rows: i64) {
        *self.mirrors.entry(mirror).or_default() += rows;
        *self.instances.entry(source).or_default() += rows;
        // A job on one instance for both ends is one job there.
        if source != target {
            *self.instances.entry(target).or_default() += rows;
        }
    }

    /// `None`: there is no place for it.
    fn rank(&self, waiting: &Waiting) -> Option<Rank> {
        let busy = self.mirrors.get(&waiting.mirror).copied().unwrap_or(0);
        if busy >= self.rules.per_mirror {
            return None;
        }
        let load = if self.rules.windows {
            let source = self.load(waiting.source, waiting.source_window)?;
            source.max(self.load(waiting.target, waiting.target_window)?)
        } else {
            0
        };
        let incremental = Priority::Incremental as i64;
        let waits_long = waiting.due_at + PATIENT_FOR <= self.rules.now;
        let urgency = if waits_long {
            waiting.priority.max(incremental)
        } else {
            waiting.priority
        };
        let had_its_turn = waiting.mirror <= self.rules.after;
        let mirror = waiting.mirror;
        Some((
            -urgency,
            load,
            busy,
            had_its_turn,
            mirror,
            -waiting.priority,
        ))
    }

    /// How much of an instance's window is taken, in thousandths; `None` if all.
    fn load(&self, instance: i64, window: i64) -> Option<i64> {
        let out = self.instances.get(&instance).copied().unwrap_or(0);
        (out < window).then(|| out.saturating_mul(1000) / window.max(1))
    }
}

/// Whom a rank belongs to; ranks differ, so it need not be told apart itself.
#[derive(Clone, Copy, Debug)]
struct Seat(Waiting);

impl PartialEq for Seat {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Seat {}

impl PartialOrd for Seat {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seat {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn rules() -> Rules {
        Rules {
            now: NOW,
            per_mirror: 100,
            windows: true,
            after: 0,
        }
    }

    fn waiting(mirror: i64, priority: Priority, (source, target): (i64, i64)) -> Waiting {
        Waiting {
            mirror,
            priority: priority as i64,
            due_at: NOW,
            source,
            target,
            source_window: 4,
            target_window: 4,
        }
    }

    fn out(mirror: i64, (source, target): (i64, i64), busy: i64) -> Out {
        Out {
            mirror,
            source,
            target,
            busy,
        }
    }

    fn dealt(rules: Rules, waiting: Vec<Waiting>, out: &[Out], room: usize) -> Vec<i64> {
        let mut table = Table::new(rules, waiting, out);
        let dealt = table.deal(room);
        dealt.into_iter().map(|waiting| waiting.mirror).collect()
    }

    #[test]
    fn who_has_least_out_is_dealt_to_until_all_are_level() {
        let ends = (1, 2);
        let free = Rules {
            windows: false,
            ..rules()
        };
        let three = [1, 2, 3].map(|mirror| waiting(mirror, Priority::Backfill, ends));
        let out = [out(1, ends, 2), out(2, ends, 1)];
        let order = dealt(free, three.to_vec(), &out, 6);
        assert_eq!(order, [3, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn those_that_are_level_take_turns() {
        let three = [1, 2, 3].map(|mirror| waiting(mirror, Priority::Backfill, (1, 2)));
        let next = Rules {
            after: 2,
            ..rules()
        };
        assert_eq!(dealt(next, three.to_vec(), &[], 4), [3, 1, 2, 3]);
    }

    #[test]
    fn an_instance_has_no_more_out_than_its_window_on_either_side() {
        let both = vec![
            waiting(1, Priority::Backfill, (1, 2)),
            waiting(2, Priority::Backfill, (3, 1)),
            waiting(3, Priority::Backfill, (1, 1)),
        ];
        assert_eq!(dealt(rules(), both.clone(), &[], 100), [1, 2, 3, 1]);
        let out = [out(9, (1, 8), 3)];
        assert_eq!(dealt(rules(), both, &out, 100), [1]);
    }

    #[test]
    fn a_full_instance_is_in_nobodys_way() {
        let two = vec![
            waiting(1, Priority::ByHand, (1, 1)),
            waiting(2, Priority::Backfill, (2, 2)),
        ];
        let mut table = Table::new(rules(), two, &[out(1, (1, 1), 4)]);
        assert_eq!(table.deal(3).len(), 3);
        assert!(table.is_held_back());
    }

    #[test]
    fn what_one_cannot_use_goes_to_the_others() {
        let ends = (1, 2);
        let two = [1, 2].map(|mirror| waiting(mirror, Priority::Backfill, ends));
        let mut table = Table::new(rules(), two.to_vec(), &[]);
        let [first, _] = two;
        assert_eq!(table.deal(4).len(), 4);
        table.had_less(&first, 2);
        let order: Vec<i64> = table.deal(4).iter().map(|next| next.mirror).collect();
        assert_eq!(order, [2, 2]);
    }

    #[test]
    fn urgent_work_goes_first_and_what_has_waited_long_counts_as_incremental() {
        let ends = (1, 2);
        let old = Waiting {
            due_at: NOW - TimeDelta::hours(1),
            ..waiting(1, Priority::Backfill, ends)
        };
        let all = vec![
            waiting(2, Priority::Backfill, ends),
            waiting(3, Priority::Incremental, ends),
            waiting(4, Priority::ByHand, ends),
            old,
        ];
        let one_each = Rules {
            per_mirror: 1,
            ..rules()
        };
        assert_eq!(dealt(one_each, all, &[], 9), [4, 1, 3, 2]);
    }

    #[test]
    fn instances_share_the_room_whatever_number_of_mirrors_they_have() {
        let mut many: Vec<Waiting> = (1..=50)
            .map(|mirror| waiting(mirror, Priority::Backfill, (1, 1)))
            .collect();
        many.push(waiting(51, Priority::Backfill, (2, 2)));
        let of_the_lonely = dealt(rules(), many, &[], 6);
        let of_the_lonely = of_the_lonely.iter().filter(|mirror| **mirror == 51);
        assert_eq!(of_the_lonely.count(), 3);
    }
}
