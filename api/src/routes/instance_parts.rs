//! What a GitLab is reached by, looked at before it is kept.

use crate::problem::FieldError;
use mirror_queue::budget::Limit;
use url::Url;
use utoipa::ToSchema;

/// A limit as it is written.
#[derive(ToSchema)]
#[schema(
    pattern = "^(api|notes|issues|search|uploads)=[1-9][0-9]{0,8}/[1-9][0-9]{0,5}$",
    example = "api=2000/60"
)]
#[expect(dead_code, reason = "it describes what is read as text")]
pub(super) struct LimitText(String);

/// What is wrong with them.
pub(super) fn check_parts(
    name: Option<&str>,
    token: Option<&str>,
    ca: Option<&str>,
    limits: Option<&[String]>,
    concurrency: Option<i64>,
    errors: &mut Vec<FieldError>,
) {
    let mut wrong = |pointer: String, detail: &str| errors.push(FieldError::at(pointer, detail));
    if name.is_some_and(|name| {
        name.trim().is_empty() || name.chars().count() > 100 || name.contains('\0')
    }) {
        wrong("/name".to_owned(), "give 1 to 100 characters");
    }
    if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        wrong(
            "/token".to_owned(),
            "a token is of visible ASCII characters",
        );
    }
    if token.is_some_and(|token| token.is_empty() || token.len() > 1_000) {
        wrong("/token".to_owned(), "give 1 to 1000 characters");
    }
    if ca.is_some_and(|ca| !ca.is_empty() && !ca.contains("-----BEGIN CERTIFICATE-----")) {
        wrong(
            "/ca".to_owned(),
            "give certificates in PEM form, or nothing",
        );
    }
    for (at, limit) in limits.unwrap_or_default().iter().enumerate() {
        if let Err(error) = Limit::parse(limit) {
            wrong(format!("/limits/{at}"), &error.to_string());
        }
    }
    if concurrency.is_some_and(|concurrency| !(1..=10_000).contains(&concurrency)) {
        wrong("/concurrency".to_owned(), "give 1 to 10000");
    }
}

/// A GitLab's own web address, ending in a slash.
pub(super) fn base(text: &str) -> Result<Url, String> {
    let mut base = Url::parse(text)
        .map_err(|error| format!("this is no web address ({error}); write it with https://"))?;
    if !matches!(base.scheme(), "https" | "http") || base.host_str().is_none() {
        return Err("give an http or https address".to_owned());
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err("the address holds a user name or password; give a token".to_owned());
    }
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    base.set_query(None);
    base.set_fragment(None);
    Ok(base)
}

/// Host and path, without the scheme.
pub(super) fn host(base: &Url) -> String {
    let text = base.as_str();
    let bare = text.split_once("://").map_or(text, |(_, bare)| bare);
    bare.trim_end_matches('/').to_lowercase()
}
