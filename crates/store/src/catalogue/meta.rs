//! Settings and small facts by name.

use bitdust_model::limits::META_BYTES_MAX;
use rusqlite::{OptionalExtension, params};

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
        check_length("setting", value.len(), META_BYTES_MAX)?;
        let (key, value) = (key.to_owned(), value.to_vec());
        self.write_durably(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
                params![key, value],
            )?;
            Ok(())
        })
    }
}
