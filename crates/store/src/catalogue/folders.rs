//! Folders under protection.

use bitdust_model::FolderId;
use bitdust_model::limits::{FOLDERS_MAX, META_BYTES_MAX};
use bitdust_model::manifest::FolderRecord;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::refuse_when_full;
use super::{Catalogue, CatalogueError, meta};
use crate::row::{FolderRow, blob, check_length, decode_row, encode_row};

impl Catalogue {
    /// Adds a folder, or changes the path and excludes of one that is there. At most
    /// `FOLDERS_MAX`.
    pub fn add_folder(&self, record: FolderRecord) -> Result<(), CatalogueError> {
        let folder = record.folder;
        let bytes = encode_row(&FolderRow(record))?;
        self.write_durably(move |transaction| add(transaction, folder, &bytes))
    }

    /// Changes a folder and settings that belong to it, all or none. Their values have at most
    /// `META_BYTES_MAX` bytes each.
    pub fn change_folder(
        &self,
        record: FolderRecord,
        settings: Vec<(String, Vec<u8>)>,
    ) -> Result<(), CatalogueError> {
        for (_, value) in &settings {
            check_length("setting", value.len(), META_BYTES_MAX)?;
        }
        let folder = record.folder;
        let bytes = encode_row(&FolderRow(record))?;
        self.write_durably(move |transaction| {
            add(transaction, folder, &bytes)?;
            settings
                .iter()
                .try_for_each(|(key, value)| meta::set(transaction, key, value))
        })
    }

    /// All folders in the order in which they were added.
    pub fn folders(&self) -> Result<Vec<FolderRecord>, CatalogueError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT record FROM folders ORDER BY id")?;
            let rows = statement
                .query_and_then([], |row| Ok(decode_row::<FolderRow>(blob(row, 0)?)?.0))?;
            rows.collect()
        })
    }

    /// Removes a folder and its file cache; its snapshots stay. Says whether it was there.
    pub fn remove_folder(&self, folder: FolderId) -> Result<bool, CatalogueError> {
        self.write_durably(move |transaction| {
            let Some(number) = number_of(transaction, folder)? else {
                return Ok(false);
            };
            transaction.execute(
                "DELETE FROM files WHERE directory IN (SELECT id FROM directories WHERE folder = ?1)",
                [number],
            )?;
            transaction.execute("DELETE FROM directories WHERE folder = ?1", [number])?;
            transaction.execute("DELETE FROM folders WHERE id = ?1", [number])?;
            Ok(true)
        })
    }
}

fn add(connection: &Connection, folder: FolderId, record: &[u8]) -> Result<(), CatalogueError> {
    if number_of(connection, folder)?.is_none() {
        refuse_when_full(
            connection,
            "folders",
            "SELECT count(*) FROM folders",
            FOLDERS_MAX,
        )?;
    }
    connection.execute(
        "INSERT INTO folders (folder, record) VALUES (?1, ?2)
         ON CONFLICT (folder) DO UPDATE SET record = excluded.record",
        params![folder.0, record],
    )?;
    Ok(())
}

/// The small number of a folder.
pub(super) fn number_of(
    connection: &Connection,
    folder: FolderId,
) -> Result<Option<i64>, CatalogueError> {
    let mut statement = connection.prepare_cached("SELECT id FROM folders WHERE folder = ?1")?;
    Ok(statement
        .query_row([folder.0], |row| row.get(0))
        .optional()?)
}

/// The small number of a folder that must be there.
pub(super) fn expect_number(
    connection: &Connection,
    folder: FolderId,
) -> Result<i64, CatalogueError> {
    number_of(connection, folder)?.ok_or(CatalogueError::UnknownFolder { folder })
}
