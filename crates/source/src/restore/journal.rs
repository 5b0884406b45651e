//! What a restore made, in a file without a name, so that it can be taken back.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bitdust_model::limits;
use rustix::fs::Stat;

use crate::folder::{FolderHandle, identity_of, meta_of};
use crate::relative::RelativePath;

/// Bytes behind each path: inode, size, both parts of the time of change, length of the path.
pub(super) const TAIL_BYTES: usize = 8 + 8 + 8 + 8 + 4;

/// What was made, in order.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) file: Option<BufWriter<File>>,
    pub(super) bytes: u64,
    /// Things that could not be written down; they stay.
    pub(super) unwritten: u64,
}

/// How a thing was when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trace {
    inode: u64,
    size: i64,
    changed: (i64, i64),
}

impl Trace {
    pub(super) fn of(stat: &Stat) -> Self {
        let changed = meta_of(stat);
        Self {
            inode: identity_of(stat).1,
            size: stat.st_size,
            changed: (changed.mtime_seconds, i64::from(changed.mtime_nanos)),
        }
    }
}

impl Journal {
    /// Remembers that `name` was made in `folder`, which is at `parent`.
    pub(super) fn made(&mut self, folder: &FolderHandle, parent: &RelativePath, name: &[u8]) {
        let written = folder
            .stat_of(name)
            .map_err(std::io::Error::from)
            .and_then(|stat| {
                let path = parent.join(name).map_err(std::io::Error::other)?;
                self.write(&path, Trace::of(&stat))
            });
        self.unwritten += u64::from(written.is_err());
    }

    pub(super) fn write(&mut self, path: &RelativePath, trace: Trace) -> std::io::Result<()> {
        if self.file.is_none() {
            self.file = Some(BufWriter::new(tempfile::tempfile()?));
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let path = path.as_bytes();
        let length = u32::try_from(path.len()).map_err(std::io::Error::other)?;
        let mut record = path.to_vec();
        record.extend(trace.inode.to_le_bytes());
        record.extend(trace.size.to_le_bytes());
        record.extend(trace.changed.0.to_le_bytes());
        record.extend(trace.changed.1.to_le_bytes());
        record.extend(length.to_le_bytes());
        file.write_all(&record)?;
        self.bytes += record.len() as u64;
        Ok(())
    }

    /// Gives the records, the latest first.
    pub(super) fn backwards(self) -> std::io::Result<Backwards> {
        let file = match self.file {
            Some(file) => Some(file.into_inner().map_err(|error| error.into_error())?),
            None => None,
        };
        Ok(Backwards {
            file,
            end: self.bytes,
        })
    }
}

pub(super) struct Backwards {
    file: Option<File>,
    pub(super) end: u64,
}

impl Backwards {
    pub(super) fn next(&mut self) -> std::io::Result<Option<(RelativePath, Trace)>> {
        let (Some(file), true) = (&self.file, self.end > 0) else {
            return Ok(None);
        };
        let broken = || std::io::Error::other("the journal is broken");
        let tail_at = self.end.checked_sub(TAIL_BYTES as u64).ok_or_else(broken)?;
        let mut tail = [0; TAIL_BYTES];
        file.read_exact_at(&mut tail, tail_at)?;
        let (numbers, length) = tail.split_at(TAIL_BYTES - 4);
        let mut words = numbers
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| u64::from_le_bytes(*word));
        let mut word = || words.next().ok_or_else(broken);
        let (inode, size) = (word()?, word()?.cast_signed());
        let changed = (word()?.cast_signed(), word()?.cast_signed());
        let length = u32::from_le_bytes(length.try_into().map_err(|_| broken())?) as usize;
        let path_at = tail_at.checked_sub(length as u64).ok_or_else(broken)?;
        if length > limits::PATH_BYTES_MAX {
            return Err(broken());
        }
        let mut path = vec![0; length];
        file.read_exact_at(&mut path, path_at)?;
        self.end = path_at;
        let path = RelativePath::parse(&path).map_err(std::io::Error::other)?;
        let trace = Trace {
            inode,
            size,
            changed,
        };
        Ok(Some((path, trace)))
    }
}

/// The uppermost folder of a path that is not there yet.
pub(super) fn first_missing(path: &Path) -> Option<PathBuf> {
    let missing = path
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && path.symlink_metadata().is_err());
    missing.last().map(Path::to_path_buf)
}
