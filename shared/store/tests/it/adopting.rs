//! Adopting what is ours on the target, and refusing what is not.

use crate::world::{World, at, stories, target_issue};
use mirror_core::{
    ids::{Iid, IssueId, UserId},
    job::Priority,
    mapping::{Impostor, Intended, IssueMapping, MappingStatus},
};
use mirror_store::{Adoption, Owe, SightedImpostor, TargetWalk, Twin};

stories! {
    an_adoption_makes_the_next_job_compare
    an_adoption_fills_in_an_issue_that_has_none
    an_adoption_never_overwrites
    the_lowest_id_wins_among_unmapped_candidates
    what_mirrors_one_issue_is_not_adopted_for_another
    an_adopted_late_landing_has_carried_nothing
    a_strangers_marker_blocks_until_it_is_cleared
}

fn adoption(iid: i64, target: i64) -> Adoption {
    Adoption {
        source_iid: Iid(iid),
        source_id: IssueId(10_000 + iid),
        target: target_issue(target),
    }
}

async fn adopt(world: &World, fence: &mirror_store::Fence, found: &[Adoption]) -> Vec<Twin> {
    let owes: Vec<Owe> = found
        .iter()
        .map(|found| Owe::changed(world.issue(found.source_iid.0), Priority::Backfill))
        .collect();
    let walk = TargetWalk {
        adoptions: found,
        owed: &owes,
        watermark: Some(at(400)),
        ..TargetWalk::default()
    };
    let recorded = world.store.record_target_walk(fence, world.mirror, &walk);
    recorded.await.unwrap()
}

async fn found(world: &World, iid: i64) -> IssueMapping {
    let found = world.store.issue_mapping(world.mirror, Iid(iid)).await;
    found.unwrap().unwrap()
}

async fn an_adoption_makes_the_next_job_compare(world: World) {
    let fence = world.working_on(0).await;
    assert!(adopt(&world, &fence, &[adoption(1, 501)]).await.is_empty());
    let expected = IssueMapping {
        title: None,
        target: Some(target_issue(501)),
        read: None,
        carried_spent: None,
        ..world.mapping(1)
    };
    assert_eq!(found(&world, 1).await, expected);
    assert_eq!(world.store.due(world.mirror).await.unwrap().pending, 1);
}

async fn an_adoption_fills_in_an_issue_that_has_none(world: World) {
    let fence = world.working_on(0).await;
    let skipped = IssueMapping {
        status: MappingStatus::Skipped("closed before it was first mirrored".to_owned()),
        ..world.mapping(1)
    };
    world.store.record_issue(&fence, &skipped).await.unwrap();
    adopt(&world, &fence, &[adoption(1, 501)]).await;
    let now = found(&world, 1).await;
    assert_eq!(now.target, Some(target_issue(501)));
    assert_eq!((now.read, now.status), (None, MappingStatus::Pending));
    assert_eq!(now.carried_spent, None);
}

async fn an_adoption_never_overwrites(world: World) {
    let fence = world.working_on(0).await;
    let mapped = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapped).await.unwrap();
    let twins = adopt(&world, &fence, &[adoption(1, 500), adoption(1, 501)]).await;
    let twin = Twin {
        source_iid: Iid(1),
        mapped: IssueId(501),
        other: IssueId(500),
        other_iid: Iid(500),
    };
    assert_eq!(twins, [twin]);
    assert_eq!(found(&world, 1).await, mapped);
}

async fn the_lowest_id_wins_among_unmapped_candidates(world: World) {
    let fence = world.working_on(0).await;
    let candidates = [adoption(1, 503), adoption(1, 501), adoption(1, 502)];
    let twins = adopt(&world, &fence, &candidates).await;
    assert_eq!(found(&world, 1).await.target, Some(target_issue(501)));
    let others: Vec<IssueId> = twins.iter().map(|twin| twin.other).collect();
    assert_eq!(others, [IssueId(502), IssueId(503)]);
}

async fn what_mirrors_one_issue_is_not_adopted_for_another(world: World) {
    let fence = world.working_on(0).await;
    let mapped = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapped).await.unwrap();
    assert!(adopt(&world, &fence, &[adoption(2, 501)]).await.is_empty());
    let none = world.store.issue_mapping(world.mirror, Iid(2)).await;
    assert_eq!(none.unwrap(), None);
}

async fn an_adopted_late_landing_has_carried_nothing(world: World) {
    let fence = world.working_on(0).await;
    for iid in [1, 2] {
        let create = Intended::Issue {
            since: None,
            numbered: false,
            asked: None,
        };
        let begun = world
            .store
            .begin_intent(&fence, world.mirror, Iid(iid), create);
        begun.await.unwrap();
    }
    let known = IssueMapping {
        carried_spent: None,
        ..world.mapping(2)
    };
    world.store.record_issue(&fence, &known).await.unwrap();
    adopt(&world, &fence, &[adoption(1, 501), adoption(2, 502)]).await;
    assert_eq!(found(&world, 1).await.carried_spent, Some(0));
    assert_eq!(found(&world, 2).await.carried_spent, Some(0));
}

async fn a_strangers_marker_blocks_until_it_is_cleared(world: World) {
    let fence = world.working_on(0).await;
    let store = &world.store;
    let impostor = |target_iid| Impostor {
        target_iid: Iid(target_iid),
        author: UserId(66),
    };
    let sighted = [32, 31, 31].map(|target_iid| SightedImpostor {
        source_iid: Iid(1),
        impostor: impostor(target_iid),
    });
    let walk = TargetWalk {
        impostors: &sighted,
        ..TargetWalk::default()
    };
    let recorded = store.record_target_walk(&fence, world.mirror, &walk);
    recorded.await.unwrap();
    for target_iid in [31, 32] {
        let blocking = store.impostor(world.mirror, Iid(1)).await.unwrap();
        assert_eq!(blocking, Some(impostor(target_iid)));
        let clear = store.clear_impostor(&fence, world.mirror, Iid(1), Iid(target_iid));
        clear.await.unwrap();
    }
    assert_eq!(store.impostor(world.mirror, Iid(1)).await.unwrap(), None);
}
