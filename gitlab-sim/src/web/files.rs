//! Uploads as a browser gets them.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::{Content, Upload};

/// The file, shown in place where that is harmless, else offered for saving.
pub(super) fn answer(upload: Upload) -> Response {
    let (kind, inline) = kind(&upload.filename);
    let disposition = if inline { "inline" } else { "attachment" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Pictures of the vector kind may carry scripts.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        ),
    ];
    let body = match upload.content {
        Content::Stored(bytes) => Body::from(bytes),
        Content::Generated { seed, size } => {
            let blocks = crate::pattern::blocks(seed, size).map(Ok::<_, std::convert::Infallible>);
            Body::from_stream(futures_util::stream::iter(blocks))
        }
    };
    (headers, body).into_response()
}

fn kind(filename: &str) -> (&'static str, bool) {
    let ending = filename
        .rsplit('.')
        .next()
        .unwrap_or("")
        .to_ascii_lowercase();
    match ending.as_str() {
        "png" => ("image/png", true),
        "jpg" | "jpeg" => ("image/jpeg", true),
        "gif" => ("image/gif", true),
        "webp" => ("image/webp", true),
        "svg" => ("image/svg+xml", true),
        "txt" | "log" | "csv" | "md" | "json" | "yml" | "yaml" | "diff" => {
            ("text/plain; charset=utf-8", true)
        }
        "pdf" => ("application/pdf", true),
        _other => ("application/octet-stream", false),
    }
}
