//! Files (facts section 6).

use serde_json::Value;

use super::answer::{Answer, AnswerBody, ApiError, Reply};
use super::call::{Call, encode};
use super::page::paginate;
use super::{entities, projects};
use crate::model::{Project, ProjectId, Upload, World};

/// `POST /projects/:id/uploads`: each call makes a new secret, also for the same bytes.
pub(crate) fn create(world: &mut World, call: &Call, project: ProjectId) -> Reply {
    let by = call.user()?;
    let home = projects::require(world, project)?;
    if home.archived || world.role(call.actor(), home).is_none() {
        return Err(ApiError::forbidden());
    }
    let file = call
        .file
        .as_ref()
        .ok_or_else(|| ApiError::error(400, "file is missing"))?;
    let too_large = world
        .settings
        .max_attachment_bytes
        .is_some_and(|limit| file.content.size() > limit);
    if too_large {
        return Err(ApiError::message(413, "413 Request Entity Too Large"));
    }
    let name = sanitised(&file.filename);
    let upload = world.add_upload(project, by, &name, file.content.clone())?;
    let home = projects::require(world, project)?;
    Ok(Answer::created(entities::created_upload(
        world, home, &upload,
    )))
}

/// Special characters of a name become underscores.
fn sanitised(filename: &str) -> String {
    let short = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
    let kept = short.chars().map(|one| {
        if one.is_alphanumeric() || matches!(one, '_' | '.' | '-' | '+') {
            one
        } else {
            '_'
        }
    });
    let name: String = kept.collect();
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name
    }
}

/// `GET /projects/:id/uploads` (17.2): maintainers, newest first, without secrets.
pub(crate) fn list(world: &World, call: &Call, project: ProjectId) -> Reply {
    let home = admin(world, call, project)?;
    let page = paginate(world, call, home.uploads.iter().rev().collect())?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|upload| entities::listed_upload(world, upload))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

fn admin<'w>(world: &'w World, call: &Call, project: ProjectId) -> Result<&'w Project, ApiError> {
    if !world.settings.version.at_least(17, 2) {
        return Err(ApiError::no_route());
    }
    call.user()?;
    let home = projects::require(world, project)?;
    if !world.maintains(call.actor(), home) {
        return Err(ApiError::forbidden());
    }
    Ok(home)
}

/// `GET /projects/:id/uploads/:id` (17.2): maintainers.
pub(crate) fn by_id(world: &World, call: &Call, project: ProjectId, id: &str) -> Reply {
    let home = admin(world, call, project)?;
    let upload = home
        .uploads
        .iter()
        .find(|upload| upload.id.to_string() == id);
    Ok(bytes_of(
        world,
        project,
        upload.ok_or_else(|| ApiError::missing("Upload"))?,
    ))
}

/// `GET /projects/:id/uploads/:secret/:filename` (17.4): guests too.
pub(crate) fn by_secret(world: &World, project: ProjectId, secret: &str, name: &str) -> Reply {
    if !world.settings.version.at_least(17, 4) {
        return Err(ApiError::no_route());
    }
    let home = projects::require(world, project)?;
    let upload = home
        .uploads
        .iter()
        .find(|upload| upload.secret == secret && upload.filename == name);
    Ok(bytes_of(
        world,
        project,
        upload.ok_or_else(|| ApiError::missing("Upload"))?,
    ))
}

/// The bytes, or with object storage the address where they are.
fn bytes_of(world: &World, project: ProjectId, upload: &Upload) -> Answer {
    if let Some(origin) = &world.settings.uploads_redirect_to {
        let path = format!("{project}/{}/{}", upload.secret, encode(&upload.filename));
        let location = format!("{origin}/object-storage/{path}?signature=valid");
        return Answer::text(302, "").with("Location", location);
    }
    let body = AnswerBody::File {
        content: upload.content.clone(),
        filename: upload.filename.clone(),
    };
    Answer {
        status: 200,
        headers: Vec::new(),
        body,
    }
}

/// What the object storage of another simulator answers at `/object-storage/…`: a request that
/// brings a token along is refused, as signed addresses do.
pub(crate) fn from_object_storage(world: &World, path: &str, token_sent: bool) -> Answer {
    let mut parts = path.split('/');
    let mut next = || parts.next().unwrap_or("");
    let (project, secret, name) = (next(), next(), next());
    let name = super::params::decode(name);
    let upload = project
        .parse()
        .ok()
        .and_then(|id| world.project(id))
        .and_then(|home| {
            home.uploads
                .iter()
                .find(|upload| upload.secret == secret && upload.filename == name)
        });
    match upload {
        _ if token_sent => Answer::text(400, "only one authentication mechanism allowed"),
        None => Answer::text(404, "no such key"),
        Some(upload) => {
            let body = AnswerBody::File {
                content: upload.content.clone(),
                filename: upload.filename.clone(),
            };
            Answer {
                status: 200,
                headers: Vec::new(),
                body,
            }
        }
    }
}
