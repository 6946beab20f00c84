//! What is ours on the target is found again, what only says so is not (rules 2, 4 and 6).

use crate::support::{Stage, World, issue};
use gitlab_sim::{IssueEdit, IssueSpec};
use mirror_core::outcome::{Outcome, SkipReason};
use mirror_worker::{Mode, Settings};

#[tokio::test]
async fn lost_state_costs_no_duplicate_and_no_write() {
    let world = {
        let mut world = World::new().await;
        gitlab_sim::seed::plain(&world.source, world.from.project, 30, 3).unwrap();
        let iid = world.write(IssueSpec {
            labels: vec!["bug".into()],
            weight: Some(2),
            ..issue(world.alice, "Rich")
        });
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
        world.run().await;
        world.lose_state().await;
        world
    };
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.assert_all_mirrored();
    world.all_went_well().await;
    world.later(600);
    world.edit(
        31,
        IssueEdit {
            labels: Some(vec!["other".into()]),
            ..Default::default()
        },
    );
    world.run().await;
    world.assert_mirrored([31]);
    let titles = world.titles(31);
    assert_eq!(
        titles,
        ["MIRRORED", "other"],
        "which labels are ours was found out again"
    );
}

#[tokio::test]
async fn lost_state_of_a_rich_project_makes_no_copy_twice() {
    let settings = Settings {
        include_closed: true,
        ..Settings::default()
    };
    let mut world = World::with(Stage::demo(), settings, Mode::Sync).await;
    world.run().await;
    world.lose_state().await;
    world.run().await;
    let creates = [
        world.count("POST", "/issues"),
        world.count("POST", "/notes"),
        world.count("POST", "/discussions"),
    ];
    assert_eq!(creates, [0, 0, 0]);
    world.assert_all_mirrored();
    world.assert_no_noise();
    world.all_went_well().await;
}

#[tokio::test]
async fn a_marker_written_by_a_stranger_blocks_and_is_reported() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Mine"));
    world.run().await;
    let copy = world.copy(iid).issue;
    let to = world.to.project;
    let pasted = world.target.edit(|sim| {
        sim.delete_issue(to, copy.iid, world.to.token_user).unwrap();
        let spec = IssueSpec {
            description: copy.description.clone(),
            ..issue(world.tom, "Pasted")
        };
        sim.create_issue(to, spec).unwrap()
    });
    world.lose_state().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let target_iid = i64::try_from(pasted).unwrap();
    let reason = SkipReason::MarkerByStranger { target_iid };
    assert_eq!(world.outcome(iid), Some(Outcome::Skipped(reason)));
}

#[tokio::test]
async fn somebodys_clone_of_a_copy_is_an_issue_of_its_own() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Mine"));
    world.run().await;
    let copy = world.copy(iid).issue;
    world.later(600);
    let spec = IssueSpec {
        description: copy.description.clone(),
        ..issue(world.to.token_user, "A clone")
    };
    let to = world.to.project;
    let clone = world.target.edit(|sim| sim.create_issue(to, spec)).unwrap();
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.target_issue(clone).title, "A clone");
    world.all_went_well().await;
}
