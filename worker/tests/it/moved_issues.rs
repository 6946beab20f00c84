//! What becomes of the copy of an issue that was moved to another project (decision 42).

use crate::support::{Stage, World, issue, note, secret};
use gitlab_sim::{AccessLevel, Content, IssueEdit, IssueSpec, IssueState, ProjectSpec, Visibility};
use mirror_core::outcome::{Outcome, SkipReason};
use mirror_worker::Settings;

impl World {
    /// Another project of the source's GitLab, which the same token reads.
    fn elsewhere(&self) -> u64 {
        let members = [
            (self.from.token_user, AccessLevel::Reporter),
            (self.alice, AccessLevel::Maintainer),
        ];
        let spec = ProjectSpec::new("shop/warehouse", &members);
        self.source.edit(|sim| {
            let elsewhere = sim.add_project(spec);
            // So that numbers differ; it does not cross.
            let over = IssueSpec {
                state: IssueState::Closed,
                ..issue(self.alice, "Long over")
            };
            sim.create_issue(elsewhere, over).unwrap();
            elsewhere
        })
    }

    /// Moves an issue there; its number there.
    fn move_away(&self, iid: u64, elsewhere: u64, spec: IssueSpec) -> u64 {
        let (from, alice) = (self.from.project, self.alice);
        self.source.edit(|sim| {
            let new = sim.create_issue(elsewhere, spec).unwrap();
            sim.move_issue(from, iid, alice, (elsewhere, new)).unwrap();
            new
        })
    }

    /// A mirror of that project, beside this one and on the same record, into the same target or
    /// into a project of its own.
    async fn mirror_of(&self, elsewhere: u64, own: Option<Visibility>) -> Self {
        let mut other = self.beside().await;
        other.from.project = elsewhere;
        other.from.path = "shop/warehouse".to_owned();
        if let Some(visibility) = own {
            let members = [(self.to.token_user, AccessLevel::Owner)];
            let spec = ProjectSpec {
                visibility,
                ..ProjectSpec::new("team/warehouse", &members)
            };
            other.to.project = self.target.edit(|sim| sim.add_project(spec));
            other.to.path = "team/warehouse".to_owned();
        }
        other.connect().await;
        other
    }

    fn footer(&self, of: u64) -> String {
        let text = self.copy(of).issue.description.unwrap();
        let (_, footer) = text.rsplit_once("---\n\n").unwrap();
        footer.to_owned()
    }
}

/// Mirrored a while ago.
async fn mirrored(visibility: Visibility) -> (World, u64) {
    let stage = Stage::new().target_visibility(visibility);
    let world = World::on(stage).await;
    let iid = world.write(issue(world.alice, "Wrong shelf"));
    world.say(iid, note(world.alice, "Hello."));
    world.run().await;
    world.later(600);
    (world, iid)
}

#[tokio::test]
async fn a_moved_issues_copy_is_closed_and_says_so_but_not_where_it_went() {
    let (world, iid) = mirrored(Visibility::Private).await;
    let elsewhere = world.elsewhere();
    world.move_away(iid, elsewhere, issue(world.alice, "Wrong shelf"));
    world.next_run().await;
    assert_eq!(world.copy(iid).issue.state, IssueState::Closed);
    let footer = world.footer(iid);
    assert!(footer.contains("\n- Moved to another project"), "{footer}");
    assert!(!footer.contains("warehouse"), "{footer}");
    world.next_run().await;
    assert_eq!(world.next_run().await, Vec::<String>::new());

    // Reopened, it was not moved after all.
    world.edit(
        iid,
        IssueEdit {
            state: Some(IssueState::Opened),
            ..IssueEdit::default()
        },
    );
    world.next_run().await;
    world.assert_mirrored([iid]);
    assert!(!world.footer(iid).contains("Moved"));
    world.all_went_well().await;
}

#[tokio::test]
async fn where_the_other_project_is_mirrored_too_the_copy_leads_on_once_that_is_there() {
    for (own, leads_to) in [
        (None, Some("team/inbox/-/issues/2")),
        (Some(Visibility::Public), Some("team/warehouse/-/issues/1")),
        (Some(Visibility::Internal), None),
        (Some(Visibility::Private), None),
    ] {
        let (world, iid) = mirrored(Visibility::Public).await;
        let elsewhere = world.elsewhere();
        world.move_away(iid, elsewhere, issue(world.alice, "Wrong shelf"));
        world.next_run().await;
        assert!(
            !world.footer(iid).contains("goes on"),
            "nothing is there yet"
        );

        let other = world.mirror_of(elsewhere, own).await;
        other.run().await;
        world.work().await;
        let footer = world.footer(iid);
        match leads_to {
            Some(address) => assert!(
                footer.contains(&format!("(https://gitlab.b/{address})")),
                "{footer}"
            ),
            None => assert!(!footer.contains("gitlab.b"), "{own:?}: {footer}"),
        }
        for _ in 0..2 {
            world.next_run().await;
            other.next_run().await;
        }
        assert_eq!(world.next_run().await, Vec::<String>::new());
        assert_eq!(other.next_run().await, Vec::<String>::new());
        world.all_went_well().await;
        other.all_went_well().await;
    }
}

#[tokio::test]
async fn what_is_mirrored_already_is_led_to_at_once() {
    let (world, iid) = mirrored(Visibility::Private).await;
    let elsewhere = world.elsewhere();
    let new = world.move_away(iid, elsewhere, issue(world.alice, "Wrong shelf"));
    let other = world.mirror_of(elsewhere, None).await;
    other.run().await;
    assert_eq!(other.copies().len(), 2);
    assert_eq!(new, 2);
    world.next_run().await;
    let footer = world.footer(iid);
    assert!(
        footer.contains("(https://gitlab.b/team/inbox/-/issues/2)"),
        "{footer}"
    );
}

#[tokio::test]
async fn a_public_copy_does_not_lead_to_a_confidential_one() {
    for hidden in [false, true] {
        let (world, iid) = mirrored(Visibility::Private).await;
        if hidden {
            world.edit(
                iid,
                IssueEdit {
                    confidential: Some(true),
                    ..IssueEdit::default()
                },
            );
        }
        let elsewhere = world.elsewhere();
        world.move_away(iid, elsewhere, secret(&world));
        let other = world.mirror_of(elsewhere, None).await;
        other.run().await;
        world.next_run().await;
        let footer = world.footer(iid);
        assert!(footer.contains("- Moved to another project"), "{footer}");
        assert_eq!(footer.contains("/-/issues/2"), hidden, "{footer}");
    }
}

#[tokio::test]
async fn a_plan_tells_of_a_move_as_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    let iid = world.write(issue(world.alice, "Wrong shelf"));
    world.run().await;
    world.later(600);
    let elsewhere = world.elsewhere();
    world.move_away(iid, elsewhere, issue(world.alice, "Wrong shelf"));
    // The text, and the state.
    assert_eq!(crate::plans::plan_then_sync(&mut world).await, 2);
    let other = world.mirror_of(elsewhere, None).await;
    other.run().await;
    assert_eq!(crate::plans::plan_then_sync(&mut world).await, 1);
    assert!(world.footer(iid).contains("/-/issues/2"));
}

#[tokio::test]
async fn a_copy_that_was_moved_away_is_written_to_no_more_and_is_no_failure() {
    let (world, iid) = mirrored(Visibility::Private).await;
    let copy = world.copy(iid).issue.iid;
    let (to, tom) = (world.to.project, world.tom);
    world.target.edit(|sim| {
        let theirs = sim.add_project(ProjectSpec::new(
            "team/theirs",
            &[(tom, AccessLevel::Owner)],
        ));
        let new = sim.create_issue(theirs, issue(tom, "Ours now")).unwrap();
        sim.move_issue(to, copy, tom, (theirs, new)).unwrap();
    });
    let target_iid = i64::try_from(copy).unwrap();
    let moved = Some(Outcome::Skipped(SkipReason::TargetMoved { target_iid }));
    assert_eq!(world.next_run().await, Vec::<String>::new());
    assert_eq!(world.outcome(iid), moved);

    let content = Content::Generated { seed: 1, size: 10 };
    let file = world
        .source
        .add_upload(world.from.project, world.alice, "shelf.png", content)
        .unwrap();
    world.edit(
        iid,
        IssueEdit {
            title: Some("Another shelf".into()),
            description: Some(Some(format!("![x]({})", file.path()))),
            confidential: Some(true),
            ..IssueEdit::default()
        },
    );
    world.say(iid, note(world.alice, "Hello again."));
    assert_eq!(world.next_run().await, Vec::<String>::new());
    assert_eq!(world.outcome(iid), moved);
    world.all_went_well().await;

    // Reopened, it was not moved after all.
    world.edit_target(
        copy,
        IssueEdit {
            state: Some(IssueState::Opened),
            ..IssueEdit::default()
        },
    );
    world.next_run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}
