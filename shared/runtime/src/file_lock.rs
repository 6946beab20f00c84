//! One run per mirror, and none beside the service: advisory locks that die with their process.

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
    _mirror: fs::File,
    /// Shared by all that run one mirror each.
    _folder: fs::File,
}

/// The right to run all mirrors of a state folder, also those that are added later.
#[derive(Debug)]
pub struct ServiceLock {
    _folder: fs::File,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process runs this mirror.
    #[error("another sync of this mirror is running{}", told(*pid))]
    Busy {
        /// The process, if it wrote its number.
        pid: Option<u32>,
    },
    /// A service runs all mirrors of the folder.
    #[error("`issue-mirror all` runs the mirrors of this state folder{}", told(*pid))]
    Served {
        /// The process, if it wrote its number.
        pid: Option<u32>,
    },
    /// Somebody runs one of the mirrors that a service would run.
    #[error("a sync is running in this state folder")]
    InUse,
    /// The lock's file cannot be used.
    #[error("could not lock {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn told(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

impl MirrorLock {
    /// Takes the lock, or says at once who has it.
    ///
    /// # Errors
    /// Another process (or another part of this one) has it or serves the folder, or the state
    /// folder is not writable.
    pub fn acquire(state: &StateDir, mirror: MirrorId) -> Result<Self, LockError> {
        let mut folder = LockFile::open(state, SERVICE)?;
        if !folder.hold(fs::File::try_lock_shared)? {
            let pid = folder.pid();
            return Err(LockError::Served { pid });
        }
        let mut of_mirror = LockFile::open(state, &format!("mirror-{mirror}.lock"))?;
        if !of_mirror.hold(fs::File::try_lock)? {
            let pid = of_mirror.pid();
            return Err(LockError::Busy { pid });
        }
        of_mirror.write_pid()?;
        Ok(Self {
            _mirror: of_mirror.file,
            _folder: folder.file,
        })
    }
}

impl ServiceLock {
    /// Takes the lock, or says at once who has it.
    ///
    /// # Errors
    /// Another process serves the folder or runs one of its mirrors, or the state folder is not
    /// writable.
    pub fn acquire(state: &StateDir) -> Result<Self, LockError> {
        let mut folder = LockFile::open(state, SERVICE)?;
        if folder.hold(fs::File::try_lock)? {
            folder.write_pid()?;
            return Ok(Self {
                _folder: folder.file,
            });
        }
        // Of those that share it nobody stands in the way of one more that does.
        if folder.hold(fs::File::try_lock_shared)? {
            return Err(LockError::InUse);
        }
        let pid = folder.pid();
        Err(LockError::Served { pid })
    }
}

const SERVICE: &str = "service.lock";

/// A file whose descriptor is the lock. It stays when the lock is released: removing it would let
/// two processes lock two files of the same name.
struct LockFile {
    path: PathBuf,
    file: fs::File,
}

impl LockFile {
    fn open(state: &StateDir, name: &str) -> Result<Self, LockError> {
        let folder = state.locks();
        let path = folder.join(name);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        let opened = made.and_then(|()| {
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
        });
        match opened {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(LockError::File { path, source }),
        }
    }

    /// `false`: somebody else holds it.
    fn hold(
        &self,
        lock: impl FnOnce(&fs::File) -> Result<(), fs::TryLockError>,
    ) -> Result<bool, LockError> {
        match lock(&self.file) {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(source)) => Err(self.failed(source)),
        }
    }

    fn write_pid(&mut self) -> Result<(), LockError> {
        let file = &mut self.file;
        let written = file.set_len(0).and_then(|()| file.rewind());
        written
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|source| self.failed(source))
    }

    /// `None` in the moment between another's locking and its writing.
    fn pid(&mut self) -> Option<u32> {
        let mut text = String::new();
        self.file.read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }

    fn failed(&self, source: io::Error) -> LockError {
        LockError::File {
            path: self.path.clone(),
            source,
        }
    }
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

    #[test]
    fn a_service_and_a_sync_do_not_run_beside_each_other() {
        let (_folder, state) = state();
        let service = ServiceLock::acquire(&state).unwrap();
        let pid = std::process::id();
        let served =
            format!("`issue-mirror all` runs the mirrors of this state folder (pid {pid})");
        let sync = MirrorLock::acquire(&state, MirrorId(7)).unwrap_err();
        assert_eq!(sync.to_string(), served);
        let another = ServiceLock::acquire(&state).unwrap_err();
        assert_eq!(another.to_string(), served);
        drop(service);
        let sync = MirrorLock::acquire(&state, MirrorId(7)).unwrap();
        let service = ServiceLock::acquire(&state).unwrap_err();
        assert!(matches!(service, LockError::InUse), "{service:?}");
        drop(sync);
        ServiceLock::acquire(&state).unwrap();
    }
}
