//! Issues that were on the target before their mirror are adopted: by pairs that a person names, and
//! by the footer that another tool left, but never by their titles.

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{Fault, IssueSpec, IssueState, UserId};
use mirror_core::{
    ids::{Iid, InstanceName},
    plan::Step,
    provenance::{Hop, Key, Marker},
};
use mirror_store::{Pair, PairConflict};
use mirror_worker::{Mode, Settings};

impl World {
    /// Writes an issue on the target.
    fn write_on_target(&self, spec: IssueSpec) -> u64 {
        let to = self.to.project;
        self.target.edit(|sim| sim.create_issue(to, spec)).unwrap()
    }

    fn by_our_account(&self, title: &str, text: &str) -> u64 {
        self.write_on_target(IssueSpec {
            description: Some(text.to_owned()),
            ..issue(self.to.token_user, title)
        })
    }

    pub(crate) async fn ask(&self, pairs: &[(u64, u64)]) -> Vec<PairConflict> {
        let pairs: Vec<Pair> = pairs.iter().map(|(of, to)| pair(*of, *to)).collect();
        self.cx
            .store
            .ask_adoptions(self.mirror, &pairs)
            .await
            .unwrap()
    }

    /// Fails unless a pair could not be, for a reason that holds these words.
    async fn refused(&self, source: u64, words: &str) {
        let failures = self.failures();
        let told = failures.iter().find(|told| told.contains(words));
        let told = told.unwrap_or_else(|| panic!("{failures:?}"));
        assert!(told.contains("mirrors adopt ID --drop"), "{told}");
        let left = self.unfinished().await;
        let key = format!("sync_issue/{}/{source}", self.mirror);
        assert!(left.iter().any(|(left, _)| *left == key), "{left:?}");
        assert_eq!(self.writes(), Vec::<String>::new());
    }
}

fn pair(source: u64, target: u64) -> Pair {
    Pair {
        source: Iid(i64::try_from(source).unwrap()),
        target: Iid(i64::try_from(target).unwrap()),
    }
}

/// The footer of another tool.
fn footer(address: &str) -> String {
    format!(
        "What it was about.\n\n---\n> **🔄 Mirror Information**\n>\n> This issue is automatically \
         mirrored from [gitlab.a/shop#1]({address})\n>\n> Last synced: 2026-01-01 12:00:00 UTC\n>\n\
         > ⚠️ Changes made here may be overwritten by the next sync.\n"
    )
}

#[tokio::test]
async fn a_named_issue_becomes_the_mirror_and_keeps_what_others_said_there() {
    let mut world = World::new().await;
    let first = world.write(IssueSpec {
        labels: vec!["bug".into()],
        ..issue(world.alice, "At the source")
    });
    world.say(first, note(world.alice, "From the source."));
    let second = world.write(issue(world.alice, "Untouched"));
    let there = world.write_on_target(IssueSpec {
        labels: vec!["theirs".into()],
        ..issue(world.tom, "Written before")
    });
    let said = world.say_on_target(there, note(world.tom, "Said before."));
    assert_eq!(world.ask(&[(first, there)]).await, []);

    world.plan().await;
    let planned = world.planned();
    assert!(
        planned
            .iter()
            .any(|step| matches!(step, Step::UpdateIssue(edit)
            if edit.title.as_deref() == Some("At the source") && edit.description.is_some())),
        "the plan shows what is overwritten: {planned:?}"
    );
    assert_eq!(world.writes(), Vec::<String>::new());

    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.copy(first).issue.iid, there);
    world.assert_mirrored([second]);
    let copy = world.copy(first);
    assert_eq!(copy.issue.title, "At the source");
    assert_eq!(world.titles(first), ["MIRRORED", "bug", "theirs"]);
    let kept = copy.issue.note(said).unwrap();
    assert_eq!(kept.body, "Said before.");
    assert_eq!(copy.notes().len(), 1);
    assert_eq!(world.target_count(), 2);

    world.later(600);
    world.forget_requests();
    assert_eq!(world.ask(&[(first, there)]).await, [], "asked for again");
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_title_is_no_reason_to_adopt() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "The same title"));
    let there = world.write_on_target(issue(world.to.token_user, "The same title"));
    world.run().await;
    world.all_went_well().await;
    assert_ne!(world.copy(iid).issue.iid, there);
    assert_eq!(world.target_count(), 2);
}

#[tokio::test]
async fn a_pair_that_cannot_be_is_told_and_nothing_is_written() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    world.ask(&[(iid, 77)]).await;
    world.run().await;
    world
        .refused(iid, "the target token does not see #77")
        .await;

    let hidden = world.write_on_target(IssueSpec {
        confidential: true,
        ..issue(world.tom, "Hidden")
    });
    world.ask(&[(iid, hidden)]).await;
    world.run().await;
    world.refused(iid, "it is confidential and #1 is not").await;

    let claim = Marker::of(
        Hop {
            instance: InstanceName("gitlab.c".into()),
            project: mirror_core::ids::ProjectId(3),
            issue: mirror_core::ids::IssueId(9),
            iid: Iid(4),
            note: None,
        },
        InstanceName("gitlab.b".into()),
        mirror_core::ids::ProjectId(i64::try_from(world.to.project).unwrap()),
    );
    let line = claim.line(&Key::new([5; 32]));
    let anothers = world.by_our_account("Another's", &format!("{line}\n\nText."));
    world.ask(&[(iid, anothers)]).await;
    world.run().await;
    world
        .refused(iid, "it carries the marker of #4 of project 3 on gitlab.c")
        .await;

    let there = world.write_on_target(issue(world.tom, "The right one"));
    assert_eq!(world.ask(&[(99, there)]).await, []);
    let taken = PairConflict::Taken {
        pair: pair(2, there),
        of: Iid(99),
    };
    assert_eq!(world.ask(&[(iid, 78), (2, there)]).await, [taken]);
    world.run().await;
    world.refused(99, "the source token does not see #99").await;

    let store = &world.cx.store;
    assert!(store.forget_adoption(world.mirror, Iid(99)).await.unwrap());
    world.ask(&[(iid, there)]).await;
    world.run().await;
    assert_eq!(world.copy(iid).issue.iid, there);
    let conflicts = world.ask(&[(iid, hidden)]).await;
    let by = pair(iid, there).target;
    assert_eq!(
        conflicts,
        [PairConflict::Mirrored {
            pair: pair(iid, hidden),
            by
        }]
    );
}

#[tokio::test]
async fn what_is_hidden_at_the_source_is_hidden_before_its_text_comes() {
    let mut world = World::new().await;
    let iid = world.write(IssueSpec {
        confidential: true,
        ..issue(world.alice, "Hidden")
    });
    let there = world.write_on_target(issue(world.tom, "In the open"));
    world.ask(&[(iid, there)]).await;
    world.plan().await;
    assert_eq!(world.planned().first(), Some(&Step::Restrict));
    world.run().await;
    world.all_went_well().await;
    assert!(world.copy(iid).issue.confidential);
    assert_eq!(world.copy(iid).issue.title, "Hidden");
}

#[tokio::test]
async fn what_another_tool_mirrored_goes_on_as_it_was() {
    let world = World::new().await;
    let first = world.write(issue(world.alice, "First"));
    let closed = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Over")
    });
    let address = |iid: u64| format!("https://gitlab.a/shop/source/-/issues/{iid}");
    let there = world.by_our_account("First, once", &footer(&address(first)));
    let again = world.by_our_account("First, once more", &footer(&address(first)));
    let over = world.by_our_account("Over, once", &footer(&address(closed)));
    let gone = world.by_our_account("Of one that is gone", &footer(&address(88)));
    for _ in 0..2 {
        world.run().await;
        world.all_went_well().await;
        world.later(600);
    }
    assert_eq!(world.copy(first).issue.iid, there);
    assert_eq!(world.copy(closed).issue.iid, over);
    assert_eq!(world.target_issue(again).title, "First, once more");
    assert_eq!(world.target_issue(gone).title, "Of one that is gone");
    assert_eq!(world.target_count(), 4);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_footer_by_anybody_else_or_to_another_place_is_no_word_of_ours() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "First"));
    let footer_of = |by: UserId, address: &str| {
        world.write_on_target(IssueSpec {
            description: Some(footer(address)),
            ..issue(by, "Looks like it")
        })
    };
    let ours = world.to.token_user;
    footer_of(world.tom, "https://gitlab.a/shop/source/-/issues/1");
    footer_of(ours, "https://gitlab.b/shop/source/-/issues/1");
    footer_of(ours, "https://gitlab.a/shop/other/-/issues/1");
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.target_count(), 4);
    assert!(world.copy(iid).issue.iid > 3);
}

#[tokio::test]
async fn a_marker_from_before_the_instance_was_renamed_is_known() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Marked long ago"));
    world.run().await;
    let there = world.copy(iid).issue;
    world.lose_state().await;
    let old = there
        .description
        .unwrap()
        .replace("gitlab.a;", "gitlab-old.a;");
    let to = world.to.project;
    world.target.edit(|sim| {
        let edit = gitlab_sim::IssueEdit {
            description: Some(Some(old)),
            ..Default::default()
        };
        sim.edit_issue(to, there.iid, world.to.token_user, edit)
            .unwrap();
    });
    let (name, base) = (InstanceName("gitlab.a".into()), "https://gitlab.a");
    let old = ["gitlab-old.a".to_owned()];
    let known = world.cx.store.register_instance(&name, base, &old);
    known.await.unwrap();
    world.restart().await;
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.target_count(), 1);
}

#[tokio::test]
async fn a_pair_outlives_a_lost_answer() {
    let world = World::with(Stage::new(), Settings::default(), Mode::Sync).await;
    let iid = world.write(issue(world.alice, "At the source"));
    let there = world.write_on_target(issue(world.tom, "Written before"));
    world.ask(&[(iid, there)]).await;
    world.strike("PUT", "/issues/[0-9]+$", Fault::LoseResponse);
    world.run().await;
    assert_eq!(world.unfinished().await, []);
    assert_eq!(world.copy(iid).issue.iid, there);
    assert_eq!(world.target_count(), 1);
}
