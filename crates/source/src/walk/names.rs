//! The names of one folder, sorted by raw bytes, in two allocations however many they are.

use std::os::fd::AsFd;

use bitdust_model::limits;
use rustix::fs::Dir;
use rustix::io::Errno;

use crate::failure::FileError;
use crate::folder::FolderHandle;

/// Sorted names without `.` and `..`, given out one by one.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    spans: Vec<(usize, usize)>,
    next: usize,
}

impl Names {
    /// Lists a folder. With an error there come the names that were read before it.
    pub(super) fn read(folder: &FolderHandle) -> (Self, Option<FileError>) {
        let mut names = Self::default();
        let failure = names.fill(folder).err();
        names.sort();
        (names, failure)
    }

    /// Whether a name is among them, given out or not.
    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.spans
            .binary_search_by(|(start, end)| self.bytes[*start..*end].cmp(name))
            .is_ok()
    }

    /// Gives out nothing more.
    pub(super) fn skip_rest(&mut self) {
        self.next = self.spans.len();
    }

    fn fill(&mut self, folder: &FolderHandle) -> Result<(), FileError> {
        let failed = |errno: Errno| FileError::of("listing the folder", errno);
        // A second handle of the same open folder: reading needs no permission to search.
        let handle = folder
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| failed(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        for entry in Dir::new(handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if self.spans.len() == limits::FOLDER_NAMES_MAX {
                return Err(FileError::TooMany {
                    what: "names in one folder",
                    max: limits::FOLDER_NAMES_MAX,
                });
            }
            let start = self.bytes.len();
            self.bytes.extend_from_slice(name);
            self.spans.push((start, self.bytes.len()));
        }
        Ok(())
    }

    /// Sorts, and drops names a file system gave twice while its folder changed.
    fn sort(&mut self) {
        let bytes = &self.bytes;
        let name = |span: &(usize, usize)| &bytes[span.0..span.1];
        self.spans
            .sort_unstable_by(|left, right| name(left).cmp(name(right)));
        self.spans.dedup_by(|left, right| name(left) == name(right));
    }
}

impl Iterator for Names {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let (start, end) = *self.spans.get(self.next)?;
        self.next += 1;
        Some(self.bytes[start..end].to_vec())
    }
}
