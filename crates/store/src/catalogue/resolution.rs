//! Whether what a commit names can be found by whoever has nothing but that commit.

use std::collections::BTreeSet;

use bitdust_model::{ChunkId, PackId};
use rusqlite::Connection;

use super::{Catalogue, CatalogueError};
use crate::database::DatabaseError;

impl Catalogue {
    /// Whether a commit describes where all these chunks lie: in packs of live segments, or in `new`,
    /// those of its own segment. A pack that lost what others had confirmed of it is not in there. Fails
    /// with damage where a chunk lies nowhere, or a pack is said to be in a segment that is not live: no
    /// commit could mend that.
    pub fn are_described(
        &self,
        chunks: &[ChunkId],
        new: &[PackId],
    ) -> Result<bool, CatalogueError> {
        let new: BTreeSet<_> = new.iter().copied().collect();
        self.read(|connection| {
            refuse_dangling_packs(connection)?;
            let mut are_all = true;
            for chunk in chunks {
                are_all &= is_described(connection, *chunk, &new)?;
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

fn is_described(
    connection: &Connection,
    chunk: ChunkId,
    new: &BTreeSet<PackId>,
) -> Result<bool, CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT p.pack, p.segment IS NOT NULL FROM chunks c JOIN packs p ON p.id = c.pack WHERE c.chunk = ?1",
    )?;
    let mut rows = statement.query([chunk.0])?;
    let mut is_known = false;
    while let Some(row) = rows.next()? {
        is_known = true;
        if row.get(1)? || new.contains(&PackId(row.get(0)?)) {
            return Ok(true);
        }
    }
    if is_known {
        return Ok(false);
    }
    Err(broken("a version names a list that lies nowhere"))
}

fn broken(finding: &str) -> CatalogueError {
    DatabaseError::Broken {
        finding: finding.to_owned(),
    }
    .into()
}
