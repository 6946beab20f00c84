//! `Idempotency-Key`: a sender's own name for a request, so that it may be sent again.

use crate::problem::{Kind, Problem};
use axum::http::HeaderMap;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

const KEY: &str = "idempotency-key";

/// The header, as it is described.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the description; `key` reads it")]
pub(crate) struct KeyHeader {
    /// The same request with the same key is answered as the first time.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: Option<String>,
}

/// The key, where the request carries one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(KEY) else {
        return Ok(None);
    };
    let key = given.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        let detail = "Idempotency-Key: give 1 to 255 visible ASCII characters";
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    Ok(Some(key.to_owned()))
}

/// Tells what is asked for from anything else under the same key.
pub(crate) fn digest(asked: &impl Serialize) -> String {
    let text = serde_json::to_vec(asked).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}

/// The key was used for something else.
pub(crate) fn used_otherwise() -> Problem {
    let detail = "this Idempotency-Key was used with another body; give another key";
    Problem::new(Kind::Unprocessable, detail)
}
