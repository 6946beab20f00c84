//! Reading a request's body: parameters, and files without holding large ones.

use axum::RequestExt;
use axum::body::Body;
use axum::extract::Multipart;
use bytes::{Bytes, BytesMut};
use http::{Request, header};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::api::answer::ApiError;
use crate::api::call::IncomingFile;
use crate::api::params::Params;
use crate::model::Content;
use crate::pattern::Recogniser;

/// Files up to this size are kept as they came; larger ones too, unless they are generated content.
const KEPT: u64 = 2 * 1024 * 1024;

/// Parameters are read up to this size.
const MAX_PARAMETERS: usize = 64 * 1024 * 1024;

/// What a body held.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    pub(crate) params: Params,
    pub(crate) file: Option<IncomingFile>,
    pub(crate) bytes: u64,
}

fn broken() -> ApiError {
    ApiError::message(400, "400 Bad request - the body could not be read")
}

fn too_large() -> ApiError {
    ApiError::message(413, "413 Request Entity Too Large")
}

/// Reads the body; `max_file` cuts an upload off as Workhorse does.
pub(crate) async fn take(
    request: Request<Body>,
    max_file: Option<u64>,
) -> Result<Intake, ApiError> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or("").to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        return take_multipart(request, max_file).await;
    }
    let body = http_body_util::Limited::new(request.into_body(), MAX_PARAMETERS);
    let bytes = body.collect().await.map_err(|_| too_large())?.to_bytes();
    let params = if kind.starts_with("application/x-www-form-urlencoded") {
        Params::from_encoded(&String::from_utf8_lossy(&bytes))
    } else {
        Params::from_json(&bytes)?
    };
    Ok(Intake {
        params,
        file: None,
        bytes: bytes.len() as u64,
    })
}

async fn take_multipart(request: Request<Body>, max_file: Option<u64>) -> Result<Intake, ApiError> {
    let mut form: Multipart = request.extract().await.map_err(|_| broken())?;
    let mut intake = Intake::default();
    while let Some(mut field) = form.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or("").to_owned();
        let Some(filename) = field.file_name().map(str::to_owned) else {
            let text = field.text().await.map_err(|_| broken())?;
            intake.bytes += text.len() as u64;
            intake.params.put(&name, Value::String(text));
            continue;
        };
        let mut file = Collector::default();
        while let Some(piece) = field.chunk().await.map_err(|_| broken())? {
            file.take(&piece);
            if max_file.is_some_and(|limit| file.size > limit) {
                return Err(too_large());
            }
        }
        intake.bytes += file.size;
        if name == "file" {
            intake.file = Some(file.finish(filename));
        }
    }
    Ok(intake)
}

/// Collects a file: counted as it comes, kept in memory only if it has to be.
#[derive(Default)]
struct Collector {
    size: u64,
    follow: Option<Recogniser>,
    kept: BytesMut,
    foreign: bool,
}

impl Collector {
    fn take(&mut self, piece: &Bytes) {
        self.size += piece.len() as u64;
        if self.foreign {
            self.kept.extend_from_slice(piece);
            return;
        }
        let follow = self.follow.get_or_insert_default();
        if !follow.take(piece) {
            self.give_up_following();
        }
    }

    fn give_up_following(&mut self) {
        self.foreign = true;
        if let Some(follow) = self.follow.take() {
            self.kept.extend_from_slice(&follow.recover());
        }
    }

    fn finish(mut self, filename: String) -> IncomingFile {
        let generated = self
            .follow
            .as_mut()
            .and_then(Recogniser::finish)
            .filter(|_| self.size > KEPT);
        let content = match generated {
            Some(seed) if !self.foreign => Content::Generated {
                seed,
                size: self.size,
            },
            _ => {
                if !self.foreign {
                    self.give_up_following();
                }
                Content::Stored(self.kept.freeze())
            }
        };
        IncomingFile { filename, content }
    }
}
