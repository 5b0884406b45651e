//! The home: one folder with all that a node keeps, and the lock that makes it one node's.
//!
//! It owns the names of the files and the lock. It refuses a home that another process
//! holds. What the files contain is the business of others.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bitdust_model::{ByteCount, ErrorCode};

use crate::durable;

/// Longest text read from a lock file in bytes: a process number.
const LOCK_TEXT_BYTES_MAX: u64 = 20;

/// Why a home cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process holds the home; speak to it through its socket.
    #[error("the home {} is held by {}", dir.display(), holder_text(*pid))]
    HomeHeld {
        /// The home.
        dir: PathBuf,
        /// The holder's process number, when it could be read.
        pid: Option<u32>,
    },
    /// The folder or a file in it could not be made or opened.
    #[error("the home at {} cannot be used: {source}", path.display())]
    Unusable {
        /// The file or folder that failed.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl HomeError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::HomeHeld { .. } => ErrorCode::HomeHeld,
            Self::Unusable { source, .. } => durable::code_of(source),
        }
    }
}

fn holder_text(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

/// Where everything in a home lies. Making one touches no disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomePaths {
    dir: PathBuf,
}

impl HomePaths {
    /// The paths of a home at `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The home itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The device's secrets, sealed.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// There from before the keys of a recovery are until the machine is in the identity's root record.
    #[must_use]
    pub fn unfinished_recovery(&self) -> PathBuf {
        self.dir.join("recovery-unfinished")
    }

    /// The configuration, for people.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// The catalogue of the own data.
    #[must_use]
    pub fn catalogue(&self) -> PathBuf {
        self.dir.join("catalogue.db")
    }

    /// The database of what is kept for others.
    #[must_use]
    pub fn supplier(&self) -> PathBuf {
        self.dir.join("supplier.db")
    }

    /// Shards kept for others.
    #[must_use]
    pub fn shards(&self) -> PathBuf {
        self.dir.join("shards")
    }

    /// Shards that their owners deleted and may still want back.
    #[must_use]
    pub fn graced(&self) -> PathBuf {
        self.dir.join("graced")
    }

    /// What customers signed, beside their shards.
    #[must_use]
    pub fn documents(&self) -> PathBuf {
        self.dir.join("documents")
    }

    /// Own shards whose supplier is away.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.dir.join("spool")
    }

    /// Lists that are made for one job and go with it.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.dir.join("catalogue.scratch")
    }

    /// The socket on which the holder serves front ends.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.dir.join("node.sock")
    }

    /// The lock; its text is the holder's process number.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Whether the folder holds an identity, or is to.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.keys().exists()
    }

    /// Whether a recovery was broken off before anybody was told of this machine: its keys are of no use.
    #[must_use]
    pub fn is_recovery_unfinished(&self) -> bool {
        self.unfinished_recovery().exists()
    }

    /// Space on the home's disk that this user may still fill.
    pub fn free_space(&self) -> io::Result<ByteCount> {
        #[cfg(unix)]
        {
            let disk = rustix::fs::statvfs(&self.dir)?;
            Ok(ByteCount(disk.f_bavail.saturating_mul(disk.f_frsize)))
        }
        #[cfg(not(unix))]
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// A home held by this process until it is dropped.
#[derive(Debug)]
pub struct Home {
    paths: HomePaths,
    /// Holds the lock; the system releases it when the file is closed, however that happens.
    _lock: File,
}

impl Home {
    /// Makes the folder's layout where it is missing and takes the lock.
    ///
    /// A new or empty folder, and one that is a home already, is made private (mode 0700). A
    /// folder with other things in it keeps its mode; all that is made inside is private.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, HomeError> {
        let paths = HomePaths::new(dir.as_ref());
        let refused = |path: &Path| {
            let path = path.to_path_buf();
            move |source| HomeError::Unusable { path, source }
        };
        let dir = paths.dir();
        if let Some(parent) = dir.parent() {
            fs::create_dir_all(parent).map_err(refused(parent))?;
        }
        durable::create_private_dir(dir).map_err(refused(dir))?;
        make_private(&paths).map_err(refused(dir))?;
        let lock = take_lock(&paths)?;
        for inside in [paths.shards(), paths.graced(), paths.spool()] {
            durable::create_private_dir(&inside).map_err(refused(&inside))?;
        }
        durable::sweep_temporaries(dir).map_err(refused(dir))?;
        // What is left of it costs space and nothing else.
        let _left = durable::remove_folder_if_there(&paths.scratch());
        Ok(Self { paths, _lock: lock })
    }

    /// Where everything lies.
    #[must_use]
    pub fn paths(&self) -> &HomePaths {
        &self.paths
    }
}

fn make_private(paths: &HomePaths) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let is_empty = fs::read_dir(paths.dir())?.next().is_none();
        let is_home = paths.lock().exists() || paths.has_keys() || paths.config().exists();
        if is_empty || is_home {
            fs::set_permissions(paths.dir(), fs::Permissions::from_mode(0o700))?;
        }
    }
    #[cfg(not(unix))]
    let _ = paths;
    Ok(())
}

fn take_lock(paths: &HomePaths) -> Result<File, HomeError> {
    let path = paths.lock();
    let refused = |source| HomeError::Unusable {
        path: path.clone(),
        source,
    };
    let mut file = durable::private_file()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(HomeError::HomeHeld {
                dir: paths.dir().to_path_buf(),
                pid: read_pid(&file),
            });
        }
        Err(TryLockError::Error(source)) => return Err(refused(source)),
    }
    write_pid(&mut file).map_err(refused)?;
    Ok(file)
}

/// The number in the lock file. It is for people: the lock itself decides, so an unreadable
/// or half-written number is no error.
fn read_pid(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(LOCK_TEXT_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(std::process::id().to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_home_names_its_holder_and_is_free_after_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let inside = dir.path().join("a/home");
        let home = Home::open(&inside).expect("opened");
        let refused = Home::open(&inside).expect_err("held");
        assert_eq!(refused.code(), ErrorCode::HomeHeld);
        assert!(
            refused
                .to_string()
                .contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        drop(home);
        Home::open(&inside).expect("free again");
    }

    #[test]
    fn garbage_in_the_lock_file_is_no_pid_and_no_obstacle() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("lock"), [0xff; 100]).expect("written");
        let home = Home::open(dir.path()).expect("opened");
        assert_eq!(
            fs::read_to_string(home.paths().lock()).expect("read"),
            std::process::id().to_string()
        );
        fs::write(home.paths().lock(), [0xff; 100]).expect("written over the holder's back");
        let Err(HomeError::HomeHeld { pid, .. }) = Home::open(dir.path()) else {
            panic!("the lock does not hang on the text");
        };
        assert_eq!(pid, None);
    }

    #[cfg(unix)]
    #[test]
    fn the_layout_is_private_and_foreign_folders_keep_their_mode() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("its metadata")
                .permissions()
                .mode()
                & 0o777
        };
        let dir = tempfile::tempdir().expect("a temporary folder");
        let loose = dir.path().join("loose");
        fs::create_dir(&loose).expect("made");
        fs::set_permissions(&loose, fs::Permissions::from_mode(0o755)).expect("opened to all");
        fs::write(loose.join("letter"), b"not ours").expect("written");
        let home = Home::open(&loose).expect("opened");
        assert_eq!(mode(&loose), 0o755, "a foreign folder is not ours to close");
        for path in [
            home.paths().shards(),
            home.paths().spool(),
            home.paths().graced(),
        ] {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
        }
        let own = dir.path().join("own");
        Home::open(&own).expect("opened");
        assert_eq!(mode(&own), 0o700);
        drop(home);
        Home::open(&loose).expect("a home now");
        assert_eq!(mode(&loose), 0o700, "a home is made private");
    }

    #[test]
    fn free_space_is_told() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let space = HomePaths::new(dir.path()).free_space().expect("told");
        assert!(space > ByteCount(0));
    }
}
