//! Waiting for permission, and for limits to pass, by the injected clock.

use crate::support::{Lab, PROJECT, Server, issue_json, json, note_json, status};
use chrono::TimeDelta;
use mirror_core::{
    ids::Iid,
    ports::{Admission, Class, Clock, Refusal},
};
use mirror_gitlab::{ErrorKind, Fate, IssueQuery, NewIssue, NewNote};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn racks_refusal_is_waited_for_and_learnt() {
    let gitlab = Server::answering(|_, before| match before {
        0 => status(
            429,
            &[
                ("ratelimit-limit", "600"),
                ("ratelimit-remaining", "0"),
                ("ratelimit-reset", "1800000017"),
                ("retry-after", "17"),
            ],
            "Retry later\n",
        ),
        _ => json(200, &issue_json(3)),
    })
    .await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);
    client.issue(PROJECT, Iid(3)).await.unwrap();

    assert_eq!(lab.clock.pauses(), [17 * SECOND]);
    let learnt = &lab.pace.observations()[0];
    assert_eq!((learnt.limit, learnt.remaining), (Some(600), Some(0)));
    assert_eq!(
        learnt.reset.map(|reset| reset.timestamp()),
        Some(1_800_000_017)
    );
    assert_eq!(
        learnt.refused,
        Some(Refusal {
            retry_after: Some(17 * SECOND),
            application: false
        })
    );
    let calls = client.calls();
    assert_eq!((calls.sent, calls.refused, calls.retries), (2, 1, 1));
}

#[tokio::test]
async fn refused_write_was_not_executed_and_is_sent_again() {
    let gitlab = Server::answering(|_, before| match before {
        0 => status(429, &[("retry-after", "2")], "Retry later"),
        _ => json(201, &issue_json(3)),
    })
    .await;
    let lab = Lab::new();
    let new = NewIssue {
        title: "Issue 3".to_owned(),
        ..NewIssue::default()
    };
    lab.client(&gitlab.url)
        .create_issue(PROJECT, &new)
        .await
        .unwrap();
    assert_eq!(lab.clock.pauses(), [2 * SECOND]);
    let bodies: Vec<_> = gitlab.seen().iter().map(|seen| seen.json()).collect();
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn applications_refusal_without_a_time_is_a_minute_and_goes_back_to_the_caller() {
    let gitlab = Server::answering(|_, _| {
        json(
            429,
            r#"{"message":{"error":"This endpoint has been requested too many times."}}"#,
        )
    })
    .await;
    let lab = Lab::new();
    let before = lab.clock.now();
    let error = lab
        .client(&gitlab.url)
        .create_note(PROJECT, Iid(3), &NewNote::default())
        .await
        .unwrap_err();

    let until = before + TimeDelta::seconds(60);
    assert_eq!(*error.kind(), ErrorKind::Throttled { until });
    assert_eq!(error.retry_at(), Some(until));
    assert_eq!(error.fate(), Fate::Decided);
    assert!(!error.outcome_unknown());
    assert_eq!(
        error.message(),
        Some("This endpoint has been requested too many times.")
    );
    assert!(lab.clock.pauses().is_empty());
    assert_eq!(gitlab.seen().len(), 1);
    let refused = lab.pace.observations()[0].refused.unwrap();
    assert!(refused.application);
}

#[tokio::test]
async fn applications_refusal_is_waited_for_where_the_patience_suffices() {
    let gitlab = Server::answering(|_, before| match before {
        0 => json(429, r#"{"message":{"error":"too many"}}"#),
        _ => json(201, &note_json(5)),
    })
    .await;
    let mut lab = Lab::new();
    lab.options.spacing_patience = 90 * SECOND;
    lab.client(&gitlab.url)
        .create_note(PROJECT, Iid(3), &NewNote::default())
        .await
        .unwrap();
    assert_eq!(lab.clock.pauses(), [60 * SECOND]);
}

#[tokio::test]
async fn refusals_in_a_row_use_up_one_patience() {
    let gitlab =
        Server::answering(|_, _| status(429, &[("retry-after", "20")], "Retry later")).await;
    let lab = Lab::new();
    let error = lab
        .client(&gitlab.url)
        .issue(PROJECT, Iid(3))
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Throttled { .. }),
        "{error}"
    );
    assert_eq!(lab.clock.pauses(), [20 * SECOND]);
}

#[tokio::test]
async fn outage_that_names_its_end_is_a_wait() {
    let gitlab = Server::answering(|seen, before| match (seen.method.as_str(), before) {
        ("GET", 1..) => json(200, &issue_json(3)),
        _ => status(503, &[("retry-after", "5")], "down for maintenance"),
    })
    .await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);
    client.issue(PROJECT, Iid(3)).await.unwrap();
    assert_eq!(lab.clock.pauses(), [5 * SECOND]);

    let at = lab.clock.now() + TimeDelta::seconds(5);
    let error = client
        .create_note(PROJECT, Iid(3), &NewNote::default())
        .await
        .unwrap_err();
    assert_eq!(error.retry_at(), Some(at));
    assert_eq!(error.fate(), Fate::Unknown);
    assert_eq!(lab.clock.pauses(), [5 * SECOND]);
    assert!(lab.pace.observations().iter().any(|seen| seen.struggling));
}

#[tokio::test]
async fn short_wait_for_a_slot_is_made_in_place_a_long_one_is_handed_back() {
    let gitlab = Server::answering(|_, _| json(200, &issue_json(3))).await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);

    lab.pace
        .answer([Admission::In(8 * SECOND), Admission::In(SECOND)]);
    client.issue(PROJECT, Iid(3)).await.unwrap();
    assert_eq!(lab.clock.pauses(), [8 * SECOND, SECOND]);

    let now = lab.clock.now();
    lab.pace.answer([Admission::In(31 * SECOND)]);
    let error = client.issue(PROJECT, Iid(3)).await.unwrap_err();
    assert_eq!(error.retry_at(), Some(now + TimeDelta::seconds(31)));

    let later = now + TimeDelta::hours(1);
    lab.pace.answer([Admission::NotBefore(later)]);
    let error = client.issue(PROJECT, Iid(3)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Throttled { until: later });
    assert_eq!(error.fate(), Fate::NotSent);
    assert_eq!(gitlab.seen().len(), 1);
}

#[tokio::test]
async fn every_request_is_charged_to_its_class() {
    let gitlab = Server::answering(|seen, _| match seen.method.as_str() {
        "GET" => status(200, &[("x-next-page", "")], "[]"),
        _ if seen.target.ends_with("/issues") => json(201, &issue_json(3)),
        _ => json(201, &note_json(5)),
    })
    .await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url).by_hand();
    let search = IssueQuery {
        search: Some("marker".to_owned()),
        ..IssueQuery::default()
    };
    client
        .issues(PROJECT, &IssueQuery::default())
        .await
        .unwrap();
    client.issues(PROJECT, &search).await.unwrap();
    client
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap();
    client
        .create_note(PROJECT, Iid(3), &NewNote::default())
        .await
        .unwrap();

    let charges = lab.pace.charges();
    let classes: Vec<Class> = charges.iter().map(|charge| charge.class).collect();
    assert_eq!(
        classes,
        [Class::Api, Class::Search, Class::Issues, Class::Notes]
    );
    assert!(charges.iter().all(|charge| charge.by_hand));
    let changes: Vec<bool> = charges.iter().map(|charge| charge.changes).collect();
    assert_eq!(changes, [false, false, true, true]);
    let calls = client.calls();
    assert_eq!((calls.of(Class::Api), calls.of(Class::Notes)), (4, 1));
}
