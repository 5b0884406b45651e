//! Settings and small facts by name.

use bitdust_model::WriterId;
use bitdust_model::limits::META_BYTES_MAX;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Catalogue, CatalogueError};
use crate::row::check_length;

impl Catalogue {
    /// The value of a key.
    pub fn get_meta(&self, key: &str) -> Result<Option<Vec<u8>>, CatalogueError> {
        self.read(|connection| get(connection, key))
    }

    /// Who writes into the lane: drawn at random when the catalogue was made.
    pub fn writer(&self) -> Result<WriterId, CatalogueError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT value FROM meta WHERE key = 'writer'")?;
            Ok(WriterId(statement.query_row([], |row| row.get(0))?))
        })
    }

    /// Sets a key durably; at most `META_BYTES_MAX` bytes.
    pub fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), CatalogueError> {
        self.set_metas(vec![(key.to_owned(), value.to_vec())])
    }

    /// Counts a key up durably and gives the new number, the first of which is 1. No two callers
    /// get the same.
    pub fn count_up_meta(&self, key: &str) -> Result<u64, CatalogueError> {
        self.change_meta(key, |before| {
            let before = before
                .and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)))
                .unwrap_or(0);
            let number = before.saturating_add(1);
            (number.to_le_bytes().to_vec(), number)
        })
    }

    /// Changes the value of a key durably by a rule that is given the value there is and gives the new one, of at
    /// most `META_BYTES_MAX` bytes, and an answer. Nobody else changes it meanwhile.
    pub fn change_meta<T: Send + 'static>(
        &self,
        key: &str,
        rule: impl FnOnce(Option<Vec<u8>>) -> (Vec<u8>, T) + Send + 'static,
    ) -> Result<T, CatalogueError> {
        let key = key.to_owned();
        self.write_durably(move |transaction| {
            let (value, answer) = rule(get(transaction, &key)?);
            check_length("setting", value.len(), META_BYTES_MAX)?;
            set(transaction, &key, &value)?;
            Ok(answer)
        })
    }

    /// Sets several keys durably, all or none; at most `META_BYTES_MAX` bytes each.
    pub fn set_metas(&self, values: Vec<(String, Vec<u8>)>) -> Result<(), CatalogueError> {
        for (_, value) in &values {
            check_length("setting", value.len(), META_BYTES_MAX)?;
        }
        self.write_durably(move |transaction| {
            for (key, value) in values {
                set(transaction, &key, &value)?;
            }
            Ok(())
        })
    }
}

/// The value of a key.
pub(super) fn get(connection: &Connection, key: &str) -> Result<Option<Vec<u8>>, CatalogueError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets a key in a transaction.
pub(super) fn set(
    transaction: &Transaction<'_>,
    key: &str,
    value: &[u8],
) -> Result<(), CatalogueError> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
    statement.execute(params![key, value])?;
    Ok(())
}
