use serde_json::{Value, json};

use super::{moment, user};
use crate::model::{Project, Upload, World};

const MEDIA: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "bmp", "tiff", "ico", "webp", "svg", "avif", "mp4", "m4v", "mov",
    "webm", "ogv", "mp3", "oga", "ogg", "wav",
];

/// The answer to an upload; its fields grew with the versions (facts section 6).
pub(crate) fn created_upload(world: &World, project: &Project, upload: &Upload) -> Value {
    let version = world.settings.version;
    let name = &upload.filename;
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let media = MEDIA.contains(&extension.to_ascii_lowercase().as_str());
    let alt = (if media { stem } else { name }).replace(']', "\\]");
    let url = upload.path();
    let bang = if media { "!" } else { "" };
    let full_path = if version.at_least(17, 1) {
        format!("/-/project/{}{url}", project.id)
    } else {
        format!("/{}{url}", project.path)
    };
    let mut value = json!({
        "alt": alt,
        "url": url,
        "full_path": full_path,
        "markdown": format!("{bang}[{alt}]({url})"),
    });
    if version.at_least(17, 3)
        && let Value::Object(map) = &mut value
    {
        map.insert("id".into(), json!(upload.id));
    }
    value
}

/// A row of the list: without the secret, so that no link can be made of it.
pub(crate) fn listed_upload(world: &World, upload: &Upload) -> Value {
    json!({
        "id": upload.id,
        "size": upload.content.size(),
        "filename": upload.filename,
        "created_at": moment(upload.created_at),
        "uploaded_by": user(world, upload.author),
    })
}
