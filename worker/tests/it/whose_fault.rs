//! Project and token are told from the one issue (rule 24).

use crate::support::{World, issue, note, with_an_edit_due};
use gitlab_sim::{AccessLevel, FeatureAccess, TokenSpec, UserSpec, Visibility};

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

        let token = sim.add_token(user, TokenSpec::api(""));
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
                project.visibility = Visibility::Public;
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
    world.to.token = world.target.add_token(bot, TokenSpec::api(""));
    world.restart().await;
    world.run().await;
    world.assert_mirrored([1]);
    world.all_went_well().await;
}
