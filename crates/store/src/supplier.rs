//! What is kept for others: shards as files, and a database that says whose they are.
//!
//! A shard counts as kept only after its bytes were hashed, synced, named and entered in the
//! database, in that order; before that no receipt may be signed. A file that does not match
//! its hash is never given out as if it did. Quotas are decided elsewhere; usage is reported
//! exactly.

mod alignment;
mod contracts;
mod deposits;
mod documents;
mod error;
mod fences;
mod files;
mod grace;
mod heads;
mod intake;
mod presence;
mod read;
mod replacement;
mod schema;
mod shards;
mod sweep;
mod swept;
mod write;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitdust_model::{ErrorCode, IdentityId, ShardId, UnixMillis};
use rusqlite::{Connection, Transaction};

use crate::database::{Database, Durability};
use crate::home::HomePaths;
use documents::DocumentFiles;
use files::ShardFiles;

pub use contracts::StoredContract;
pub use error::ShardError;
pub use heads::{HeadChain, Vouchers};
pub use read::{ServedRange, aligned_range};
pub use shards::{ShardListing, Usage};
pub use swept::Swept;
pub use write::{Begin, ShardWriter, StoredShard};

/// A handle of the store; clones share it. Every call blocks until it is done.
#[derive(Clone)]
pub struct ShardStore {
    shared: Arc<ShardStoreShared>,
}

struct ShardStoreShared {
    /// `None`: it could not be opened.
    database: Option<Database>,
    files: ShardFiles,
    documents: DocumentFiles,
    /// Shards whose files somebody is changing right now.
    claimed: Mutex<BTreeSet<(IdentityId, ShardId)>>,
}

impl ShardStore {
    /// Opens or creates the store of a home, and brings files and database in line after a
    /// crash; what that did is reported. A damaged database is put aside; a new one is filled
    /// from the files. `now` judges the age of half-received shards.
    pub fn open(paths: &HomePaths, now: UnixMillis) -> Result<(Self, Swept), ShardError> {
        let (database, is_replaced) = replacement::open_or_replace(&paths.supplier())?;
        let files = ShardFiles::new(paths.shards(), paths.graced());
        let store = Self {
            shared: Arc::new(ShardStoreShared {
                database: Some(database),
                files,
                documents: DocumentFiles::new(paths.documents()),
                claimed: Mutex::default(),
            }),
        };
        let mut swept = if store.mark_folder()? {
            store.sweep(now)?
        } else {
            Swept {
                is_away: true,
                ..Swept::default()
            }
        };
        store.align_documents(&mut swept)?;
        swept.is_replaced = is_replaced;
        Ok((store, swept))
    }

    /// The same; where its disk refuses, a store that refuses everything until the next start, and of which
    /// nothing is changed. What another version of this program wrote is an error still.
    pub fn open_or_shut(paths: &HomePaths, now: UnixMillis) -> Result<(Self, Swept), ShardError> {
        let error = match Self::open(paths, now) {
            Err(error) if error.code() != ErrorCode::Incompatible => error,
            opened => return opened,
        };
        tracing::error!(%error, "What is kept for others cannot be opened");
        let store = Self {
            shared: Arc::new(ShardStoreShared {
                database: None,
                files: ShardFiles::new(paths.shards(), paths.graced()),
                documents: DocumentFiles::new(paths.documents()),
                claimed: Mutex::default(),
            }),
        };
        let swept = Swept {
            is_shut: true,
            ..Swept::default()
        };
        Ok((store, swept))
    }

    /// Whether it could not be opened, and refuses everything.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.shared.database.is_none()
    }

    fn database(&self) -> Result<&Database, ShardError> {
        self.shared.database.as_ref().ok_or(ShardError::Shut)
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, ShardError>,
    ) -> Result<T, ShardError> {
        self.database()?.read(work)
    }

    /// Every write survives a power cut: others rely on it as soon as they hear of it.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ShardError> + Send + 'static,
    ) -> Result<T, ShardError> {
        self.database()?.write(Durability::Power, work)
    }

    fn files(&self) -> &ShardFiles {
        &self.shared.files
    }

    /// Claims the files of one shard; `None` while somebody else has them.
    fn claim(&self, identity: IdentityId, shard: ShardId) -> Option<Claim> {
        let is_free = self.shared.lock().insert((identity, shard));
        is_free.then(|| Claim {
            store: self.clone(),
            key: (identity, shard),
        })
    }
}

impl ShardStoreShared {
    /// A poisoned lock is taken all the same: a set is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, BTreeSet<(IdentityId, ShardId)>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sole right to change the files of one shard, until it is dropped.
struct Claim {
    store: ShardStore,
    key: (IdentityId, ShardId),
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.store.shared.lock().remove(&self.key);
    }
}
