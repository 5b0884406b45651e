//! Whether what a commit names can be found by whoever has nothing but that commit.

use bitdust_model::ChunkId;
use rusqlite::Connection;

use super::{Catalogue, CatalogueError};
use crate::database::DatabaseError;

/// The packs that a commit describes: those of live segments, and those of its own new one, which takes
/// what `packs_to_publish` gives.
const DESCRIBED: &str = "(p.segment IN (SELECT id FROM segments)
     OR (p.segment IS NULL AND p.state = 1 AND p.kind <> 2 AND p.confirmed >= p.known_at))";

impl Catalogue {
    /// Whether a commit that is made now describes where all these chunks lie. It does not where a pack
    /// lost since what others had confirmed of it. Fails with damage where a chunk lies nowhere, or a pack
    /// is said to be in a segment that is not live: no commit could mend that.
    pub fn are_described(&self, chunks: &[ChunkId]) -> Result<bool, CatalogueError> {
        self.read(|connection| {
            refuse_dangling_packs(connection)?;
            let mut are_all = true;
            for chunk in chunks {
                if !is_described(connection, *chunk)? {
                    refuse_unknown(connection, *chunk)?;
                    are_all = false;
                }
            }
            Ok(are_all)
        })
    }
}

fn refuse_dangling_packs(connection: &Connection) -> Result<(), CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM packs WHERE segment IS NOT NULL AND segment NOT IN (SELECT id FROM segments) LIMIT 1",
    )?;
    if statement.exists([])? {
        return Err(broken("a pack is in a part of the index that is not there"));
    }
    Ok(())
}

fn is_described(connection: &Connection, chunk: ChunkId) -> Result<bool, CatalogueError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT 1 FROM chunks c JOIN packs p ON p.id = c.pack WHERE c.chunk = ?1 AND {DESCRIBED}"
    ))?;
    Ok(statement.exists([chunk.0])?)
}

fn refuse_unknown(connection: &Connection, chunk: ChunkId) -> Result<(), CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM chunks c JOIN packs p ON p.id = c.pack WHERE c.chunk = ?1",
    )?;
    if statement.exists([chunk.0])? {
        return Ok(());
    }
    Err(broken("a version names a list that lies nowhere"))
}

fn broken(finding: &str) -> CatalogueError {
    DatabaseError::Broken {
        finding: finding.to_owned(),
    }
    .into()
}
