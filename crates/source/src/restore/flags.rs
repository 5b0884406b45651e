//! Flags that forbid every change, set when everything else is done: a file that may not change
//! gets no name, no further name and no time any more.

use std::os::fd::{AsFd, BorrowedFd};

use bitdust_model::{ErrorCode, limits};
use rustix::fs::{OFlags, fstat};
use rustix::io::Errno;

use crate::failure::code_of;
use crate::flags::{Flags, Recorded};
use crate::folder::{identity_of, open_quietly};
use crate::relative::RelativePath;
use crate::restore::waiting::Waiting;
use crate::restore::{RestoreError, RestoreTarget};

impl RestoreTarget {
    /// Remembers the flags of a thing in its place.
    pub(super) fn wait_for_flags(
        &mut self,
        path: &RelativePath,
        recorded: Recorded,
        identity: Result<(u64, u64), Errno>,
    ) {
        let flags = match recorded {
            Recorded::Nothing => return,
            Recorded::Unknown => {
                let detail = "restored, but it had flags that this program does not know";
                return self.add_problem(path, ErrorCode::NotAllowed, detail.to_owned());
            }
            Recorded::Flags(flags) => flags,
        };
        let identity = match identity {
            Ok(identity) => identity,
            Err(errno) => return self.say_flags_lack(path, flags, errno),
        };
        let things = &mut self.waiting_flags.things;
        if things.len() >= limits::RESTORE_FLAGS_MAX && !things.contains_key(path) {
            let error = RestoreError::TooMany {
                what: "things whose flags wait for the end",
                max: limits::RESTORE_FLAGS_MAX,
            };
            return self.fail(path, &error);
        }
        things.insert(path.clone(), Waiting { flags, identity });
    }

    /// Sets what waited.
    pub(super) fn set_flags(&mut self) {
        let waiting = std::mem::take(&mut self.waiting_flags);
        for (path, Waiting { flags, identity }) in waiting.things {
            if let Err(errno) = self.try_set_flags(&path, flags, identity) {
                self.say_flags_lack(&path, flags, errno);
            }
        }
    }

    fn try_set_flags(
        &self,
        path: &RelativePath,
        flags: Flags,
        identity: (u64, u64),
    ) -> Result<(), Errno> {
        let set = |fd: BorrowedFd<'_>| {
            if identity_of(&fstat(fd)?) != identity {
                return Err(Errno::STALE);
            }
            flags.set(fd)
        };
        if path.is_root() {
            return set(self.root.as_fd());
        }
        let folder = self
            .root
            .descend(&path.parent())
            .map_err(|_| Errno::STALE)?;
        let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let thing = open_quietly(&folder, path.name(), how)?;
        set(thing.as_fd())
    }

    fn say_flags_lack(&mut self, path: &RelativePath, flags: Flags, errno: Errno) {
        let detail = format!("restored, but not made {}: {errno}", flags.word());
        self.add_problem(path, code_of(errno, ErrorCode::NotAllowed), detail);
    }
}
