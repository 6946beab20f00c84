//! Requests that never end, given up by the injected clock.

use crate::support::{BODY_PATIENCE, Lab, PROJECT, READ_PATIENCE, Raw, RawServer, issue_json};
use axum::body::Body;
use futures_util::{StreamExt, stream};
use http::Response;
use mirror_core::ids::Iid;
use mirror_gitlab::{
    DirectTransport, ErrorKind, Fate, HttpTransport, NewIssue, TransportErrorKind,
};
use std::{convert::Infallible, sync::Arc};

fn timed_out(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Transport(cause) if cause.kind() == TransportErrorKind::TimedOut)
}

#[tokio::test]
async fn create_that_is_never_answered_is_given_up_and_its_outcome_unknown() {
    let gitlab = RawServer::doing([Raw::Hang(String::new())]).await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);
    let new = NewIssue::default();
    let (answer, ()) = tokio::join!(
        client.create_issue(PROJECT, &new),
        lab.clock.run_out(READ_PATIENCE)
    );
    let error = answer.unwrap_err();
    assert!(timed_out(error.kind()), "{error:?}");
    assert_eq!(error.fate(), Fate::Unknown);
    assert!(error.is_transient());
    assert!(lab.pace.observations()[0].struggling);
}

#[tokio::test]
async fn a_place_in_the_limits_is_handed_back_once_however_the_request_ends() {
    let places = |lab: &Lab| (lab.pace.charges().len(), lab.pace.observations().len());
    let new = NewIssue::default();

    // Nobody waits for it any more.
    let gitlab = RawServer::doing([Raw::Hang(String::new())]).await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);
    tokio::select! {
        answer = client.create_issue(PROJECT, &new) => panic!("{answer:?}"),
        () = gitlab.connected(1) => {}
    }
    assert_eq!(places(&lab), (1, 1));
    assert!(!lab.pace.observations()[0].struggling, "it may yet answer");

    // It broke off.
    let gitlab = RawServer::doing([Raw::Close(String::new())]).await;
    let lab = Lab::new();
    let error = lab.client(&gitlab.url).create_issue(PROJECT, &new).await;
    assert_eq!(error.unwrap_err().fate(), Fate::Unknown);
    assert_eq!(places(&lab), (1, 1));

    // It could not even be written.
    let transport = HttpTransport::new(&lab.options).unwrap();
    let lab = Lab::new();
    let client = lab.client_with(&gitlab.url, "no\ntoken", Arc::new(transport));
    let error = client.create_issue(PROJECT, &new).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unsendable { .. }),
        "{error:?}"
    );
    assert_eq!(places(&lab), (1, 1));
    assert!(!lab.pace.observations()[0].struggling);
}

#[tokio::test]
async fn read_that_hangs_is_sent_again() {
    let body = issue_json(3);
    let good = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let gitlab = RawServer::doing([Raw::Hang(String::new()), Raw::Close(good)]).await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);
    let (answer, ()) = tokio::join!(client.issue(PROJECT, Iid(3)), async {
        gitlab.connected(1).await;
        lab.clock.run_out(READ_PATIENCE).await;
    });
    assert_eq!(answer.unwrap().value.iid, Iid(3));
}

#[tokio::test]
async fn answer_that_stops_midway_is_given_up() {
    let half = "HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{\"id\":".to_owned();
    let gitlab = RawServer::doing([Raw::Hang(half)]).await;
    let lab = Lab::new();
    let client = lab.client(&gitlab.url);
    let new = NewIssue::default();
    let (answer, ()) = tokio::join!(
        client.create_issue(PROJECT, &new),
        lab.clock.run_out(BODY_PATIENCE)
    );
    let error = answer.unwrap_err();
    assert!(timed_out(error.kind()), "{error:?}");
    assert_eq!(error.fate(), Fate::Unknown);
}

#[tokio::test]
async fn long_upload_is_not_given_up_while_its_pieces_flow() {
    let lab = Lab::new();
    let clock = lab.clock.clone();
    // The other side takes a piece, then the whole patience passes, thrice over.
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let clock = clock.clone();
        async move {
            let mut body = request.into_body().into_data_stream();
            while body.next().await.is_some() {
                clock.run_out(READ_PATIENCE).await;
            }
            let uploaded = r#"{"url":"/uploads/a/b","markdown":"[b](/uploads/a/b)"}"#;
            Ok::<_, Infallible>(Response::new(Body::from(uploaded)))
        }
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let client = lab.client_over("https://gitlab.example/", Arc::new(transport));
    let file = stream::iter((0..3).map(|_| Ok("piece".into()))).boxed();
    let uploaded = client.upload(PROJECT, "b", Some(15), file).await.unwrap();
    assert_eq!(uploaded.url, "/uploads/a/b");
}

#[tokio::test]
async fn upload_that_nobody_takes_is_given_up() {
    let lab = Lab::new();
    let service = tower::service_fn(|request: http::Request<Body>| async move {
        let _held = request;
        std::future::pending::<Result<Response<Body>, Infallible>>().await
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let client = lab.client_over("https://gitlab.example/", Arc::new(transport));
    let file = stream::iter([Ok("piece".into())]).boxed();
    let (answer, ()) = tokio::join!(
        client.upload(PROJECT, "b", None, file),
        lab.clock.run_out(READ_PATIENCE)
    );
    assert!(timed_out(answer.unwrap_err().kind()));
}
