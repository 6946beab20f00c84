//! Files, streamed either way.

use crate::{
    support::{Lab, PROJECT, Raw, RawServer, Server, json, status},
    tokens::{SECRET, project},
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Multipart},
    routing::post,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, Request, Response};
use mirror_gitlab::{
    ByteStream, DirectTransport, ErrorKind, Fate, TransportError, TransportErrorKind,
};
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

const UPLOADED: &str =
    r#"{"id":1,"alt":"f","url":"/uploads/ab/f.bin","markdown":"[f](/uploads/ab/f.bin)"}"#;

/// Pieces made only when somebody asks for them.
fn pieces(count: usize, size: usize, made: &Arc<AtomicUsize>) -> ByteStream {
    let made = made.clone();
    stream::iter(0..count)
        .map(move |_| {
            made.fetch_add(1, Ordering::SeqCst);
            Ok(Bytes::from(vec![b'x'; size]))
        })
        .boxed()
}

#[tokio::test]
async fn upload_is_never_held_in_memory() {
    const COUNT: usize = 1000;
    let made = Arc::new(AtomicUsize::new(0));
    let ahead = Arc::new(AtomicUsize::new(0));
    let (count, most) = (made.clone(), ahead.clone());
    // The other side takes one piece at a time: never may more than the next one exist.
    let service = tower::service_fn(move |request: Request<Body>| {
        let (count, most) = (count.clone(), most.clone());
        async move {
            let mut body = request.into_body().into_data_stream();
            let mut taken = 0;
            while let Some(piece) = body.next().await {
                taken += piece.unwrap().len() / 1024;
                most.fetch_max(
                    count.load(Ordering::SeqCst).saturating_sub(taken),
                    Ordering::SeqCst,
                );
            }
            assert_eq!(taken, COUNT);
            Ok::<_, Infallible>(Response::new(Body::from(UPLOADED)))
        }
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let length = Some(COUNT as u64 * 1024);
    let uploaded = Lab::new()
        .client_over("https://gitlab.example/", Arc::new(transport))
        .upload(PROJECT, "f.bin", length, pieces(COUNT, 1024, &made))
        .await
        .unwrap();
    assert_eq!(uploaded.markdown, "[f](/uploads/ab/f.bin)");
    assert_eq!(made.load(Ordering::SeqCst), COUNT);
    assert!(ahead.load(Ordering::SeqCst) <= 1, "{ahead:?}");
}

#[tokio::test]
async fn upload_over_the_network_keeps_step_with_the_one_who_reads_it() {
    const COUNT: usize = 1024;
    const SIZE: usize = 64 * 1024;
    let made = Arc::new(AtomicUsize::new(0));
    let ahead = Arc::new(AtomicUsize::new(0));
    let (count, most) = (made.clone(), ahead.clone());
    let router = Router::new()
        .route(
            "/api/v4/projects/7/uploads",
            post(move |request: Request<Body>| async move {
                let mut body = request.into_body().into_data_stream();
                let mut taken = 0;
                while let Some(piece) = body.next().await {
                    taken += piece.unwrap().len();
                    most.fetch_max(
                        count.load(Ordering::SeqCst).saturating_sub(taken / SIZE),
                        Ordering::SeqCst,
                    );
                }
                UPLOADED
            }),
        )
        .layer(DefaultBodyLimit::disable());
    let url = serve(router).await;
    Lab::new()
        .client(&url)
        .upload(PROJECT, "f.bin", None, pieces(COUNT, SIZE, &made))
        .await
        .unwrap();
    assert_eq!(made.load(Ordering::SeqCst), COUNT);
    // 64 MiB in all; what buffers of sockets and libraries hold is far below a quarter of it.
    assert!(ahead.load(Ordering::SeqCst) < COUNT / 4, "{ahead:?}");
}

/// One field of a form: the request's headers, the field's name, its file's name, its content.
type Field = (HeaderMap, String, String, Bytes);

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<Field>>>);

async fn parsing_server(received: Received) -> String {
    let router = Router::new().route(
        "/api/v4/projects/7/uploads",
        post(move |headers: HeaderMap, mut form: Multipart| async move {
            while let Some(field) = form.next_field().await.unwrap() {
                let name = field.name().unwrap().to_owned();
                let file = field.file_name().unwrap().to_owned();
                let content = field.bytes().await.unwrap();
                received
                    .0
                    .lock()
                    .unwrap()
                    .push((headers.clone(), name, file, content));
            }
            UPLOADED
        }),
    );
    serve(router).await
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn form_is_understood_by_a_parser_that_is_not_ours() {
    let received = Received::default();
    let url = parsing_server(received.clone()).await;
    let client = Lab::new().client(&url);
    let content = || stream::iter([Ok("--issue".into()), Ok("-mirror\r\n--".into())]).boxed();
    client
        .upload(PROJECT, "grüße \"2\".txt", Some(18), content())
        .await
        .unwrap();
    client
        .upload(PROJECT, "plain.txt", None, content())
        .await
        .unwrap();

    let received = received.0.lock().unwrap().clone();
    let (headers, name, file, bytes) = &received[0];
    assert_eq!(name, "file");
    assert_eq!(file, "grüße %222%22.txt");
    assert_eq!(bytes, "--issue-mirror\r\n--");
    let announced: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    assert!(announced > 18, "{announced}");
    assert!(!headers.contains_key("transfer-encoding"));

    let (headers, _, file, bytes) = &received[1];
    assert_eq!(
        (file.as_str(), &bytes[..]),
        ("plain.txt", &b"--issue-mirror\r\n--"[..])
    );
    assert_eq!(headers["transfer-encoding"], "chunked");
}

#[tokio::test]
async fn file_that_breaks_off_is_not_blamed_on_the_target() {
    let url = parsing_server(Received::default()).await;
    let broken = TransportError::new(TransportErrorKind::Cut, "over 100 MiB");
    let file = stream::iter([Ok("begin".into()), Err(broken.clone())]).boxed();
    let error = Lab::new()
        .client(&url)
        .upload(PROJECT, "f.bin", None, file)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Input(broken));
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(!error.is_transient());
}

#[tokio::test]
async fn file_of_another_length_than_announced_is_not_uploaded() {
    for content in ["short", "longer than announced"] {
        let received = Received::default();
        let url = parsing_server(received.clone()).await;
        let file = stream::iter([Ok(Bytes::from(content))]).boxed();
        let error = Lab::new()
            .client(&url)
            .upload(PROJECT, "f.bin", Some(10), file)
            .await
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Input(_)), "{error:?}");
        assert!(received.0.lock().unwrap().is_empty(), "{content}");
    }
}

#[tokio::test]
async fn file_over_the_targets_limit_is_told_as_that() {
    let gitlab = Server::answering(|_, _| json(413, r#"{"message":"too large"}"#)).await;
    let file = stream::iter([Ok("x".into())]).boxed();
    let error = Lab::new()
        .client(&gitlab.url)
        .upload(PROJECT, "f.bin", Some(1), file)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn file_is_read_through_the_api_since_it_has_files() {
    let gitlab = Server::answering(|_, _| status(200, &[], "content")).await;
    let client = Lab::new().client(&gitlab.url);
    let file = client
        .download_upload(&project(), SECRET, "a b.txt", Some((17, 4)))
        .await
        .unwrap();
    assert_eq!(file.length, Some(7));
    let bytes: Vec<Bytes> = file.stream.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), b"content");
    let path = format!("/api/v4/projects/7/uploads/{SECRET}/a%20b.txt");
    assert_eq!(gitlab.targets(), [path]);
}

#[tokio::test]
async fn old_source_that_asks_for_a_sign_in_is_no_file() {
    let by_redirect = Server::answering(|seen, _| {
        let host = seen.header("host").unwrap();
        let location = format!("http://{host}/users/sign_in");
        status(302, &[("location", &location)], "")
    })
    .await;
    let by_page = Server::answering(|_, _| crate::support::html(200, "<html>Sign in</html>")).await;
    for gitlab in [by_redirect, by_page] {
        let error = Lab::new()
            .client(&gitlab.url)
            .download_upload(&project(), SECRET, "a.png", Some((17, 3)))
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::SignIn);
        assert_eq!(
            gitlab.targets(),
            [format!("/group/project/uploads/{SECRET}/a.png")]
        );
    }
}

#[tokio::test]
async fn page_attached_to_an_issue_of_an_old_source_is_a_file() {
    let gitlab = Server::answering(|_, _| {
        let headers = [
            ("content-type", "text/html"),
            ("content-disposition", "attachment; filename=\"a.html\""),
        ];
        status(200, &headers, "<html></html>")
    })
    .await;
    let file = Lab::new()
        .client(&gitlab.url)
        .download_upload(&project(), SECRET, "a.html", Some((16, 0)))
        .await
        .unwrap();
    assert_eq!(file.length, Some(13));
}

#[tokio::test]
async fn object_storage_is_followed_once_only() {
    let gitlab = Server::answering(|seen, before| {
        let host = seen.header("host").unwrap();
        let location = format!("http://{host}/step{before}");
        status(302, &[("location", &location)], "")
    })
    .await;
    let error = Lab::new()
        .client(&gitlab.url)
        .download_upload(&project(), SECRET, "a.png", None)
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Redirected { .. }),
        "{error}"
    );
    assert_eq!(gitlab.seen().len(), 2);
    assert_eq!(gitlab.seen()[1].header("private-token"), None);
}

#[tokio::test]
async fn file_that_ends_early_does_not_end_well() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let gitlab = RawServer::doing([Raw::Close(half)]).await;
    let file = Lab::new()
        .client(&gitlab.url)
        .download_upload(&project(), SECRET, "a.png", None)
        .await
        .unwrap();
    let error = file.stream.try_collect::<Vec<Bytes>>().await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Interrupted);
}

#[tokio::test]
async fn address_that_would_climb_is_not_sent() {
    let gitlab = Server::answering(|_, _| status(200, &[], "")).await;
    let client = Lab::new().client(&gitlab.url);
    for (secret, name) in [("..", "a"), ("ab/cd", "a"), (SECRET, ".."), (SECRET, ".")] {
        let error = client
            .download_upload(&project(), secret, name, None)
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsendable { .. }),
            "{secret}/{name}"
        );
    }
    assert!(gitlab.seen().is_empty());
}
