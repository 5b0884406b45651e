//! Directory listings: what a folder looked like, in pages that are shared between versions.
//!
//! A directory is a list of pages; a page is one metadata chunk. Pages are cut after an
//! entry whose name hashes to a boundary, so that one new file changes one page.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::id::ChunkId;
use crate::limits;

/// The attribute under which the flags of a file or folder are recorded that forbid its change:
/// `a` where only something may be added at its end, `i` where nothing may change, `ai` for
/// both. No file system gives an attribute of this name.
pub const FLAGS_ATTRIBUTE: &[u8] = b"bitdust.flags";

/// Permissions, owner and times of anything in a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Permission bits including set-uid, set-gid and sticky; no file type.
    pub mode: u32,
    /// Modification time, seconds since 1970, negative before.
    pub mtime_seconds: i64,
    /// Nanoseconds of the modification time, below 1,000,000,000.
    pub mtime_nanos: u32,
    /// Owner by number.
    pub uid: u32,
    /// Group by number.
    pub gid: u32,
    /// Extended attributes, ACLs included, by name; [`FLAGS_ATTRIBUTE`] among them.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The contents of a file as chunks in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// The chunks themselves; at most `ENTRY_CHUNKS_INLINE_MAX`.
    Chunks(Vec<ChunkId>),
    /// Metadata chunks each of which is a [`ChunkList`].
    Lists(Vec<ChunkId>),
}

/// A page of chunk ids of a big file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkList {
    /// Chunks in the order of the file.
    pub chunks: Vec<ChunkId>,
}

impl Versioned for ChunkList {
    const KIND: &'static str = "chunk list";
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// A regular file of `size` bytes.
    File {
        /// Length in bytes.
        size: u64,
        /// Its chunks.
        content: Content,
        /// Files of one snapshot with the same number here are one file with several names.
        link_group: Option<u64>,
        /// Whether it had holes: then its blocks of zeros come back as holes, and no space is
        /// taken for them.
        is_sparse: bool,
    },
    /// A directory by the metadata chunks of its pages.
    Directory {
        /// Pages in the order of names.
        pages: Vec<ChunkId>,
    },
    /// A symbolic link; the target is bytes, not interpreted.
    Symlink {
        /// Where it points, verbatim.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A socket; recorded, never restored with a listener behind it.
    Socket,
    /// A device node.
    Device {
        /// Block device if true, character device if false.
        block: bool,
        /// Major and minor number as the system encodes them.
        rdev: u64,
    },
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name as the system's raw bytes: not empty, not `.` or `..`, no slash, no NUL.
    pub name: Vec<u8>,
    /// Permissions, owner and times.
    pub meta: Meta,
    /// What it is.
    pub node: Node,
}

impl Entry {
    /// Whether the name can stand in a directory without escaping it.
    #[must_use]
    pub fn has_valid_name(&self) -> bool {
        is_valid_name(&self.name)
    }
}

/// Whether bytes may be one component of a path inside a restore target.
#[must_use]
pub fn is_valid_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= limits::NAME_BYTES_MAX
        && name != b"."
        && name != b".."
        && !name.contains(&b'/')
        && !name.contains(&0)
}

/// One page of a directory: entries sorted by name, no name twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreePage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// In the last page of the outermost folder: names of all owners in the version. Elsewhere
    /// empty.
    pub owners: OwnerNames,
}

/// Names of users and groups by their numbers on the machine that wrote them; at most
/// `OWNER_NAMES_MAX` each. Who is not named is a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerNames {
    /// Users.
    pub users: Vec<(u32, Vec<u8>)>,
    /// Groups.
    pub groups: Vec<(u32, Vec<u8>)>,
}

impl Versioned for TreePage {
    const KIND: &'static str = "tree page";
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;
}
