//! Writes and reads the pages of a directory.
//!
//! A page ends after an entry whose name hashes to a boundary, or before one that would make
//! it longer than `TREE_PAGE_BYTES_MAX`. So a new file changes one page, and the others are
//! the same chunks as in the snapshot before. A reader believes no page with a name that
//! could leave the directory, or out of order.
//!
//! Memory: one page; a directory is never held whole.

use bitdust_model::codec::Versioned;
use bitdust_model::limits::{
    ENTRY_CHUNKS_INLINE_MAX, ENTRY_LISTS_MAX, LINK_BYTES_MAX, OWNER_NAME_BYTES_MAX,
    OWNER_NAMES_MAX, TREE_PAGE_BYTES_MAX, TREE_PAGE_ENTRIES_AVERAGE,
};
use bitdust_model::tree::{Content, Entry, Node, OwnerNames, TreePage};
use bitdust_model::{DecodeError, decode, encode};

use crate::pages::{ItemTooLong, PageBuffer};

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// Why an entry cannot be written, or a page is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The bytes are no page.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The name could not stand in a directory without escaping it.
    #[error("{} is no name for an entry", shown(name))]
    BadName {
        /// The name.
        name: Vec<u8>,
    },
    /// The page does not follow the order of names, or has one twice.
    #[error("{} is out of order", shown(name))]
    OutOfOrder {
        /// The name that should have come earlier.
        name: Vec<u8>,
    },
    /// A bound of what an entry may hold is exceeded.
    #[error("{} has too much in its {part}", shown(name))]
    TooMuch {
        /// Whose entry.
        name: Vec<u8>,
        /// Which part of the entry.
        part: &'static str,
    },
}

/// Gives the encoded pages of one directory while its entries come in.
pub struct TreeWriter {
    page: PageBuffer,
    last_name: Vec<u8>,
    is_closed: bool,
}

impl TreeWriter {
    /// A directory without entries.
    #[must_use]
    pub const fn new() -> Self {
        let page = PageBuffer::new(TreePage::VERSION, TREE_PAGE_BYTES_MAX, usize::MAX);
        Self {
            page,
            last_name: Vec::new(),
            is_closed: false,
        }
    }

    /// Adds an entry; gives a page when that is complete without it. After an error the
    /// writer goes on as if the entry had not come.
    ///
    /// # Panics
    /// If the entries do not come sorted by their raw names, each once.
    pub fn push(&mut self, entry: &Entry) -> Result<Option<Vec<u8>>, TreeError> {
        check_entry(entry)?;
        assert!(self.last_name < entry.name, "entries come sorted by name");
        let page = self
            .page
            .push(entry, self.is_closed)
            .map_err(|ItemTooLong| TreeError::TooMuch {
                name: entry.name.clone(),
                part: "metadata",
            })?;
        self.last_name.clone_from(&entry.name);
        self.is_closed = is_boundary(&entry.name);
        Ok(page.map(|page| with_owners(page, &OwnerNames::default())))
    }

    /// Ends the directory; gives the last page, if there were entries at all.
    #[must_use]
    pub fn finish(self) -> Option<Vec<u8>> {
        let page = self.page.finish()?;
        Some(with_owners(page, &OwnerNames::default()))
    }

    /// Ends the outermost directory with a page that names the owners of the whole version.
    #[must_use]
    pub fn finish_outermost(self, owners: &OwnerNames) -> Vec<u8> {
        match self.page.finish() {
            Some(page) => with_owners(page, owners),
            None => encode(&TreePage {
                entries: Vec::new(),
                owners: owners.clone(),
            }),
        }
    }
}

impl Default for TreeWriter {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads a page and checks all it says about names, order and bounds.
pub fn read_page(bytes: &[u8]) -> Result<TreePage, TreeError> {
    let page: TreePage = decode(bytes)?;
    let mut last: &[u8] = &[];
    for entry in &page.entries {
        check_entry(entry)?;
        if entry.name.as_slice() <= last {
            return Err(TreeError::OutOfOrder {
                name: entry.name.clone(),
            });
        }
        last = &entry.name;
    }
    for names in [&page.owners.users, &page.owners.groups] {
        let is_long = |(_, name): &(u32, Vec<u8>)| name.len() > OWNER_NAME_BYTES_MAX;
        if names.len() > OWNER_NAMES_MAX || names.iter().any(is_long) {
            return Err(TreeError::TooMuch {
                name: last.to_vec(),
                part: "names of owners",
            });
        }
    }
    Ok(page)
}

/// Checks the bounds of one entry: name, times, and the numbers of chunks.
pub fn check_entry(entry: &Entry) -> Result<(), TreeError> {
    if !entry.has_valid_name() {
        return Err(TreeError::BadName {
            name: entry.name.clone(),
        });
    }
    let part = if entry.meta.mtime_nanos >= NANOS_PER_SECOND {
        "modification time"
    } else {
        match &entry.node {
            Node::File {
                content: Content::Chunks(chunks),
                ..
            } if chunks.len() > ENTRY_CHUNKS_INLINE_MAX => "chunks",
            Node::File {
                content: Content::Lists(lists),
                ..
            } if lists.len() > ENTRY_LISTS_MAX => "chunk lists",
            Node::Symlink { target } if target.len() > LINK_BYTES_MAX => "link target",
            Node::File { .. }
            | Node::Directory { .. }
            | Node::Symlink { .. }
            | Node::Fifo
            | Node::Socket
            | Node::Device { .. } => return Ok(()),
        }
    };
    Err(TreeError::TooMuch {
        name: entry.name.clone(),
        part,
    })
}

/// Whether a page ends after this name. The hash is plain BLAKE3: pages are sealed, and
/// their lengths disappear in packs.
fn is_boundary(name: &[u8]) -> bool {
    let hash = blake3::hash(name);
    let [low, high, ..] = *hash.as_bytes();
    usize::from(u16::from_le_bytes([low, high])).is_multiple_of(TREE_PAGE_ENTRIES_AVERAGE)
}

/// Completes a page with the field behind its entries.
fn with_owners(page: Vec<u8>, owners: &OwnerNames) -> Vec<u8> {
    postcard::to_extend(owners, page).expect("plain data always serialises")
}

fn shown(name: &[u8]) -> String {
    format!("\"{}\"", name.escape_ascii())
}

#[cfg(test)]
mod tests;
