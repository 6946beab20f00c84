//! Random histories of work: the store must go wherever the model goes.

use crate::{
    model::{LEASE_SECONDS, Model, Row, State},
    world::{World, at},
};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority, Ticket},
    outcome::Outcome,
};
use mirror_store::{End, Fence, Owe, WorkState, testing::miscounted};
use proptest::{prelude::*, sample::Index};
use std::{collections::BTreeMap, time::Duration};

const LEASE: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs());

#[derive(Clone, Debug)]
enum Op {
    Owe {
        issue: usize,
        priority: Priority,
        delay: Option<i64>,
        changed: bool,
    },
    Claim {
        limit: usize,
        per_mirror: usize,
    },
    Sweep,
    Advance(i64),
    Ticket(Index, TicketOp),
    Fence(Index, FenceOp),
    Mirror(usize, MirrorOp),
}

#[derive(Clone, Copy, Debug)]
enum TicketOp {
    Start,
    Unqueue,
}

#[derive(Clone, Copy, Debug)]
enum FenceOp {
    Heartbeat,
    Handback,
    Done,
    Snooze(i64),
    Retry(i64),
    GiveUp,
}

#[derive(Clone, Copy, Debug)]
enum MirrorOp {
    Pause,
    Resume,
    Reclaim,
    RetryDead,
}

fn op() -> impl Strategy<Value = Op> {
    let priority = prop_oneof![
        Just(Priority::Backfill),
        Just(Priority::Incremental),
        Just(Priority::ByHand)
    ];
    let delay = proptest::option::of(0..60i64);
    let owe = (0..5usize, priority, delay, any::<bool>());
    let owe = owe.prop_map(|(issue, priority, delay, changed)| Op::Owe {
        issue,
        priority,
        delay,
        changed,
    });
    let claim = (1..5usize, 1..4usize);
    let claim = claim.prop_map(|(limit, per_mirror)| Op::Claim { limit, per_mirror });
    let ticket = prop_oneof![6 => Just(TicketOp::Start), 1 => Just(TicketOp::Unqueue)];
    let fence = prop_oneof![
        1 => Just(FenceOp::Heartbeat),
        1 => Just(FenceOp::Handback),
        2 => Just(FenceOp::Done),
        1 => (0..60i64).prop_map(FenceOp::Snooze),
        2 => (0..60i64).prop_map(FenceOp::Retry),
        2 => Just(FenceOp::GiveUp),
    ];
    let mirror = prop_oneof![
        1 => Just(MirrorOp::Pause),
        2 => Just(MirrorOp::Resume),
        1 => Just(MirrorOp::Reclaim),
        1 => Just(MirrorOp::RetryDead),
    ];
    prop_oneof![
        6 => owe,
        6 => claim,
        7 => (any::<Index>(), ticket).prop_map(|(index, op)| Op::Ticket(index, op)),
        8 => (any::<Index>(), fence).prop_map(|(index, op)| Op::Fence(index, op)),
        4 => (0..2usize, mirror).prop_map(|(mirror, op)| Op::Mirror(mirror, op)),
        3 => Just(Op::Sweep),
        3 => (1..60i64).prop_map(Op::Advance),
    ]
}

/// A ticket as the model names it: which issue, which dispatch.
type Held = (usize, i64);

/// The store and the model, side by side, and every ticket and fence there ever was: stale ones
/// are tried as well.
struct Pair {
    world: World,
    mirrors: [MirrorId; 2],
    model: Model,
    tickets: Vec<(Ticket, Held)>,
    fences: Vec<(Fence, Held)>,
}

impl Pair {
    async fn around(world: World) -> Self {
        let mirrors = [world.mirror, world.another_mirror(2).await];
        Self {
            world,
            mirrors,
            model: Model::default(),
            tickets: Vec::new(),
            fences: Vec::new(),
        }
    }

    async fn apply(&mut self, op: &Op) {
        match *op {
            Op::Owe {
                issue,
                priority,
                delay,
                changed,
            } => self.owe(issue, priority, delay, changed).await,
            Op::Claim { limit, per_mirror } => self.claim(limit, per_mirror).await,
            Op::Sweep => {
                self.world.store.sweep(100).await.unwrap();
                self.model.take_back(None);
            }
            Op::Advance(seconds) => {
                self.world.advance(seconds.unsigned_abs());
                self.model.now += seconds;
            }
            Op::Ticket(index, op) => {
                if let Some((ticket, held)) = pick(&self.tickets, index) {
                    self.with_ticket(ticket, held, op).await;
                }
            }
            Op::Fence(index, op) => {
                if let Some((fence, held)) = pick(&self.fences, index) {
                    self.with_fence(&fence, held, op).await;
                }
            }
            Op::Mirror(mirror, op) => self.with_mirror(mirror, op).await,
        }
    }

    async fn owe(&mut self, issue: usize, priority: Priority, delay: Option<i64>, changed: bool) {
        let job = Job::SyncIssue {
            mirror: self.mirrors[issue % 2],
            iid: Iid(i64::try_from(issue).unwrap()),
        };
        let owe = Owe {
            job,
            priority,
            run_at: delay.map(|delay| at(self.model.now + delay)),
            changed,
        };
        self.world.store.owe(&[owe]).await.unwrap();
        self.model.owe(issue, priority, delay, changed);
    }

    async fn claim(&mut self, limit: usize, per_mirror: usize) {
        let claimed = self.world.store.claim(limit, per_mirror, LEASE).await;
        let claimed: Vec<(Ticket, Held)> = claimed
            .unwrap()
            .into_iter()
            .map(|claimed| {
                let held = (issue_of(&claimed.key), claimed.ticket.ticket.0);
                (claimed.ticket, held)
            })
            .collect();
        let got: BTreeMap<usize, i64> = claimed.iter().map(|(_, held)| *held).collect();
        assert_eq!(got, self.model.claim(limit, per_mirror));
        self.tickets.extend(claimed);
    }

    async fn with_mirror(&mut self, mirror: usize, op: MirrorOp) {
        let store = &self.world.store;
        let id = self.mirrors[mirror];
        match op {
            MirrorOp::Pause => {
                store.pause_mirror(id, "a test").await.unwrap();
                self.model.pause(mirror);
            }
            MirrorOp::Resume => {
                store.resume_mirror(id).await.unwrap();
                self.model.paused[mirror] = false;
            }
            MirrorOp::Reclaim => {
                store.reclaim(id).await.unwrap();
                self.model.take_back(Some(mirror));
            }
            MirrorOp::RetryDead => {
                store.retry_dead(id).await.unwrap();
                self.model.retry_dead(mirror);
            }
        }
    }

    async fn with_ticket(&mut self, ticket: Ticket, held: Held, op: TicketOp) {
        let store = &self.world.store;
        let lease_until = self.model.now + LEASE_SECONDS;
        let row = self.model.held(held, State::Queued);
        match op {
            TicketOp::Start => {
                let started = store.start(ticket, "worker", LEASE).await.unwrap();
                assert_eq!(started.is_some(), row.is_some());
                if let (Some(started), Some(row)) = (started, row) {
                    assert_eq!(started.attempts, row.failures);
                    assert_eq!(started.priority, row.priority);
                    row.start(lease_until);
                    self.fences.push((started.fence, held));
                }
            }
            TicketOp::Unqueue => {
                let unqueued = store.unqueue(ticket).await.unwrap();
                assert_eq!(unqueued, row.is_some());
                row.into_iter().for_each(Row::give_back);
            }
        }
    }

    async fn with_fence(&mut self, fence: &Fence, held: Held, op: FenceOp) {
        let store = &self.world.store;
        let now = self.model.now;
        let row = self.model.held(held, State::Running);
        let expected = row.is_some();
        let done = match op {
            FenceOp::Heartbeat => store.heartbeat(fence, LEASE).await.unwrap(),
            FenceOp::Handback => store.handback(fence).await.is_ok(),
            FenceOp::Done => {
                let outcome = &Outcome::Unchanged;
                store.end(fence, End::Done { outcome }).await.is_ok()
            }
            FenceOp::Snooze(delay) => {
                let until = End::Snooze {
                    until: at(now + delay),
                    why: "a limit",
                };
                store.end(fence, until).await.is_ok()
            }
            FenceOp::Retry(delay) => {
                let at = at(now + delay);
                let retry = End::Retry {
                    at,
                    error: "a test",
                };
                store.end(fence, retry).await.is_ok()
            }
            FenceOp::GiveUp => {
                let give_up = End::GiveUp { error: "a test" };
                store.end(fence, give_up).await.is_ok()
            }
        };
        assert_eq!(done, expected);
        if let Some(row) = row {
            match op {
                FenceOp::Heartbeat => row.lease_until = now + LEASE_SECONDS,
                FenceOp::Handback => row.give_back(),
                FenceOp::Done => row.done(),
                FenceOp::Snooze(delay) => row.snooze(now + delay),
                FenceOp::Retry(delay) => row.retry(now + delay),
                FenceOp::GiveUp => row.give_up(),
            }
        }
    }

    async fn compare(&self) {
        let mut got = BTreeMap::new();
        for mirror in self.mirrors {
            for row in self.world.store.unfinished(mirror, 100).await.unwrap() {
                let state = (row.state, row.run_at, row.attempts);
                got.insert(issue_of(&row.key), state);
            }
        }
        let paused = |row: &Row| self.model.paused[row.mirror];
        let expected: BTreeMap<usize, _> = self
            .model
            .rows
            .iter()
            .filter_map(|(issue, row)| {
                let state = match row.state {
                    State::Pending if paused(row) => WorkState::Paused,
                    State::Pending => WorkState::Pending,
                    State::Queued => WorkState::Queued,
                    State::Running => WorkState::Running,
                    State::Dead => WorkState::Dead,
                    State::Done => return None,
                };
                Some((*issue, (state, at(row.run_at), row.failures)))
            })
            .collect();
        assert_eq!(got, expected);
    }
}

fn pick<T: Clone>(from: &[T], index: Index) -> Option<T> {
    (!from.is_empty()).then(|| index.get(from).clone())
}

fn issue_of(key: &str) -> usize {
    key.rsplit('/').next().unwrap().parse().unwrap()
}

fn tell(history: &[Op], world: impl AsyncFnOnce() -> World) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut pair = Pair::around(world().await).await;
        for op in history {
            pair.apply(op).await;
            pair.compare().await;
            assert_eq!(miscounted(&pair.world.store).await.unwrap(), [""; 0]);
        }
    });
}

mod in_memory {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

        #[test]
        fn any_history_of_work_goes_as_the_rules_say(
            history in proptest::collection::vec(op(), 1..80)
        ) {
            tell(&history, World::in_memory);
        }
    }
}

mod on_postgres {
    use super::*;

    proptest! {
        // Each has a database to itself, which takes its time.
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn any_history_of_work_goes_as_the_rules_say(
            history in proptest::collection::vec(op(), 1..80)
        ) {
            tell(&history, World::on_postgres);
        }
    }
}
