//! Only those whom we assigned are ours, whatever is lost and whoever else is at work.

use crate::{
    label_rules::ruled,
    people::{MAP, assigned, begun, cast, sorted},
    support::{Stage, World, issue},
};
use gitlab_sim::{Fault, FaultRule, HookVerdict, IssueEdit, IssueSpec, Phase, When};
use mirror_core::merge::EditPolicy;
use mirror_worker::{Mode, Settings};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn who_was_assigned_by_a_lost_create_is_ours() {
    // The copy is found at once; and only by a later attempt.
    for lookups_that_fail in [None, Some(6)] {
        let (world, cast) = begun(Stage::new(), MAP).await;
        let iid = world.task(&[world.alice]);
        let target = world.target.clone();
        world.target.set_hook(Arc::new(move |event| {
            let creates = event.method == "POST" && event.path.ends_with("/issues");
            if event.phase == Phase::Before || !creates {
                return Box::pin(async { HookVerdict::Go });
            }
            target.clear_hook();
            if let Some(times) = lookups_that_fail {
                let next = When::Next(times);
                let rule = FaultRule::new("GET", "/issues$", next, Fault::ErrorBefore(500));
                target.fail(rule);
            }
            Box::pin(async { HookVerdict::Reset })
        }));
        world.run().await;
        let failed = !world.failures().is_empty();
        assert_eq!(failed, lookups_that_fail.is_some());
        assert_eq!(world.assignees(iid), [cast.anna]);
        world.assign(iid, &[]);
        world.run().await;
        assert_eq!(world.assignees(iid), [0; 0]);
        world.at_rest().await;
        assert_eq!(world.unfinished().await, Vec::new());
    }
}

#[tokio::test]
async fn after_a_lost_record_those_who_are_assigned_stay_without_a_write() {
    let (mut world, cast) = begun(Stage::new(), MAP).await;
    let iid = world.task(&[world.alice]);
    world.run().await;
    world.later(600);
    world.lose_state().await;
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.assignees(iid), [cast.anna]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn who_is_assigned_while_a_job_is_at_work_stays() {
    let (world, cast) = begun(Stage::new(), MAP).await;
    let iid = world.task(&[]);
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            labels: Some(vec!["new".to_owned()]),
            ..assigned(&[world.alice])
        },
    );
    // The label has to be made first, and that takes its time.
    let (sim, clock) = (world.target.clone(), world.clock.clone());
    let (to, tom) = (world.to.project, world.tom);
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.method == "POST" {
            sim.clear_hook();
            clock.advance(Duration::from_secs(10));
            let edit = assigned(&[tom]);
            sim.edit(|world| world.edit_issue(to, copy, tom, edit))
                .unwrap();
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    assert_eq!(world.assignees(iid), sorted([world.tom, cast.anna]));
    assert_eq!(world.titles(iid), ["MIRRORED", "new"]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn where_edits_are_protected_whom_people_took_off_stays_off() {
    let stage = Stage::new();
    let cast = cast(&stage);
    let settings = Settings {
        on_edit: EditPolicy::Protect,
        ..ruled(MAP)
    };
    let world = World::with(stage, settings, Mode::Sync).await;
    let iid = world.task(&[world.alice, cast.bob]);
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.edit_target(copy, assigned(&[cast.ben]));
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    for labels in [vec!["one".to_owned()], vec!["two".to_owned()]] {
        world.later(600);
        world.edit(
            iid,
            IssueEdit {
                labels: Some(labels),
                ..IssueEdit::default()
            },
        );
        world.run().await;
        assert_eq!(world.assignees(iid), [cast.ben]);
    }
    assert_eq!(world.titles(iid), ["MIRRORED", "two"]);
    // Once the source has taken her off, too, a new assignment follows.
    world.assign(iid, &[cast.bob]);
    world.run().await;
    world.assign(iid, &[world.alice]);
    world.run().await;
    assert_eq!(world.assignees(iid), [cast.anna]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn where_edits_are_protected_our_own_unheard_writes_are_not_taken_for_peoples() {
    let stage = Stage::new();
    let cast = cast(&stage);
    let settings = Settings {
        on_edit: EditPolicy::Protect,
        ..ruled(MAP)
    };
    let world = World::with(stage, settings, Mode::Sync).await;
    let iid = world.task(&[]);
    world.run().await;
    // It was about to be sent, and was not let in: nobody took her off.
    world.assign(iid, &[world.alice]);
    let busy = Fault::TooManyRequests {
        headers: true,
        retry_after: Some(49),
        application: false,
    };
    world.strike("PUT", "/issues/1$", busy);
    world.run().await;
    assert_eq!(world.assignees(iid), [cast.anna]);

    // We took her off ourselves, and nobody heard of it.
    world.assign(iid, &[]);
    let lost = FaultRule::new("PUT", "/issues/1$", When::Always, Fault::LoseResponse);
    world.target.fail(lost);
    world.owe_scan().await;
    for _ in 0..6 {
        world.round(1).await;
    }
    assert_eq!(world.assignees(iid), [0; 0]);
    world.target.clear_faults();
    world.assign(iid, &[world.alice]);
    world.run().await;
    assert_eq!(world.assignees(iid), [cast.anna]);
    world.at_rest().await;
}

#[tokio::test]
async fn people_of_an_adopted_issue_stay() {
    let (world, cast) = begun(Stage::new(), MAP).await;
    let iid = world.task(&[world.alice, cast.bob]);
    let (to, tom) = (world.to.project, world.tom);
    let spec = IssueSpec {
        assignees: vec![tom, cast.anna],
        ..issue(tom, "Written before")
    };
    let there = world.target.edit(|sim| sim.create_issue(to, spec)).unwrap();
    assert_eq!(world.ask(&[(iid, there)]).await, []);
    world.run().await;
    assert_eq!(world.copy(iid).issue.iid, there);
    let everybody = sorted([tom, cast.anna, cast.ben]);
    assert_eq!(world.assignees(iid), everybody);
    world.assign(iid, &[]);
    world.run().await;
    assert_eq!(world.assignees(iid), sorted([tom, cast.anna]));
    world.at_rest().await;
    world.all_went_well().await;
}
