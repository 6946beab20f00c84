//! The deployment's key: 32 random bytes from which markers and stored secrets are made safe.

use crate::{
    environment::{self, Environment, EnvironmentError},
    state_dir::StateDir,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{TryRng, rngs::SysRng};
use std::{
    fmt, fs,
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The deployment's key. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// Why there is no usable key. No text ever holds the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The environment's variable cannot be read.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// It is not 32 bytes in base64 or hex.
    #[error(
        "the key in {origin} is not 32 bytes in base64 or hex: make one with `openssl rand -base64 32`, \
         or restore the one this deployment began with"
    )]
    Malformed {
        /// The variable or file.
        origin: String,
    },
    /// Others may read the file.
    #[error("the key file {} is readable by others (mode {mode:03o}): run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be read.
    #[error(
        "could not read the key file {}: check {} and who may read it",
        path.display(),
        environment::KEY_FILE
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A new key cannot be written.
    #[error("could not write a new key to {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Key {
    /// The deployment's key: `ISSUE_MIRROR_KEY` (base64 or hex), else the file named by
    /// `ISSUE_MIRROR_KEY_FILE`, else the state folder's `key`, which is created from the operating
    /// system's randomness on first use.
    ///
    /// A file named by the environment may be readable by its group (that is how secrets are
    /// mounted into containers) but not by everyone; our own is 0600.
    ///
    /// # Errors
    /// The key is malformed, its file unreadable or readable by others.
    pub fn load(state: &StateDir, environment: &Environment) -> Result<Self, KeyError> {
        if let Some(text) = environment.secret(environment::KEY)? {
            return Self::parse(text.expose(), environment::KEY);
        }
        if let Some(path) = environment.path(environment::KEY_FILE) {
            return Self::from_file(&path);
        }
        let path = state.key();
        match Self::read(&path, 0o077) {
            Err(KeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::create(&path)
            }
            other => other,
        }
    }

    /// The key that the deployment had before, while there is one: `ISSUE_MIRROR_OLD_KEY`, else the
    /// file named by `ISSUE_MIRROR_OLD_KEY_FILE`, else the state folder's `key.old`.
    ///
    /// # Errors
    /// As [`Key::load`].
    pub fn load_old(state: &StateDir, environment: &Environment) -> Result<Option<Self>, KeyError> {
        if let Some(text) = environment.secret(environment::OLD_KEY)? {
            return Self::parse(text.expose(), environment::OLD_KEY).map(Some);
        }
        if let Some(path) = environment.path(environment::OLD_KEY_FILE) {
            return Self::from_file(&path).map(Some);
        }
        match Self::read(&state.old_key(), 0o077) {
            Err(KeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// A key from a file that somebody names.
    ///
    /// # Errors
    /// It is malformed, its file unreadable or readable by everyone.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        Self::read(path, 0o007)
    }

    /// The bytes: for deriving, never for printing.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn read(path: &Path, forbidden: u32) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & forbidden != 0 {
            return Err(KeyError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, origin: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        // 64 hex digits are also valid base64 (of 48 bytes), so the length decides.
        let bytes = if text.len() == 64 {
            hex::decode(text).ok()
        } else {
            BASE64_STANDARD.decode(text).ok()
        };
        bytes
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| KeyError::Malformed {
                origin: origin.to_owned(),
            })
    }

    /// Whole or not at all, and never over a key that is there: written beside, then linked into
    /// place. Of two processes that start at once, one wins and both use its key.
    fn create(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| failed(path, source);
        let (key, draft) = Self::drafted(path)?;
        let written = fs::hard_link(&draft, path);
        // A draft left behind would be a second copy of the key, but its removal decides nothing.
        let removed = fs::remove_file(&draft);
        match written {
            Ok(()) => {
                removed.map_err(failed)?;
                sync_parent(path).map_err(failed)?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(path, 0o077),
            Err(error) => Err(failed(error)),
        }
    }

    /// A new key, in a file beside this path.
    pub(crate) fn drafted(path: &Path) -> Result<(Self, PathBuf), KeyError> {
        let failed = |source| failed(path, source);
        let mut bytes = [0_u8; 32];
        let mut name = [0_u8; 8];
        SysRng
            .try_fill_bytes(&mut bytes)
            .and_then(|()| SysRng.try_fill_bytes(&mut name))
            .map_err(|error| failed(io::Error::other(error)))?;
        let draft = path.with_extension(format!("{}.new", hex::encode(name)));
        if let Err(error) = write_draft(&draft, &bytes) {
            // What was half written is of no use to anybody.
            let _ = fs::remove_file(&draft);
            return Err(failed(error));
        }
        Ok((Self(bytes), draft))
    }
}

pub(crate) fn failed(path: &Path, source: io::Error) -> KeyError {
    KeyError::Write {
        path: path.to_owned(),
        source,
    }
}

fn write_draft(draft: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    writeln!(file, "{}", BASE64_STANDARD.encode(bytes))?;
    file.sync_all()
}

/// A key that a power cut forgets would make every marker written with it foreign.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn state() -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(Some(folder.path()), &Environment::default()).unwrap();
        (folder, state)
    }

    #[test]
    fn the_first_run_makes_a_key_and_the_next_finds_it() {
        let (_folder, state) = state();
        let made = Key::load(&state, &Environment::default()).unwrap();
        let found = Key::load(&state, &Environment::default()).unwrap();
        assert_eq!(made, found);
        let mode = fs::metadata(state.key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(state.path()).unwrap().count();
        assert_eq!(files, 1, "no draft stays behind");
    }

    #[test]
    fn processes_starting_at_once_agree_on_one_key() {
        let (_folder, state) = state();
        let keys: Vec<Key> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Key::load(&state, &Environment::default()).unwrap()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn hex_and_base64_are_the_same_key() {
        let (_folder, state) = state();
        let by_hex = Environment::from_pairs([(environment::KEY, HEX)]);
        let by_base64 = Environment::from_pairs([(environment::KEY, BASE64)]);
        assert_eq!(
            Key::load(&state, &by_hex).unwrap(),
            Key::load(&state, &by_base64).unwrap()
        );
        assert!(!state.key().exists(), "a given key makes no file");
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused_without_being_shown() {
        let (_folder, state) = state();
        let short = Environment::from_pairs([(environment::KEY, "aHVzaA==")]);
        let error = Key::load(&state, &short).unwrap_err();
        assert!(matches!(error, KeyError::Malformed { .. }));
        assert!(error.to_string().contains("openssl rand"), "{error}");
        assert!(!format!("{error} {error:?}").contains("aHVz"));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_its_mend() {
        let (_folder, state) = state();
        Key::load(&state, &Environment::default()).unwrap();
        fs::set_permissions(state.key(), fs::Permissions::from_mode(0o644)).unwrap();
        let error = Key::load(&state, &Environment::default()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_mounted_key_may_be_its_groups_but_not_everyones() {
        let (folder, state) = state();
        let mounted = folder.path().join("mounted");
        fs::write(&mounted, format!("{BASE64}\n")).unwrap();
        let environment =
            Environment::from_pairs([(environment::KEY_FILE, mounted.to_str().unwrap())]);
        fs::set_permissions(&mounted, fs::Permissions::from_mode(0o640)).unwrap();
        Key::load(&state, &environment).unwrap();
        fs::set_permissions(&mounted, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Key::load(&state, &environment).unwrap_err();
        assert!(matches!(error, KeyError::Exposed { mode: 0o644, .. }));
    }

    #[test]
    fn a_named_file_that_is_missing_is_not_made_up() {
        let (_folder, state) = state();
        let environment = Environment::from_pairs([(environment::KEY_FILE, "/nowhere/key")]);
        let error = Key::load(&state, &environment).unwrap_err();
        assert!(matches!(error, KeyError::Read { .. }), "{error:?}");
        assert!(!state.key().exists());
    }
}
