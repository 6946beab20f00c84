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
    for (copy, number) in world.copies().iter().zip(0..) {
        let description = copy.issue.description.clone().unwrap();
        let told = format!("\n- Weight: {number}");
        assert!(description.contains(&told), "{description}");
    }
    world.later(300);
    world.run().await;
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_licence_that_was_bought_is_noticed_within_a_day_by_a_comparison_of_everything() {
    let stage = Stage::from_builders(Sim::builder(), Sim::builder().unlicensed());
    let mut world = World::on(stage).await;
    let weighed = |title: &str| IssueSpec {
        weight: Some(3),
        ..issue(world.alice, title)
    };
    let iids = ["One", "Two", "Three"].map(|title| world.write(weighed(title)));
    world.run().await;
    let full = || Settings {
        full: true,
        ..Settings::default()
    };
    world.restart_with(full(), Mode::Sync).await;
    world.later(3_600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new(), "not fought");
    let tells = |world: &World, iid| {
        let description = world.copy(iid).issue.description.unwrap();
        description.contains("Weight: 3")
    };
    assert!(iids.iter().all(|iid| tells(&world, *iid)));
    world.target.edit(|sim| sim.settings.licensed = true);
    world.later(86_400);
    world.restart_with(full(), Mode::Sync).await;
    world.run().await;
    world.all_went_well().await;
    for iid in iids {
        assert_eq!(world.copy(iid).issue.weight, Some(3));
        assert!(!tells(&world, iid), "the field says it");
    }
    world.assert_mirrored(iids);
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
async fn an_edition_without_weights_says_them_in_the_footer() {
    let world = World::on(Stage::of(Edition::Premium, Edition::Ce)).await;
    let spec = IssueSpec {
        weight: Some(8),
        ..issue(world.alice, "Weighs")
    };
    let iid = world.write(spec);
    world.run().await;
    world.all_went_well().await;
    let description = world.copy(iid).issue.description.unwrap();
    assert!(description.contains("\n- Weight: 8"), "{description}");
    world.a_second_run_writes_nothing().await;
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
