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

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn origin_is_scheme_host_and_port_and_nothing_less() {
        let own = url("https://gitlab.example/sub/");
        assert!(same(&url("https://GitLab.example:443/other"), &own));
        for foreign in [
            "http://gitlab.example/sub/",
            "https://gitlab.example:8443/sub/",
            "https://gitlab.example.evil.example/sub/",
            "https://gitlab.example@evil.example/sub/",
            "https://sub.gitlab.example/",
        ] {
            assert!(!same(&url(foreign), &own), "{foreign}");
        }
    }

    #[test]
    fn base_is_what_stands_before_the_projects_path() {
        let given = url("https://user:secret@gitlab.example:8443/forge//?a=b#c");
        let base = web_base(given);
        assert_eq!(base.as_str(), "https://gitlab.example:8443/forge/");
        assert_eq!(name(&base), "gitlab.example:8443");
        assert_eq!(web_base(url("http://[::1]")).as_str(), "http://[::1]/");
        assert_eq!(name(&url("http://[::1]:3000/")), "[::1]:3000");
    }
}
