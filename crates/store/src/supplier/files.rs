//! Where the files of shards lie and how they come into being.
//!
//! `shards/<identity>/<aa>/<shard>` is a shard, so that `b3sum` of the file prints its name;
//! `.part` one that is still arriving; `.obao` its hash tree (bao, pre-order, 16 KiB groups)
//! followed by its signed header. `graced/<identity>/` holds the same pairs after a delete.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bao_tree::io::outboard::PreOrderMemOutboard;
use bao_tree::{BaoTree, BlockSize};
use bitdust_model::codec::Versioned;
use bitdust_model::{IdentityId, ShardId};

use super::ShardError;
use crate::durable;
use crate::row::HeaderRow;

/// Groups of 16 chunks of 1 KiB: the grain of proofs.
pub(super) const GROUP: BlockSize = BlockSize::from_chunk_log(4);
/// Most bytes a signed header takes behind a hash tree.
const HEADER_BYTES_MAX: u64 = <HeaderRow as Versioned>::BYTES_MAX as u64;

/// The names of a store's files.
pub(super) struct ShardFiles {
    shards: PathBuf,
    graced: PathBuf,
    /// Its folder took no mark at the start, which is not missed then.
    is_unmarked: AtomicBool,
}

impl ShardFiles {
    pub(super) fn new(shards: PathBuf, graced: PathBuf) -> Self {
        Self {
            shards,
            graced,
            is_unmarked: AtomicBool::new(false),
        }
    }

    pub(super) fn go_unmarked(&self) {
        self.is_unmarked.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_unmarked(&self) -> bool {
        self.is_unmarked.load(Ordering::Relaxed)
    }

    /// The folder with a folder for each identity.
    pub(super) fn shards_dir(&self) -> &Path {
        &self.shards
    }

    /// The folder of an identity's shards that begin with one byte.
    pub(super) fn bucket(&self, identity: IdentityId, first: u8) -> PathBuf {
        self.shards
            .join(identity.to_hex())
            .join(format!("{first:02x}"))
    }

    /// A shard.
    pub(super) fn shard(&self, identity: IdentityId, shard: ShardId) -> PathBuf {
        self.bucket(identity, shard.0[0]).join(shard.to_hex())
    }

    /// A deleted shard.
    pub(super) fn graced(&self, identity: IdentityId, shard: ShardId) -> PathBuf {
        self.graced.join(identity.to_hex()).join(shard.to_hex())
    }

    /// Makes the folders of a shard, each synced into its parent.
    pub(super) fn make_bucket(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<(), ShardError> {
        self.expect_there()?;
        let bucket = self.bucket(identity, shard.0[0]);
        for dir in [durable::parent_of(&bucket), &bucket] {
            durable::create_private_dir(dir).map_err(ShardError::disk(dir))?;
        }
        Ok(())
    }

    /// Moves a shard with its hash tree out of the way of its owner's quota.
    pub(super) fn move_to_grace(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<(), ShardError> {
        let graced = self.graced(identity, shard);
        for dir in [&self.graced, durable::parent_of(&graced)] {
            durable::create_private_dir(dir).map_err(ShardError::disk(dir))?;
        }
        move_pair(&self.shard(identity, shard), &graced)
    }

    /// Removes a shard with its hash tree.
    pub(super) fn remove_shard(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<(), ShardError> {
        remove_pair(&self.shard(identity, shard))
    }
}

fn remove_pair(shard: &Path) -> Result<(), ShardError> {
    for path in [outboard_path(shard).as_path(), shard] {
        durable::remove_if_there(path).map_err(ShardError::disk(path))?;
    }
    Ok(())
}

/// Where a shard is while it arrives.
pub(super) fn part_path(shard: &Path) -> PathBuf {
    with_ending(shard, ".part")
}

/// Where a shard's hash tree and header are.
pub(super) fn outboard_path(shard: &Path) -> PathBuf {
    with_ending(shard, ".obao")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}

/// Moves a shard and its hash tree. What is not there (any more) is passed over, so that an
/// interrupted move can be done again; the tree goes first, because it can be made anew.
fn move_pair(source: &Path, target: &Path) -> Result<(), ShardError> {
    for (source, target) in [
        (outboard_path(source), outboard_path(target)),
        (source.to_path_buf(), target.to_path_buf()),
    ] {
        match fs::rename(&source, &target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ShardError::disk(&source)(error)),
        }
    }
    for dir in [durable::parent_of(target), durable::parent_of(source)] {
        // A folder that is not there had nothing in it to move.
        if dir.is_dir() {
            durable::sync_dir(dir).map_err(ShardError::disk(dir))?;
        }
    }
    Ok(())
}

/// Hashes a whole shard of so many bytes into a hash tree; its root is the shard's id if it is
/// the shard.
pub(super) fn hash_tree(whole: impl Read, bytes: u64) -> io::Result<PreOrderMemOutboard> {
    let tree = BaoTree::new(bytes, GROUP);
    let mut outboard = PreOrderMemOutboard {
        root: blake3::Hash::from([0; 32]),
        tree,
        data: vec![0; usize::try_from(tree.outboard_size()).unwrap_or(usize::MAX)],
    };
    outboard.root = bao_tree::io::sync::outboard(whole, tree, &mut outboard)?;
    Ok(outboard)
}

/// Loads the hash tree of a shard. `None` when the file is missing or has another length.
pub(super) fn load_tree(
    shard_path: &Path,
    shard: ShardId,
    bytes: u64,
) -> io::Result<Option<PreOrderMemOutboard>> {
    let Some((tree, mut data)) = load_tree_bytes(shard_path, bytes)? else {
        return Ok(None);
    };
    data.truncate(usize::try_from(tree.outboard_size()).unwrap_or(usize::MAX));
    Ok(Some(PreOrderMemOutboard {
        root: blake3::Hash::from(shard.0),
        tree,
        data,
    }))
}

/// Loads the bytes of the signed header that lies behind a shard's hash tree, of whatever version.
/// `None` when there are none.
pub(super) fn load_header(shard_path: &Path, bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let Some((tree, data)) = load_tree_bytes(shard_path, bytes)? else {
        return Ok(None);
    };
    let header = usize::try_from(tree.outboard_size())
        .ok()
        .and_then(|at| data.get(at..));
    Ok(header.map(<[u8]>::to_vec))
}

fn load_tree_bytes(shard_path: &Path, bytes: u64) -> io::Result<Option<(BaoTree, Vec<u8>)>> {
    let tree = BaoTree::new(bytes, GROUP);
    let size = tree.outboard_size();
    let path = outboard_path(shard_path);
    match durable::read_bounded(&path, size + HEADER_BYTES_MAX) {
        Ok(Some(data)) if data.len() as u64 >= size => Ok(Some((tree, data))),
        Ok(Some(_) | None) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}
