//! Links between issues stand between their mirrors, too (decision 43).

use crate::support::{Stage, World, issue};
use gitlab_sim::{
    AccessLevel, Edition, Fault, FaultRule, IssueEdit, IssueSpec, IssueState, ProjectSpec, UserId,
    When,
};
use mirror_core::plan::Step;
use mirror_worker::{Mode, Notice, Settings};
use std::collections::BTreeSet;

fn settings() -> Settings {
    Settings {
        issue_links: true,
        ..Settings::default()
    }
}

async fn world() -> World {
    World::with(Stage::new(), settings(), Mode::Sync).await
}

impl World {
    /// Links two source issues: the first is related to the second, or blocks it.
    fn link(&self, (a, b): (u64, u64), blocks: bool) -> u64 {
        let (from, alice) = (self.from.project, self.alice);
        let link =
            |sim: &mut gitlab_sim::World| sim.link_issues(alice, (from, a), (from, b), blocks);
        self.source.edit(link).unwrap()
    }

    fn unlink(&self, link: u64) {
        let alice = self.alice;
        self.source
            .edit(|sim| sim.unlink_issues(alice, link).unwrap());
    }

    /// Somebody of the target links the copies of two source issues.
    fn link_on_target(&self, (a, b): (u64, u64), by: UserId) -> u64 {
        let to = self.to.project;
        let [a, b] = [a, b].map(|of| (to, self.copy(of).issue.iid));
        self.target
            .edit(|sim| sim.link_issues(by, a, b, false))
            .unwrap()
    }

    /// The links between copies, as source issues, the lower number first; with whether the first one
    /// blocks the second.
    fn linked(&self) -> BTreeSet<(u64, u64, bool)> {
        let copies = self.copies();
        let of = |(_, iid)| {
            let copy = copies.iter().find(|copy| copy.issue.iid == iid);
            copy.expect("a copy").of
        };
        self.target.world(|sim| {
            let links = sim.links().iter();
            links
                .map(|link| {
                    let (a, b) = (of(link.source), of(link.target));
                    let turned = a > b && !link.blocks;
                    if turned {
                        (b, a, false)
                    } else {
                        (a, b, link.blocks)
                    }
                })
                .collect()
        })
    }

    fn asked_for_links(&self) -> usize {
        let all = [self.source_requests(), self.target_requests()].concat();
        all.iter().filter(|one| one.ends_with("/links")).count()
    }

    fn write_some(&self, count: usize) -> Vec<u64> {
        let titles = (0..count).map(|n| format!("Number {n}"));
        titles
            .map(|title| self.write(issue(self.alice, &title)))
            .collect()
    }
}

#[tokio::test]
async fn links_between_mirrored_issues_are_made_once() {
    for at_once in [1, 4] {
        let world = world().await;
        // So that numbers differ.
        world.target.edit(|sim| {
            sim.create_issue(world.to.project, issue(world.tom, "Somebody's own"))
                .unwrap()
        });
        let iids = world.write_some(4);
        world.link((1, 2), false);
        world.link((4, 1), false);
        world.link((3, 2), true);
        world.run_wide(at_once).await;
        world.all_went_well().await;
        let links = [(1, 2, false), (1, 4, false), (3, 2, true)];
        assert_eq!(world.linked(), links.into());
        world.assert_mirrored(iids.clone());
        world.assert_no_noise();
        world.a_second_run_writes_nothing().await;

        // One more later, between two that are there already.
        world.link((4, 3), false);
        assert_eq!(world.next_run().await.len(), 1);
        assert_eq!(world.linked().len(), 4);
        world.assert_mirrored(iids);
        world.a_second_run_writes_nothing().await;
    }
}

#[tokio::test]
async fn nothing_is_asked_where_links_are_not_carried() {
    let world = World::new().await;
    world.write_some(2);
    world.link((1, 2), false);
    world.run().await;
    world.next_run().await;
    assert_eq!(world.linked(), BTreeSet::new());
    assert_eq!(world.asked_for_links(), 0);
}

#[tokio::test]
async fn a_link_follows_once_the_other_issue_has_its_mirror() {
    let world = world().await;
    let over = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Long over")
    });
    let open = world.write(issue(world.alice, "Open"));
    world.link((open, over), true);
    world.run().await;
    assert_eq!(world.linked(), BTreeSet::new());
    world.later(600);
    world.edit(
        over,
        IssueEdit {
            state: Some(IssueState::Opened),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert_eq!(world.linked(), [(open, over, true)].into());
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn links_go_with_their_originals_and_peoples_own_stay() {
    let world = world().await;
    world.write_some(4);
    let ours = world.link((1, 2), false);
    world.run().await;
    world.link_on_target((1, 3), world.tom);
    world.link_on_target((1, 4), world.tom);
    // Theirs was there before the source's.
    let like_theirs = world.link((1, 4), false);
    world.next_run().await;
    assert_eq!(world.linked().len(), 3);

    world.later(600);
    world.unlink(ours);
    world.unlink(like_theirs);
    assert_eq!(world.next_run().await.len(), 1);
    assert_eq!(world.linked(), [(1, 3, false), (1, 4, false)].into());
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn a_link_to_what_is_out_of_sight_is_not_taken_for_removed() {
    let world = world().await;
    world.write_some(2);
    world.link((1, 2), false);
    world.run().await;
    world.later(600);
    let (from, bot) = (world.from.project, world.from.token_user);
    world.source.edit(|sim| {
        let home = sim.project_mut(from).unwrap();
        home.members.insert(bot, AccessLevel::Guest);
    });
    world.edit(
        2,
        IssueEdit {
            confidential: Some(true),
            ..IssueEdit::default()
        },
    );
    world.edit(
        1,
        IssueEdit {
            title: Some("Touched".into()),
            ..IssueEdit::default()
        },
    );
    world.next_run().await;
    assert_eq!(world.linked(), [(1, 2, false)].into());
}

#[tokio::test]
async fn where_blocking_is_not_licensed_a_relation_says_it_and_that_is_told_once() {
    let stage = Stage::of(Edition::Premium, Edition::Ce);
    let world = World::with(stage, settings(), Mode::Sync).await;
    world.write_some(3);
    world.link((1, 2), true);
    world.link((1, 3), true);
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.linked(), [(1, 2, false), (1, 3, false)].into());
    let field = "blocking_links".to_owned();
    let told = Notice::FieldDropped { field };
    let notices = world.notices();
    assert_eq!(notices.iter().filter(|one| **one == told).count(), 1);
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn a_lost_answer_leaves_the_link_ours() {
    let world = world().await;
    world.write_some(2);
    let link = world.link((1, 2), false);
    world.target.fail(FaultRule::new(
        "POST",
        "/links$",
        When::Nth(1),
        Fault::LoseResponse,
    ));
    world.run().await;
    assert_eq!(world.unfinished().await, Vec::new());
    assert_eq!(world.linked(), [(1, 2, false)].into());
    world.later(600);
    world.unlink(link);
    world.next_run().await;
    assert_eq!(world.linked(), BTreeSet::new());
}

#[tokio::test]
async fn links_are_found_again_without_a_write_after_the_record_was_lost() {
    let mut world = world().await;
    world.write_some(4);
    let ours = world.link((1, 2), false);
    world.link((3, 1), true);
    world.run().await;
    world.link_on_target((1, 4), world.tom);
    let like_theirs = world.link((1, 4), false);
    world.next_run().await;
    world.later(3_600);
    world.lose_state().await;
    assert_eq!(world.next_run().await, Vec::<String>::new());
    assert_eq!(world.linked().len(), 3);
    world.all_went_well().await;

    world.unlink(ours);
    world.unlink(like_theirs);
    assert_eq!(world.next_run().await.len(), 1);
    assert_eq!(world.linked(), [(1, 4, false), (3, 1, true)].into());
}

#[tokio::test]
async fn what_leads_out_of_the_project_is_left() {
    let world = world().await;
    world.write_some(1);
    let (from, alice, bot) = (world.from.project, world.alice, world.from.token_user);
    world.source.edit(|sim| {
        let members = [
            (alice, AccessLevel::Maintainer),
            (bot, AccessLevel::Reporter),
        ];
        let other = sim.add_project(ProjectSpec::new("shop/warehouse", &members));
        let there = sim.create_issue(other, issue(alice, "Elsewhere")).unwrap();
        sim.link_issues(alice, (from, 1), (other, there), false)
            .unwrap();
    });
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.target.world(|sim| sim.links().len()), 0);
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn a_link_that_is_gone_from_the_target_is_made_again_by_a_full_comparison() {
    let mut world = world().await;
    world.write_some(2);
    world.link((1, 2), false);
    world.run().await;
    let (tom, link) = (world.tom, world.target.world(|sim| sim.links()[0].id));
    world
        .target
        .edit(|sim| sim.unlink_issues(tom, link).unwrap());
    world.later(600);
    let full = Settings {
        full: true,
        ..settings()
    };
    world.restart_with(full, Mode::Sync).await;
    world.run().await;
    assert_eq!(world.linked(), [(1, 2, false)].into());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_tells_of_links_as_they_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), settings(), &folder).await;
    world.write_some(4);
    let link = world.link((1, 2), false);
    world.link((3, 2), true);
    crate::plans::plan_then_sync(&mut world).await;
    let is_link = |step: &&Step| matches!(step, Step::CreateLink { .. });
    assert_eq!(world.planned().iter().filter(is_link).count(), 2);
    world.later(600);
    world.unlink(link);
    world.link((4, 2), false);
    assert_eq!(crate::plans::plan_then_sync(&mut world).await, 2);
    assert_eq!(world.linked(), [(2, 4, false), (3, 2, true)].into());
}
