//! How the places are shared: among mirrors, among instances, with nobody left out.

use crate::world::{World, stories, work};
use mirror_core::{
    ids::{InstanceId, MirrorId},
    job::{Priority, Ticket},
};
use mirror_queue::delivery;
use mirror_scheduler::dispatch::{Dispatched, Dispatcher, Window};
use mirror_store::Store;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

stories! {
    equal_mirrors_are_served_equally
    small_mirrors_are_soon_through_beside_a_large_one
    an_instance_has_no_more_out_than_its_window_whichever_side_it_stands_on
    a_crowded_instance_leaves_the_others_their_places
    nothing_is_delivered_of_an_instance_that_takes_no_requests
    more_mirrors_than_places_take_turns
    a_backfill_is_not_held_up_for_ever_by_what_is_more_urgent
}

/// A dispatcher and workers that finish what was begun first, so many at a step.
struct Crowd {
    dispatcher: Dispatcher,
    store: Store,
    arriving: mpsc::UnboundedReceiver<Ticket>,
    out: VecDeque<Ticket>,
    done: BTreeMap<MirrorId, usize>,
    of: BTreeMap<i64, MirrorId>,
    _consumer: DropGuard,
}

impl Crowd {
    fn new(world: &World, room: usize) -> Self {
        let (producer, consumer) = delivery::in_process(room);
        let (arrived, arriving) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let execute = move |ticket| {
            arrived.send(ticket).unwrap();
            std::future::ready(())
        };
        let ended = shutdown.clone();
        tokio::spawn(consumer.run(room, ended, execute, |_, panic: &str| {
            panic!("{panic}");
        }));
        Self {
            dispatcher: Dispatcher::new(world.store.clone(), producer),
            store: world.store.clone(),
            arriving,
            out: VecDeque::new(),
            done: BTreeMap::new(),
            of: BTreeMap::new(),
            _consumer: shutdown.drop_guard(),
        }
    }

    async fn dispatch(&mut self, window: &Window) -> Dispatched {
        let dispatched = self.dispatcher.round(window).await.unwrap();
        for _ in 0..dispatched.sent {
            let ticket = self.arriving.recv().await.unwrap();
            self.out.push_back(ticket);
        }
        dispatched
    }

    /// Finishes so many.
    async fn finish(&mut self, jobs: usize) {
        for _ in 0..jobs {
            let Some(ticket) = self.out.pop_front() else {
                return;
            };
            assert!(work(&self.store, ticket).await);
            *self.done.entry(self.of[&ticket.work.0]).or_default() += 1;
        }
    }

    /// Whose each row is.
    async fn learn(&mut self, mirrors: &[MirrorId]) {
        for mirror in mirrors {
            for row in self.store.unfinished(*mirror, 100_000).await.unwrap() {
                self.of.insert(row.work.0, *mirror);
            }
        }
    }

    async fn out_of(&self, mirrors: &[MirrorId]) -> u64 {
        let mut out = 0;
        for mirror in mirrors {
            let due = self.store.due(*mirror).await.unwrap();
            out += due.queued + due.running;
        }
        out
    }
}

/// 1: all equal; 1/n: one has all.
fn jains_index(shares: &[usize]) -> f64 {
    let shares: Vec<f64> = shares
        .iter()
        .map(|share| f64::from(u32::try_from(*share).unwrap()))
        .collect();
    let count = f64::from(u32::try_from(shares.len()).unwrap());
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    sum * sum / (count * squares)
}

async fn mirrors_on(world: &World, ends: (InstanceId, InstanceId), many: i64) -> Vec<MirrorId> {
    let mut mirrors = Vec::new();
    for project in 1..=many {
        let (source, target) = ((ends.0, project), (ends.1, 1_000 + project));
        mirrors.push(world.mirror_between(source, target).await);
    }
    mirrors
}

async fn equal_mirrors_are_served_equally(world: World) {
    let ends = (
        world.instance_of("gitlab.a", 7).await,
        world.instance_of("gitlab.b", 16).await,
    );
    let mirrors = mirrors_on(&world, ends, 10).await;
    for mirror in &mirrors {
        world.owe_at(*mirror, 0..40, Priority::Backfill).await;
    }
    let mut crowd = Crowd::new(&world, 20);
    crowd.learn(&mirrors).await;
    for step in 0..100 {
        crowd.dispatch(&Window::default()).await;
        crowd.finish(1 + step % 3).await;
    }
    let shares: Vec<usize> = mirrors
        .iter()
        .map(|mirror| crowd.done.get(mirror).copied().unwrap_or(0))
        .collect();
    assert!(shares.iter().sum::<usize>() >= 190);
    let index = jains_index(&shares);
    assert!(index >= 0.98, "{index}: {shares:?}");
}

async fn small_mirrors_are_soon_through_beside_a_large_one(world: World) {
    let ends = (
        world.instance_of("gitlab.a", 16).await,
        world.instance_of("gitlab.b", 16).await,
    );
    let mirrors = mirrors_on(&world, ends, 10).await;
    let (large, small) = mirrors.split_first().unwrap();
    let mut steps = Vec::new();
    for beside in [false, true] {
        let mut crowd = Crowd::new(&world, 40);
        if beside {
            world.owe_at(*large, 0..2_000, Priority::Incremental).await;
            // It has taken all places by the time the others come.
            crowd.dispatch(&Window::default()).await;
        }
        for mirror in small {
            world.owe_issues(*mirror, 0..10).await;
        }
        crowd.learn(&mirrors).await;
        let mut taken = 0;
        while small
            .iter()
            .any(|mirror| crowd.done.get(mirror).copied().unwrap_or(0) < 10)
        {
            crowd.dispatch(&Window::default()).await;
            crowd.finish(4).await;
            taken += 1;
        }
        steps.push(taken);
    }
    assert!(steps[1] <= 2 * steps[0], "alone and beside: {steps:?}");
}

async fn an_instance_has_no_more_out_than_its_window_whichever_side_it_stands_on(world: World) {
    let narrow = world.instance_of("gitlab.narrow", 5).await;
    let wide = world.instance_of("gitlab.wide", 100).await;
    let other = world.instance_of("gitlab.other", 100).await;
    let mirrors = [
        world.mirror_between((narrow, 1), (wide, 1)).await,
        world.mirror_between((wide, 2), (narrow, 2)).await,
        world.mirror_between((narrow, 3), (narrow, 4)).await,
    ];
    let free = world.mirror_between((wide, 5), (other, 5)).await;
    for mirror in mirrors.iter().chain([&free]) {
        world.owe_issues(*mirror, 0..20).await;
    }
    let mut crowd = Crowd::new(&world, 200);
    crowd.learn(&mirrors).await;
    crowd.learn(&[free]).await;
    for _ in 0..6 {
        let dispatched = crowd.dispatch(&Window::default()).await;
        assert!(dispatched.held_back);
        assert_eq!(crowd.out_of(&mirrors).await, 5);
        crowd.finish(3).await;
    }
    // Who has one mirror's tokens has a concurrency of his own.
    let only = Window {
        only: Some(mirrors[0]),
        ..Window::default()
    };
    assert!(crowd.dispatch(&only).await.sent > 5);
}

async fn a_crowded_instance_leaves_the_others_their_places(world: World) {
    let crowded = world.instance_of("gitlab.crowded", 50).await;
    let quiet = world.instance_of("gitlab.quiet", 50).await;
    let many = mirrors_on(&world, (crowded, crowded), 30).await;
    for mirror in &many {
        world.owe_issues(*mirror, 0..10).await;
    }
    let lonely = world.mirror_between((quiet, 1), (quiet, 2)).await;
    world.owe_issues(lonely, 0..20).await;
    let mut crowd = Crowd::new(&world, 20);
    assert_eq!(crowd.dispatch(&Window::default()).await.sent, 20);
    assert_eq!(crowd.out_of(&[lonely]).await, 10);
}

async fn nothing_is_delivered_of_an_instance_that_takes_no_requests(world: World) {
    let open = world.instance_of("gitlab.open", 50).await;
    let closed = world.instance_of("gitlab.closed", 50).await;
    let into = world.mirror_between((open, 1), (closed, 1)).await;
    let out_of = world.mirror_between((closed, 2), (open, 2)).await;
    let free = world.mirror_between((open, 3), (open, 4)).await;
    for mirror in [into, out_of, free] {
        world.owe_issues(mirror, 0..3).await;
    }
    let mut crowd = Crowd::new(&world, 100);
    let mut window = Window {
        closed: BTreeSet::from([closed]),
        ..Window::default()
    };
    assert_eq!(crowd.dispatch(&window).await.sent, 3);
    assert_eq!(crowd.out_of(&[free]).await, 3);
    window.closed.clear();
    assert_eq!(crowd.dispatch(&window).await.sent, 6);
}

async fn more_mirrors_than_places_take_turns(world: World) {
    let ends = (
        world.instance_of("gitlab.a", 3).await,
        world.instance_of("gitlab.b", 3).await,
    );
    let mirrors = mirrors_on(&world, ends, 12).await;
    for mirror in &mirrors {
        world.owe_at(*mirror, 0..9, Priority::Backfill).await;
    }
    let mut crowd = Crowd::new(&world, 10);
    crowd.learn(&mirrors).await;
    for _ in 0..24 {
        crowd.dispatch(&Window::default()).await;
        crowd.finish(1).await;
    }
    assert!(
        mirrors
            .iter()
            .all(|mirror| crowd.done.get(mirror) == Some(&2))
    );
}

async fn a_backfill_is_not_held_up_for_ever_by_what_is_more_urgent(world: World) {
    let instance = world.instance_of("gitlab.a", 1).await;
    let busy = world.mirror_between((instance, 1), (instance, 2)).await;
    let patient = world.mirror_between((instance, 3), (instance, 4)).await;
    world.owe_at(patient, 0..1, Priority::Backfill).await;
    let mut crowd = Crowd::new(&world, 10);
    let mut issue = 0;
    let mut served = async |crowd: &mut Crowd| {
        world.owe_issues(busy, issue..issue + 2).await;
        issue += 2;
        crowd.learn(&[busy, patient]).await;
        crowd.dispatch(&Window::default()).await;
        crowd.finish(1).await;
        crowd.done.contains_key(&patient)
    };
    for _ in 0..5 {
        assert!(!served(&mut crowd).await);
    }
    world.clock.advance(Duration::from_secs(600));
    let first = served(&mut crowd).await;
    assert!(first || served(&mut crowd).await);
}
