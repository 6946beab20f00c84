//! From an answer to bytes on the wire.

use axum::body::Body;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::lost::Cut;
use crate::api::answer::{Answer, AnswerBody};
use crate::model::Content;
use crate::pattern;

/// How an answer is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The moment that the `Date` header tells.
    pub(crate) now: DateTime<Utc>,
    /// Whether files announce their length.
    pub(crate) announce_length: bool,
    /// Send less than all, having promised all.
    pub(crate) short: Option<Short>,
}

/// A body that ends early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    bytes: usize,
    stalls: bool,
}

impl Short {
    /// So many bytes, then the connection is cut.
    pub(crate) fn cut(bytes: usize) -> Self {
        let stalls = false;
        Self { bytes, stalls }
    }

    /// So many bytes, then nothing, ever.
    pub(crate) fn stalled(bytes: usize) -> Self {
        let stalls = true;
        Self { bytes, stalls }
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// A moment as the `Date` header tells it.
pub(crate) fn date(now: DateTime<Utc>) -> HeaderValue {
    value(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Makes the HTTP response.
pub(crate) fn response(answer: Answer, manner: Manner) -> Response<Body> {
    let Answer {
        status,
        headers,
        body,
    } = answer;
    let (kind, content, length) = body_of(body);
    let announced = length.filter(|_| manner.announce_length || !matches!(kind, Kind::File(_)));
    let content = match manner.short {
        Some(short) => shortened(content, short),
        None => content,
    };
    let mut response = Response::new(content);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let map = response.headers_mut();
    map.insert(DATE, date(manner.now));
    if let Some(text) = kind.content_type() {
        map.insert(CONTENT_TYPE, value(text));
    }
    if let Kind::File(name) = &kind {
        let name = crate::api::call::encode(name);
        map.insert(
            CONTENT_DISPOSITION,
            value(&format!("attachment; filename*=UTF-8''{name}")),
        );
    }
    if let Some(length) = announced {
        map.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, text) in headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            map.insert(name, value(&text));
        }
    }
    response
}

enum Kind {
    None,
    Json,
    Text,
    Html,
    File(String),
}

impl Kind {
    fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Json => Some("application/json"),
            Self::Text => Some("text/plain"),
            Self::Html => Some("text/html; charset=utf-8"),
            Self::File(_) => Some("application/octet-stream"),
        }
    }
}

fn body_of(body: AnswerBody) -> (Kind, Body, Option<u64>) {
    let whole = |kind: Kind, text: String| {
        let length = text.len() as u64;
        (kind, Body::from(text), Some(length))
    };
    match body {
        AnswerBody::Empty => (Kind::None, Body::empty(), None),
        AnswerBody::Json(json) => whole(Kind::Json, json.to_string()),
        AnswerBody::Text(text) => whole(Kind::Text, text),
        AnswerBody::Html(text) => whole(Kind::Html, text),
        AnswerBody::File { content, filename } => {
            let length = content.size();
            (Kind::File(filename), file_body(content), Some(length))
        }
    }
}

/// The bytes of a file as a body; generated content is made while it is sent.
pub(crate) fn file_body(content: Content) -> Body {
    match content {
        Content::Stored(bytes) => {
            // As a stream, so that the length is told only where it is to be told.
            Body::from_stream(stream::once(async move { Ok::<_, Cut>(bytes) }))
        }
        Content::Generated { seed, size } => {
            Body::from_stream(stream::iter(pattern::blocks(seed, size).map(Ok::<_, Cut>)))
        }
    }
}

/// The first bytes of a body, then an error or nothing.
fn shortened(body: Body, short: Short) -> Body {
    let pieces = body.into_data_stream().scan(short.bytes, |left, piece| {
        let next = match piece {
            Ok(_) if *left == 0 => None,
            Ok(piece) => {
                let kept: Bytes = piece.slice(..piece.len().min(*left));
                *left -= kept.len();
                Some(Ok(kept))
            }
            Err(_) => Some(Err(Cut)),
        };
        std::future::ready(next)
    });
    let ending = stream::once(async move {
        if short.stalls {
            return std::future::pending().await;
        }
        // What was written so far leaves the buffers only if the connection gets a turn.
        tokio::task::yield_now().await;
        Err(Cut)
    });
    Body::from_stream(pieces.chain(ending))
}
