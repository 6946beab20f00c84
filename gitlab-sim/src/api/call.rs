//! A request as the endpoints see it.

use http::Method;

use super::answer::ApiError;
use super::params::Params;
use crate::model::{Actor, Content, Project, ProjectId, World};

/// A request whose body is read and whose sender is known.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Decoded parts of the path after `/api/v4/`.
    pub(crate) segments: Vec<String>,
    /// The path after the host, still encoded, for `Link`.
    pub(crate) raw_path: String,
    /// The query text, for `Link`.
    pub(crate) raw_query: String,
    /// Query and body together.
    pub(crate) params: Params,
    pub(crate) file: Option<IncomingFile>,
    pub(crate) identity: Identity,
    pub(crate) if_unmodified_since: Option<String>,
    /// The address that the client called, where it said so.
    pub(crate) called_base: Option<String>,
}

/// A file that came with a request.
#[derive(Clone, Debug)]
pub(crate) struct IncomingFile {
    pub(crate) filename: String,
    pub(crate) content: Content,
}

/// Who sent a request, and what their token allows.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) actor: Actor,
    /// Id of the token.
    pub(crate) token: Option<u64>,
}

impl Call {
    pub(crate) fn actor(&self) -> &Actor {
        &self.identity.actor
    }

    /// The user, or 401.
    pub(crate) fn user(&self) -> Result<u64, ApiError> {
        self.identity.actor.user.ok_or_else(ApiError::unauthorized)
    }

    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// A project, as the `:id` of a request names it.
pub(crate) fn find_project<'w>(
    world: &'w World,
    call: &Call,
    id: &str,
) -> Result<&'w Project, ApiError> {
    let by_id = id
        .parse::<ProjectId>()
        .ok()
        .and_then(|id| world.project(id));
    let found = by_id.or_else(|| world.project_at(id));
    if let Some(project) = found.filter(|project| world.can_read_project(call.actor(), project)) {
        return Ok(project);
    }
    let moved = world.projects().values().find(|project| {
        project
            .former_paths
            .iter()
            .any(|path| path.eq_ignore_ascii_case(id))
            && world.can_read_project(call.actor(), project)
    });
    match moved {
        Some(project) => Err(moved_answer(world, call, project)),
        None => Err(ApiError::missing("Project")),
    }
}

/// A renamed project redirects reads to its number and refuses writes (facts section 1, errors).
fn moved_answer(world: &World, call: &Call, project: &Project) -> ApiError {
    if !call.is_read() {
        return ApiError::message(405, "Non GET methods are not allowed for moved projects");
    }
    let base = call
        .called_base
        .as_deref()
        .unwrap_or_else(|| world.base_url());
    let rest: String = call
        .segments
        .iter()
        .skip(2)
        .map(|part| format!("/{}", encode(part)))
        .collect();
    let query = if call.raw_query.is_empty() {
        String::new()
    } else {
        format!("?{}", call.raw_query)
    };
    let location = format!("{base}/api/v4/projects/{}{rest}{query}", project.id);
    let text = format!("This resource has been moved permanently to {location}");
    super::answer::Answer::text(301, &text)
        .with("Location", location)
        .into()
}

/// Encodes one part of a path.
pub(crate) fn encode(part: &str) -> String {
    const SET: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(part, SET).to_string()
}
