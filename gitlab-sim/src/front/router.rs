//! All addresses of a simulated GitLab.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use http::header::DATE;
use http::{Request, Response, Uri};
use tower::ServiceExt;

use super::pipeline::{Ending, arrive, finish, serve_api};
use super::respond::date;
use crate::api::answer::Answer;
use crate::api::uploads;
use crate::sim::Sim;

const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in · GitLab</title></head>\
    <body class=\"login-page\"><h1>GitLab</h1><form action=\"/users/sign_in\"><label>Username</label>\
    <input name=\"user[login]\"></form></body></html>";

impl Sim {
    /// Everything this GitLab answers, for direct calls or to be served.
    ///
    /// Lost connections are told as [`crate::ConnectionLost`] says.
    pub fn router(&self) -> Router {
        let site = Site {
            sim: self.clone(),
            pages: crate::web::router(self.clone()),
        };
        Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(site)
    }
}

/// What the router answers from.
#[derive(Clone)]
struct Site {
    sim: Sim,
    pages: Router,
}

async fn answer(
    State(Site { sim, pages }): State<Site>,
    mut request: Request<Body>,
) -> Response<Body> {
    let sub_path = sim.world(|world| world.sub_path().to_owned());
    let Some(uri) = without_prefix(request.uri(), &sub_path) else {
        let head = arrive(&sim, &request);
        return finish(&sim, head.number, Answer::html(404, "<h1>404</h1>").into()).await;
    };
    *request.uri_mut() = uri;
    let path = request.uri().path().to_owned();
    if path.starts_with("/api/v4/") {
        return serve_api(sim, request).await;
    }
    if let Some(answer) = plain_page(&sim, &path, &request) {
        let head = arrive(&sim, &request);
        return finish(&sim, head.number, Ending::from(answer)).await;
    }
    let now = sim.world(|world| world.now());
    match pages.oneshot(request).await {
        Ok(mut response) => {
            response.headers_mut().insert(DATE, date(now));
            response
        }
        Err(never) => match never {},
    }
}

/// The pages that the API's clients run into: the login page, and upload addresses, which do not
/// accept tokens but send to it (facts section 6).
fn plain_page(sim: &Sim, path: &str, request: &Request<Body>) -> Option<Answer> {
    if let Some(rest) = path.strip_prefix("/object-storage/") {
        let token_sent = crate::api::auth::secret(request.headers()).is_some();
        return Some(sim.world(|world| uploads::from_object_storage(world, rest, token_sent)));
    }
    if path == "/users/sign_in" {
        return Some(Answer::html(200, LOGIN_PAGE));
    }
    if path.starts_with("/-/sim/") || !is_upload(path) {
        return None;
    }
    let location = format!(
        "{}/users/sign_in",
        sim.world(|world| world.base_url().to_owned())
    );
    let html =
        format!("<html><body>You are being <a href=\"{location}\">redirected</a>.</body></html>");
    Some(Answer::html(302, &html).with("Location", location))
}

/// `…/uploads/<10 or 32 hexadecimal digits>/<name>`
fn is_upload(path: &str) -> bool {
    path.split_once("/uploads/").is_some_and(|(_, rest)| {
        let secret = rest.split('/').next().unwrap_or("");
        matches!(secret.len(), 10 | 32) && secret.chars().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// The address as if this GitLab lived at the root of its host.
fn without_prefix(uri: &Uri, sub_path: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(sub_path)?;
    if rest.starts_with('/') {
        rest.parse().ok()
    } else {
        None
    }
}
