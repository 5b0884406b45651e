//! What a walk says: one event for each thing it comes upon.

use bitdust_model::status::Problem;
use bitdust_model::tree::{Meta, Node};

use crate::folder::FolderHandle;
use crate::relative::RelativePath;
use crate::stamp::Stamp;

/// How a walk goes beyond its excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkOptions {
    /// Whether file systems mounted below the root belong to it; the kernel's own never do.
    pub crosses_mounts: bool,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            crosses_mounts: true,
        }
    }
}

/// A regular file, seen but not opened. Its metadata belong to its bytes, and so to who opens it.
#[derive(Debug, Clone)]
pub struct FileSeen {
    /// Where it is below the root; its last component is its name.
    pub path: RelativePath,
    /// What tells whether it is still the file that was backed up.
    pub stamp: Stamp,
    /// Whether the same file has other names too; the stamp's device and inode say which.
    pub has_other_names: bool,
    /// Whether it has holes.
    pub is_sparse: bool,
    /// The folder it is in, for [`crate::read::open_file`]. It stays open as long as this is
    /// kept: keep few.
    pub folder: FolderHandle,
}

/// One thing a walk came upon.
#[derive(Debug, Clone)]
pub enum WalkEvent {
    /// A folder begins; the root has the empty path.
    Enter {
        /// Where it is below the root.
        path: RelativePath,
        /// Permissions, owner, times and attributes.
        meta: Meta,
    },
    /// A regular file.
    File(FileSeen),
    /// A symbolic link, named pipe, socket or device.
    Other {
        /// Where it is below the root.
        path: RelativePath,
        /// Permissions, owner, times and attributes.
        meta: Meta,
        /// What it is.
        node: Node,
    },
    /// The folder that was entered last and not yet left is done.
    Leave {
        /// Where it is below the root.
        path: RelativePath,
        /// Whether all that is in it was seen; if not, an earlier listing may know more.
        is_complete: bool,
    },
    /// Something could not be read. Its path begins with the root.
    Problem(Problem),
}

/// What a walk has come upon so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Folders entered.
    pub folders: u64,
    /// Regular files.
    pub files: u64,
    /// Bytes in them.
    pub file_bytes: u64,
    /// Links, pipes, sockets and devices.
    pub others: u64,
    /// Names that were gone when they were looked at: removed meanwhile, nothing to protect.
    pub vanished: u64,
}
