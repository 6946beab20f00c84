//! References to other issues lead to their mirrors, from the day these are there.

use crate::support::{Stage, World, body_of, issue, note};
use gitlab_sim::{AccessLevel, IssueEdit, IssueSpec, IssueState, ProjectSpec, Sim};
use mirror_worker::{Mode, Settings};

impl World {
    fn write_text(&self, title: &str, text: &str) -> u64 {
        self.write(IssueSpec {
            description: Some(text.to_owned()),
            ..issue(self.alice, title)
        })
    }

    /// What the copy's description holds.
    fn copied_text(&self, of: u64) -> String {
        let copy = self.copy(of).issue;
        body_of(copy.description.as_deref().unwrap()).to_owned()
    }

    /// The address of a source issue's mirror.
    fn mirror_url(&self, of: u64) -> String {
        let base = self.target.world(|world| world.base_url().to_owned());
        format!(
            "{base}/{}/-/issues/{}",
            self.to.path,
            self.copy(of).issue.iid
        )
    }

    /// Who is noted on the copy of a source issue to refer to it, as source issues.
    fn noted_on_copy(&self, of: u64) -> Vec<u64> {
        let copies = self.copies();
        let notes = self.copy(of).issue.notes;
        let by = notes.iter().filter_map(|note| note.mentioned_by);
        by.map(|(_, iid)| {
            let from = copies.iter().find(|copy| copy.issue.iid == iid);
            from.expect("only copies refer to copies").of
        })
        .collect()
    }
}

fn noted(sim: &Sim, project: u64) -> usize {
    sim.world(|world| {
        let issues = world.issues(project);
        issues
            .flat_map(|issue| &issue.notes)
            .filter(|note| note.mentioned_by.is_some())
            .count()
    })
}

#[tokio::test]
async fn references_lead_to_mirrors_in_both_directions() {
    let world = World::new().await;
    // So that numbers differ.
    world.target.edit(|sim| {
        sim.create_issue(world.to.project, issue(world.tom, "Somebody's own"))
            .unwrap()
    });
    let first = world.write_text("First", "Before #2 and `#2`, not #99.");
    let second = world.write_text("Second", "After shop/source#1.");
    world.say(
        second,
        note(
            world.alice,
            "See https://gitlab.a/shop/source/-/issues/1#note_5.",
        ),
    );
    let before = noted(&world.source, world.from.project);
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([first, second]);
    let (to_first, to_second) = (world.mirror_url(first), world.mirror_url(second));
    assert_eq!(
        world.copied_text(first),
        format!(
            "Before [\\#2]({to_second}) and `#2`, not \
             [\\#99](https://gitlab.a/shop/source/-/issues/99)."
        )
    );
    assert_eq!(
        world.copied_text(second),
        format!("After [shop/source\\#1]({to_first}).")
    );
    let copy = world.copy(second);
    let (_, comment) = copy.notes()[0];
    assert!(
        comment.body.ends_with(&format!("({to_first}).")),
        "{}",
        comment.body
    );
    assert_eq!(world.noted_on_copy(first), [second]);
    assert_eq!(world.noted_on_copy(second), [first]);
    assert_eq!(noted(&world.source, world.from.project), before);
    world.assert_no_noise();
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn within_one_gitlab_only_mirrors_are_noted() {
    let world = World::on(Stage::one_instance()).await;
    let first = world.write_text("First", "Before #2, not #99 and not #3.");
    let second = world.write_text("Second", "After https://gitlab.a/shop/source/-/issues/1");
    let third = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Third, long over")
    });
    let before = [first, second, third].map(|iid| world.source_issue(iid).notes.len());
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([first, second]);
    let after = [first, second, third].map(|iid| world.source_issue(iid).notes.len());
    assert_eq!(after, before, "no word on the source");
    assert_eq!(world.noted_on_copy(first), [second]);
    assert_eq!(world.noted_on_copy(second), [first]);
    let to_second = world.mirror_url(second);
    assert_eq!(
        world.copied_text(first),
        format!("Before [\\#2]({to_second}), not \\#99 and not \\#3.")
    );
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn a_reference_is_mended_when_the_mirror_appears() {
    let world = World::new().await;
    let over = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Long over")
    });
    let text = world.write_text("In the text", &format!("See #{over}."));
    let said = world.write(issue(world.alice, "In a comment"));
    world.say(said, note(world.alice, &format!("As in #{over}.")));
    let other = world.write(issue(world.alice, "Of something else"));
    world.run().await;
    assert_eq!(
        world.copied_text(text),
        format!("See [\\#{over}](https://gitlab.a/shop/source/-/issues/{over}).")
    );
    world.a_second_run_writes_nothing().await;

    let reopened = Some(IssueState::Opened);
    world.edit(
        over,
        IssueEdit {
            state: reopened,
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([over, text, said, other]);
    let link = format!("[\\#{over}]({})", world.mirror_url(over));
    assert_eq!(world.copied_text(text), format!("See {link}."));
    let copy = world.copy(said);
    let (_, comment) = copy.notes()[0];
    assert!(
        comment.body.ends_with(&format!("As in {link}.")),
        "{}",
        comment.body
    );
    let texts = |of| {
        let copy = world.copy(of).issue.iid;
        let writes = world.writes();
        let on = |write: &&String| write.contains(&format!("/issues/{copy}"));
        writes.iter().filter(on).cloned().collect::<Vec<_>>()
    };
    assert_eq!(texts(text).len(), 1, "{:?}", world.writes());
    assert_eq!(texts(said).len(), 1, "{:?}", world.writes());
    assert_eq!(texts(other).len(), 0, "{:?}", world.writes());
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn many_at_once_find_each_other() {
    let world = World::new().await;
    let count = 24;
    for number in 1..=count {
        let text = format!(
            "Beside #{} and #{}.",
            number % count + 1,
            (number + 7) % count + 1
        );
        world.write_text(&format!("Issue {number}"), &text);
    }
    world.run_wide(8).await;
    world.all_went_well().await;
    world.assert_mirrored(1..=count);
    for number in 1..=count {
        let text = world.copied_text(number);
        assert!(!text.contains("gitlab.a"), "{text}");
    }
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn who_dies_before_it_told_of_its_mirror_tells_later() {
    let mut world = World::new().await;
    let text = world.write_text("First", "Before #2.");
    world.run().await;
    let second = world.write(issue(world.alice, "Second"));
    // The mirror is made and recorded, and the process dies before the job ends.
    let (met, _go) = world.turns.hold_up(1);
    let said = note(world.alice, "Never sent by this process.");
    world.say(second, said);
    world.later(600);
    tokio::select! {
        () = world.run() => panic!("it was to die"),
        () = met.notified() => {}
    }
    assert!(world.copied_text(text).contains("gitlab.a"));
    world.restart_with(Settings::default(), Mode::Sync).await;
    world.run().await;
    let link = world.mirror_url(second);
    assert_eq!(world.copied_text(text), format!("Before [\\#2]({link})."));
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn addresses_of_the_targets_own_gitlab_refer_to_nothing() {
    let world = World::new().await;
    let members = [
        (world.to.token_user, AccessLevel::Owner),
        (world.tom, AccessLevel::Owner),
    ];
    let other = world
        .target
        .add_project(ProjectSpec::new("team/other", &members));
    world.target.edit(|sim| {
        sim.create_issue(other, issue(world.tom, "Nobody's business"))
            .unwrap()
    });
    let address = "https://gitlab.b/team/other/-/issues/1";
    let iid = world.write_text(
        &format!("Like {address}"),
        &format!("See {address}, [this]({address}) and <{address}>."),
    );
    world.say(iid, note(world.alice, address));
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([iid]);
    assert_eq!(noted(&world.target, other), 0);
    world.assert_no_noise();
}
