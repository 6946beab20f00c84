//! What is sent again, what never is, and what is known of what was sent.

use crate::support::{Lab, PROJECT, Raw, RawServer, Server, html, issue_json, json, note_json};
use futures_util::{FutureExt, future::ready};
use mirror_core::ids::{Iid, NoteId};
use mirror_gitlab::{
    Conflict, Errand, ErrorKind, Fate, IssueChange, NewIssue, NewNote, Sent, TokenFault,
    TransportErrorKind,
};
use std::{sync::Arc, time::Duration};

const BAD_GATEWAY: &str = "<html><head><title>502 Bad Gateway</title></head></html>";

#[tokio::test]
async fn reads_are_sent_again_with_growing_scattered_delays() {
    let gitlab = Server::answering(|_, before| match before {
        0..3 => html(502, BAD_GATEWAY),
        _ => json(200, &issue_json(3)),
    })
    .await;
    let lab = Lab::new();
    let found = lab
        .client(&gitlab.url)
        .issue(PROJECT, Iid(3))
        .await
        .unwrap();
    assert_eq!(found.value.title, "Issue 3");

    let pauses = lab.clock.pauses();
    assert_eq!(pauses.len(), 3);
    for (pause, least) in pauses.iter().zip([500, 1000, 2000]) {
        let least = Duration::from_millis(least);
        assert!((least..=2 * least).contains(pause), "{pauses:?}");
        assert_ne!(*pause, least, "no jitter in {pauses:?}");
    }
}

#[tokio::test]
async fn an_errand_is_told_of_each_request_and_of_each_wait() {
    let gitlab = Server::answering(|_, before| match before {
        0 => html(502, BAD_GATEWAY),
        _ => json(200, &issue_json(3)),
    })
    .await;
    let silent = RawServer::doing([Raw::Close(String::new())]).await;
    let lab = Lab::new();
    let (client, cut) = (lab.client(&gitlab.url), lab.client(&silent.url));
    let sent = Arc::new(Sent::default());
    let errand = Errand {
        sent: sent.clone(),
        may_change: Arc::new(|| ready(true).boxed()),
    };
    let secret = NewNote {
        body: "a secret".to_owned(),
        ..NewNote::default()
    };
    errand
        .run(async {
            client.issue(PROJECT, Iid(3)).await.unwrap();
            let lost = cut.create_note(PROJECT, Iid(3), &secret).await;
            assert_eq!(lost.unwrap_err().fate(), Fate::Unknown);
        })
        .await;
    client.issue(PROJECT, Iid(4)).await.unwrap();

    let told: Vec<(String, Option<u16>)> = sent
        .requests()
        .iter()
        .map(|request| {
            (
                format!("{} {}", request.method, request.path),
                request.status,
            )
        })
        .collect();
    let issue = format!("/projects/{PROJECT}/issues/3");
    let expected = [
        (format!("GET {issue}"), Some(502)),
        (format!("GET {issue}"), Some(200)),
        (format!("POST {issue}/notes"), None),
    ];
    assert_eq!(told, expected);
    assert_eq!((sent.calls(), sent.waits()), (3, 1));
    let own = client.base().host_str().unwrap().to_owned();
    assert!(
        sent.requests()
            .iter()
            .all(|one| one.instance.starts_with(&own))
    );
    assert!(!format!("{sent:?}").contains("secret"));
}

#[tokio::test]
async fn reads_are_given_up_after_their_retries() {
    let gitlab = Server::answering(|_, _| html(504, "<html></html>")).await;
    let error = Lab::new()
        .client(&gitlab.url)
        .issue(PROJECT, Iid(3))
        .await
        .unwrap_err();
    assert!(error.is_transient());
    assert_eq!(gitlab.seen().len(), 4);
}

#[tokio::test]
async fn writes_are_sent_once_and_a_proxys_word_leaves_their_outcome_unknown() {
    let gitlab = Server::answering(|_, _| html(502, BAD_GATEWAY)).await;
    let client = Lab::new().client(&gitlab.url);
    let note = NewNote::default();

    let created = client.create_issue(PROJECT, &NewIssue::default()).await;
    let noted = client.create_note(PROJECT, Iid(3), &note).await;
    let spent = client.add_spent_time(PROJECT, Iid(3), -90).await;
    let edited = client.update_note(PROJECT, Iid(3), NoteId(5), "x").await;
    for error in [created.err(), noted.err(), spent.err(), edited.err()] {
        let error = error.unwrap();
        assert_eq!(*error.kind(), ErrorKind::Unavailable { own_answer: false });
        assert_eq!(error.fate(), Fate::Unknown);
        assert!(error.outcome_unknown());
        assert_eq!(error.message(), Some("a page titled \"502 Bad Gateway\""));
    }
    assert_eq!(gitlab.seen().len(), 4);
}

#[tokio::test]
async fn gitlabs_own_500_is_decided_yet_to_be_looked_up() {
    let gitlab =
        Server::answering(|_, _| json(500, r#"{"message":"500 Internal Server Error"}"#)).await;
    let error = Lab::new()
        .client(&gitlab.url)
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unavailable { own_answer: true });
    assert_eq!(error.fate(), Fate::Decided);
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn gateway_that_speaks_json_is_not_taken_for_gitlab() {
    for code in [502, 503, 504] {
        let gateway = Server::answering(move |_, _| {
            json(
                code,
                r#"{"message":"failure to get a peer from the ring-balancer"}"#,
            )
        })
        .await;
        let error = Lab::new()
            .client(&gateway.url)
            .create_issue(PROJECT, &NewIssue::default())
            .await
            .unwrap_err();
        assert_eq!(error.fate(), Fate::Unknown, "{code}");
    }
}

#[tokio::test]
async fn gitlabs_own_503_is_told_by_the_header_on_all_its_answers() {
    let gitlab = Server::answering(|_, _| {
        let mut response = json(503, r#"{"message":"503 Service Unavailable"}"#);
        let meta = r#"{"correlation_id":"01","version":"1"}"#.parse().unwrap();
        response.headers_mut().insert("x-gitlab-meta", meta);
        response
    })
    .await;
    let error = Lab::new()
        .client(&gitlab.url)
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    assert_eq!(error.fate(), Fate::Decided);
}

#[tokio::test]
async fn refused_connection_sent_no_byte() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = Lab::new()
        .client(&format!("http://127.0.0.1:{port}/"))
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    let ErrorKind::Transport(cause) = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(cause.kind(), TransportErrorKind::CouldNotConnect);
    assert!(cause.to_string().contains("refused"), "{cause}");
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn connection_lost_before_the_answer_leaves_a_write_unknown_and_is_no_hindrance_to_a_read() {
    let lost = Raw::Close(String::new());
    let gitlab = RawServer::doing([lost.clone()]).await;
    let lab = Lab::new();
    let error = lab
        .client(&gitlab.url)
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Transport(cause) if cause.kind() == TransportErrorKind::Interrupted),
        "{error:?}"
    );
    assert_eq!(error.fate(), Fate::Unknown);
    assert_eq!(gitlab.connections(), 1);

    let body = issue_json(3);
    let good = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let gitlab = RawServer::doing([lost, Raw::Close(good)]).await;
    lab.client(&gitlab.url)
        .issue(PROJECT, Iid(3))
        .await
        .unwrap();
    assert_eq!(gitlab.connections(), 2);
}

#[tokio::test]
async fn lock_held_by_somebody_else_is_waited_for() {
    let gitlab = Server::answering(|_, before| match before {
        0..2 => json(409, r#"{"message":"409 Conflict: Resource lock"}"#),
        _ => json(200, &issue_json(3)),
    })
    .await;
    let lab = Lab::new();
    let change = IssueChange {
        title: Some("Issue 3".to_owned()),
        ..IssueChange::default()
    };
    lab.client(&gitlab.url)
        .update_issue(PROJECT, Iid(3), &change)
        .await
        .unwrap();
    assert_eq!(gitlab.seen().len(), 3);
    assert!(
        lab.clock
            .pauses()
            .iter()
            .all(|pause| *pause < Duration::from_secs(1))
    );
}

#[tokio::test]
async fn other_conflicts_are_told_apart_and_not_fought() {
    for (message, expected) in [
        ("Duplicated issue", Conflict::DuplicateIid),
        ("Label already exists", Conflict::LabelExists),
        ("something else", Conflict::Other),
    ] {
        let body = format!(r#"{{"message":"{message}"}}"#);
        let gitlab = Server::answering(move |_, _| json(409, &body)).await;
        let error = Lab::new()
            .client(&gitlab.url)
            .update_issue(PROJECT, Iid(3), &IssueChange::default())
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Conflict(expected));
        assert_eq!(gitlab.seen().len(), 1);
    }
}

#[tokio::test]
async fn refusals_say_what_a_person_must_mend() {
    let cases: [(u16, &str, ErrorKind); 8] = [
        (
            401,
            r#"{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}"#,
            ErrorKind::Unauthorized {
                fault: Some(TokenFault::Expired),
            },
        ),
        (
            401,
            r#"{"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}"#,
            ErrorKind::Unauthorized {
                fault: Some(TokenFault::Revoked),
            },
        ),
        (
            401,
            r#"{"message":"401 Unauthorized"}"#,
            ErrorKind::Unauthorized { fault: None },
        ),
        (
            403,
            r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api"}"#,
            ErrorKind::InsufficientScope {
                needed: vec!["api".to_owned()],
            },
        ),
        (403, r#"{"message":"403 Forbidden"}"#, ErrorKind::Forbidden),
        (
            409,
            r#"{"message":{"error":"…"},"needs_captcha_response":true,"spam_log_id":1,"captcha_site_key":"k"}"#,
            ErrorKind::Spam { captcha: true },
        ),
        (
            400,
            r#"{"message":{"error":"Your issue has been recognized as spam and has been discarded."}}"#,
            ErrorKind::Spam { captcha: false },
        ),
        (413, "<html></html>", ErrorKind::TooLarge),
    ];
    for (code, body, expected) in cases {
        let gitlab = Server::answering(move |_, _| json(code, body)).await;
        let error = Lab::new()
            .client(&gitlab.url)
            .create_note(PROJECT, Iid(3), &NewNote::default())
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), expected);
        assert_eq!((error.fate(), error.is_transient()), (Fate::Decided, false));
        let text = error.to_string();
        assert!(
            text.starts_with("POST /projects/7/issues/3/notes on 127.0.0.1:"),
            "{text}"
        );
        assert!(text.contains(&format!(" answered {code}: ")), "{text}");
    }
}

#[tokio::test]
async fn validation_is_told_field_by_field() {
    let gitlab = Server::answering(|_, _| {
        json(
            400,
            r#"{"message":{"title":["is too long (maximum is 255 characters)"]}}"#,
        )
    })
    .await;
    let error = Lab::new()
        .client(&gitlab.url)
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    let ErrorKind::Validation { fields } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(fields["title"], ["is too long (maximum is 255 characters)"]);
    assert_eq!(
        error.message(),
        Some("title is too long (maximum is 255 characters)")
    );
}

#[tokio::test]
async fn success_without_a_readable_note_is_an_unknown_outcome() {
    let gitlab = Server::answering(|_, _| html(200, "<html><title>Sign in</title></html>")).await;
    let error = Lab::new()
        .client(&gitlab.url)
        .create_note(PROJECT, Iid(3), &NewNote::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Malformed { .. }),
        "{error}"
    );
    assert_eq!(error.fate(), Fate::Unknown);
    assert!(error.to_string().contains("HTML"), "{error}");

    // The parser's own complaint would quote what it stumbled over.
    let gitlab = Server::answering(|_, _| {
        json(200, &note_json(5).replace("5,", r#""confidential words","#))
    })
    .await;
    let error = Lab::new()
        .client(&gitlab.url)
        .note(PROJECT, Iid(3), NoteId(5))
        .await
        .unwrap_err();
    assert!(
        !format!("{error:?}").contains("confidential words"),
        "{error:?}"
    );
}
