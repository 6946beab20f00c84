//! One run per mirror: an advisory lock that dies with its process.

use crate::state_dir::StateDir;
use mirror_core::ids::MirrorId;
use std::{
    fs,
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

/// The right to run one mirror, held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct MirrorLock {
    /// Its descriptor is the lock.
    _file: fs::File,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MirrorLockError {
    /// Another process holds it.
    #[error("another sync of this mirror is running{}", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Busy {
        /// The process, if it wrote its number.
        pid: Option<u32>,
    },
    /// The lock's file cannot be used.
    #[error("could not lock {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl MirrorLock {
    /// Takes the lock, or says at once who has it.
    ///
    /// The file stays when the lock is released: removing it would let two processes lock two
    /// files of the same name.
    ///
    /// # Errors
    /// Another process (or another part of this one) has it, or the state folder is not writable.
    pub fn acquire(state: &StateDir, mirror: MirrorId) -> Result<Self, MirrorLockError> {
        let folder = state.locks();
        let path = folder.join(format!("mirror-{mirror}.lock"));
        let failed = |source| MirrorLockError::File {
            path: path.clone(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed)?;
        let mut file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                write_pid(&mut file).map_err(failed)?;
                Ok(Self { _file: file })
            }
            Err(fs::TryLockError::WouldBlock) => Err(MirrorLockError::Busy {
                pid: read_pid(&mut file),
            }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

fn write_pid(file: &mut fs::File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())
}

/// `None` in the moment between another's locking and its writing.
fn read_pid(file: &mut fs::File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn state() -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(Some(folder.path()), &Environment::default()).unwrap();
        (folder, state)
    }

    #[test]
    fn a_second_sync_of_the_same_mirror_learns_who_is_running() {
        let (_folder, state) = state();
        let _first = MirrorLock::acquire(&state, MirrorId(7)).unwrap();
        let second = MirrorLock::acquire(&state, MirrorId(7)).unwrap_err();
        assert_eq!(
            second.to_string(),
            format!(
                "another sync of this mirror is running (pid {})",
                std::process::id()
            )
        );
    }

    #[test]
    fn another_mirror_runs_beside() {
        let (_folder, state) = state();
        let _one = MirrorLock::acquire(&state, MirrorId(1)).unwrap();
        let _two = MirrorLock::acquire(&state, MirrorId(2)).unwrap();
    }

    #[test]
    fn a_released_lock_is_free_again() {
        let (_folder, state) = state();
        drop(MirrorLock::acquire(&state, MirrorId(7)).unwrap());
        drop(MirrorLock::acquire(&state, MirrorId(7)).unwrap());
    }
}
