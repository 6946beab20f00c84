//! Where the token may go: to scheme, host and port of the instance itself, nowhere else.

use url::{Position, Url};

/// The web base of an instance, `https://host/sub/`, with exactly one slash at its end and without
/// user, query or fragment.
pub(crate) fn web_base(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs without a host, which have no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let path = format!("{}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The same scheme, host and port.
pub(crate) fn same(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Host and port (where it is not the scheme's own): how an instance is called in errors and spans.
pub(crate) fn name(url: &Url) -> String {
    url[Position::BeforeHost..Position::AfterPort].to_owned()
}
