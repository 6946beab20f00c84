//! Which page lives at which address.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::site::Site;
use super::{files, frame, issue, issue_list, people, projects};
use crate::Sim;

/// The pages of a simulated GitLab, from `/` down, whatever path the router is nested under.
///
/// Besides GitLab's own addresses it serves `/-/sim/uploads/<project id>/<secret>/<filename>`, from
/// which its pages show uploads: GitLab's own web addresses of uploads ask for a login.
pub fn router(sim: Sim) -> Router {
    Router::new()
        .route("/-/sim/uploads/{project}/{secret}/{filename}", get(file))
        .fallback(get(page))
        .with_state(sim)
}

/// What can be asked of a list of issues.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// `opened` (default), `closed` or `all`.
    pub(super) state: Option<String>,
    /// Title of a label.
    pub(super) label: Option<String>,
    /// Counted from 1.
    pub(super) page: Option<usize>,
}

/// What an address means.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Projects,
    /// A project, a group or a person: only the world knows.
    Named(&'a str),
    Issues(&'a str),
    Issue(&'a str, u64),
    Nowhere,
}

fn place(path: &str) -> Place<'_> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Place::Projects;
    }
    let Some((home, rest)) = path.split_once("/-/") else {
        return Place::Named(path);
    };
    match rest.split_once('/') {
        None if matches!(rest, "issues" | "work_items") => Place::Issues(home),
        Some(("issues" | "work_items", iid)) => {
            let iid = iid.strip_prefix("incident/").unwrap_or(iid);
            iid.parse()
                .map_or(Place::Nowhere, |iid| Place::Issue(home, iid))
        }
        None | Some(_) => Place::Nowhere,
    }
}

async fn page(
    State(sim): State<Sim>,
    OriginalUri(asked): OriginalUri,
    uri: Uri,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    let prefix = asked.path().strip_suffix(uri.path()).unwrap_or_default();
    let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy();
    sim.world(|world| {
        let site = Site { world, prefix };
        let html = match place(&path) {
            Place::Projects => Some(projects::list(&site, "")),
            Place::Named(name) => named(&site, name),
            Place::Issues(home) => world
                .project_at(home)
                .map(|project| issue_list::page(&site, project, &wanted)),
            Place::Issue(home, iid) => world.project_at(home).and_then(|project| {
                project
                    .issues
                    .get(&iid)
                    .map(|found| issue::page(&site, project, found))
            }),
            Place::Nowhere => None,
        };
        match html {
            Some(html) => Html(html).into_response(),
            None => (StatusCode::NOT_FOUND, Html(frame::not_found(&site))).into_response(),
        }
    })
}

fn named(site: &Site<'_>, name: &str) -> Option<String> {
    let below = format!("{}/", name.to_lowercase());
    if let Some(project) = site.world.project_at(name) {
        return Some(projects::overview(site, project));
    }
    if let Some(user) = site.world.user_named(name) {
        return Some(people::page(site, user));
    }
    let group = site
        .world
        .projects()
        .values()
        .any(|one| one.path.to_lowercase().starts_with(&below));
    group.then(|| projects::list(site, &below))
}

async fn file(
    State(sim): State<Sim>,
    Path((project, secret, filename)): Path<(u64, String, String)>,
) -> Response {
    let found = sim.world(|world| {
        let uploads = world
            .project(project)
            .map(|project| project.uploads.as_slice())
            .unwrap_or_default();
        uploads
            .iter()
            .find(|upload| upload.secret == secret && upload.filename == filename)
            .cloned()
    });
    match found {
        Some(upload) => files::answer(upload),
        None => (
            StatusCode::NOT_FOUND,
            [(header::CONTENT_TYPE, "text/plain")],
            "no such file",
        )
            .into_response(),
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
