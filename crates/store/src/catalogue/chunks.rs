//! Which chunks are known, and where they lie.
//!
//! A chunk is known, and need not be sent again, while one of its committed packs has as
//! many confirmed shards as its code demands (`Code::known_at`). It can be located in any
//! committed pack, however weak.

use std::collections::BTreeMap;

use bitdust_model::ledger::AtHand;
use bitdust_model::manifest::{BlobRef, ChunkRecord, PackRef};
use bitdust_model::{ChunkId, PackId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::pack_rows::ref_of;
use super::{Catalogue, CatalogueError};

/// Where some chunks lie; each pack is described once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// The packs they lie in.
    pub packs: BTreeMap<PackId, PackRef>,
    /// For each chunk asked for, in that order, its place; `None` when it is nowhere.
    pub blobs: Vec<Option<BlobRef>>,
}

impl Catalogue {
    /// Whether a chunk need not be sent again.
    pub fn known_chunk(&self, chunk: ChunkId) -> Result<bool, CatalogueError> {
        self.read(|connection| is_known(connection, chunk))
    }

    /// For each chunk, in order, whether it need not be sent again.
    pub fn known_chunks(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, CatalogueError> {
        self.read(|connection| {
            chunks
                .iter()
                .map(|chunk| is_known(connection, *chunk))
                .collect()
        })
    }

    /// Whether a list need not be sent again: a committed pack with it is confirmed at one of some
    /// positions of a set.
    pub fn list_at_hand(&self, chunk: ChunkId, at_hand: AtHand) -> Result<bool, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT 1 FROM chunks c JOIN packs p ON p.id = c.pack
                 WHERE c.chunk = ?1 AND p.set_id = ?2 AND (p.mask & ?3) <> 0",
            )?;
            let positions = i64::from(at_hand.positions.0);
            Ok(statement.exists(params![chunk.0, at_hand.set.0, positions])?)
        })
    }

    /// The same of all that lies in a pack.
    pub fn pack_at_hand(&self, pack: PackId, at_hand: AtHand) -> Result<bool, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT 1 FROM packs WHERE pack = ?1 AND set_id = ?2 AND (mask & ?3) <> 0",
            )?;
            let positions = i64::from(at_hand.positions.0);
            Ok(statement.exists(params![pack.0, at_hand.set.0, positions])?)
        })
    }

    /// Where a chunk lies: in the pack with most confirmed shards.
    pub fn locate(&self, chunk: ChunkId) -> Result<Option<(PackRef, BlobRef)>, CatalogueError> {
        let mut located = self.locate_many(&[chunk])?;
        let Some(blob) = located.blobs.pop().flatten() else {
            return Ok(None);
        };
        Ok(located.packs.remove(&blob.pack).map(|pack| (pack, blob)))
    }

    /// Where many chunks lie, all as of one moment.
    pub fn locate_many(&self, chunks: &[ChunkId]) -> Result<Located, CatalogueError> {
        self.read(|connection| {
            let mut located = Located::default();
            let mut numbers: BTreeMap<i64, PackId> = BTreeMap::new();
            for chunk in chunks {
                let Some(place) = place_of(connection, *chunk)? else {
                    located.blobs.push(None);
                    continue;
                };
                let pack = match numbers.get(&place.pack) {
                    Some(pack) => *pack,
                    None => {
                        let pack = ref_of(connection, place.pack)?;
                        let id = pack.pack;
                        numbers.insert(place.pack, id);
                        located.packs.insert(id, pack);
                        id
                    }
                };
                located.blobs.push(Some(BlobRef {
                    pack,
                    offset: place.body_offset.saturating_add(self.pack_header_bytes),
                    counter: place.counter,
                    record: place.record,
                }));
            }
            Ok(located)
        })
    }
}

fn is_known(connection: &Connection, chunk: ChunkId) -> Result<bool, CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM chunks c JOIN packs p ON p.id = c.pack
         WHERE c.chunk = ?1 AND p.confirmed >= p.known_at",
    )?;
    Ok(statement.exists([chunk.0])?)
}

struct ChunkRow {
    pack: i64,
    counter: u32,
    body_offset: u32,
    record: ChunkRecord,
}

fn place_of(connection: &Connection, chunk: ChunkId) -> Result<Option<ChunkRow>, CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.pack, c.place, c.body_offset, c.stored_bytes, c.raw_bytes, c.compressed
         FROM chunks c JOIN packs p ON p.id = c.pack
         WHERE c.chunk = ?1 ORDER BY p.confirmed DESC, p.id LIMIT 1",
    )?;
    Ok(statement
        .query_row([chunk.0], |row| place_from_row(row, chunk))
        .optional()?)
}

fn place_from_row(row: &Row<'_>, chunk: ChunkId) -> rusqlite::Result<ChunkRow> {
    Ok(ChunkRow {
        pack: row.get(0)?,
        counter: row.get(1)?,
        body_offset: row.get(2)?,
        record: ChunkRecord {
            chunk,
            stored_bytes: row.get(3)?,
            raw_bytes: row.get(4)?,
            compressed: row.get(5)?,
        },
    })
}
