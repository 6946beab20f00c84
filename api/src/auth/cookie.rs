//! The session's cookie.

use axum::http::{HeaderMap, HeaderValue, header};

/// Where TLS is used: no other host, and no page without TLS, can set one of this name.
const SECURE: &str = "__Host-issue-mirror";
const PLAIN: &str = "issue-mirror";
/// As long as a session may last.
const SECONDS: u32 = 7 * 24 * 3_600;

fn name(secure: bool) -> &'static str {
    if secure { SECURE } else { PLAIN }
}

/// The value that a request carries.
pub(crate) fn read(headers: &HeaderMap, secure: bool) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(given, value)| *given == name(secure) && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// Sets it.
pub(crate) fn set(value: &str, secure: bool) -> Option<HeaderValue> {
    written(value, SECONDS, secure)
}

/// Takes it away.
pub(crate) fn cleared(secure: bool) -> Option<HeaderValue> {
    written("", 0, secure)
}

fn written(value: &str, seconds: u32, secure: bool) -> Option<HeaderValue> {
    let name = name(secure);
    let more = if secure { "; Secure" } else { "" };
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{more}");
    HeaderValue::from_str(&cookie).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_under_the_name_that_fits_the_connection_only() {
        let mut headers = HeaderMap::new();
        let both = "other=1; issue-mirror=plain; __Host-issue-mirror=secure";
        headers.insert(header::COOKIE, both.parse().unwrap());
        assert_eq!(read(&headers, true).as_deref(), Some("secure"));
        assert_eq!(read(&headers, false).as_deref(), Some("plain"));
        let plain = HeaderValue::from_static("issue-mirror=plain");
        headers.insert(header::COOKIE, plain);
        assert_eq!(read(&headers, true), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_alone_and_for_no_script() {
        let secure = set("value", true).unwrap();
        assert_eq!(
            secure,
            "__Host-issue-mirror=value; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure"
        );
        let cleared = cleared(false).unwrap();
        assert_eq!(
            cleared,
            "issue-mirror=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }
}
