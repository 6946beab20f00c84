//! Texts that refer to issues, and the mirrors they lead to or wait for.

use crate::world::{World, stories};
use mirror_core::{ids::Iid, outcome::Outcome};
use mirror_store::{End, Fence, StoreError};
use std::collections::{BTreeMap, BTreeSet};

stories! {
    the_mirrors_of_many_issues_are_found_at_once
    who_waits_for_a_mirror_is_owed_again_when_it_appears
    a_mirror_that_appears_meanwhile_is_not_waited_for
    who_refers_no_more_waits_no_more
    who_waits_while_it_runs_runs_once_more
}

const DONE: End<'static> = End::Done {
    outcome: &Outcome::Unchanged,
};

fn iids(iids: impl IntoIterator<Item = i64>) -> BTreeSet<Iid> {
    iids.into_iter().map(Iid).collect()
}

impl World {
    async fn mirror_issue(&self, fence: &Fence, iid: i64) {
        let mapping = self.mapped(iid, 500 + iid);
        self.store.record_issue(fence, &mapping).await.unwrap();
    }

    async fn refers(&self, fence: &Fence, iid: i64, to: &[i64]) -> BTreeMap<Iid, Iid> {
        let referred = iids(to.iter().copied());
        self.store
            .await_mirrors(fence, self.mirror, Iid(iid), &referred)
            .await
            .unwrap()
    }

    async fn appeared(&self, iid: i64) -> usize {
        let told = self.store.mirror_appeared(self.mirror, Iid(iid)).await;
        told.unwrap()
    }

    async fn due(&self) -> Vec<String> {
        let claimed = self.claim_all().await;
        claimed.into_iter().map(|claimed| claimed.key).collect()
    }
}

async fn the_mirrors_of_many_issues_are_found_at_once(world: World) {
    let fence = world.working_on(0).await;
    for iid in 1..=3 {
        world.mirror_issue(&fence, iid).await;
    }
    let left_out = world.mapping(4);
    world.store.record_issue(&fence, &left_out).await.unwrap();
    let found = world
        .store
        .mirrors_of(world.mirror, &iids(2..=1_000))
        .await
        .unwrap();
    let expected = [(2, 502), (3, 503)].map(|(source, target)| (Iid(source), Iid(target)));
    assert_eq!(found, BTreeMap::from(expected));
    let none = world.store.mirrors_of(world.mirror, &iids([])).await;
    assert!(none.unwrap().is_empty());
    let other = world.another_mirror(2).await;
    let none = world.store.mirrors_of(other, &iids(1..=4)).await;
    assert!(
        none.unwrap().is_empty(),
        "another mirror's are not this one's"
    );
}

async fn who_waits_for_a_mirror_is_owed_again_when_it_appears(world: World) {
    let store = &world.store;
    let one = world.working_on(1).await;
    assert!(world.refers(&one, 1, &[2, 3]).await.is_empty());
    store.end(&one, DONE).await.unwrap();
    assert_eq!(world.appeared(4).await, 0);
    assert_eq!(world.due().await, Vec::<String>::new());

    let two = world.working_on(2).await;
    world.mirror_issue(&two, 2).await;
    assert_eq!(world.appeared(2).await, 1);
    assert_eq!(world.appeared(2).await, 0, "once");
    assert_eq!(world.due().await, [world.issue(1).key()]);
}

async fn a_mirror_that_appears_meanwhile_is_not_waited_for(world: World) {
    let one = world.working_on(1).await;
    let two = world.working_on(2).await;
    assert!(world.refers(&one, 1, &[2]).await.is_empty());
    world.mirror_issue(&two, 2).await;
    let expected = BTreeMap::from([(Iid(2), Iid(502))]);
    assert_eq!(world.refers(&one, 1, &[2]).await, expected);
    assert_eq!(world.appeared(2).await, 0);
}

async fn who_refers_no_more_waits_no_more(world: World) {
    let one = world.working_on(1).await;
    world.refers(&one, 1, &[2, 3]).await;
    world.refers(&one, 1, &[3, 4]).await;
    assert_eq!(world.appeared(2).await, 0);
    assert_eq!(world.appeared(4).await, 1);
    world.refers(&one, 1, &[]).await;
    assert_eq!(world.appeared(3).await, 0);

    world.advance(3_600);
    let late = world.store.sweep(100).await;
    assert!(late.is_ok());
    let fenced = world
        .store
        .await_mirrors(&one, world.mirror, Iid(1), &iids([9]))
        .await;
    assert!(matches!(fenced, Err(StoreError::Fenced)), "{fenced:?}");
}

async fn who_waits_while_it_runs_runs_once_more(world: World) {
    let one = world.working_on(1).await;
    world.refers(&one, 1, &[1, 2]).await;
    world.mirror_issue(&one, 1).await;
    assert_eq!(world.appeared(1).await, 1, "itself");
    world.store.end(&one, DONE).await.unwrap();
    assert_eq!(world.due().await, [world.issue(1).key()]);
}
