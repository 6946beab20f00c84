//! A source that cannot be read never looks like an empty one.

use super::{oracle, stage::Stage, world};
use gitlab_sim::{Fault, FaultRule, FeatureAccess, Hook, HookVerdict, Phase, Visibility, When};
use std::sync::Arc;

/// Takes the issues away from the reader at the moment of the first list of issues: a `200 []`
/// after a set-up that found everything in order.
fn shut_at_the_first_list(stage: &Stage) -> Hook {
    let (sim, project, user) = (
        stage.source.sim.clone(),
        stage.source.project,
        stage.source.user,
    );
    Arc::new(move |event| {
        if event.phase == Phase::Before && event.path.ends_with("/issues") {
            sim.edit(|world| {
                let project = world.project_mut(project).unwrap();
                project.visibility = Visibility::Public;
                project.issues_access_level = FeatureAccess::Private;
                project.members.remove(&user);
            });
        }
        Box::pin(std::future::ready(HookVerdict::Go))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_became_unreadable_is_an_error_and_not_empty() {
    for mirrored_before in [false, true] {
        let stage = Stage::new().await;
        world::fill(&stage.source, 3);
        if mirrored_before {
            stage.sync_well(&[]).await;
        }
        let writes = stage.writes();
        stage.source.sim.set_hook(shut_at_the_first_list(&stage));
        let ended = stage.sync(&["--full"]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(!ended.out.contains("in sync,"), "{ended:?}");
        let told = format!("{}{}", ended.out, ended.err);
        for word in ["source", "may not read the issues", "role"] {
            assert!(told.contains(word), "{ended:?}");
        }
        assert_eq!(stage.writes(), writes);
        if mirrored_before {
            oracle::mirrored(&stage);
        }
        // Let in again, it goes on.
        stage.source.sim.clear_hook();
        stage.source.sim.edit(|world| {
            let project = world.project_mut(stage.source.project).unwrap();
            project
                .members
                .insert(stage.source.user, gitlab_sim::AccessLevel::Reporter);
        });
        stage.sync_well(&[]).await;
        oracle::mirrored(&stage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_source_is_in_sync() {
    let stage = Stage::new().await;
    let ended = stage.sync_well(&["--json"]).await;
    assert_eq!(ended.json()["in_sync"], true);
    assert!(stage.target.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_cut_short_is_no_short_list() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 5);
    let cut = FaultRule::new("GET", "/issues$", When::Next(1), Fault::Truncate(400));
    stage.source.sim.fail(cut);
    stage.sync_well(&[]).await;
    oracle::mirrored(&stage);
}
