//! A shard on its way in: begun, continued where it broke off, finished or thrown away.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use bao_tree::io::outboard::PreOrderMemOutboard;
use bitdust_model::UnixMillis;
use bitdust_model::limits::SHARD_BYTES_MAX;
use bitdust_model::shard::{ShardHeader, SignedHeader};

use super::error::is_lost;
use super::files::{hash_tree, outboard_path, part_path};
use super::intake::{Intake, from_beginning};
use super::shards::{FileState, Kept, ShardRow, kept_at_place, kept_shard};
use super::{Claim, ShardError, ShardStore};
use crate::durable;
use crate::row::encode_header;

/// What a request to store a shard finds.
pub enum Begin {
    /// The shard is here, whole, since then.
    Have {
        /// When it was made durable.
        stored_at: UnixMillis,
    },
    /// Its bytes may come, from [`ShardWriter::offset`] on.
    Write(Box<ShardWriter>),
}

/// A shard that is durable: a receipt may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredShard {
    /// When it was made durable, as given to [`ShardWriter::finish`].
    pub stored_at: UnixMillis,
}

impl ShardStore {
    /// Begins to store a shard, or goes on where an earlier try broke off. `header` is what
    /// `signed`, which was verified, says of it.
    ///
    /// Refuses a closed lane, a second writer of the same shard, and a shard whose place is
    /// taken by another.
    pub fn begin(&self, header: &ShardHeader, signed: &SignedHeader) -> Result<Begin, ShardError> {
        let (identity, shard) = (header.owner, header.shard);
        if header.shard_bytes == 0 || header.shard_bytes as usize > SHARD_BYTES_MAX {
            return Err(ShardError::BadLength {
                shard,
                shard_bytes: header.shard_bytes,
            });
        }
        let row = ShardRow {
            header: header.clone(),
            encoded: encode_header(signed)?,
        };
        let claim = self
            .claim(identity, shard)
            .ok_or(ShardError::Busy { shard })?;
        if self.is_fenced(identity, header.lane)? {
            return Err(ShardError::Fenced { lane: header.lane });
        }
        let (kept, is_new) = self.kept_before(header)?;
        if let Some(Kept {
            header: kept,
            stored_at,
            is_whole: true,
        }) = kept
        {
            if !is_same_place(&kept, header) {
                return Err(ShardError::Conflict { shard });
            }
            // Whoever sends it again may have reason to: only what was read is called kept.
            match self.verify_file(header)? {
                FileState::Whole => return Ok(Begin::Have { stored_at }),
                FileState::Missing => self.mark_missing(identity, shard)?,
                FileState::Damaged => self.mark_damaged(identity, shard)?,
            }
        }
        if is_new {
            self.reuse_unentered(header)?;
        }
        Ok(Begin::Write(Box::new(ShardWriter::open(
            self.clone(),
            claim,
            row,
        )?)))
    }

    /// What is entered for a shard or, where it is new, for its place; and whether it is new.
    fn kept_before(&self, header: &ShardHeader) -> Result<(Option<Kept>, bool), ShardError> {
        let (identity, shard) = (header.owner, header.shard);
        self.read(
            |connection| match kept_shard(connection, identity, shard)? {
                Some(kept) => Ok((Some(kept), false)),
                None => Ok((
                    kept_at_place(
                        connection,
                        identity,
                        header.set,
                        header.pack,
                        header.position,
                    )?,
                    true,
                )),
            },
        )
    }

    /// A finished file that never got its row (the database failed) is as good as one that is
    /// still arriving: its bytes need not be sent again.
    fn reuse_unentered(&self, header: &ShardHeader) -> Result<(), ShardError> {
        let path = self.files().shard(header.owner, header.shard);
        match fs::rename(&path, part_path(&path)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(ShardError::disk(&path)(error)),
        }
    }

    /// Reads a shard's file and says how it is.
    fn verify_file(&self, header: &ShardHeader) -> Result<FileState, ShardError> {
        let path = self.files().shard(header.owner, header.shard);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.files().expect_there()?;
                return Ok(FileState::Missing);
            }
            Err(error) => return Err(ShardError::disk(&path)(error)),
        };
        let bytes = u64::from(header.shard_bytes);
        let found = file.metadata().map_err(ShardError::disk(&path))?;
        if !found.is_file() || found.len() != bytes {
            return Ok(FileState::Damaged);
        }
        match hash_tree(file, bytes) {
            Ok(tree) if tree.root.as_bytes() == header.shard.as_bytes() => Ok(FileState::Whole),
            Ok(_) => Ok(FileState::Damaged),
            Err(error) if is_lost(&error) => Ok(FileState::Damaged),
            Err(error) => Err(ShardError::disk(&path)(error)),
        }
    }
}

fn is_same_place(a: &ShardHeader, b: &ShardHeader) -> bool {
    (a.shard, a.shard_bytes, a.set, a.pack, a.position, a.lane)
        == (b.shard, b.shard_bytes, b.set, b.pack, b.position, b.lane)
}

/// Takes the bytes of one shard. Dropped before [`finish`](Self::finish), it leaves what came
/// so far for another try.
pub struct ShardWriter {
    store: ShardStore,
    /// Keeps other writers away from the files.
    _claim: Claim,
    row: ShardRow,
    path: PathBuf,
    file: File,
    offset: u64,
    /// What the file hashes to, once it is whole.
    tree: Option<PreOrderMemOutboard>,
}

impl ShardWriter {
    fn open(store: ShardStore, claim: Claim, row: ShardRow) -> Result<Self, ShardError> {
        let (identity, shard) = (row.header.owner, row.header.shard);
        store.files().make_bucket(identity, shard)?;
        let path = store.files().shard(identity, shard);
        let part = part_path(&path);
        let open = || {
            let file = durable::private_file()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&part)?;
            let mut offset = file.metadata()?.len();
            if offset > u64::from(row.header.shard_bytes) {
                // Not a beginning of this shard, whatever it is.
                file.set_len(0)?;
                offset = 0;
            }
            Ok((file, offset))
        };
        let (file, offset) = open().map_err(ShardError::disk(&part))?;
        Ok(Self {
            store,
            _claim: claim,
            row,
            path,
            file,
            offset,
            tree: None,
        })
    }

    /// Bytes that are here: where the sender goes on.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        u64::from(self.row.header.shard_bytes).saturating_sub(self.offset)
    }

    /// Appends the pieces that come, and hashes the shard on the way. More than announced are
    /// refused and not written. After any other error the writer is to be dropped: a later one
    /// finds how far this one came.
    pub fn fill<B: AsRef<[u8]>>(
        &mut self,
        pieces: impl IntoIterator<Item = B>,
    ) -> Result<(), ShardError> {
        let shard_bytes = u64::from(self.row.header.shard_bytes);
        let missing = self.remaining();
        let part = part_path(&self.path);
        let disk = || ShardError::disk(&part);
        let mut intake =
            Intake::new(&mut self.file, self.offset, missing, pieces.into_iter()).map_err(disk())?;
        let tree = hash_tree(&mut intake, shard_bytes);
        self.offset = intake.written();
        let has_surplus = intake.has_surplus();
        drop(intake);
        if has_surplus {
            let header = &self.row.header;
            return Err(ShardError::TooManyBytes {
                shard: header.shard,
                shard_bytes: header.shard_bytes,
            });
        }
        match tree {
            Ok(tree) => self.tree = Some(tree),
            // Nothing more came. What did is in the file.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(disk()(error)),
        }
        Ok(())
    }

    /// Makes the shard durable: syncs it and its hash tree, gives it its name, enters it in the
    /// database. `now` becomes its time of storage.
    ///
    /// Bytes that do not match the hash are removed. Any other error keeps them, and the next
    /// writer need not send them again.
    pub fn finish(mut self, now: UnixMillis) -> Result<StoredShard, ShardError> {
        let header = &self.row.header;
        let (identity, shard, shard_bytes) = (header.owner, header.shard, header.shard_bytes);
        if self.offset != u64::from(shard_bytes) {
            return Err(ShardError::Incomplete {
                shard,
                bytes: self.offset,
                shard_bytes,
            });
        }
        let part = part_path(&self.path);
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => from_beginning(&mut self.file, self.offset)
                .and_then(|whole| hash_tree(whole, self.offset))
                .map_err(ShardError::disk(&part))?,
        };
        if tree.root.as_bytes() != shard.as_bytes() {
            durable::remove_if_there(&part).map_err(ShardError::disk(&part))?;
            return Err(ShardError::Corrupt { shard });
        }
        self.file.sync_all().map_err(ShardError::disk(&part))?;
        let outboard = outboard_path(&self.path);
        durable::write_synced(&outboard, &[&tree.data, &self.row.encoded])
            .map_err(ShardError::disk(&outboard))?;
        fs::rename(&part, &self.path).map_err(ShardError::disk(&self.path))?;
        let bucket = durable::parent_of(&self.path);
        durable::sync_dir(bucket).map_err(ShardError::disk(bucket))?;
        let inserted = self.store.insert_shard(self.row, now);
        if let Err(ShardError::Conflict { .. }) = inserted {
            // Its place was taken meanwhile; without a row the file would be nobody's.
            self.store.files().remove_shard(identity, shard)?;
        }
        inserted?;
        Ok(StoredShard { stored_at: now })
    }
}
