//! Waiting is not failing (law 10), and what fails for a while is outlived.

use crate::support::{Stage, TestClock, World, issue, note, with_an_edit_due};
use chrono::{DateTime, TimeDelta, Utc};
use gitlab_sim::{Fault, FaultRule, RateLimits, Sim, When};
use mirror_core::ports::{Admission, BoxFuture, Clock};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn an_edit_that_collides_is_sent_again() {
    let world = with_an_edit_due().await;
    let rule = FaultRule::new("PUT", "/issues/1$", When::Next(2), Fault::ResourceLock);
    world.target.fail(rule);
    world.run().await;
    world.assert_mirrored([1]);
    world.all_went_well().await;
}

#[tokio::test]
async fn both_kinds_of_refusal_for_the_rate_are_waits() {
    for application in [false, true] {
        for retry_after in [None, Some(120)] {
            for (method, path) in [
                ("POST", "/issues$"),
                ("POST", "/notes$"),
                ("GET", "/issues$"),
            ] {
                let world = World::new().await;
                let iid = world.write(issue(world.alice, "One"));
                world.say(iid, note(world.alice, "Hello."));
                let fault = Fault::TooManyRequests {
                    headers: false,
                    retry_after,
                    application,
                };
                world
                    .target
                    .fail(FaultRule::new(method, path, When::Next(3), fault));
                world.run().await;
                world.assert_mirrored([iid]);
                assert_eq!(world.failures(), Vec::<String>::new());
                assert!(!world.waits().is_empty(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn under_the_instances_own_limits_everything_arrives_and_nothing_fails() {
    let minute = Duration::from_secs(60);
    let limits = RateLimits {
        api: Some((100, minute)),
        notes: Some((20, minute)),
        issues: Some((10, minute)),
        ..RateLimits::default()
    };
    let stage = Stage::from_builders(Sim::builder(), Sim::builder().limits(limits));
    let world = World::on(stage).await;
    gitlab_sim::seed::plain(&world.source, world.from.project, 40, 2).unwrap();
    world.run_wide(4).await;
    world.all_went_well().await;
    world.assert_mirrored(1..=40);
}

#[tokio::test]
async fn one_comment_that_is_refused_for_good_holds_up_no_other() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    for text in ["First.", "Second.", "Third."] {
        world.say(iid, note(world.alice, text));
    }
    world.target.fail(FaultRule::new(
        "POST",
        "/notes$",
        When::Nth(2),
        Fault::ErrorBefore(422),
    ));
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.copy(iid).notes().len(), 2);
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_fails_for_a_while_is_outlived() {
    let world = World::new().await;
    gitlab_sim::seed::rich(&world.source, world.from.project, 10, 2).unwrap();
    world.source.fail(FaultRule::new(
        "*",
        ".",
        When::Every(7),
        Fault::ErrorBefore(502),
    ));
    world.target.fail(FaultRule::new(
        "*",
        ".",
        When::Every(9),
        Fault::ErrorBefore(500),
    ));
    world.run().await;
    world.source.clear_faults();
    world.target.clear_faults();
    assert_eq!(world.unfinished().await, Vec::new());
    world.assert_all_mirrored();
}

#[tokio::test]
async fn a_renamed_project_is_mirrored_on() {
    let world = with_an_edit_due().await;
    world
        .source
        .rename_project(world.from.project, "shop/renamed");
    world
        .target
        .rename_project(world.to.project, "team/renamed");
    world.run().await;
    world.assert_mirrored([1]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_job_that_a_limit_holds_up_gives_its_place_away_and_burns_no_attempt() {
    for admission in [
        Admission::NotBefore(DateTime::<Utc>::MAX_UTC),
        Admission::In(Duration::from_secs(3)),
        Admission::In(Duration::from_secs(60)),
    ] {
        let mut world = World::new().await;
        let iid = world.write(issue(world.alice, "One"));
        let service = world.serve().await;
        let now = world.now();
        let admission = match admission {
            Admission::NotBefore(_) => Admission::NotBefore(now + TimeDelta::minutes(10)),
            Admission::In(_) | Admission::Go => admission,
        };
        *service.admission.lock().unwrap() = Some(admission);
        world.owe_scan().await;
        assert!(world.round(1).await);
        let held = world.now() - now;
        assert!(held <= TimeDelta::seconds(5), "held for {held}");
        let rows = world.cx.store.unfinished(world.mirror, 10).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].attempts, &rows[0].last_error), (0, &None));
        assert!(rows[0].run_at > world.now());
        assert_eq!(world.waits().len(), 1, "{:?}", world.waits());
        *service.admission.lock().unwrap() = None;
        world.run().await;
        world.assert_mirrored([iid]);
        world.all_went_well().await;
    }
}

/// The machine's time of day is off.
struct Off(TestClock, TimeDelta);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        self.0.now() + self.1
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

#[tokio::test]
async fn a_worker_whose_clock_is_off_waits_as_long_as_any_other() {
    let wait = TimeDelta::minutes(2);
    for off in [-10, 0, 10].map(TimeDelta::minutes) {
        let mut world = World::new().await;
        let iid = world.write(issue(world.alice, "One"));
        world.cx.clock = Arc::new(Off(world.clock.clone(), off));
        let service = world.serve().await;
        let until = world.cx.clock.now() + wait;
        *service.admission.lock().unwrap() = Some(Admission::NotBefore(until));
        world.owe_scan().await;
        assert!(world.round(1).await);
        let rows = world.cx.store.unfinished(world.mirror, 10).await.unwrap();
        assert_eq!(rows[0].run_at, world.now() + wait);
        *service.admission.lock().unwrap() = None;
        world.run().await;
        world.assert_mirrored([iid]);
        world.all_went_well().await;
    }
}
