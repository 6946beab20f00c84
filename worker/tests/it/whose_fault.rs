//! Project and token are told from the one issue (rule 24); waiting is not failing (law 10).

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{
    AccessLevel, Fault, FaultRule, FeatureAccess, IssueEdit, RateLimits, Sim, UserSpec, When,
};
use std::time::Duration;

impl World {
    /// Rests, with this in its reason, and not an attempt burnt.
    async fn rests_because(&self, part: &str) {
        let mirror = self.cx.store.mirror(self.mirror).await.unwrap();
        let reason = mirror.paused.expect("a reason to rest");
        assert!(reason.contains(part), "{reason}");
        let rows = self.cx.store.unfinished(self.mirror, 100).await.unwrap();
        assert!(!rows.is_empty(), "the work stays owed");
        assert!(rows.iter().all(|row| row.attempts == 0), "{rows:?}");
    }
}

/// A mirror in line, and an edit that is due.
async fn with_an_edit_due() -> World {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    world.later(600);
    let title = Some("Edited".to_owned());
    world.edit(
        iid,
        IssueEdit {
            title,
            ..IssueEdit::default()
        },
    );
    world
}

#[tokio::test]
async fn a_token_taken_back_rests_the_mirror_until_there_is_a_new_one() {
    for on_source in [true, false] {
        let mut world = with_an_edit_due().await;
        let (sim, seeded) = if on_source {
            (&world.source, &world.from)
        } else {
            (&world.target, &world.to)
        };
        let sim = sim.clone();
        let user = seeded.token_user;
        let old = seeded.token.clone();
        sim.edit(|world| world.revoke_token(&old));
        world.run().await;
        let side = if on_source { "source" } else { "target" };
        world
            .rests_because(&format!("the {side} token is not accepted any more"))
            .await;

        let token = sim.add_token(user, gitlab_sim::TokenSpec::api(""));
        if on_source {
            world.from.token = token
        } else {
            world.to.token = token
        };
        world.cx.store.resume_mirror(world.mirror).await.unwrap();
        world.restart().await;
        world.later(3_600);
        world.run().await;
        world.assert_mirrored([1]);
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn a_project_that_is_gone_rests_the_mirror() {
    for on_source in [true, false] {
        let world = with_an_edit_due().await;
        let (sim, seeded) = if on_source {
            (&world.source, &world.from)
        } else {
            (&world.target, &world.to)
        };
        sim.edit(|world| {
            world
                .project_mut(seeded.project)
                .unwrap()
                .members
                .remove(&seeded.token_user);
        });
        world.run().await;
        world
            .rests_because("check that the project still exists")
            .await;
    }
}

#[tokio::test]
async fn an_archived_target_rests_the_mirror() {
    let world = with_an_edit_due().await;
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().archived = true);
    world.run().await;
    world.rests_because("is archived").await;
}

#[tokio::test]
async fn an_archived_target_rests_the_mirror_at_a_first_sync_too() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().archived = true);
    world.run().await;
    world.rests_because("is archived").await;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().archived = false);
    world.cx.store.resume_mirror(world.mirror).await.unwrap();
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_role_that_was_lowered_rests_the_mirror() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    world.later(600);
    let (from, to, bot) = (world.from.project, world.to.project, world.to.token_user);
    world.target.edit(|sim| {
        sim.project_mut(to)
            .unwrap()
            .members
            .insert(bot, AccessLevel::Guest)
    });
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, 60, None).unwrap());
    world.run().await;
    world.rests_because("has not at least the Planner").await;
}

#[tokio::test]
async fn an_unreadable_source_never_looks_empty() {
    for access in [FeatureAccess::Disabled, FeatureAccess::Private] {
        for first in [true, false] {
            let world = World::new().await;
            let iid = world.write(issue(world.alice, "One"));
            world.say(iid, note(world.alice, "Hello."));
            if !first {
                world.run().await;
                world.later(600);
            }
            let from = world.from.project;
            let reader = world.from.token_user;
            world.source.edit(|sim| {
                let project = sim.project_mut(from).unwrap();
                project.issues_access_level = access;
                project.visibility = gitlab_sim::Visibility::Public;
                if access == FeatureAccess::Private {
                    project.members.remove(&reader);
                }
            });
            world.forget_requests();
            world.run().await;
            let part = match access {
                FeatureAccess::Disabled => "issues are switched off in the source project",
                FeatureAccess::Private | FeatureAccess::Enabled => "may not read the issues",
            };
            world.rests_because(part).await;
            assert_eq!(world.writes(), Vec::<String>::new());
            world.source.edit(|sim| {
                let project = sim.project_mut(from).unwrap();
                project.issues_access_level = FeatureAccess::Enabled;
                project.members.insert(reader, AccessLevel::Reporter);
            });
            world.cx.store.resume_mirror(world.mirror).await.unwrap();
            world.later(3_600);
            world.run().await;
            world.assert_mirrored([iid]);
            assert_eq!(world.unfinished().await, Vec::new());
        }
    }
}

#[tokio::test]
async fn an_unreadable_target_never_looks_empty() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    world.lose_state().await;
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().issues_access_level = FeatureAccess::Disabled);
    world.run().await;
    world
        .rests_because("issues are switched off in the target project")
        .await;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().issues_access_level = FeatureAccess::Enabled);
    world.cx.store.resume_mirror(world.mirror).await.unwrap();
    world.later(3_600);
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_source_issue_out_of_sight_leaves_its_copy_as_it_is() {
    let world = World::new().await;
    let kept = world.write(issue(world.alice, "Kept"));
    let gone = world.write(issue(world.alice, "Gone"));
    world.later(10);
    world.run().await;
    let from = world.from.project;
    world
        .source
        .edit(|sim| sim.delete_issue(from, gone, world.alice).unwrap());
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.copies_of(gone).len(), 1);
    world.assert_mirrored([kept]);
    world.all_went_well().await;
    world.later(300);
    world.run().await;
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(
        world.source_requests().len(),
        1,
        "what is gone is not asked for again and again"
    );
}

#[tokio::test]
async fn an_edit_that_collides_is_sent_again() {
    let world = with_an_edit_due().await;
    let rule = FaultRule::new("PUT", "/issues/1$", When::Next(2), Fault::ResourceLock);
    world.target.fail(rule);
    world.run().await;
    world.assert_mirrored([1]);
    world.all_went_well().await;
}

#[tokio::test]
async fn both_kinds_of_refusal_for_the_rate_are_waits() {
    for application in [false, true] {
        for retry_after in [None, Some(120)] {
            for (method, path) in [
                ("POST", "/issues$"),
                ("POST", "/notes$"),
                ("GET", "/issues$"),
            ] {
                let world = World::new().await;
                let iid = world.write(issue(world.alice, "One"));
                world.say(iid, note(world.alice, "Hello."));
                let fault = Fault::TooManyRequests {
                    headers: false,
                    retry_after,
                    application,
                };
                world
                    .target
                    .fail(FaultRule::new(method, path, When::Next(3), fault));
                world.run().await;
                world.assert_mirrored([iid]);
                assert_eq!(world.failures(), Vec::<String>::new());
                assert!(!world.waits().is_empty(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn under_the_instances_own_limits_everything_arrives_and_nothing_fails() {
    let minute = Duration::from_secs(60);
    let limits = RateLimits {
        api: Some((100, minute)),
        notes: Some((20, minute)),
        issues: Some((10, minute)),
        ..RateLimits::default()
    };
    let stage = Stage::from_builders(Sim::builder(), Sim::builder().limits(limits));
    let world = World::on(stage).await;
    gitlab_sim::seed::plain(&world.source, world.from.project, 40, 2).unwrap();
    world.run_wide(4).await;
    world.all_went_well().await;
    world.assert_mirrored(1..=40);
}

#[tokio::test]
async fn one_comment_that_is_refused_for_good_holds_up_no_other() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    for text in ["First.", "Second.", "Third."] {
        world.say(iid, note(world.alice, text));
    }
    world.target.fail(FaultRule::new(
        "POST",
        "/notes$",
        When::Nth(2),
        Fault::ErrorBefore(422),
    ));
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.copy(iid).notes().len(), 2);
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_fails_for_a_while_is_outlived() {
    let world = World::new().await;
    gitlab_sim::seed::rich(&world.source, world.from.project, 10, 2).unwrap();
    world.source.fail(FaultRule::new(
        "*",
        ".",
        When::Every(7),
        Fault::ErrorBefore(502),
    ));
    world.target.fail(FaultRule::new(
        "*",
        ".",
        When::Every(9),
        Fault::ErrorBefore(500),
    ));
    world.run().await;
    world.source.clear_faults();
    world.target.clear_faults();
    assert_eq!(world.unfinished().await, Vec::new());
    world.assert_all_mirrored();
}

#[tokio::test]
async fn a_renamed_project_is_mirrored_on() {
    let world = with_an_edit_due().await;
    world
        .source
        .rename_project(world.from.project, "shop/renamed");
    world
        .target
        .rename_project(world.to.project, "team/renamed");
    world.run().await;
    world.assert_mirrored([1]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_new_bot_adopts_what_the_old_one_wrote() {
    let mut world = with_an_edit_due().await;
    let bot = world.target.add_user(UserSpec {
        bot: true,
        ..UserSpec::new("second", "Second bot")
    });
    let to = world.to.project;
    world.target.edit(|sim| {
        sim.project_mut(to)
            .unwrap()
            .members
            .insert(bot, AccessLevel::Owner)
    });
    world.to.token = world.target.add_token(bot, gitlab_sim::TokenSpec::api(""));
    world.restart().await;
    world.run().await;
    world.assert_mirrored([1]);
    world.all_went_well().await;
}
