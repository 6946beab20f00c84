//! The environment, read once.

use crate::secret::Secret;
use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf, str::FromStr};

/// The token of the source project's instance.
pub const SOURCE_TOKEN: &str = "SOURCE_TOKEN";
/// The token of the target project's instance.
pub const TARGET_TOKEN: &str = "TARGET_TOKEN";
/// The deployment's key itself.
pub const KEY: &str = "ISSUE_MIRROR_KEY";
/// A file holding the deployment's key.
pub const KEY_FILE: &str = "ISSUE_MIRROR_KEY_FILE";
/// The key that this deployment had before: it opens what is not sealed under the new one yet.
pub const OLD_KEY: &str = "ISSUE_MIRROR_OLD_KEY";
/// A file holding that key.
pub const OLD_KEY_FILE: &str = "ISSUE_MIRROR_OLD_KEY_FILE";
/// Which log lines are wanted (`info`, `mirror_gitlab=debug`).
pub const LOG: &str = "ISSUE_MIRROR_LOG";
/// Where programs keep their state, by the XDG base directory specification.
pub const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
/// The home folder.
pub const HOME: &str = "HOME";

/// The process's environment as it was at the start. Variables set to nothing count as unset, as
/// the shells' `VAR= command` means it.
///
/// Its `Debug` names the variables only: tokens are among the values.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<OsString, OsString>,
}

/// A variable that cannot be used. The value is never part of the text: it may be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// Not Unicode.
    #[error("environment variable {name} is not valid UTF-8")]
    NotUnicode {
        /// The variable.
        name: String,
    },
    /// Not what the variable is for.
    #[error("environment variable {name} is not {expected}")]
    Malformed {
        /// The variable.
        name: String,
        /// What it should have been.
        expected: &'static str,
    },
}

impl Environment {
    /// Takes the process's variables.
    pub fn from_process() -> Self {
        Self::collect(std::env::vars_os())
    }

    /// An environment of exactly these variables.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::collect(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        )
    }

    fn collect(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let values = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self { values }
    }

    /// A text.
    ///
    /// # Errors
    /// It is not Unicode.
    pub fn text(&self, name: &str) -> Result<Option<String>, EnvironmentError> {
        let Some(value) = self.values.get(std::ffi::OsStr::new(name)) else {
            return Ok(None);
        };
        match value.to_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(EnvironmentError::NotUnicode {
                name: name.to_owned(),
            }),
        }
    }

    /// A secret text, without the white space that copying brings along.
    ///
    /// # Errors
    /// It is not Unicode.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>, EnvironmentError> {
        let text = self.text(name)?;
        Ok(text
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .map(Secret::new))
    }

    /// A path, in whatever bytes the system allows.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.values
            .get(std::ffi::OsStr::new(name))
            .map(PathBuf::from)
    }

    /// A value of a type that reads itself; `expected` says in words what is wanted ("a number").
    ///
    /// # Errors
    /// It is not Unicode, or not `expected`.
    pub fn parsed<T: FromStr>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, EnvironmentError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.trim().parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(EnvironmentError::Malformed {
                name: name.to_owned(),
                expected,
            }),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment = Environment::from_pairs([("SOURCE_TOKEN", ""), ("TARGET_TOKEN", " \n")]);
        assert_eq!(environment.text(SOURCE_TOKEN), Ok(None));
        assert_eq!(environment.secret(TARGET_TOKEN), Ok(None));
    }

    #[test]
    fn a_copied_token_loses_its_line_end() {
        let environment = Environment::from_pairs([("SOURCE_TOKEN", "glpat-1\n")]);
        assert_eq!(
            environment.secret(SOURCE_TOKEN),
            Ok(Some(Secret::new("glpat-1")))
        );
    }

    #[test]
    fn neither_debug_nor_errors_show_a_value() {
        let environment = Environment::from_pairs([("SOURCE_TOKEN", "hush")]);
        let error = environment
            .parsed::<u16>(SOURCE_TOKEN, "a number")
            .unwrap_err();
        assert!(!format!("{environment:?} {error} {error:?}").contains("hush"));
        assert_eq!(
            error.to_string(),
            "environment variable SOURCE_TOKEN is not a number"
        );
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_a_path_and_an_error() {
        use std::os::unix::ffi::OsStringExt;
        let bytes = OsString::from_vec(vec![b'/', 0xff]);
        let environment = Environment::collect([("HOME".into(), bytes.clone())]);
        assert_eq!(environment.path(HOME), Some(PathBuf::from(bytes)));
        assert_eq!(
            environment.text(HOME),
            Err(EnvironmentError::NotUnicode {
                name: "HOME".into()
            })
        );
    }

    #[test]
    fn the_process_environment_is_read() {
        // PATH is set wherever cargo runs.
        assert!(Environment::from_process().path("PATH").is_some());
    }
}
