//! Settings and small facts by name.

use bitdust_model::limits::META_BYTES_MAX;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Catalogue, CatalogueError};
use crate::row::check_length;

impl Catalogue {
    /// The value of a key.
    pub fn get_meta(&self, key: &str) -> Result<Option<Vec<u8>>, CatalogueError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
            Ok(statement.query_row([key], |row| row.get(0)).optional()?)
        })
    }

    /// Sets a key durably; at most `META_BYTES_MAX` bytes.
    pub fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), CatalogueError> {
        self.set_metas(vec![(key.to_owned(), value.to_vec())])
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
