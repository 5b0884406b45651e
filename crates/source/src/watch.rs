//! Watches folders and says that something in one of them changed, nothing more.
//!
//! It never says what changed: a walk decides that. A change may be told several times, or,
//! where the system's limits are reached, not at all; a folder says so, and is walked now and
//! then anyway. Changes of what a walk leaves out by its name are not told.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::excludes::Excludes;
use crate::relative::RelativePath;

/// Why changes in a folder are not seen at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The system watches no more folders for this user.
    #[error(
        "the system does not watch more folders for you (fs.inotify.max_user_watches); \
         the folder is looked through every hour instead"
    )]
    TooMany,
    /// The folder is not there.
    #[error("the folder is not there")]
    Away,
    /// Anything else.
    #[error(
        "changes are not seen at once ({reason}); the folder is looked through every hour instead"
    )]
    Failed {
        /// What the system said.
        reason: String,
    },
}

/// What a watch tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// Something in the folder changed.
    Changed,
    /// Changes were lost; anything may have changed.
    Lost,
    /// The folder itself went away.
    Gone,
}

/// One watched folder; dropping it ends the watch.
pub struct FolderWatch {
    _watcher: RecommendedWatcher,
}

impl std::fmt::Debug for FolderWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderWatch").finish_non_exhaustive()
    }
}

impl FolderWatch {
    /// Watches a folder and all below it, but for what is excluded and for `home`, the folder
    /// of the node itself. `tell` gets `key` with each notice; a notice that finds it full is
    /// dropped, since one like it is waiting already.
    pub fn start<K: Copy + Send + 'static>(
        folder: &Path,
        excludes: Excludes,
        home: &Path,
        key: K,
        tell: SyncSender<(K, Noticed)>,
    ) -> Result<Self, WatchError> {
        if !folder.is_dir() {
            return Err(WatchError::Away);
        }
        let scope = Scope {
            root: folder.to_path_buf(),
            home: home.to_path_buf(),
            excludes,
        };
        let handler = move |event: Result<notify::Event, notify::Error>| {
            if let Some(noticed) = scope.noticed(event) {
                // The receiver is gone, or has one like it waiting.
                let _told = tell.try_send((key, noticed));
            }
        };
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(handler, config).map_err(explain)?;
        watcher
            .watch(folder, RecursiveMode::Recursive)
            .map_err(explain)?;
        Ok(Self { _watcher: watcher })
    }
}

/// Which changes matter.
struct Scope {
    root: PathBuf,
    home: PathBuf,
    excludes: Excludes,
}

impl Scope {
    fn noticed(&self, event: Result<notify::Event, notify::Error>) -> Option<Noticed> {
        let Ok(event) = event else {
            return Some(Noticed::Lost);
        };
        if event.need_rescan() {
            return Some(Noticed::Lost);
        }
        if matches!(event.kind, EventKind::Remove(_)) && event.paths.contains(&self.root) {
            return Some(Noticed::Gone);
        }
        let is_change = match event.kind {
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => true,
            EventKind::Modify(kind) => !matches!(kind, ModifyKind::Any),
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            EventKind::Access(_) => false,
        };
        let matters = is_change && event.paths.iter().any(|path| self.matters(path));
        matters.then_some(Noticed::Changed)
    }

    /// Whether a walk would look at this path: neither it nor a folder above it is left out.
    fn matters(&self, path: &Path) -> bool {
        if path.starts_with(&self.home) {
            return false;
        }
        let Ok(below) = path.strip_prefix(&self.root) else {
            return false;
        };
        let mut parent = RelativePath::root();
        for name in below.iter() {
            let Ok(child) = parent.join(name.as_bytes()) else {
                return false;
            };
            // Whether the last name is a folder is not known any more when it was removed.
            if self.excludes.matched(&child, true).is_some() {
                return false;
            }
            parent = child;
        }
        self.excludes.matched(&parent, false).is_none()
    }
}

fn explain(error: notify::Error) -> WatchError {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => WatchError::TooMany,
        notify::ErrorKind::PathNotFound => WatchError::Away,
        notify::ErrorKind::Io(error) if matches!(error.raw_os_error(), Some(code) if is_limit(code)) => {
            WatchError::TooMany
        }
        notify::ErrorKind::Io(error) => WatchError::Failed {
            reason: error.to_string(),
        },
        kind @ (notify::ErrorKind::Generic(_)
        | notify::ErrorKind::WatchNotFound
        | notify::ErrorKind::InvalidConfig(_)) => WatchError::Failed {
            reason: format!("{kind:?}"),
        },
    }
}

/// inotify says "no space left on device" for too many watches, and "too many open files" for
/// too many watchers.
fn is_limit(code: i32) -> bool {
    code == rustix::io::Errno::NOSPC.raw_os_error()
        || code == rustix::io::Errno::MFILE.raw_os_error()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn watched() -> (tempfile::TempDir, FolderWatch, Receiver<(u8, Noticed)>) {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("inner")).expect("made");
        std::fs::create_dir(dir.path().join("home")).expect("made");
        let (tell, told) = sync_channel(64);
        let excludes = Excludes::new(&["*.tmp", "build/"]).expect("patterns");
        let home = dir.path().join("home");
        let watch = FolderWatch::start(dir.path(), excludes, &home, 7, tell).expect("watched");
        (dir, watch, told)
    }

    #[test]
    fn a_file_that_is_written_anywhere_below_is_noticed() {
        let (dir, _watch, told) = watched();
        std::fs::write(dir.path().join("inner/file"), "new").expect("written");
        assert_eq!(told.recv_timeout(SOON), Ok((7, Noticed::Changed)));
    }

    #[test]
    fn a_folder_made_later_is_watched_too() {
        let (dir, _watch, told) = watched();
        std::fs::create_dir(dir.path().join("later")).expect("made");
        assert_eq!(told.recv_timeout(SOON), Ok((7, Noticed::Changed)));
        // The watch of a new folder comes a moment after it: writes go on until one is seen.
        let seen = (0..1_000).any(|round| {
            std::fs::write(dir.path().join("later/file"), round.to_string()).expect("written");
            told.recv_timeout(Duration::from_millis(20)).is_ok()
        });
        assert!(seen, "writes in a new folder were not noticed");
    }

    /// What was told of an act in a folder, until the folder went away: what comes after the
    /// act ends the wait, so that nothing is waited for that does not come.
    fn told_until_gone(act: impl FnOnce(&Path)) -> usize {
        let (dir, _watch, told) = watched();
        act(dir.path());
        dir.close().expect("it goes");
        let mut count = 0;
        loop {
            match told.recv_timeout(SOON).expect("it says that it went") {
                (7, Noticed::Changed) => count += 1,
                (7, Noticed::Gone) => return count,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_left_out_is_not_told() {
        let nothing = told_until_gone(|_| ());
        let left_out = told_until_gone(|dir| {
            std::fs::write(dir.join("inner/half.tmp"), "x").expect("written");
            std::fs::write(dir.join("home/catalogue"), "x").expect("written");
            std::fs::create_dir_all(dir.join("build/deep")).expect("made");
        });
        assert_eq!(left_out, nothing);
        let told = told_until_gone(|dir| {
            std::fs::write(dir.join("inner/half"), "x").expect("written");
        });
        assert!(told > nothing, "control: others are told");
    }

    #[test]
    fn reading_is_no_change() {
        let written = |dir: &Path| std::fs::write(dir.join("file"), "x").expect("written");
        let unread = told_until_gone(written);
        let read = told_until_gone(|dir| {
            written(dir);
            let _read = std::fs::read(dir.join("file")).expect("read");
            let _listed = std::fs::read_dir(dir).expect("listed").count();
        });
        assert_eq!(read, unread);
    }

    #[test]
    fn a_folder_that_is_not_there_is_away() {
        let dir = tempfile::tempdir().expect("a folder");
        let (tell, _told) = sync_channel::<(u8, Noticed)>(1);
        let watch = FolderWatch::start(
            &dir.path().join("none"),
            Excludes::none(),
            Path::new("/nowhere"),
            1,
            tell,
        );
        assert_eq!(watch.err(), Some(WatchError::Away));
    }

    #[test]
    fn limits_of_the_system_are_explained() {
        let full = notify::Error::io(std::io::Error::from_raw_os_error(28));
        assert_eq!(explain(full), WatchError::TooMany);
        assert_eq!(
            explain(notify::Error::new(notify::ErrorKind::MaxFilesWatch)),
            WatchError::TooMany
        );
        assert!(WatchError::TooMany.to_string().contains("every hour"));
    }
}
