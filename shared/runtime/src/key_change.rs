//! Another key in the state folder, while the one before stays beside it until nothing is sealed
//! under it any more.

use crate::{
    key::{self, Key, KeyError},
    state_dir::StateDir,
};
use std::{fs, io, path::Path};

impl Key {
    /// Puts a new key in the place of the state folder's own, which goes on as `key.old`. Does
    /// nothing where one before is there already: that change is not finished.
    ///
    /// # Errors
    /// The folder cannot be written, or has no key.
    pub fn begin_change(state: &StateDir) -> Result<(), KeyError> {
        let (path, old) = (state.key(), state.old_key());
        let current = Self::read(&path, 0o077)?;
        match fs::hard_link(&path, &old) {
            Ok(()) => {}
            // The new key may not have come to its place.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if Self::read(&old, 0o077)? != current {
                    return Ok(());
                }
            }
            Err(error) => return Err(key::failed(&old, error)),
        }
        key::sync_parent(&old).map_err(|error| key::failed(&old, error))?;
        let (_, draft) = Self::drafted(&path)?;
        fs::rename(&draft, &path).map_err(|error| key::failed(&path, error))?;
        key::sync_parent(&path).map_err(|error| key::failed(&path, error))
    }

    /// Forgets the key before: nothing is sealed under it any more.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn end_change(state: &StateDir) -> Result<(), KeyError> {
        let old = state.old_key();
        remove(&old).map_err(|error| key::failed(&old, error))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| key::sync_parent(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    fn state() -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(Some(folder.path()), &Environment::default()).unwrap();
        (folder, state)
    }

    fn keys(state: &StateDir) -> (Key, Option<Key>) {
        let environment = Environment::default();
        let key = Key::load(state, &environment).unwrap();
        (key, Key::load_old(state, &environment).unwrap())
    }

    #[test]
    fn the_key_before_stays_until_the_change_is_over() {
        let (_folder, state) = state();
        let (first, none) = keys(&state);
        assert_eq!(none, None);
        Key::begin_change(&state).unwrap();
        let (second, old) = keys(&state);
        assert_eq!(old.as_ref(), Some(&first));
        assert_ne!(second, first);
        Key::begin_change(&state).unwrap();
        assert_eq!(keys(&state), (second.clone(), Some(first)), "not finished");
        Key::end_change(&state).unwrap();
        assert_eq!(keys(&state), (second, None));
        let files = fs::read_dir(state.path()).unwrap().count();
        assert_eq!(files, 1, "no draft stays behind");
    }

    #[test]
    fn a_change_that_was_cut_short_half_way_goes_on() {
        let (_folder, state) = state();
        let (first, _) = keys(&state);
        fs::hard_link(state.key(), state.old_key()).unwrap();
        Key::begin_change(&state).unwrap();
        let (second, old) = keys(&state);
        assert_ne!(second, first);
        assert_eq!(old, Some(first));
    }

    #[test]
    fn the_environment_names_a_key_before_too() {
        let (folder, state) = state();
        let (key, _) = keys(&state);
        let file = folder.path().join("mounted");
        fs::copy(state.key(), &file).unwrap();
        let pairs = [(crate::environment::OLD_KEY_FILE, file.to_str().unwrap())];
        let environment = Environment::from_pairs(pairs);
        assert_eq!(Key::load_old(&state, &environment).unwrap(), Some(key));
        let pairs = [(crate::environment::OLD_KEY, "short")];
        let wrong = Key::load_old(&state, &Environment::from_pairs(pairs));
        assert!(
            wrong
                .unwrap_err()
                .to_string()
                .contains("ISSUE_MIRROR_OLD_KEY")
        );
    }
}
