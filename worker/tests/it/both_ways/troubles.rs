//! Lost answers, lost records, and what must not flow.

use super::{Pair, weighing};
use crate::support::note;
use gitlab_sim::{AccessLevel, Fault, FaultRule, IssueEdit, IssueState, When};
use mirror_core::{
    ids::Iid,
    merge::{EditPolicy, Resolution},
};
use mirror_store::Store;
use mirror_worker::Settings;
use std::sync::Arc;

impl Pair {
    /// The next such request to A goes wrong.
    fn strike(&self, method: &str, path: &str, fault: Fault) {
        let rule = FaultRule::new(method, path, When::Next(1), fault);
        self.there.source.fail(rule);
    }
}

#[tokio::test]
async fn what_came_back_without_an_answer_is_there_once() {
    for (method, path) in [
        ("POST", "/notes$"),
        ("POST", "/add_spent_time$"),
        ("PUT", "/issues/1$"),
    ] {
        let pair = Pair::new().await;
        let (iid, copy) = pair.in_line().await;
        pair.strike(method, path, Fault::LoseResponse);
        pair.there
            .say_on_target(copy, note(pair.there.tom, "Once, please."));
        pair.log_there(copy, 40);
        pair.there.edit_target(copy, weighing(7));
        pair.run().await;
        pair.later_run().await;
        let here = pair.there.source_issue(iid);
        let said = here.notes.iter();
        let said = said.filter(|note| note.body.contains("Once, please."));
        assert_eq!(said.count(), 1, "{path}");
        assert_eq!(here.weight, Some(7), "{path}");
        assert_eq!(pair.spent(iid, copy), (40, 40), "{path}");
        pair.is_quiet_by_now().await;
    }
}

#[tokio::test]
async fn a_change_that_came_back_unheard_of_is_not_taken_for_the_originals() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.there.edit_target(copy, weighing(7));
    let lost = FaultRule::new("PUT", "/issues/1$", When::Always, Fault::LoseResponse);
    pair.there.source.fail(lost);
    let store = &pair.there.cx.store;
    let scan = mirror_core::job::Job::ScanMirror {
        mirror: pair.there.mirror,
    };
    let scan = mirror_store::Owe::changed(scan, mirror_core::job::Priority::ByHand);
    store.owe(&[scan]).await.unwrap();
    for _ in 0..6 {
        pair.there.round_of(pair.there.mirror, 1).await;
    }
    assert_eq!(pair.there.source_issue(iid).weight, Some(7));
    pair.there.source.clear_faults();
    pair.there.edit_target(copy, weighing(8));
    pair.later_run().await;
    assert_eq!(pair.there.source_issue(iid).weight, Some(8));
    assert_eq!(pair.there.target_issue(copy).weight, Some(8));
}

#[tokio::test]
async fn a_lost_record_makes_nothing_twice_and_the_original_holds() {
    let mut pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.there
        .say_on_target(copy, note(pair.there.tom, "Said in B."));
    pair.there.say(iid, note(pair.there.alice, "Said in A."));
    pair.log_there(copy, 30);
    pair.log_here(iid, 5);
    pair.run().await;
    pair.later_run().await;
    pair.there.later(600);

    let clock = Arc::new(pair.there.clock.clone());
    pair.there.cx.store = Store::in_memory(clock).await.unwrap();
    pair.there.connect().await;
    pair.connect(mirror_worker::Settings::default()).await;
    pair.declare().await;
    pair.run().await;
    pair.is_quiet().await;
    let texts = |issue: &gitlab_sim::Issue| {
        let notes = issue
            .notes
            .iter()
            .filter(|note| note.body.contains("Said in"));
        notes.count()
    };
    assert_eq!(texts(&pair.there.source_issue(iid)), 2);
    assert_eq!(texts(&pair.there.target_issue(copy)), 2);
    assert_eq!(pair.spent(iid, copy), (35, 35));
    pair.log_there(copy, 10);
    pair.later_run().await;
    assert_eq!(pair.spent(iid, copy), (45, 45));
    pair.is_quiet().await;
}

#[tokio::test]
async fn nothing_comes_back_from_a_copy_that_hides_more() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    let hide = IssueEdit {
        confidential: Some(true),
        ..IssueEdit::default()
    };
    pair.there.edit_target(copy, hide);
    pair.there
        .say_on_target(copy, note(pair.there.tom, "A secret of B."));
    pair.run().await;
    let here = pair.there.source_issue(iid);
    assert!(here.notes.iter().all(|note| !note.body.contains("secret")));
    assert!(!pair.there.told().contains("A secret"));
}

#[tokio::test]
async fn a_copy_that_is_deleted_takes_no_original_along() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    let (to, tom) = (pair.there.to.project, pair.there.tom);
    pair.there
        .target
        .edit(|sim| sim.delete_issue(to, copy, tom).unwrap());
    for _ in 0..3 {
        pair.there.later(3_600);
        let store = &pair.there.cx.store;
        let request = mirror_store::RunRequest {
            mirror: pair.reverse,
            kind: mirror_store::RunKind::Full,
            jobs: &[mirror_core::job::Job::ScanMirror {
                mirror: pair.reverse,
            }],
            priority: mirror_core::job::Priority::ByHand,
            by: "test",
        };
        store.request_run(&request).await.unwrap();
        pair.run().await;
    }
    let here = pair.there.source_issue(iid);
    assert_eq!(here.state, IssueState::Opened);
    assert!(!here.confidential);
    assert_eq!(pair.back.target_count(), 1);
}

#[tokio::test]
async fn a_pair_that_ended_leaves_the_original_alone_and_counts_no_second_twice() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.there
        .say_on_target(copy, note(pair.there.tom, "Said in B."));
    pair.log_there(copy, 30);
    pair.run().await;
    pair.is_quiet().await;
    let store = &pair.there.cx.store;
    assert!(store.end_pair(pair.reverse).await.unwrap());
    pair.settle_links(Settings::default()).await;
    let full = Settings {
        full: true,
        ..Settings::default()
    };
    pair.there.later(600);
    pair.settle_links(full).await;
    pair.run().await;
    pair.settle_links(Settings::default()).await;
    assert_eq!(pair.spent(iid, copy), (30, 30));
    pair.there.edit_target(copy, weighing(3));
    pair.log_here(iid, 5);
    pair.later_run().await;
    assert_eq!(pair.spent(iid, copy), (35, 35));
    assert_eq!(pair.there.source_issue(iid).weight, None);
    assert_eq!(pair.there.target_issue(copy).weight, None, "overwritten");
    let notes = pair.there.target_issue(copy).notes;
    let said = notes.iter().filter(|note| note.body.contains("Said in B."));
    assert_eq!(said.count(), 1, "no copy of a copy");
    pair.is_quiet().await;
    let (to, tom) = (pair.there.to.project, pair.there.tom);
    pair.there
        .target
        .edit(|sim| sim.delete_issue(to, copy, tom).unwrap());
    pair.there.later(3_600);
    pair.run().await;
    assert_eq!(pair.there.source_issue(iid).state, IssueState::Opened);
}

#[tokio::test]
async fn what_is_at_fault_on_the_way_back_does_not_stop_the_way_there() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    let (project, bot) = (pair.back.to.project, pair.back.to.token_user);
    pair.there.source.edit(|sim| {
        let home = sim.project_mut(project).unwrap();
        home.members.insert(bot, AccessLevel::Guest);
    });
    pair.log_there(copy, 30);
    pair.there.edit(iid, weighing(2));
    pair.run().await;
    assert_eq!(pair.there.target_issue(copy).weight, Some(2));
    let store = &pair.there.cx.store;
    let way_back = store.mirror(pair.reverse).await.unwrap();
    assert!(way_back.paused.is_some());
    assert_eq!(store.mirror(pair.there.mirror).await.unwrap().paused, None);

    pair.there.source.edit(|sim| {
        let home = sim.project_mut(project).unwrap();
        home.members.insert(bot, AccessLevel::Owner);
    });
    store.resume_mirror(pair.reverse).await.unwrap();
    pair.settle_links(Settings::default()).await;
    pair.there.edit(iid, weighing(4));
    pair.later_run().await;
    assert_eq!(pair.spent(iid, copy), (30, 30));
    pair.is_quiet_by_now().await;
}

#[tokio::test]
async fn time_that_may_have_come_back_is_not_sent_there_while_the_way_back_rests() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.log_there(copy, 40);
    pair.strike("POST", "/add_spent_time$", Fault::LoseResponse);
    pair.strike("GET", "/issues/1$", Fault::ErrorBefore(500));
    let store = &pair.there.cx.store;
    let scan = mirror_core::job::Job::ScanMirror {
        mirror: pair.there.mirror,
    };
    let scan = mirror_store::Owe::changed(scan, mirror_core::job::Priority::ByHand);
    store.owe(&[scan]).await.unwrap();
    for _ in 0..3 {
        pair.there.round_of(pair.there.mirror, 1).await;
        if pair.spent(iid, copy).0 == 40 {
            break;
        }
    }
    store.pause_mirror(pair.reverse, "for now").await.unwrap();
    pair.log_here(iid, 2);
    pair.later_run().await;
    let (here, there) = pair.spent(iid, copy);
    assert_eq!(here, 42);
    assert!(there == 40 || there == 42, "{there}");
    store.resume_mirror(pair.reverse).await.unwrap();
    pair.later_run().await;
    pair.later_run().await;
    assert_eq!(pair.spent(iid, copy), (42, 42));
    pair.is_quiet_by_now().await;
}

#[tokio::test]
async fn a_copy_of_a_comment_that_was_edited_is_protected_on_the_way_back_as_well() {
    let pair = Pair::new().await;
    let protect = Settings {
        on_edit: EditPolicy::Protect,
        ..Settings::default()
    };
    pair.settle_links(protect).await;
    let (iid, copy) = pair.in_line().await;
    let said = pair
        .there
        .say_on_target(copy, note(pair.there.tom, "Said in B."));
    pair.run().await;
    pair.there.later(600);
    let here = pair.there.source_issue(iid);
    let mut notes = here.notes.iter();
    let came = notes.find(|note| note.body.contains("Said in B.")).unwrap();
    let (from, to) = (pair.there.from.project, pair.there.to.project);
    let (alice, tom) = (pair.there.alice, pair.there.tom);
    pair.there.source.edit(|sim| {
        sim.edit_note(from, iid, came.id, alice, "Made mine.")
            .unwrap()
    });
    pair.there.target.edit(|sim| {
        sim.edit_note(to, copy, said, tom, "Said in B, edited.")
            .unwrap()
    });
    pair.later_run().await;
    let now = pair.there.source_issue(iid);
    assert_eq!(now.note(came.id).unwrap().body, "Made mine.");
    let store = &pair.there.cx.store;
    let number = Iid(i64::try_from(copy).unwrap());
    assert_eq!(store.edits(pair.reverse, number).await.unwrap().len(), 1);
    let decided = store.resolve_conflict(pair.reverse, number, Resolution::UseSource);
    assert_eq!(decided.await.unwrap(), 1);
    pair.later_run().await;
    let now = pair.there.source_issue(iid);
    let body = &now.note(came.id).unwrap().body;
    assert!(body.contains("Said in B, edited."), "{body}");
    pair.is_quiet().await;
}
