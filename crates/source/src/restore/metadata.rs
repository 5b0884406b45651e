//! Owner, attributes, permissions and times of a restored thing, in this order: a change of
//! owner clears special bits, an ACL changes permissions, and any of them changes times.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use bitdust_model::tree::Meta;
use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT, Uid, chmod, chownat,
    fchmod, fstat, futimens, openat, utimensat,
};
use rustix::io::Errno;

use crate::attributes::{self, Bearer, handle_path};
use crate::flags::{Flags, Recorded, is_flags};
use crate::folder::{FolderHandle, meta_of};

const SET_ID_BITS: u32 = 0o6000;

/// Whom a restored thing is to belong to, by numbers of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) user: u32,
    pub(super) group: u32,
    /// Whether this process may give things away.
    pub(super) is_set_by_root: bool,
}

/// What came of applying metadata.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Whether it belongs to whom it belonged.
    pub(super) is_owner_set: bool,
    /// Flags that are to be set at the end.
    pub(super) flags: Recorded,
    /// What could not be set.
    pub(super) shortfalls: Vec<Shortfall>,
}

/// One thing that could not be set.
#[derive(Debug)]
pub(super) struct Shortfall {
    what: String,
    pub(super) errno: Errno,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "restored, but {} could not be set: {}",
            self.what, self.errno
        )
    }
}

impl Applied {
    fn note(&mut self, what: &str, result: Result<(), Errno>) {
        if let Err(errno) = result {
            self.shortfalls.push(Shortfall {
                what: what.to_owned(),
                errno,
            });
        }
    }
}

/// Applies metadata to an open file or folder.
pub(super) fn apply_open(
    fd: BorrowedFd<'_>,
    meta: &Meta,
    is_folder: bool,
    owner: Owner,
) -> Applied {
    let mut applied = Applied {
        flags: Flags::recorded_in(meta),
        ..Applied::default()
    };
    set_owner(&mut applied, fd, owner);
    set_attributes(&mut applied, &Bearer::Open(fd), meta);
    let mode = mode_of(meta, applied.is_owner_set || is_folder);
    applied.note("permissions", fchmod(fd, mode));
    applied.note("times", futimens(fd, &times_of(meta)));
    applied
}

/// Applies metadata to a thing that cannot be opened: a link, pipe, socket or device.
pub(super) fn apply_named(
    folder: &FolderHandle,
    name: &[u8],
    meta: &Meta,
    is_link: bool,
    owner: Owner,
) -> Applied {
    let mut applied = Applied::default();
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = match openat(folder, name, flags, Mode::empty()) {
        Ok(handle) => handle,
        Err(errno) => {
            applied.note("permissions and times", Err(errno));
            return applied;
        }
    };
    set_owner(&mut applied, handle.as_fd(), owner);
    set_attributes(&mut applied, &Bearer::handle(handle.as_fd()), meta);
    if Flags::recorded_in(meta) != Recorded::Nothing {
        // Nothing that was recorded here ever had any.
        applied.note("flags", Err(Errno::NOTSUP));
    }
    if !is_link {
        let mode = mode_of(meta, applied.is_owner_set);
        applied.note("permissions", chmod(handle_path(handle.as_fd()), mode));
    }
    applied.note(
        "times",
        utimensat(folder, name, &times_of(meta), AtFlags::SYMLINK_NOFOLLOW),
    );
    applied
}

/// Whether a folder may not change, and is as it is to be: a second restore finds it so.
pub(super) fn is_fixed_so(fd: BorrowedFd<'_>, meta: &Meta) -> bool {
    let Recorded::Flags(flags) = Flags::recorded_in(meta) else {
        return false;
    };
    let is_same = |stat: &Stat| {
        let present = meta_of(stat);
        present.mode == meta.mode
            && (present.mtime_seconds, present.mtime_nanos)
                == (meta.mtime_seconds, meta.mtime_nanos)
    };
    flags.are_on(fd) && fstat(fd).is_ok_and(|stat| is_same(&stat))
}

/// Changes permissions of a folder that may not be open for reading, by its handle.
pub(super) fn set_mode(handle: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    chmod(handle_path(handle), Mode::from_raw_mode(mode))
}

fn set_owner(applied: &mut Applied, fd: BorrowedFd<'_>, owner: Owner) {
    let is_owned = |stat: &Stat| stat.st_uid == owner.user && stat.st_gid == owner.group;
    if fstat(fd).is_ok_and(|stat| is_owned(&stat)) {
        applied.is_owner_set = true;
        return;
    }
    // -1 means "leave it" to the system and cannot be an owner.
    if owner.user == u32::MAX || owner.group == u32::MAX {
        return;
    }
    let (user, group) = (Uid::from_raw(owner.user), Gid::from_raw(owner.group));
    match chownat(
        fd,
        b"".as_slice(),
        Some(user),
        Some(group),
        AtFlags::EMPTY_PATH,
    ) {
        Ok(()) => applied.is_owner_set = true,
        // Expected of everybody but root: counted, not a problem each.
        Err(Errno::PERM) => {}
        Err(errno) if owner.is_set_by_root => applied.note("the owner", Err(errno)),
        Err(_) => {}
    }
}

fn set_attributes(applied: &mut Applied, bearer: &Bearer<'_>, meta: &Meta) {
    // Flags wait for the end of the restore.
    for (name, value) in meta.xattrs.iter().filter(|(name, _)| !is_flags(name)) {
        if let Err(errno) = attributes::set(bearer, name, value) {
            applied.note(
                &format!("the attribute {}", String::from_utf8_lossy(name)),
                Err(errno),
            );
        }
    }
}

/// A program must not run as somebody it does not belong to.
const fn mode_of(meta: &Meta, keeps_set_id: bool) -> Mode {
    let bits = meta.mode & 0o7777;
    Mode::from_raw_mode(if keeps_set_id {
        bits
    } else {
        bits & !SET_ID_BITS
    })
}

fn times_of(meta: &Meta) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: meta.mtime_seconds,
            tv_nsec: meta.mtime_nanos.min(999_999_999).into(),
        },
    }
}
