//! Instances, our users, mirrors, watermarks, runs, facts of targets.

use crate::world::{World, at, stories};
use mirror_core::{
    ids::{InstanceName, MirrorId, ProjectId, UserId},
    job::Priority,
};
use mirror_store::{
    MirrorEnd, NewMirror, Owe, StoreError, TargetFact, TargetFacts, TargetWalk, Watermarks,
};
use std::collections::BTreeSet;

stories! {
    an_instance_keeps_its_name_whatever_it_is_called
    a_name_belongs_to_one_instance
    our_users_are_remembered_for_good
    a_mirror_is_one_whatever_its_paths
    two_mirrors_may_share_a_project
    a_project_is_not_mirrored_into_itself
    what_is_owed_and_the_watermark_move_together
    a_watermark_can_be_set_back
    facts_of_a_target_add_up
}

fn name(name: &str) -> InstanceName {
    InstanceName(name.to_owned())
}

async fn an_instance_keeps_its_name_whatever_it_is_called(world: World) {
    let store = &world.store;
    let old = vec!["git.old.example".to_owned()];
    let base = "https://gitlab.a/api/v4";
    let id = store
        .register_instance(&name("gitlab.a"), base, &old)
        .await
        .unwrap();
    assert_eq!(id, world.source);
    let moved = "https://git.old.example/api/v4";
    let by_alias = store
        .register_instance(&name("git.old.example"), moved, &[])
        .await;
    assert_eq!(by_alias.unwrap(), world.source);
    let instance = store.instance(id).await.unwrap().unwrap();
    assert_eq!(instance.name, name("gitlab.a"));
    assert_eq!(instance.api_base, moved);
    assert_eq!(instance.also_known_as, [name("git.old.example")]);
}

async fn a_name_belongs_to_one_instance(world: World) {
    let store = &world.store;
    let stolen = vec!["other.example".to_owned(), "gitlab.b".to_owned()];
    let base = "https://gitlab.a/api/v4";
    let refused = store
        .register_instance(&name("gitlab.a"), base, &stolen)
        .await;
    assert!(matches!(refused, Err(StoreError::NameTaken(taken)) if taken == name("gitlab.b")));
    let instance = store.instance(world.source).await.unwrap().unwrap();
    assert!(
        instance.also_known_as.is_empty(),
        "nothing of it was written"
    );
}

async fn our_users_are_remembered_for_good(world: World) {
    let store = &world.store;
    for (user, username) in [(7, "old-bot"), (9, "bot"), (9, "renamed-bot")] {
        let remember = store.remember_our_user(world.target, UserId(user), username);
        remember.await.unwrap();
    }
    let ours = store.our_users(world.target).await.unwrap();
    assert_eq!(ours, BTreeSet::from([UserId(7), UserId(9)]));
    assert!(store.our_users(world.source).await.unwrap().is_empty());
}

async fn a_mirror_is_one_whatever_its_paths(world: World) {
    let store = &world.store;
    let mut renamed = world.new_mirror(1);
    renamed.source.path = "new-group/new-name".to_owned();
    let mirror = store.ensure_mirror(&renamed).await.unwrap();
    assert_eq!(mirror.id, world.mirror);
    assert_eq!(mirror.source, renamed.source);
    let all = store.mirrors().await.unwrap();
    assert_eq!(all, std::slice::from_ref(&mirror));
    assert_eq!(store.mirror(world.mirror).await.unwrap(), mirror);
    let nowhere = store.mirror(MirrorId(99)).await;
    assert!(matches!(nowhere, Err(StoreError::NoSuchMirror(_))));
}

async fn two_mirrors_may_share_a_project(world: World) {
    let same_source = NewMirror {
        target: world.new_mirror(2).target,
        ..world.new_mirror(1)
    };
    let same_target = NewMirror {
        source: world.new_mirror(2).source,
        ..world.new_mirror(1)
    };
    let one = world.store.ensure_mirror(&same_source).await.unwrap();
    let other = world.store.ensure_mirror(&same_target).await.unwrap();
    let ids = BTreeSet::from([world.mirror, one.id, other.id]);
    assert_eq!(ids.len(), 3);
}

async fn a_project_is_not_mirrored_into_itself(world: World) {
    let end = |path: &str| MirrorEnd {
        instance: world.source,
        project: ProjectId(1),
        path: path.to_owned(),
    };
    let new = NewMirror {
        source: end("group/project"),
        target: end("Group/Project"),
    };
    let refused = world.store.ensure_mirror(&new).await;
    assert!(matches!(refused, Err(StoreError::SameProject)));
}

async fn what_is_owed_and_the_watermark_move_together(world: World) {
    let store = &world.store;
    let fence = world.working_on(0).await;
    let owes = [
        Owe::changed(world.issue(1), Priority::Backfill),
        Owe::changed(world.issue(2), Priority::Backfill),
    ];
    let walk = store.record_source_walk(&fence, world.mirror, &owes, Some(at(500)));
    walk.await.unwrap();
    let walk = TargetWalk {
        watermark: Some(at(400)),
        ..TargetWalk::default()
    };
    let recorded = store.record_target_walk(&fence, world.mirror, &walk);
    recorded.await.unwrap();
    store.record_full_walk(&fence, world.mirror).await.unwrap();
    assert_eq!(store.due(world.mirror).await.unwrap().pending, 2);
    let expected = Watermarks {
        source: Some(at(500)),
        target: Some(at(400)),
        last_full_at: Some(at(0)),
    };
    assert_eq!(
        store.mirror(world.mirror).await.unwrap().watermarks,
        expected
    );

    let nowhere = mirror_core::job::Job::ScanMirror {
        mirror: MirrorId(99),
    };
    let broken = [
        Owe::changed(world.issue(3), Priority::Backfill),
        Owe::changed(nowhere, Priority::Backfill),
    ];
    let walk = store.record_source_walk(&fence, world.mirror, &broken, Some(at(900)));
    walk.await.unwrap_err();
    assert_eq!(store.due(world.mirror).await.unwrap().pending, 2);
    assert_eq!(
        store.mirror(world.mirror).await.unwrap().watermarks,
        expected
    );
}

async fn a_watermark_can_be_set_back(world: World) {
    let store = &world.store;
    let fence = world.working_on(0).await;
    for watermark in [Some(at(500)), Some(at(100)), None] {
        let walk = store.record_source_walk(&fence, world.mirror, &[], watermark);
        walk.await.unwrap();
    }
    let mirror = store.mirror(world.mirror).await.unwrap();
    assert_eq!(mirror.watermarks.source, Some(at(100)));
}

async fn facts_of_a_target_add_up(world: World) {
    let store = &world.store;
    let (instance, project) = (world.target, ProjectId(1_001));
    let known = store.target_facts(instance, project).await.unwrap();
    assert_eq!(known, TargetFacts::default());
    let dropped = |field: &str, stamp: &str| TargetFact::Dropped {
        field: field.to_owned(),
        stamp: stamp.to_owned(),
    };
    let learnt = [
        dropped("weight", "guest"),
        TargetFact::InternalProven(true),
        TargetFact::ConfidentialProven(true),
        TargetFact::ScopedExclusive(false),
        dropped("due_date", "guest"),
        dropped("weight", "reporter"),
    ];
    for fact in learnt {
        let record = store.record_target_fact(instance, project, &fact);
        record.await.unwrap();
    }
    let known = store.target_facts(instance, project).await.unwrap();
    assert_eq!(known.dropped["weight"].stamp, "reporter");
    assert_eq!(known.dropped["due_date"].stamp, "guest");
    assert!(known.dropped.values().all(|dropped| dropped.lately));
    assert_eq!(known.scoped_exclusive, Some(false));
    assert!(known.confidential_proven && known.internal_proven);
    let other = store
        .target_facts(instance, ProjectId(1_002))
        .await
        .unwrap();
    assert_eq!(other, TargetFacts::default());
}
