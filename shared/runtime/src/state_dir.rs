//! The folder that holds the record, the key and the locks.

use crate::environment::{self, Environment};
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// The state folder, present and writable by us alone when we made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateDir {
    path: PathBuf,
}

/// The state folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// Neither a folder was named nor is there a home.
    #[error("no state folder: set --state-dir, XDG_STATE_HOME or HOME")]
    Nowhere,
    /// It could not be made.
    #[error("could not create the state folder {}: choose another with --state-dir", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl StateDir {
    /// Opens the named folder, else `$XDG_STATE_HOME/issue-mirror`, else
    /// `$HOME/.local/state/issue-mirror`, and creates it (0700) where it is missing. A relative
    /// `XDG_STATE_HOME` is ignored, as its specification demands.
    ///
    /// # Errors
    /// No folder is named and there is no home, or it cannot be made.
    pub fn open(named: Option<&Path>, environment: &Environment) -> Result<Self, StateDirError> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => Self::default_path(environment).ok_or(StateDirError::Nowhere)?,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|source| StateDirError::Create {
                path: path.clone(),
                source,
            })?;
        Ok(Self { path })
    }

    fn default_path(environment: &Environment) -> Option<PathBuf> {
        environment
            .path(environment::XDG_STATE_HOME)
            .filter(|path| path.is_absolute())
            .or_else(|| {
                environment
                    .path(environment::HOME)
                    .map(|home| home.join(".local/state"))
            })
            .map(|state| state.join("issue-mirror"))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record of all mirrors.
    pub fn database(&self) -> PathBuf {
        self.path.join("state.sqlite3")
    }

    /// The deployment's key, unless the environment gives one.
    pub fn key(&self) -> PathBuf {
        self.path.join("key")
    }

    /// The key before, while it is being replaced.
    pub fn old_key(&self) -> PathBuf {
        self.path.join("key.old")
    }

    /// The folder of the locks.
    pub fn locks(&self) -> PathBuf {
        self.path.join("locks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_folder_is_made_for_us_alone() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::from_pairs([("HOME", home.path().to_str().unwrap())]);
        let state = StateDir::open(None, &environment).unwrap();
        assert_eq!(
            state.path(),
            home.path().join(".local/state/issue-mirror").as_path()
        );
        let mode = fs::metadata(state.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_named_folder_goes_before_xdg_and_xdg_before_home() {
        let root = tempfile::tempdir().unwrap();
        let xdg = root.path().join("xdg");
        let named = root.path().join("named");
        let environment = Environment::from_pairs([
            ("HOME", "/nowhere"),
            ("XDG_STATE_HOME", xdg.to_str().unwrap()),
        ]);
        let by_xdg = StateDir::open(None, &environment).unwrap();
        assert_eq!(by_xdg.path(), xdg.join("issue-mirror").as_path());
        let by_name = StateDir::open(Some(&named), &environment).unwrap();
        assert_eq!(by_name.path(), named.as_path());
    }

    #[test]
    fn a_relative_xdg_state_home_is_ignored() {
        let environment = Environment::from_pairs([("XDG_STATE_HOME", "here")]);
        let error = StateDir::open(None, &environment).unwrap_err();
        assert!(matches!(error, StateDirError::Nowhere), "{error:?}");
    }

    #[test]
    fn a_file_in_the_way_is_a_clear_error() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let error = StateDir::open(Some(&file), &Environment::default()).unwrap_err();
        assert!(error.to_string().contains("--state-dir"), "{error}");
    }
}
