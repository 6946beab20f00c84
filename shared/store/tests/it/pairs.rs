//! Pairs that are to be adopted: all of them or none, until the issue's own job has done it.

use crate::world::{World, stories};
use mirror_core::ids::Iid;
use mirror_store::{AskedPair, Pair, PairConflict, TargetWalk};

stories! {
    pairs_are_asked_for_all_or_none
    a_pair_is_on_record_until_it_is_adopted
    what_a_person_asked_for_stays_whatever_a_walk_finds
    a_person_may_change_their_mind
}

fn pair(source: i64, target: i64) -> Pair {
    Pair {
        source: Iid(source),
        target: Iid(target),
    }
}

impl World {
    async fn ask(&self, pairs: &[Pair]) -> Vec<PairConflict> {
        self.store.ask_adoptions(self.mirror, pairs).await.unwrap()
    }

    async fn asked(&self, source: i64) -> Option<AskedPair> {
        let asked = self.store.asked_adoption(self.mirror, Iid(source)).await;
        asked.unwrap()
    }

    async fn owed(&self) -> Vec<String> {
        let mut keys: Vec<String> = self
            .claim_all()
            .await
            .into_iter()
            .map(|claimed| claimed.key)
            .collect();
        keys.sort();
        keys
    }
}

fn by_hand(target: i64) -> Option<AskedPair> {
    Some(AskedPair {
        target: Iid(target),
        by_hand: true,
    })
}

async fn pairs_are_asked_for_all_or_none(world: World) {
    let fence = world.working_on(0).await;
    let mapped = world.mapped(1, 501);
    let there = mapped.target.as_ref().unwrap().iid;
    world.store.record_issue(&fence, &mapped).await.unwrap();
    let conflicts = world
        .ask(&[pair(1, 9), pair(2, there.0), pair(3, 30), pair(1, there.0)])
        .await;
    let expected = [
        PairConflict::Mirrored {
            pair: pair(1, 9),
            by: there,
        },
        PairConflict::Taken {
            pair: pair(2, there.0),
            of: Iid(1),
        },
    ];
    assert_eq!(conflicts, expected);
    assert_eq!(world.asked(3).await, None);
    assert_eq!(world.owed().await, Vec::<String>::new());
    assert_eq!(world.ask(&[pair(3, 30), pair(1, there.0)]).await, []);
    assert_eq!(world.asked(3).await, by_hand(30));
    assert_eq!(world.asked(1).await, None, "it is as asked already");
    let taken = PairConflict::Taken {
        pair: pair(4, 30),
        of: Iid(3),
    };
    assert_eq!(world.ask(&[pair(4, 30)]).await, [taken]);
}

async fn a_pair_is_on_record_until_it_is_adopted(world: World) {
    world.ask(&[pair(3, 30)]).await;
    let owed = world.owed().await;
    assert_eq!(owed, [format!("sync_issue/{}/3", world.mirror)]);
    let fence = world.working_on(0).await;
    let mapped = world.mapped(3, 503);
    world.store.record_adopted(&fence, &mapped).await.unwrap();
    assert_eq!(world.asked(3).await, None);
    let found = world.store.issue_mapping(world.mirror, Iid(3)).await;
    assert_eq!(found.unwrap(), Some(mapped));
}

async fn what_a_person_asked_for_stays_whatever_a_walk_finds(world: World) {
    world.ask(&[pair(3, 30)]).await;
    let fence = world.working_on(0).await;
    let pairs = [pair(3, 31), pair(4, 30), pair(5, 50)];
    let walk = TargetWalk {
        pairs: &pairs,
        ..TargetWalk::default()
    };
    let store = &world.store;
    let recorded = store.record_target_walk(&fence, world.mirror, &walk);
    recorded.await.unwrap();
    assert_eq!(world.asked(3).await, by_hand(30));
    assert_eq!(world.asked(4).await, None);
    let found = AskedPair {
        target: Iid(50),
        by_hand: false,
    };
    assert_eq!(world.asked(5).await, Some(found));
}

async fn a_person_may_change_their_mind(world: World) {
    world.ask(&[pair(3, 30)]).await;
    assert_eq!(world.ask(&[pair(3, 31)]).await, []);
    assert_eq!(world.asked(3).await, by_hand(31));
    let store = &world.store;
    assert!(store.forget_adoption(world.mirror, Iid(3)).await.unwrap());
    assert!(!store.forget_adoption(world.mirror, Iid(3)).await.unwrap());
    assert_eq!(world.asked(3).await, None);
}
