//! The file cache: what each file looked like when it was last protected, so that an
//! unchanged one need not be read again.
//!
//! Paths are raw bytes, relative to the folder, components divided by `/`.

use bitdust_model::FolderId;
use bitdust_model::limits::{CACHED_ENTRY_BYTES_MAX, CACHED_FILES_PAGE_MAX, PATH_BYTES_MAX};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::folders::{expect_number, number_of};
use super::{Catalogue, CatalogueError};
use crate::row::{check_length, to_column};

/// A file as it was when its entry was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    /// Length in bytes.
    pub size: u64,
    /// Modification time, seconds since 1970.
    pub mtime_s: i64,
    /// Its nanoseconds.
    pub mtime_ns: u32,
    /// Change time, seconds since 1970.
    pub ctime_s: i64,
    /// Its nanoseconds.
    pub ctime_ns: u32,
    /// Number of the file in its file system.
    pub inode: u64,
    /// Number of the file system.
    pub device: u64,
    /// The tree entry as its owner encoded it; at most `CACHED_ENTRY_BYTES_MAX`.
    pub entry: Vec<u8>,
}

const COLUMNS: &str = "size, mtime_s, mtime_ns, ctime_s, ctime_ns, inode, device, entry";

impl Catalogue {
    /// One file of the cache.
    pub fn cached_file(
        &self,
        folder: FolderId,
        path: &[u8],
    ) -> Result<Option<CachedFile>, CatalogueError> {
        let (parent, name) = split(path);
        self.read(|connection| {
            let Some(directory) = directory_of(connection, folder, parent)? else {
                return Ok(None);
            };
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM files WHERE directory = ?1 AND name = ?2"
            ))?;
            Ok(statement
                .query_row(params![directory, name], cached_from_row)
                .optional()?)
        })
    }

    /// All files of one directory by name, without those of directories inside it. The first
    /// `CACHED_FILES_PAGE_MAX` of them: one that is not among so many may still be found by
    /// [`cached_file`](Self::cached_file).
    pub fn cached_files_under(
        &self,
        folder: FolderId,
        dir: &[u8],
    ) -> Result<Vec<(Vec<u8>, CachedFile)>, CatalogueError> {
        self.read(|connection| {
            let Some(directory) = directory_of(connection, folder, dir)? else {
                return Ok(Vec::new());
            };
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS}, name FROM files WHERE directory = ?1 ORDER BY name LIMIT ?2"
            ))?;
            let rows = statement.query_map(
                params![
                    directory,
                    i64::try_from(CACHED_FILES_PAGE_MAX).unwrap_or(i64::MAX)
                ],
                |row| Ok((row.get(8)?, cached_from_row(row)?)),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Remembers files of a folder in one transaction.
    pub fn remember_files(
        &self,
        folder: FolderId,
        files: Vec<(Vec<u8>, CachedFile)>,
    ) -> Result<(), CatalogueError> {
        for (path, file) in &files {
            check_length("path", path.len(), PATH_BYTES_MAX)?;
            check_length("cached entry", file.entry.len(), CACHED_ENTRY_BYTES_MAX)?;
        }
        self.write(move |transaction| {
            let number = expect_number(transaction, folder)?;
            let mut directories = Directories::new(transaction, number);
            // `generation` is a column of version 1 that nothing reads.
            let mut statement = transaction.prepare_cached(&format!(
                "INSERT OR REPLACE INTO files (directory, name, generation, {COLUMNS})
                 VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            ))?;
            for (path, file) in &files {
                let (parent, name) = split(path);
                statement.execute(params![
                    directories.make(parent)?,
                    name,
                    to_column("size", file.size)?,
                    file.mtime_s,
                    file.mtime_ns,
                    file.ctime_s,
                    file.ctime_ns,
                    // Opaque numbers that use all 64 bits: kept bit by bit, never compared in size.
                    file.inode.cast_signed(),
                    file.device.cast_signed(),
                    file.entry,
                ])?;
            }
            Ok(())
        })
    }

    /// Forgets files of a folder by their paths, in one transaction. Paths that are not in
    /// the cache are passed over.
    pub fn forget_files(
        &self,
        folder: FolderId,
        paths: Vec<Vec<u8>>,
    ) -> Result<(), CatalogueError> {
        self.write(move |transaction| {
            let number = expect_number(transaction, folder)?;
            let mut directories = Directories::new(transaction, number);
            let mut statement = transaction
                .prepare_cached("DELETE FROM files WHERE directory = ?1 AND name = ?2")?;
            for path in &paths {
                let (parent, name) = split(path);
                if let Some(directory) = directories.find(parent)? {
                    statement.execute(params![directory, name])?;
                }
            }
            Ok(())
        })
    }
}

/// The directory and the name of a path; the folder itself is the empty directory.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

fn directory_of(
    connection: &Connection,
    folder: FolderId,
    path: &[u8],
) -> Result<Option<i64>, CatalogueError> {
    let Some(number) = number_of(connection, folder)? else {
        return Ok(None);
    };
    find_directory(connection, number, path)
}

fn find_directory(
    connection: &Connection,
    folder: i64,
    path: &[u8],
) -> Result<Option<i64>, CatalogueError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM directories WHERE folder = ?1 AND path = ?2")?;
    Ok(statement
        .query_row(params![folder, path], |row| row.get(0))
        .optional()?)
}

/// Numbers of directories; keeps the last one, because walks come directory by directory.
struct Directories<'a> {
    connection: &'a Connection,
    folder: i64,
    last: Option<(Vec<u8>, i64)>,
}

impl<'a> Directories<'a> {
    fn new(connection: &'a Connection, folder: i64) -> Self {
        Self {
            connection,
            folder,
            last: None,
        }
    }

    fn find(&mut self, path: &[u8]) -> Result<Option<i64>, CatalogueError> {
        if let Some((last, number)) = &self.last
            && last == path
        {
            return Ok(Some(*number));
        }
        let found = find_directory(self.connection, self.folder, path)?;
        if let Some(number) = found {
            self.last = Some((path.to_vec(), number));
        }
        Ok(found)
    }

    fn make(&mut self, path: &[u8]) -> Result<i64, CatalogueError> {
        if let Some(number) = self.find(path)? {
            return Ok(number);
        }
        self.connection.execute(
            "INSERT INTO directories (folder, path) VALUES (?1, ?2)",
            params![self.folder, path],
        )?;
        let number = self.connection.last_insert_rowid();
        self.last = Some((path.to_vec(), number));
        Ok(number)
    }
}

fn cached_from_row(row: &Row<'_>) -> rusqlite::Result<CachedFile> {
    Ok(CachedFile {
        // Written from a `u64` that fits, so the bits are the number.
        size: row.get::<_, i64>(0)?.cast_unsigned(),
        mtime_s: row.get(1)?,
        mtime_ns: row.get(2)?,
        ctime_s: row.get(3)?,
        ctime_ns: row.get(4)?,
        inode: row.get::<_, i64>(5)?.cast_unsigned(),
        device: row.get::<_, i64>(6)?.cast_unsigned(),
        entry: row.get(7)?,
    })
}
