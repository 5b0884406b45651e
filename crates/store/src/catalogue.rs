//! The catalogue: what this device has protected, where it lies, and what is still to do.
//!
//! It is a cache and a work list: losing it costs time, never data. It believes what it is
//! told about signatures and proofs; what it answers for itself is that states move in one
//! piece: a chunk counts as known only together with its pack's commit, and only while the
//! pack has enough confirmed shards.

mod chunks;
mod confirmations;
mod error;
mod files;
mod folders;
mod friends;
mod groups;
mod head_receipts;
mod heads;
mod history;
mod id;
mod meta;
mod pack_rows;
mod packs;
mod rebuild;
mod schema;
mod segments;
mod snapshots;
mod suppliers;

use std::path::Path;

use rusqlite::{Connection, Transaction};

use crate::database::{Database, Durability};

pub use chunks::Located;
pub use confirmations::{Confirmation, ConfirmedShard, Withdrawn};
pub use error::CatalogueError;
pub use files::CachedFile;
pub use friends::{Friend, Redeemed};
pub use heads::{OwnHead, OwnSet};
pub use history::{HistoryQuestion, PastEvent};
pub use id::SegmentId;
pub use pack_rows::shard_bytes;
pub use packs::{PackTotals, UnconfirmedPack};
pub use rebuild::Imported;
pub use segments::{LiveSegment, NewSegment, Publication, Published};
pub use suppliers::{Introduction, SignedContract, Supplier};

/// A handle of the catalogue; clones share one writer and a few readers. Every call blocks
/// until it is done.
#[derive(Clone)]
pub struct Catalogue {
    database: Database,
    /// Bytes before the first chunk of a pack.
    pack_header_bytes: u32,
}

impl Catalogue {
    /// Opens or creates the catalogue and brings it up to date. `pack_header_bytes` is the
    /// length of a pack's header, from which the places of chunks are counted.
    pub fn open(path: &Path, pack_header_bytes: u32) -> Result<Self, CatalogueError> {
        let database = Database::open(path, "catalogue", &schema::SCHEMA)?;
        Ok(Self {
            database,
            pack_header_bytes,
        })
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, CatalogueError>,
    ) -> Result<T, CatalogueError> {
        self.database.read(work)
    }

    /// Writes what may be lost in a power cut together with all that follows it.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, CatalogueError> {
        self.database.write(Durability::Process, work)
    }

    /// Writes what must not be forgotten once others were told of it.
    fn write_durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, CatalogueError> {
        self.database.write(Durability::Power, work)
    }
}
