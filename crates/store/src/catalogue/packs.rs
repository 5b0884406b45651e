//! Packs from the moment they are sealed: intent, commit, publication.
//!
//! A pack is recorded before its first shard leaves, so that a crash cannot forget shards
//! that suppliers already keep. Its chunks become known with its commit, in one transaction.

use bitdust_model::codec::Versioned;
use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::{CHUNKS_PER_PACK_MAX, DATABASE_PAGE_MAX, PACK_BYTES_MAX};
use bitdust_model::manifest::{PackKind, PackRecord, PackRef, Segment, Trailer};
use bitdust_model::{ByteCount, Code, DeviceId, PackId, Position, PositionMask};
use rusqlite::{Connection, Params, Transaction, params};

use super::confirmations::{confirmations_of, recount};
use super::groups::Moves;
use super::pack_rows::{
    PackState, chunks_of, expect_number, kind_from_column, kind_to_column, number_of, ref_of,
    shard_bytes, state_of, state_to_column,
};
use super::{Catalogue, CatalogueError};
use crate::row::{PackRow, blob, decode_row, encode_row, from_column};

/// A pack that was sealed and not committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnconfirmedPack {
    /// The pack.
    pub pack: PackRef,
    /// Positions that are confirmed, and who keeps them.
    pub confirmed: Vec<(Position, DeviceId)>,
}

/// What the committed and published packs of one kind amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackTotals {
    /// What the packs carry.
    pub kind: PackKind,
    /// The packs as they were sealed, before coding or copying.
    pub sealed: ByteCount,
    /// n / k of that: the least that all their shards can have.
    pub coded: ByteCount,
    /// The shards that suppliers confirmed.
    pub kept: ByteCount,
}

impl Catalogue {
    /// Records a sealed pack before any of its shards is sent. Recording it again is no
    /// error; recording another pack under its id is.
    pub fn record_pack(&self, record: PackRecord) -> Result<(), CatalogueError> {
        let pack = CheckedPack::new(record, self.pack_header_bytes)?;
        self.write(move |transaction| {
            insert(transaction, &pack)?;
            Ok(())
        })
    }

    /// Makes a pack's chunks known; the caller decided that enough shards are confirmed. Gives
    /// what it is counted with from then on. Committing again is no error and changes nothing.
    pub fn commit_pack(&self, pack: PackId) -> Result<Option<GroupChange>, CatalogueError> {
        self.write(move |transaction| {
            let number = expect_number(transaction, pack)?;
            let mut moves = Moves::default();
            moves.of(transaction, number, || {
                raise_state(transaction, number, PackState::Committed)
            })?;
            Ok(moves.changes().pop())
        })
    }

    /// Forgets a pack, its chunks and its confirmations. Says whether it was there.
    pub fn drop_pack(&self, pack: PackId) -> Result<bool, CatalogueError> {
        self.write(move |transaction| {
            let Some(number) = number_of(transaction, pack)? else {
                return Ok(false);
            };
            let mut statement =
                transaction.prepare_cached("DELETE FROM chunks WHERE chunk = ?1 AND pack = ?2")?;
            for chunk in chunks_of(transaction, number)? {
                statement.execute(params![chunk.chunk.0, number])?;
            }
            for sql in [
                "DELETE FROM confirmations WHERE pack = ?1",
                "DELETE FROM pack_chunks WHERE pack = ?1",
                "DELETE FROM packs WHERE id = ?1",
            ] {
                transaction.prepare_cached(sql)?.execute([number])?;
            }
            Ok(true)
        })
    }

    /// Packs that are sealed and not committed, oldest first; at most `DATABASE_PAGE_MAX`.
    pub fn unconfirmed_packs(&self) -> Result<Vec<UnconfirmedPack>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, record FROM packs WHERE state = 0 ORDER BY id LIMIT ?1",
            )?;
            let rows = statement.query_and_then([page_limit()], |row| {
                let pack = decode_row::<PackRow>(blob(row, 1)?)?.0;
                let confirmed = confirmations_of(connection, row.get(0)?)?
                    .into_iter()
                    .map(|confirmation| (confirmation.position, confirmation.supplier))
                    .collect();
                Ok(UnconfirmedPack { pack, confirmed })
            })?;
            rows.collect()
        })
    }

    /// How to fetch a pack.
    pub fn pack_ref(&self, pack: PackId) -> Result<Option<PackRef>, CatalogueError> {
        self.read(|connection| match number_of(connection, pack)? {
            Some(number) => Ok(Some(ref_of(connection, number)?)),
            None => Ok(None),
        })
    }

    /// Whether a pack is committed.
    pub fn is_committed(&self, pack: PackId) -> Result<bool, CatalogueError> {
        self.read(|connection| match number_of(connection, pack)? {
            Some(number) => Ok(state_of(connection, number)? > PackState::Sealed),
            None => Ok(false),
        })
    }

    /// A pack with its chunks.
    pub fn pack_record(&self, pack: PackId) -> Result<Option<PackRecord>, CatalogueError> {
        self.read(|connection| match number_of(connection, pack)? {
            Some(number) => {
                let mut statement =
                    connection.prepare_cached("SELECT random, mask FROM packs WHERE id = ?1")?;
                let (random, mask): (Option<[u8; 32]>, u32) =
                    statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(Some(PackRecord {
                    pack: ref_of(connection, number)?,
                    random: random.unwrap_or_default(),
                    confirmed: PositionMask(mask),
                    chunks: chunks_of(connection, number)?,
                }))
            }
            None => Ok(None),
        })
    }

    /// Packs that are known and not published, oldest first, beginning after the last pack
    /// of an earlier page. A page fits into one encoded segment; an empty one ends the list.
    /// Commit packs are not among them: manifests and heads name those themselves.
    pub fn packs_to_publish(
        &self,
        after: Option<PackId>,
    ) -> Result<Vec<PackRecord>, CatalogueError> {
        self.read(|connection| {
            let after = after_number(connection, after)?;
            records_page(
                connection,
                "SELECT p.id, p.record, c.chunks, p.random, p.mask FROM packs p JOIN pack_chunks c ON c.pack = p.id
                 WHERE p.state = 1 AND p.kind <> 2 AND p.confirmed >= p.known_at AND p.id > ?1 ORDER BY p.id LIMIT ?2",
                params![after, page_limit()],
            )
        })
    }
}

impl Catalogue {
    /// Bytes of committed and published packs by kind, and of their confirmed shards.
    pub fn pack_totals(&self) -> Result<Vec<PackTotals>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT kind, sum(pack_bytes), sum(pack_bytes * positions / k), sum(shard_bytes * confirmed)
                 FROM packs WHERE state > 0 GROUP BY kind",
            )?;
            let rows = statement.query_and_then([], |row| {
                let bytes = |column: usize| -> Result<ByteCount, CatalogueError> {
                    Ok(ByteCount(from_column("bytes", row.get(column)?)?))
                };
                Ok(PackTotals {
                    kind: kind_from_column(row.get(0)?)?,
                    sealed: bytes(1)?,
                    coded: bytes(2)?,
                    kept: bytes(3)?,
                })
            })?;
            rows.collect()
        })
    }
}

/// The number after which a page begins.
pub(super) fn after_number(
    connection: &Connection,
    after: Option<PackId>,
) -> Result<i64, CatalogueError> {
    match after {
        Some(pack) => expect_number(connection, pack),
        None => Ok(0),
    }
}

/// Rows in a page, as a parameter.
pub(super) fn page_limit() -> i64 {
    i64::try_from(DATABASE_PAGE_MAX).unwrap_or(i64::MAX)
}

/// Reads packs from a query for {id, record, chunks, random, mask} until they would no longer fit into one
/// encoded segment; always at least one.
pub(super) fn records_page(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<PackRecord>, CatalogueError> {
    // Version byte and lengths of the lists.
    let mut bytes_left = Segment::BYTES_MAX - 16;
    let mut page = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        let (record, chunks) = (blob(row, 1)?, blob(row, 2)?);
        let bytes = record.len() + chunks.len() + RANDOM_AND_MASK_BYTES;
        if !page.is_empty() && bytes > bytes_left {
            break;
        }
        bytes_left = bytes_left.saturating_sub(bytes);
        page.push(PackRecord {
            pack: decode_row::<PackRow>(record)?.0,
            random: row.get::<_, Option<_>>(3)?.unwrap_or_default(),
            confirmed: PositionMask(row.get(4)?),
            chunks: decode_row::<Trailer>(chunks)?.chunks,
        });
    }
    Ok(page)
}

/// What they add to a record and its chunks in a segment: 32 bytes, and a number of 32 bits.
const RANDOM_AND_MASK_BYTES: usize = 32 + 5;

/// A pack that is consistent in itself, with its encoded parts.
pub(super) struct CheckedPack {
    pack: PackRef,
    /// `None` where nobody knows them but the pack.
    random: Option<[u8; 32]>,
    record: Vec<u8>,
    chunks: Vec<u8>,
    has_chunks: bool,
    positions: u8,
    known_at: u8,
}

impl CheckedPack {
    pub(super) fn new(record: PackRecord, header_bytes: u32) -> Result<Self, CatalogueError> {
        let PackRecord {
            pack,
            random,
            confirmed: _,
            chunks,
        } = record;
        let bad = |reason| CatalogueError::BadPack {
            pack: pack.pack,
            reason,
        };
        let positions =
            u8::try_from(pack.shards.len()).map_err(|_| bad("it has too many shards"))?;
        let code = Code::new(pack.k, positions)
            .map_err(|_| bad("its k does not fit the number of its shards"))?;
        if pack.pack_bytes as usize > PACK_BYTES_MAX {
            return Err(bad("it is too long"));
        }
        if chunks.len() > CHUNKS_PER_PACK_MAX {
            return Err(bad("it has too many chunks"));
        }
        let body: u64 = chunks
            .iter()
            .map(|chunk| u64::from(chunk.stored_bytes))
            .sum();
        if body + u64::from(header_bytes) > u64::from(pack.pack_bytes) && !chunks.is_empty() {
            return Err(bad("its chunks are longer than the pack"));
        }
        let has_chunks = !chunks.is_empty();
        let chunks = encode_row(&Trailer { chunks })?;
        let record = encode_row(&PackRow(pack.clone()))?;
        Ok(Self {
            pack,
            random: has_chunks.then_some(random),
            record,
            chunks,
            has_chunks,
            positions,
            known_at: code.known_at(),
        })
    }
}

/// Inserts a sealed pack and gives its number. One that is there must be the same, but for a
/// chunk list that was not known before.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    checked: &CheckedPack,
) -> Result<i64, CatalogueError> {
    let pack = &checked.pack;
    if let Some(number) = number_of(transaction, pack.pack)? {
        complete(transaction, number, checked)?;
        return Ok(number);
    }
    transaction
        .prepare_cached(
            "INSERT INTO packs (pack, state, kind, set_id, k, positions, known_at, shard_bytes, record,
                 pack_bytes, random)
             VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            pack.pack.0,
            kind_to_column(pack.kind),
            pack.set.0,
            pack.k,
            checked.positions,
            checked.known_at,
            shard_bytes(pack),
            checked.record,
            pack.pack_bytes,
            checked.random,
        ])?;
    let number = transaction.last_insert_rowid();
    transaction
        .prepare_cached("INSERT INTO pack_chunks (pack, chunks) VALUES (?1, ?2)")?
        .execute(params![number, checked.chunks])?;
    Ok(number)
}

fn complete(
    transaction: &Transaction<'_>,
    number: i64,
    checked: &CheckedPack,
) -> Result<(), CatalogueError> {
    let other = || CatalogueError::OtherPack {
        pack: checked.pack.pack,
    };
    if ref_of(transaction, number)? != checked.pack {
        return Err(other());
    }
    let kept: Vec<u8> = transaction
        .prepare_cached("SELECT chunks FROM pack_chunks WHERE pack = ?1")?
        .query_row([number], |row| row.get(0))?;
    if kept == checked.chunks || !checked.has_chunks {
        return Ok(());
    }
    if !decode_row::<Trailer>(&kept)?.chunks.is_empty() {
        return Err(other());
    }
    transaction
        .prepare_cached("UPDATE pack_chunks SET chunks = ?2 WHERE pack = ?1")?
        .execute(params![number, checked.chunks])?;
    transaction
        .prepare_cached("UPDATE packs SET random = ?2 WHERE id = ?1")?
        .execute(params![number, checked.random])?;
    if state_of(transaction, number)? > PackState::Sealed {
        insert_chunks(transaction, number)?;
    }
    Ok(())
}

/// Moves a pack forward to a state, never back. Its chunks enter the index when it leaves
/// the sealed state.
pub(super) fn raise_state(
    transaction: &Transaction<'_>,
    number: i64,
    to: PackState,
) -> Result<(), CatalogueError> {
    let from = state_of(transaction, number)?;
    if from >= to {
        return Ok(());
    }
    if from == PackState::Sealed {
        insert_chunks(transaction, number)?;
        recount(transaction, number)?;
    }
    transaction
        .prepare_cached("UPDATE packs SET state = ?2 WHERE id = ?1")?
        .execute(params![number, state_to_column(to)])?;
    Ok(())
}

fn insert_chunks(transaction: &Transaction<'_>, number: i64) -> Result<(), CatalogueError> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO chunks (chunk, pack, place, body_offset, stored_bytes, raw_bytes, compressed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut body_offset: i64 = 0;
    for (place, chunk) in (0_i64..).zip(chunks_of(transaction, number)?) {
        statement.execute(params![
            chunk.chunk.0,
            number,
            place,
            body_offset,
            chunk.stored_bytes,
            chunk.raw_bytes,
            chunk.compressed,
        ])?;
        body_offset += i64::from(chunk.stored_bytes);
    }
    Ok(())
}
