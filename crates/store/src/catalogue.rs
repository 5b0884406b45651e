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
mod lane;
mod meta;
mod pack_rows;
mod packs;
mod rebuild;
mod resolution;
mod schema;
mod scratch;
mod segments;
mod snapshots;
mod suppliers;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, Transaction};

use crate::database::{Database, DatabaseError, Durability, remove_database};

pub use chunks::Located;
pub use confirmations::{Confirmation, ConfirmedShard, Withdrawn};
pub use error::CatalogueError;
pub use files::CachedFile;
pub use friends::{Friend, Redeemed};
pub use groups::OwedPlace;
pub use heads::{OwnHead, OwnSet};
pub use history::{HistoryQuestion, PastEvent};
pub use id::SegmentId;
pub use lane::{ListedShard, TakenLane, TakenSegment};
pub use pack_rows::shard_bytes;
pub use packs::{PackTotals, UnconfirmedPack};
pub use rebuild::Imported;
pub use scratch::ScratchCatalogue;
pub use segments::{LiveSegment, NewSegment, Publication, Published};
pub use suppliers::{Introduction, SignedContract, Supplier};

/// A handle of the catalogue; clones share one writer and a few readers. Every call blocks
/// until it is done.
#[derive(Clone)]
pub struct Catalogue {
    database: Database,
    /// Bytes before the first chunk of a pack.
    pack_header_bytes: u32,
    /// Whether some call met damage.
    is_damaged: Arc<AtomicBool>,
}

/// Whether there is a file that is not empty: one that was only just made is not.
fn is_there(path: &Path) -> Result<bool, CatalogueError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(found.len() > 0),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(DatabaseError::Unusable {
            path: path.to_path_buf(),
            source,
        }
        .into()),
    }
}

impl Catalogue {
    /// Opens or creates the catalogue and brings it up to date. `pack_header_bytes` is the
    /// length of a pack's header, from which the places of chunks are counted.
    pub fn open(path: &Path, pack_header_bytes: u32) -> Result<Self, CatalogueError> {
        let database = Database::open(path, "catalogue", &schema::SCHEMA)?;
        Ok(Self {
            database,
            pack_header_bytes,
            is_damaged: Arc::default(),
        })
    }

    /// The one of a home that has had one since its keys were made. In place of one that is not there, is
    /// empty, or is damaged so much that it does not open, an empty one that is called damaged: nothing is
    /// believed of it, and the file itself is left as it is.
    pub fn open_or_scratch(path: &Path, pack_header_bytes: u32) -> Result<Self, CatalogueError> {
        if is_there(path)? {
            match Self::open(path, pack_header_bytes) {
                Err(error) if error.is_damage() => {
                    tracing::error!(%error, "The catalogue is damaged");
                    Self::open_scratch(path, pack_header_bytes)
                }
                opened => opened,
            }
        } else {
            tracing::error!("The catalogue is gone");
            Self::open_scratch(path, pack_header_bytes)
        }
    }

    fn open_scratch(path: &Path, pack_header_bytes: u32) -> Result<Self, CatalogueError> {
        let mut name = path.as_os_str().to_os_string();
        name.push(".scratch");
        let scratch = Path::new(&name);
        remove_database(scratch).map_err(|source| DatabaseError::Unusable {
            path: scratch.to_path_buf(),
            source,
        })?;
        let empty = Self::open(scratch, pack_header_bytes)?;
        empty.is_damaged.store(true, Ordering::Relaxed);
        Ok(empty)
    }

    /// Looks through the structure of the whole file, a table at a time until `is_wanted` says no.
    /// Damage inside of a value is not seen.
    pub fn check(&self, is_wanted: impl Fn() -> bool) -> Result<(), CatalogueError> {
        self.noted(self.database.check_tables(is_wanted).map_err(Into::into))
    }

    /// Whether this catalogue was found damaged, by a look through it or by any call. It stays so until
    /// it is opened anew.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// Remembers damage that was met.
    fn noted<T>(&self, outcome: Result<T, CatalogueError>) -> Result<T, CatalogueError> {
        if outcome.as_ref().is_err_and(CatalogueError::is_damage) {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
        outcome
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, CatalogueError>,
    ) -> Result<T, CatalogueError> {
        self.noted(self.database.read(work))
    }

    /// Writes what may be lost in a power cut together with all that follows it.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, CatalogueError> {
        self.noted(self.database.write(Durability::Process, work))
    }

    /// Writes what must not be forgotten once others were told of it.
    fn write_durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, CatalogueError> {
        self.noted(self.database.write(Durability::Power, work))
    }
}
