//! The catalogue from what suppliers keep: segments and snapshots read back at a recovery.
//!
//! What is imported can be located and restored from. It is not known to later backups until
//! suppliers confirm its shards anew: an index says what was once stored, not what still is.

use bitdust_model::PositionMask;
use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::{PackRecord, PackRef, Segment, SnapshotRecord};

use super::groups::Moves;
use super::pack_rows::{PackState, number_of};
use super::packs::{CheckedPack, insert, raise_state};
use super::snapshots::insert_snapshot;
use super::{Catalogue, CatalogueError};
use rusqlite::Transaction;

/// What an import brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Packs that were not in the catalogue.
    pub packs_new: u64,
    /// Packs that were.
    pub packs_known: u64,
    /// How that moves committed packs.
    pub moved: Vec<GroupChange>,
}

impl Catalogue {
    /// Takes a segment of the pack index in, whole or not at all. Doing it again changes
    /// nothing.
    pub fn import_segment(&self, segment: Segment) -> Result<Imported, CatalogueError> {
        let packs = segment
            .packs
            .into_iter()
            .map(|record| {
                Ok((
                    record.pack.pack,
                    CheckedPack::new(record, self.pack_header_bytes)?,
                ))
            })
            .collect::<Result<Vec<_>, CatalogueError>>()?;
        self.write(move |transaction| {
            let (mut imported, mut moves) = (Imported::default(), Moves::default());
            for (id, pack) in &packs {
                if number_of(transaction, *id)?.is_some() {
                    imported.packs_known += 1;
                } else {
                    imported.packs_new += 1;
                }
                import_pack(transaction, pack, &mut moves)?;
            }
            imported.moved = moves.changes();
            Ok(imported)
        })
    }

    /// Takes in packs whose contents are described elsewhere: the commit packs of a manifest. Gives how
    /// that moves committed packs.
    pub fn import_pack_refs(
        &self,
        packs: Vec<PackRef>,
    ) -> Result<Vec<GroupChange>, CatalogueError> {
        let packs = packs
            .into_iter()
            .map(|pack| {
                CheckedPack::new(
                    PackRecord {
                        pack,
                        random: [0; 32],
                        confirmed: PositionMask::default(),
                        chunks: Vec::new(),
                    },
                    self.pack_header_bytes,
                )
            })
            .collect::<Result<Vec<_>, CatalogueError>>()?;
        self.write(move |transaction| {
            let mut moves = Moves::default();
            for pack in &packs {
                import_pack(transaction, pack, &mut moves)?;
            }
            Ok(moves.changes())
        })
    }

    /// Takes snapshots in, all or none. Doing it again changes nothing.
    pub fn import_snapshots(&self, snapshots: Vec<SnapshotRecord>) -> Result<(), CatalogueError> {
        self.write(move |transaction| {
            snapshots
                .into_iter()
                .try_for_each(|snapshot| insert_snapshot(transaction, snapshot, None))
        })
    }
}

fn import_pack(
    transaction: &Transaction<'_>,
    pack: &CheckedPack,
    moves: &mut Moves,
) -> Result<(), CatalogueError> {
    let number = insert(transaction, pack)?;
    // Those of own sets are published only by the head that describes them: until then a backup that finds
    // what is in them has to describe them itself.
    let is_own = transaction
        .prepare_cached(
            "SELECT 1 FROM own_sets WHERE set_id = (SELECT set_id FROM packs WHERE id = ?1)",
        )?
        .exists([number])?;
    let state = if is_own {
        PackState::Committed
    } else {
        PackState::Published
    };
    moves.of(transaction, number, || {
        raise_state(transaction, number, state)
    })
}
