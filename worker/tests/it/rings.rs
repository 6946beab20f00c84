//! Mirrors that meet: in one GitLab, in one target, in each other's way (law 3, law 6, rule 3).

use crate::support::{Stage, World, issue, note};
use mirror_core::outcome::{Outcome, SkipReason};
use mirror_worker::{Mode, Settings};

#[tokio::test]
async fn two_projects_of_one_gitlab_are_mirrored_without_a_word_on_the_source() {
    let world = World::on(Stage::one_instance()).await;
    let first = world.write(issue(world.alice, "First"));
    let spec = gitlab_sim::IssueSpec {
        description: Some(
            "See #1, shop/source#1, https://gitlab.a/shop/source/-/issues/1 and @alice-w.".into(),
        ),
        ..issue(world.alice, "Second, after #1")
    };
    let second = world.write(spec);
    world.say(second, note(world.alice, "cc @alice-w, see shop/source#1"));
    let before = [first, second].map(|iid| world.source_issue(iid).notes.len());
    let told = world.source.world(|sim| sim.notifications().len());
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([first, second]);
    let after = [first, second].map(|iid| world.source_issue(iid).notes.len());
    assert_eq!(after, before, "no cross-reference notes");
    assert_eq!(world.source.world(|sim| sim.notifications().len()), told);
    for _ in 0..2 {
        world.later(600);
        world.run().await;
    }
    world.forget_requests();
    world.later(600);
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_mirror_the_other_way_makes_no_copies_of_copies() {
    let there = World::new().await;
    let own = there.write(issue(there.alice, "Of the source"));
    there.say(own, note(there.alice, "Hello."));
    there.run().await;
    let back = World::with(Stage::reversed(&there), Settings::default(), Mode::Sync).await;
    let other = back.write(issue(back.alice, "Of the target"));
    for _ in 0..3 {
        back.later(600);
        back.run().await;
        there.run().await;
    }
    let copy = there.copy(own).issue.iid;
    assert_eq!(
        back.outcome(copy),
        Some(Outcome::Skipped(SkipReason::IsACopy))
    );
    let came_back = back.copy(other).issue.iid;
    assert_eq!(
        there.outcome(came_back),
        Some(Outcome::Skipped(SkipReason::IsACopy))
    );
    assert_eq!(there.target_count(), 2);
    assert_eq!(back.target_count(), 2);
    there.assert_mirrored([own]);
    back.assert_mirrored([other]);
    for world in [&there, &back] {
        world.later(600);
        world.forget_requests();
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new());
        world.all_went_well().await;
    }
}
