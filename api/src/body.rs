//! What comes in: bodies, parameters, conditions. Whatever cannot be read is told with its place.

use crate::{
    edge,
    problem::{FieldError, Kind, Problem},
};
use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path as AxumPath, RawQuery, Request,
        rejection::BytesRejection,
    },
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;

/// A JSON body. Unknown fields are refused by the types themselves.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (is_json, bytes) = arrived(request, state).await?;
        read(is_json, &bytes).map(Self)
    }
}

/// The whole body, and whether it says that it is JSON.
async fn arrived<S: Send + Sync>(request: Request, state: &S) -> Result<(bool, Bytes), Problem> {
    let is_json = is_json(&request);
    let bytes = Bytes::from_request(request, state).await;
    Ok((is_json, bytes.map_err(|rejection| unread(&rejection))?))
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn read<T: DeserializeOwned>(is_json: bool, bytes: &[u8]) -> Result<T, Problem> {
    if !is_json {
        let detail = "send JSON, with `Content-Type: application/json`";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    parsed(bytes)
}

/// A body that may be left out, as if it were `{}`.
#[derive(Debug)]
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (is_json, bytes) = arrived(request, state).await?;
        if !bytes.is_empty() {
            return read(is_json, &bytes).map(Self);
        }
        parsed(b"{}").map(Self)
    }
}

fn unread(rejection: &BytesRejection) -> Problem {
    unread_of(edge::MAX_BODY, rejection)
}

/// Of a resource that takes so much.
pub(crate) fn unread_of(most: usize, rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => edge::too_large(most),
        _ => Problem::new(
            Kind::RequestTimeout,
            "the body did not arrive; send it in one go",
        ),
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let place = FieldError::at(pointer(error.path()), plain(inner));
            return Problem::invalid(vec![place]);
        }
        Problem::new(Kind::BadRequest, format!("this is not JSON: {inner}"))
    })?;
    reader.end().map_err(|error| {
        Problem::new(
            Kind::BadRequest,
            format!("there is more than one value: {error}"),
        )
    })?;
    Ok(value)
}

/// Without the line and column, which the pointer replaces.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The parameters of a query. Unknown ones are refused by the types themselves.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let RawQuery(text) = RawQuery::from_request_parts(parts, state)
            .await
            .unwrap_or(RawQuery(None));
        let text = text.unwrap_or_default();
        let read =
            serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(read)
            .map(Self)
            .map_err(|error| {
                let name = error.path().to_string();
                let place = FieldError::at(name.trim_matches('.'), error.inner().to_string());
                let detail = format!("a parameter of the query: {}", error.inner());
                Problem::new(Kind::BadRequest, detail).with(vec![place])
            })
    }
}

/// The parts of a path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match AxumPath::from_request_parts(parts, state).await {
            Ok(AxumPath(path)) => Ok(Self(path)),
            Err(_) => Err(Problem::new(
                Kind::NotFound,
                "there is nothing at this path; ids are whole numbers",
            )),
        }
    }
}
