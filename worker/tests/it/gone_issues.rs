//! What becomes of the copies of issues that were deleted at the source, or are out of sight there
//! (rule 14, decision 35).

mod hiding;

use crate::support::{Stage, World, issue, note, secret};
use gitlab_sim::{AccessLevel, Fault, FaultRule, FeatureAccess, IssueEdit, IssueState, When};
use mirror_core::{
    gone::{Breaker, OnDelete},
    ids::Iid,
    outcome::{Outcome, SkipReason},
};
use mirror_worker::{Mode, Notice, Settings};

fn policy(on_delete: OnDelete) -> Settings {
    Settings {
        on_delete,
        ..Settings::default()
    }
}

impl World {
    fn delete(&self, iid: u64) {
        let (project, by) = (self.from.project, self.alice);
        self.source
            .edit(|sim| sim.delete_issue(project, iid, by).unwrap());
    }

    /// Some time later everything is compared; what that wrote.
    async fn sweep(&mut self, settings: &Settings) -> Vec<String> {
        self.later(3_600);
        let full = Settings {
            full: true,
            ..settings.clone()
        };
        self.restart_with(full, Mode::Sync).await;
        self.run().await;
        let writes = self.writes();
        self.restart_with(settings.clone(), Mode::Sync).await;
        writes
    }

    fn ban(&self, banned: bool) {
        let alice = self.alice;
        self.source.edit(|sim| match banned {
            true => sim.ban_user(alice),
            false => sim.unban_user(alice),
        });
    }

    fn token_role(&self, role: AccessLevel) {
        let (project, bot) = (self.from.project, self.from.token_user);
        self.source.edit(|sim| {
            let home = sim.project_mut(project).unwrap();
            home.members.insert(bot, role);
        });
    }

    fn is_open(&self, of: u64) -> bool {
        self.copy(of).issue.state == IssueState::Opened
    }

    fn says_why(&self, of: u64) -> bool {
        let text = self.copy(of).issue.description.unwrap();
        text.lines()
            .nth(2)
            .unwrap()
            .contains("original of this issue was deleted")
    }
}

/// Mirrored a while ago, and one of them deleted since: which is it.
async fn one_deleted(settings: &Settings) -> (World, u64, u64) {
    let world = World::with(Stage::new(), settings.clone(), Mode::Sync).await;
    let kept = world.write(issue(world.alice, "Kept"));
    let gone = world.write(issue(world.alice, "Gone"));
    world.say(gone, note(world.alice, "Hello."));
    world.run().await;
    world.later(3_600);
    world.run().await;
    world.delete(gone);
    (world, kept, gone)
}

#[tokio::test]
async fn a_deleted_issues_copy_is_hidden_then_closed_and_then_left_alone() {
    let settings = Settings::default();
    let (mut world, kept, gone) = one_deleted(&settings).await;
    assert_eq!(
        world.next_run().await,
        Vec::<String>::new(),
        "nothing tells"
    );

    assert_eq!(world.sweep(&settings).await.len(), 1, "missed once");
    assert!(world.copy(gone).issue.confidential && world.is_open(gone));
    assert!(world.notices().contains(&Notice::CopyHidden));

    world.forget_requests();
    world.later(300);
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new(), "too soon to be sure");

    assert_eq!(world.next_run().await.len(), 2, "missed again");
    assert!(!world.is_open(gone) && world.says_why(gone));
    assert!(world.copy(gone).issue.confidential);
    let copy = "was closed";
    assert!(world.notices().contains(&Notice::OriginalGone { copy }));

    let reopen = IssueEdit {
        state: Some(IssueState::Opened),
        ..IssueEdit::default()
    };
    let number = world.copy(gone).issue.iid;
    world.edit_target(number, reopen);
    assert_eq!(world.next_run().await, Vec::<String>::new());
    assert_eq!(world.sweep(&settings).await, Vec::<String>::new());
    assert!(world.is_open(gone), "what the target's people do is theirs");
    world.assert_mirrored([kept]);
    world.all_went_well().await;
}

#[tokio::test]
async fn with_keep_a_deleted_issues_copy_stays_as_it_is() {
    let settings = policy(OnDelete::Keep);
    let (mut world, _, gone) = one_deleted(&settings).await;
    for _ in 0..3 {
        assert_eq!(world.sweep(&settings).await, Vec::<String>::new());
    }
    assert!(world.is_open(gone) && !world.copy(gone).issue.confidential);
    assert_eq!(
        world.outcome(gone),
        Some(Outcome::Skipped(SkipReason::Deleted))
    );
    world.forget_requests();
    world.sweep(&settings).await;
    let asked = world.source_requests();
    assert!(
        !asked.iter().any(|one| one.ends_with("/issues/2")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn with_delete_a_deleted_issues_copy_goes_and_comes_with_its_original() {
    let settings = policy(OnDelete::Delete);
    let (mut world, kept, gone) = one_deleted(&settings).await;
    world.sweep(&settings).await;
    assert!(world.copy(gone).issue.confidential);
    let writes = world.next_run().await;
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].starts_with("DELETE"), "{writes:?}");
    assert_eq!(world.copies_of(gone).len(), 0);
    let known = world.cx.store.issue_mapping(world.mirror, Iid(2)).await;
    assert_eq!(known.unwrap(), None);
    assert_eq!(world.sweep(&settings).await, Vec::<String>::new());
    world.assert_mirrored([kept]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_lost_answer_to_the_delete_changes_nothing() {
    let settings = policy(OnDelete::Delete);
    let (mut world, _, gone) = one_deleted(&settings).await;
    world.sweep(&settings).await;
    let lost = FaultRule::new("DELETE", "/issues/", When::Next(1), Fault::LoseResponse);
    world.target.fail(lost);
    world.next_run().await;
    assert_eq!(world.copies_of(gone).len(), 0);
    assert_eq!(world.unfinished().await, Vec::new());
    let known = world.cx.store.issue_mapping(world.mirror, Iid(2)).await;
    assert_eq!(known.unwrap(), None);
}

#[tokio::test]
async fn what_others_wrote_on_a_copy_is_not_deleted_with_it() {
    let settings = policy(OnDelete::Delete);
    let (mut world, _, gone) = one_deleted(&settings).await;
    let number = world.copy(gone).issue.iid;
    world.say_on_target(number, note(world.tom, "We need this."));
    world.sweep(&settings).await;
    world.next_run().await;
    assert!(!world.is_open(gone) && world.says_why(gone));
    let told = world.told();
    assert!(told.contains("was closed, not deleted"), "{told}");
    world.all_went_well().await;
}

#[tokio::test]
async fn an_issue_that_is_there_again_is_mirrored_again() {
    for second_look in [false, true] {
        let settings = Settings::default();
        let mut world = World::with(Stage::new(), settings.clone(), Mode::Sync).await;
        let iid = world.write(issue(world.alice, "There"));
        world.say(iid, note(world.alice, "Hello."));
        world.run().await;
        // The issues of banned people are hidden from all but administrators.
        world.ban(true);
        world.sweep(&settings).await;
        assert!(world.copy(iid).issue.confidential);
        if second_look {
            world.next_run().await;
            assert!(!world.is_open(iid));
        }
        world.ban(false);
        if second_look {
            world.sweep(&settings).await;
        } else {
            world.next_run().await;
        }
        world.assert_mirrored([iid]);
        assert_eq!(world.next_run().await, Vec::<String>::new());
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_confidential_issue_out_of_a_low_roles_sight_is_hidden_and_never_taken_for_deleted() {
    for on_delete in [OnDelete::Keep, OnDelete::Close, OnDelete::Delete] {
        let settings = policy(on_delete);
        let mut world = World::with(Stage::new(), settings.clone(), Mode::Sync).await;
        let flips = world.write(issue(world.alice, "Open"));
        let hidden = world.write(secret(&world));
        world.token_role(AccessLevel::Guest);
        world.restart().await;
        world.run().await;
        assert_eq!(world.copies_of(hidden).len(), 0);
        world.edit(
            flips,
            IssueEdit {
                confidential: Some(true),
                ..IssueEdit::default()
            },
        );
        assert_eq!(world.sweep(&settings).await.len(), 1);
        assert!(world.copy(flips).issue.confidential);
        for _ in 0..3 {
            assert_eq!(world.sweep(&settings).await, Vec::<String>::new());
        }
        assert!(world.is_open(flips));
        assert_eq!(
            world.outcome(flips),
            Some(Outcome::Skipped(SkipReason::Unreadable))
        );
        // With the role the sight comes back.
        world.token_role(AccessLevel::Reporter);
        world.sweep(&settings).await;
        world.assert_mirrored([flips, hidden]);
    }
}

#[tokio::test]
async fn a_token_that_sees_less_than_once_deletes_nothing_until_a_person_says_so() {
    let settings = policy(OnDelete::Delete);
    let mut world = World::with(Stage::new(), settings.clone(), Mode::Sync).await;
    let gone = world.write(issue(world.alice, "Gone"));
    world.token_role(AccessLevel::Owner);
    world.restart().await;
    world.run().await;
    world.token_role(AccessLevel::Planner);
    world.delete(gone);
    for _ in 0..3 {
        world.sweep(&settings).await;
    }
    assert!(world.copy(gone).issue.confidential && world.is_open(gone));
    world.cx.store.release_removals(world.mirror).await.unwrap();
    for _ in 0..2 {
        world.sweep(&settings).await;
    }
    assert_eq!(world.copies_of(gone).len(), 0);
}

#[tokio::test]
async fn a_project_out_of_sight_hides_and_deletes_nothing() {
    let settings = policy(OnDelete::Delete);
    let (mut world, kept, gone) = one_deleted(&settings).await;
    let from = world.from.project;
    let access = |access| {
        world
            .source
            .edit(|sim| sim.project_mut(from).unwrap().issues_access_level = access);
    };
    access(FeatureAccess::Disabled);
    world.forget_requests();
    world.owe_scan().await;
    world.work().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    access(FeatureAccess::Enabled);
    world.cx.store.resume_mirror(world.mirror).await.unwrap();
    world.sweep(&settings).await;
    world.next_run().await;
    assert_eq!(
        (world.copies_of(kept).len(), world.copies_of(gone).len()),
        (1, 0)
    );
}

#[tokio::test]
async fn many_at_once_wait_for_a_person_to_release_them() {
    let settings = Settings {
        breaker: Breaker {
            count: 3,
            percent: 20,
        },
        ..policy(OnDelete::Delete)
    };
    let mut world = World::with(Stage::new(), settings.clone(), Mode::Sync).await;
    for number in 1..=10 {
        world.write(issue(world.alice, &format!("Issue {number}")));
    }
    world.run().await;
    for iid in 1..=4 {
        world.delete(iid);
    }
    let writes = world.sweep(&settings).await;
    assert_eq!(writes.len(), 4, "hidden all the same: {writes:?}");
    assert_eq!(world.next_run().await, Vec::<String>::new());
    let held = SkipReason::Held { count: 4 };
    assert_eq!(world.outcome(1), Some(Outcome::Skipped(held)));
    let store = world.cx.store.clone();
    let removals = store.removals(world.mirror).await.unwrap();
    assert_eq!((removals.held, removals.copies), (Some(4), 10));

    world.forget_requests();
    world.later(600);
    world.run().await;
    assert_eq!(
        world.source_requests().len(),
        1,
        "nobody asks again and again"
    );
    assert_eq!(world.sweep(&settings).await, Vec::<String>::new());

    // That one has been looked at.
    let only = Settings {
        only: Some(Iid(1)),
        ..settings.clone()
    };
    world.restart_with(only, Mode::Sync).await;
    world.run().await;
    assert_eq!(world.copies_of(1).len(), 0);

    // The others are not many any more, so the next sweep needs nobody; a person is faster.
    world.restart_with(settings.clone(), Mode::Sync).await;
    assert_eq!(store.release_removals(world.mirror).await.unwrap(), 3);
    world.work().await;
    assert_eq!(world.copies().len(), 6);
    assert_eq!(store.removals(world.mirror).await.unwrap().held, None);
    world.assert_mirrored(5..=10);
    world.all_went_well().await;
}

#[tokio::test]
async fn what_was_deleted_while_the_state_was_lost_is_found_on_the_target() {
    let settings = Settings::default();
    let (mut world, kept, gone) = one_deleted(&settings).await;
    world.lose_state().await;
    world.later(600);
    world.run().await;
    assert!(world.copy(gone).issue.confidential);
    world.next_run().await;
    assert!(!world.is_open(gone) && world.says_why(gone));
    world.assert_mirrored([kept]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_tells_what_would_be_hidden_closed_and_deleted() {
    for on_delete in [OnDelete::Close, OnDelete::Delete] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            full: true,
            ..policy(on_delete)
        };
        let mut world = World::in_file(Stage::new(), settings, &folder).await;
        let gone = world.write(issue(world.alice, "Gone"));
        world.run().await;
        world.delete(gone);
        for expected in [1, if on_delete == OnDelete::Close { 2 } else { 1 }, 0] {
            world.later(3_600);
            let sent = crate::plans::plan_then_sync(&mut world).await;
            assert_eq!(sent, expected, "{on_delete}");
        }
    }
}
