//! State, weight, estimate and logged time.

use super::{Pair, weighing};
use crate::support::issue;
use gitlab_sim::{IssueEdit, IssueState};
use mirror_worker::Notice;

fn closed() -> IssueEdit {
    IssueEdit {
        state: Some(IssueState::Closed),
        ..IssueEdit::default()
    }
}

#[tokio::test]
async fn state_weight_and_estimate_flow_back_and_the_rest_does_not() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.there.edit_target(
        copy,
        IssueEdit {
            title: Some("Mine".into()),
            time_estimate: Some(3_600),
            weight: Some(Some(4)),
            ..closed()
        },
    );
    pair.run().await;
    let here = pair.there.source_issue(iid);
    assert_eq!(here.title, "Of A");
    assert_eq!(here.state, IssueState::Closed);
    assert_eq!((here.weight, here.time_estimate), (Some(4), 3_600));
    pair.is_quiet().await;
    pair.there.assert_mirrored([iid]);
    pair.there.edit_target(
        copy,
        IssueEdit {
            state: Some(IssueState::Opened),
            ..IssueEdit::default()
        },
    );
    pair.later_run().await;
    assert_eq!(pair.there.source_issue(iid).state, IssueState::Opened);
    pair.is_quiet().await;
    pair.there.assert_mirrored([iid]);
}

#[tokio::test]
async fn what_changed_at_the_original_goes_there_as_ever() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.there.edit(
        iid,
        IssueEdit {
            weight: Some(Some(2)),
            ..closed()
        },
    );
    pair.run().await;
    let there = pair.there.target_issue(copy);
    assert_eq!((there.state, there.weight), (IssueState::Closed, Some(2)));
    pair.is_quiet().await;
    pair.there.assert_mirrored([iid]);
}

#[tokio::test]
async fn where_both_sides_changed_a_field_the_original_holds_and_that_is_told() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.there.edit(iid, weighing(2));
    pair.there.edit_target(copy, weighing(3));
    pair.there.edit_target(copy, closed());
    pair.run().await;
    let here = pair.there.source_issue(iid);
    let there = pair.there.target_issue(copy);
    assert_eq!((here.weight, there.weight), (Some(2), Some(2)));
    assert_eq!(here.state, IssueState::Closed, "only the copy's changed");
    let lost = Notice::EditLost {
        what: "weight".into(),
    };
    assert!(pair.there.notices().contains(&lost));
    pair.is_quiet().await;
    pair.there.assert_mirrored([iid]);
}

#[tokio::test]
async fn logged_time_goes_both_ways_and_no_second_is_lost_or_counted_twice() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    pair.log_here(iid, 600);
    pair.log_there(copy, 50);
    pair.run().await;
    assert_eq!(pair.spent(iid, copy), (650, 650));
    pair.there.later(600);
    pair.log_there(copy, -30);
    pair.log_here(iid, 1);
    pair.run().await;
    pair.later_run().await;
    assert_eq!(pair.spent(iid, copy), (621, 621));
    pair.is_quiet().await;
    pair.there.later(600);
    pair.log_here(iid, -621);
    pair.run().await;
    pair.later_run().await;
    assert_eq!(pair.spent(iid, copy), (0, 0));
    pair.is_quiet().await;
}

#[tokio::test]
async fn both_ways_new_issues_are_mirrored_and_no_copy_is_copied() {
    let pair = Pair::new().await;
    let (iid, _) = pair.in_line().await;
    let other = pair.back.write(issue(pair.there.tom, "Of B"));
    pair.run().await;
    pair.is_quiet().await;
    assert_eq!(pair.there.target_count(), 2);
    assert_eq!(pair.back.target_count(), 2);
    pair.there.assert_mirrored([iid]);
    pair.back.assert_mirrored([other]);
    // What happens to the copy of B's issue in A flows back as well.
    let copy = pair.back.copy(other).issue.iid;
    pair.back.edit_target(copy, closed());
    pair.log_here(copy, 90);
    pair.later_run().await;
    let there = pair.back.source_issue(other);
    assert_eq!((there.state, there.time_spent()), (IssueState::Closed, 90));
    pair.is_quiet().await;
}

#[tokio::test]
async fn both_directions_at_once_settle_alike() {
    let pair = Pair::new().await;
    for number in 0..6 {
        let title = format!("Of A, {number}");
        pair.there.write(issue(pair.there.alice, &title));
        let title = format!("Of B, {number}");
        pair.back.write(issue(pair.there.tom, &title));
    }
    pair.run_wide().await;
    for round in 0..3 {
        pair.there.later(200);
        for (number, iid) in (1..=12).enumerate() {
            let by = i64::try_from(number).unwrap() + round;
            match by % 4 {
                0 => pair.there.edit(iid, weighing(by)),
                1 => pair.there.edit_target(iid, weighing(by)),
                2 => pair.log_there(iid, 10),
                _ => pair.log_here(iid, 10),
            }
        }
        pair.run_wide().await;
    }
    pair.is_quiet().await;
    assert_eq!(
        (pair.there.target_count(), pair.back.target_count()),
        (12, 12)
    );
    let mut logged = 0;
    for copy in pair.there.copies() {
        let here = pair.there.source_issue(copy.of);
        assert_eq!(here.weight, copy.issue.weight);
        assert_eq!(here.time_spent(), copy.issue.time_spent());
        logged += here.time_spent();
    }
    for copy in pair.back.copies() {
        let there = pair.back.source_issue(copy.of);
        assert_eq!(there.weight, copy.issue.weight);
        assert_eq!(there.time_spent(), copy.issue.time_spent());
        logged += there.time_spent();
    }
    assert_eq!(logged, 180, "half of 36 edits logged ten seconds each");
}

#[tokio::test]
async fn nothing_flows_back_unless_a_person_has_declared_a_pair() {
    let pair = Pair::undeclared().await;
    let (iid, copy) = pair.in_line().await;
    pair.there.edit_target(copy, closed());
    pair.log_there(copy, 50);
    pair.run().await;
    let here = pair.there.source_issue(iid);
    assert_eq!((here.state, here.time_spent()), (IssueState::Opened, 0));
    assert_eq!(pair.there.target_issue(copy).state, IssueState::Opened);
    pair.is_quiet().await;

    pair.declare().await;
    pair.there.edit_target(copy, closed());
    pair.later_run().await;
    let here = pair.there.source_issue(iid);
    assert_eq!((here.state, here.time_spent()), (IssueState::Closed, 50));
    pair.is_quiet().await;
}
