//! The token stays with its instance.

use crate::support::{Lab, PROJECT, Seen, Server, TOKEN, issue_json, json, status};
use axum::body::Body;
use mirror_core::{
    ids::{Iid, ProjectId},
    project::{Project, Visibility},
};
use mirror_gitlab::{DirectTransport, ErrorKind, IssueQuery, Token};
use std::{
    convert::Infallible,
    io::Write,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

pub(crate) fn project() -> Project {
    Project {
        id: PROJECT,
        path: "group/project".to_owned(),
        web_url: "https://gitlab.example/group/project".to_owned(),
        visibility: Visibility::Private,
        archived: false,
        issues_readable: true,
        issues_disabled: false,
        role: None,
    }
}

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn token_goes_to_its_instance_and_not_along_a_redirect_to_an_object_storage() {
    let storage = Server::answering(|_, _| status(200, &[], "the file")).await;
    let location = format!("{}bucket/key?signature=s", storage.url);
    let gitlab = Server::answering(move |_, _| status(302, &[("location", &location)], "")).await;

    let client = Lab::new().client(&gitlab.url);
    let file = client
        .download_upload(&project(), SECRET, "a.txt", None)
        .await
        .unwrap();
    assert_eq!(file.length, Some(8));

    assert_eq!(gitlab.seen()[0].header("private-token"), Some(TOKEN));
    assert_eq!(storage.targets(), ["/bucket/key?signature=s"]);
    let at_storage: &Seen = &storage.seen()[0];
    assert!(!format!("{at_storage:?}").contains(TOKEN));
}

#[tokio::test]
async fn api_call_that_is_redirected_elsewhere_is_not_followed() {
    let elsewhere = Server::answering(|_, _| json(200, "[]")).await;
    let location = format!("{}api/v4/projects/7/issues", elsewhere.url);
    let gitlab = Server::answering(move |_, _| {
        // A number in the path alone would be a renamed project; here the same path is asked of
        // another host.
        status(
            302,
            &[("location", &location.replace("/7/", "/group%2Fp/"))],
            "",
        )
    })
    .await;

    let error = Lab::new()
        .client(&gitlab.url)
        .issues(PROJECT, &IssueQuery::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Redirected { to } if elsewhere.url.starts_with(to)),
        "{error}"
    );
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn renamed_project_is_asked_of_the_own_instance_whatever_host_the_redirect_names() {
    let elsewhere = Server::answering(|_, _| json(500, "{}")).await;
    let location = format!("{}api/v4/projects/7", elsewhere.url);
    let gitlab = Server::answering(move |seen, _| match seen.target.as_str() {
        "/api/v4/projects/7" => json(
            200,
            r#"{"id":7,"path_with_namespace":"new/name","web_url":"https://g/new/name"}"#,
        ),
        _ => status(
            301,
            &[("location", &location)],
            "This resource has been moved",
        ),
    })
    .await;

    let found = Lab::new()
        .client(&gitlab.url)
        .project_by_path("old/name")
        .await
        .unwrap();
    assert_eq!((found.id, found.path.as_str()), (ProjectId(7), "new/name"));
    assert_eq!(
        gitlab.targets(),
        ["/api/v4/projects/old%2Fname", "/api/v4/projects/7"]
    );
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn file_that_came_over_tls_is_not_fetched_without_it() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = asked.clone();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        log.lock().unwrap().push(request.uri().to_string());
        let response = status(302, &[("location", "http://storage.example/key")], "");
        async move { Ok::<_, Infallible>(response) }
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let error = Lab::new()
        .client_over("https://gitlab.example/", Arc::new(transport))
        .download_upload(&project(), SECRET, "a.txt", None)
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Redirected { .. }),
        "{error}"
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn token_appears_in_no_error_no_debug_output_and_no_trace() {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(written.clone())
        .finish();
    // For all tests of this process: what any of them has traced holds no token either.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let gitlab = Server::answering(|_, before| match before {
        0 => json(200, &issue_json(3)),
        _ => json(
            400,
            &format!(r#"{{"message":"bad header PRIVATE-TOKEN: {TOKEN}"}}"#),
        ),
    })
    .await;
    let client = Lab::new().client(&gitlab.url);
    client.issue(PROJECT, Iid(3)).await.unwrap();
    let error = client.issue(PROJECT, Iid(3)).await.unwrap_err();

    assert_eq!(
        error.message(),
        Some("bad header PRIVATE-TOKEN: [redacted]")
    );
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{client:?}"),
        format!("{:?} {}", Token::new(TOKEN), Token::new(TOKEN)),
    ] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    let trace = written.text();
    for expected in [
        "gitlab.request",
        "http.request.method=GET",
        "url.path=\"/projects/7/issues/3\"",
        "http.response.status_code=400",
        "instance=\"127.0.0.1:",
    ] {
        assert!(
            trace.contains(expected),
            "{expected} is missing from {trace}"
        );
    }
    assert!(!trace.contains(TOKEN), "{trace}");
}

#[tokio::test]
async fn files_name_and_secret_appear_in_no_error() {
    let gitlab = Server::answering(|_, _| json(404, r#"{"message":"404 Not found"}"#)).await;
    let error = Lab::new()
        .client(&gitlab.url)
        .download_upload(&project(), SECRET, "salaries of 2026.pdf", None)
        .await
        .unwrap_err();
    assert_eq!(error.request(), "GET /projects/7/uploads/…");
    assert!(!format!("{error} {error:?}").contains("salaries"));
    assert!(gitlab.targets()[0].ends_with("/salaries%20of%202026.pdf"));
}

#[tokio::test]
async fn token_that_no_header_can_hold_is_told_before_anything_is_sent() {
    let gitlab = Server::answering(|_, _| json(200, "{}")).await;
    let lab = Lab::new();
    let transport = mirror_gitlab::HttpTransport::new(&lab.options).unwrap();
    let client = lab.client_with(&gitlab.url, "glpat\nx", Arc::new(transport));
    let error = client.token_user().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unsendable { .. }),
        "{error}"
    );
    assert!(gitlab.seen().is_empty());
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
