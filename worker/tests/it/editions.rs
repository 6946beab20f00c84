//! Editions differ in what they take; none of it is fought over (rule 21).

use crate::support::{Stage, World, issue};
use gitlab_sim::{Edition, IssueEdit, IssueSpec, Sim};
use mirror_worker::{Mode, Notice, Settings};
use std::collections::BTreeSet;

#[tokio::test]
async fn in_every_pair_of_editions_a_second_run_writes_nothing() {
    let editions = [Edition::Ce, Edition::Premium, Edition::Ultimate];
    for source in editions {
        for target in editions {
            let settings = Settings {
                include_closed: true,
                ..Settings::default()
            };
            let stage = Stage::of(source, target);
            let world = World::with(stage, settings, Mode::Sync).await;
            gitlab_sim::seed::rich(&world.source, world.from.project, 40, 9).unwrap();
            world.run().await;
            world.all_went_well().await;
            world.assert_no_duplicates();
            assert_eq!(world.copies().len(), 40);
            let notices = world.notices();
            let distinct: BTreeSet<_> = notices.iter().collect();
            assert_eq!(
                distinct.len(),
                notices.len(),
                "{source:?} to {target:?}: {notices:?}"
            );
            for pause in [0, 300, 300] {
                world.later(pause);
                world.forget_requests();
                world.run().await;
                assert_eq!(
                    world.writes(),
                    Vec::<String>::new(),
                    "{source:?} to {target:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_licence_that_ran_out_is_noticed_once_and_not_fought() {
    let stage = Stage::from_builders(Sim::builder(), Sim::builder().unlicensed());
    let world = World::on(stage).await;
    for number in 0..3 {
        let spec = IssueSpec {
            weight: Some(number),
            ..issue(world.alice, "Weighs")
        };
        world.write(spec);
    }
    world.run().await;
    world.all_went_well().await;
    let dropped = Notice::FieldDropped {
        field: "weight".to_owned(),
    };
    assert_eq!(world.notices(), [dropped]);
    world.later(300);
    world.run().await;
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn scoped_labels_that_exclude_each_other_are_learnt() {
    let stage = Stage::of(Edition::Ce, Edition::Premium);
    let world = World::on(stage).await;
    let labels = || vec!["p::1".to_owned(), "p::2".to_owned(), "q::1".to_owned()];
    let first = world.write(IssueSpec {
        labels: labels(),
        ..issue(world.alice, "First")
    });
    world.run().await;
    let second = world.write(IssueSpec {
        labels: labels(),
        ..issue(world.alice, "Second")
    });
    world.later(300);
    world.run().await;
    world.all_went_well().await;
    let titles = |of| world.titles(of);
    assert_eq!(titles(first), ["MIRRORED", "p::2", "q::1"]);
    assert_eq!(titles(second), titles(first));
    world.later(600);
    world.edit(
        first,
        IssueEdit {
            labels: Some(vec!["p::1".into()]),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert_eq!(titles(first), ["MIRRORED", "p::1"]);
    world.later(300);
    world.run().await;
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.notices(), Vec::new());
}

#[tokio::test]
async fn several_assignees_are_told_on_every_edition() {
    for edition in [Edition::Ce, Edition::Premium] {
        let world = World::on(Stage::of(Edition::Premium, edition)).await;
        let bob = world
            .source
            .add_user(gitlab_sim::UserSpec::new("bob", "Bob"));
        let iid = world.write(IssueSpec {
            assignees: vec![world.alice, bob],
            ..issue(world.alice, "Two of us")
        });
        world.run().await;
        let titles = world.titles(iid);
        assert_eq!(titles, ["Assigned: alice-w", "Assigned: bob", "MIRRORED"]);
        world.all_went_well().await;
    }
}
