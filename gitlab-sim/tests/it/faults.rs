use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use gitlab_sim::{Fault, FaultRule, HookVerdict, Phase, Sim, When};
use serde_json::json;

use crate::site::Site;

const ISSUES: &str = "/projects/1/issues";

fn issues(site: &Site) -> usize {
    site.sim.world(|world| world.issues(1).count())
}

fn strike(site: &Site, fault: Fault) {
    site.sim
        .fail(FaultRule::new("POST", "/issues$", When::Next(1), fault));
}

async fn create(site: &Site) -> crate::site::Reply {
    site.post("owner", ISSUES, json!({ "title": "x" })).await
}

#[tokio::test]
async fn errors_come_before_or_after_the_effect() {
    for (fault, status, made) in [
        (Fault::ErrorBefore(500), 500, 0),
        (Fault::ErrorBefore(503), 503, 0),
        (Fault::ErrorAfter(502), 502, 1),
        (Fault::ResourceLock, 409, 0),
    ] {
        let site = Site::new();
        strike(&site, fault.clone());
        let reply = create(&site).await;
        assert_eq!((reply.status, issues(&site)), (status, made), "{fault:?}");
        let record = site.sim.requests().pop().expect("a request");
        assert_eq!((record.effect, record.status), (made == 1, Some(status)));
        assert_eq!(create(&site).await.status, 201, "the next one goes well");
    }
    let site = Site::new();
    strike(&site, Fault::ResourceLock);
    assert_eq!(
        create(&site).await.json(),
        json!({ "message": "409 Conflict: Resource lock" })
    );
    strike(&site, Fault::ErrorBefore(504));
    site.sim.clear_faults();
    assert_eq!(create(&site).await.status, 201);
}

#[tokio::test]
async fn a_lost_response_has_happened_and_a_reset_has_not() {
    for (fault, made) in [(Fault::LoseResponse, 1), (Fault::Reset, 0)] {
        let site = Site::new();
        strike(&site, fault.clone());
        let reply = create(&site).await;
        assert!(reply.lost && reply.body_broke);
        assert_eq!(issues(&site), made, "{fault:?}");
        let record = site.sim.requests().pop().expect("a request");
        assert_eq!((record.effect, record.status), (made == 1, None));
    }
}

#[tokio::test]
async fn a_late_landing_takes_effect_at_its_own_moment() {
    for (fault, status) in [
        (
            Fault::Land {
                after: Duration::from_secs(30),
            },
            None,
        ),
        (
            Fault::LandBehindProxy {
                after: Duration::from_secs(30),
            },
            Some(504),
        ),
    ] {
        let site = Site::new();
        strike(&site, fault);
        let reply = create(&site).await;
        assert_eq!(reply.lost, status.is_none());
        assert_eq!(site.sim.requests().pop().expect("a request").status, status);
        site.advance(29);
        assert_eq!(issues(&site), 0);
        site.advance(60);
        assert_eq!(issues(&site), 1);
        let row = site.get("owner", "/projects/1/issues/1").await.json();
        assert_eq!(row["created_at"], "2026-03-01T12:00:30.000Z");
        assert!(site.sim.requests()[0].effect);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_hurries_and_delays_no_late_landing() {
    for by in [-90, 90] {
        let site = Site::new();
        let after = Duration::from_secs(30);
        strike(&site, Fault::Land { after });
        create(&site).await;
        site.sim.jump(TimeDelta::seconds(by));
        site.advance(29);
        assert_eq!(issues(&site), 0);
        site.advance(1);
        assert_eq!(issues(&site), 1);
    }
}

#[tokio::test]
async fn a_hanging_request_is_never_answered_with_or_without_effect() {
    for effect in [true, false] {
        let site = Site::new();
        strike(&site, Fault::Hang { effect });
        let waiting = create(&site).now_or_never();
        assert!(waiting.is_none());
        assert_eq!(issues(&site), usize::from(effect));
    }
}

#[tokio::test]
async fn a_delayed_request_waits_for_the_simulators_clock() {
    let site = Site::new();
    strike(&site, Fault::Delay(Duration::from_secs(5)));
    let mut waiting = Box::pin(create(&site));
    assert!(waiting.as_mut().now_or_never().is_none());
    site.advance(4);
    assert!(waiting.as_mut().now_or_never().is_none());
    site.advance(1);
    assert_eq!(waiting.await.status, 201);
}

#[tokio::test]
async fn a_truncated_body_breaks_off_and_has_happened() {
    let site = Site::new();
    strike(&site, Fault::Truncate(10));
    let reply = create(&site).await;
    assert_eq!(
        (reply.status, reply.body_broke, reply.lost),
        (201, true, false)
    );
    assert!(
        reply
            .header("content-length")
            .expect("a promise")
            .parse::<u64>()
            .expect("a number")
            > 10
    );
    assert_eq!(issues(&site), 1);
}

#[tokio::test]
async fn a_stalled_body_has_happened_and_never_ends() {
    let site = Site::new();
    strike(&site, Fault::Stall(10));
    assert!(create(&site).now_or_never().is_none());
    assert_eq!(issues(&site), 1);
    let record = site.sim.requests().pop().expect("a request");
    assert_eq!(record.status, Some(201), "its head was sent");
}

#[tokio::test]
async fn refusals_come_in_both_kinds() {
    let kinds = [
        (
            Fault::TooManyRequests {
                headers: true,
                retry_after: Some(7),
                application: false,
            },
            "Retry later",
            Some("7"),
        ),
        (
            Fault::TooManyRequests {
                headers: false,
                retry_after: None,
                application: false,
            },
            "Retry later",
            None,
        ),
        (
            Fault::TooManyRequests {
                headers: false,
                retry_after: None,
                application: true,
            },
            "{\"message\"",
            None,
        ),
    ];
    for (fault, text, retry_after) in kinds {
        let site = Site::new();
        strike(&site, fault);
        let reply = create(&site).await;
        assert_eq!(
            (reply.status, reply.header("retry-after"), issues(&site)),
            (429, retry_after, 0)
        );
        assert!(reply.text.starts_with(text));
    }
}

#[tokio::test]
async fn rules_choose_their_requests() {
    let fault = || Fault::ErrorBefore(500);
    let cases = [
        (When::Nth(2), vec![201, 500, 201, 201]),
        (When::Every(2), vec![201, 500, 201, 500]),
        (When::Next(2), vec![500, 500, 201, 201]),
        (When::Always, vec![500, 500, 500, 500]),
        (When::Share(0.0), vec![201, 201, 201, 201]),
        (When::Share(1.0), vec![500, 500, 500, 500]),
    ];
    for (when, expected) in cases {
        let site = Site::new();
        site.sim.fail(FaultRule::new(
            "*",
            "^/api/v4/projects/1/issues$",
            when,
            fault(),
        ));
        let mut seen = Vec::new();
        for _ in 0..4 {
            assert_eq!(
                site.get("owner", "/version").await.status,
                200,
                "another path is not counted"
            );
            seen.push(create(&site).await.status);
        }
        assert_eq!(seen, expected, "{when:?}");
    }
}

#[tokio::test]
async fn a_share_repeats_with_its_seed() {
    let run = |seed: u64| async move {
        let site = Site::with(Sim::builder().faults(seed));
        site.sim.fail(FaultRule::new(
            "POST",
            "issues",
            When::Share(0.5),
            Fault::ErrorBefore(500),
        ));
        let mut seen = Vec::new();
        for _ in 0..32 {
            seen.push(create(&site).await.status);
        }
        seen
    };
    assert_eq!(run(1).await, run(1).await);
    assert_ne!(run(1).await, run(2).await);
}

#[tokio::test]
async fn a_hook_stops_requests_before_or_after_their_effect() {
    for (phase, made) in [(Phase::Before, 0), (Phase::After, 1)] {
        let site = Site::new();
        site.sim.set_hook(Arc::new(move |event| {
            let stop = event.method == "POST" && event.phase == phase && event.number == 2;
            async move {
                if stop {
                    HookVerdict::Reset
                } else {
                    HookVerdict::Go
                }
            }
            .boxed()
        }));
        assert_eq!(site.get("owner", "/version").await.status, 200);
        assert!(create(&site).await.lost);
        assert_eq!(issues(&site), made);
        site.sim.clear_hook();
        assert_eq!(create(&site).await.status, 201);
    }
}

#[tokio::test]
async fn requests_are_remembered() {
    let site = Site::new();
    create(&site).await;
    site.get("", "/projects/1/issues?state=all").await;
    let records = site.sim.requests();
    assert_eq!(
        (records[0].method.as_str(), records[0].path.as_str()),
        ("POST", "/api/v4/projects/1/issues")
    );
    assert_eq!(
        (records[0].user, records[0].effect, records[0].body_bytes),
        (Some(site.owner), true, 13)
    );
    assert_eq!(
        (
            records[1].user,
            records[1].token_sent,
            records[1].query.as_str()
        ),
        (None, false, "state=all")
    );
    site.sim.clear_requests();
    site.get("owner", "/version").await;
    assert_eq!(site.sim.requests()[0].number, 3, "numbering goes on");
}
