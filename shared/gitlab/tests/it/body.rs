//! Answers that are too long, too short, or nothing like an answer.

use crate::support::{Lab, PROJECT, Raw, RawServer, Server, html, issue_json};
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Response;
use mirror_core::ids::Iid;
use mirror_gitlab::{DirectTransport, ErrorKind, Fate, NewIssue, TransportErrorKind};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

#[tokio::test]
async fn endless_answer_is_cut_at_the_cap() {
    let produced = Arc::new(AtomicUsize::new(0));
    let count = produced.clone();
    let service = tower::service_fn(move |_: http::Request<Body>| {
        let count = count.clone();
        let endless = stream::repeat_with(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1024]))
        });
        async move { Ok::<_, Infallible>(Response::new(Body::from_stream(endless))) }
    });
    let mut lab = Lab::new();
    lab.options.body_cap = 64 * 1024;
    let transport = DirectTransport::new(service, Body::from_stream);
    let error = lab
        .client_over("https://gitlab.example/", Arc::new(transport))
        .issue(PROJECT, Iid(3))
        .await
        .unwrap_err();
    assert!(error.is_over_cap());
    assert!(
        error.to_string().ends_with("longer than 65536 bytes"),
        "{error}"
    );
    assert_eq!(produced.load(Ordering::Relaxed), 65);
}

#[tokio::test]
async fn truncated_answer_is_read_again_but_leaves_a_create_unknown() {
    let body = issue_json(3);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let cut = Raw::Close(format!("{head}{}", &body[..40]));
    let lab = Lab::new();

    let gitlab = RawServer::doing([cut.clone(), Raw::Close(format!("{head}{body}"))]).await;
    lab.client(&gitlab.url)
        .issue(PROJECT, Iid(3))
        .await
        .unwrap();
    assert_eq!(gitlab.connections(), 2);

    let gitlab = RawServer::doing([cut]).await;
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
}

#[tokio::test]
async fn body_shorter_than_announced_is_no_body_even_where_the_carrier_does_not_mind() {
    let service = tower::service_fn(|_: http::Request<Body>| async {
        let mut response = Response::new(Body::from_stream(stream::iter([Ok::<_, Infallible>(
            Bytes::from("half"),
        )])));
        response.headers_mut().insert("content-length", 8.into());
        Ok::<_, Infallible>(response)
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let mut file = Lab::new()
        .client_over("https://gitlab.example/", Arc::new(transport))
        .download_upload(&crate::tokens::project(), crate::tokens::SECRET, "a", None)
        .await
        .unwrap();
    assert_eq!(file.stream.next().await.unwrap().unwrap(), "half");
    let error = file.stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Interrupted);
    assert!(file.stream.next().await.is_none());
}

#[tokio::test]
async fn sign_in_page_in_front_of_the_api_is_named_as_what_it_is() {
    let proxy = Server::answering(|_, _| html(200, "<html><title>Sign in</title></html>")).await;
    let error = Lab::new().client(&proxy.url).metadata().await.unwrap_err();
    assert!(
        error.to_string().contains("an HTML page instead of JSON"),
        "{error}"
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn answer_cut_off_where_no_length_was_announced_is_no_answer_of_gitlabs() {
    let body = &issue_json(3)[..40];
    let gitlab =
        RawServer::doing([Raw::Close(format!("HTTP/1.1 201 Created\r\n\r\n{body}"))]).await;
    let error = Lab::new()
        .client(&gitlab.url)
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Transport(cause) if cause.kind() == TransportErrorKind::Interrupted),
        "{error:?}"
    );
    assert_eq!(error.fate(), Fate::Unknown);
}
