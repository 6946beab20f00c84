//! A project's web address, taken apart.

use crate::exit::misconfigured;
use url::Url;

/// Where a project lives: its GitLab, and its path there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    /// The GitLab's web address, ending in a slash.
    pub(crate) base: Url,
    /// `group/project`.
    pub(crate) path: String,
}

impl Address {
    /// Reads a project's web address. `instance` is the GitLab's own address, needed only where it
    /// lives under a path.
    ///
    /// Pages of the project (`…/-/issues`) and clone addresses (`….git`) are understood too.
    pub(crate) fn parse(project: &str, instance: Option<&str>, flag: &str) -> anyhow::Result<Self> {
        let url = parse_http(project)?;
        let mut base = match instance {
            Some(instance) => parse_http(instance)?,
            None => {
                let mut base = url.clone();
                base.set_path("/");
                base
            }
        };
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        base.set_fragment(None);
        if base.origin() != url.origin() {
            return Err(misconfigured(format!(
                "{project} is not at {base}: {flag} must be the address of the project's own GitLab"
            )));
        }
        let Some(path) = url.path().strip_prefix(base.path()) else {
            return Err(misconfigured(format!(
                "{project} is not below {base}; check {flag}"
            )));
        };
        let path = path.split_once("/-/").map_or(path, |(path, _)| path);
        let path = path.trim_end_matches("/-").trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        if path.split('/').count() < 2 || path.split('/').any(str::is_empty) {
            return Err(misconfigured(format!(
                "{project} does not name a project; write its web address, like \
                 https://gitlab.example/group/project"
            )));
        }
        Ok(Self {
            base,
            path: path.to_owned(),
        })
    }
}

/// A GitLab's own web address, ending in a slash.
pub(crate) fn base(text: &str) -> anyhow::Result<Url> {
    let mut base = parse_http(text)?;
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    base.set_query(None);
    base.set_fragment(None);
    Ok(base)
}

/// Any web address.
pub(crate) fn web(text: &str) -> anyhow::Result<Url> {
    parse_http(text)
}

fn parse_http(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).map_err(|error| {
        misconfigured(format!(
            "`{text}` is not a web address ({error}); write it with https://, like \
             https://gitlab.example/group/project"
        ))
    })?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(misconfigured(format!(
            "`{text}` is not an http or https address"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(misconfigured(
            "the address holds a user name or password; give tokens in SOURCE_TOKEN and \
             TARGET_TOKEN instead",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(project: &str, instance: Option<&str>) -> Result<(String, String), String> {
        Address::parse(project, instance, "--source-instance")
            .map(|address| (address.base.to_string(), address.path))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_usual_spelling_is_understood() {
        let expected = Ok((
            "https://gitlab.a/".to_owned(),
            "group/sub/project".to_owned(),
        ));
        for spelling in [
            "https://gitlab.a/group/sub/project",
            "https://gitlab.a/group/sub/project/",
            "https://gitlab.a/group/sub/project.git",
            "https://gitlab.a/group/sub/project/-/issues?state=all#x",
            "https://gitlab.a/group/sub/project/-/",
        ] {
            assert_eq!(parse(spelling, None), expected, "{spelling}");
        }
    }

    #[test]
    fn a_gitlab_under_a_path_is_named() {
        assert_eq!(
            parse(
                "https://host/gitlab/group/project",
                Some("https://host/gitlab")
            ),
            Ok((
                "https://host/gitlab/".to_owned(),
                "group/project".to_owned()
            ))
        );
        assert!(
            parse(
                "https://host/git/group/project",
                Some("https://host/gitlab")
            )
            .is_err()
        );
        assert!(parse("https://a/group/project", Some("https://b/")).is_err());
    }

    #[test]
    fn what_is_no_project_is_refused() {
        for wrong in [
            "group/project",
            "ftp://a/b/c",
            "https://gitlab.a/",
            "https://gitlab.a/group",
        ] {
            assert!(parse(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = parse("https://me:hunter2@gitlab.a/g/p", None).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
