//! The spool: own sealed shards whose supplier is away, on disk so that memory is free.
//!
//! One file a shard: magic, version, length of the header, signed header, bytes. A file that
//! does not match its header's hash is never given out. The spool has a limit and says so
//! before it writes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitdust_model::codec::Versioned;
use bitdust_model::limits::SHARD_BYTES_MAX;
use bitdust_model::shard::{ShardHeader, SignedHeader};
use bitdust_model::{ByteCount, ErrorCode, PackId, Position};

use crate::database::DatabaseError;
use crate::durable;
use crate::row::{HeaderRow, check_length, decode_header, encode_header, read_header};

/// What each file begins with; the last byte is the version.
const MAGIC: [u8; 5] = *b"BDSP\x02";
/// Bytes before the header: magic and the header's length.
const PREFIX_BYTES: usize = MAGIC.len() + 4;
/// Most bytes a spool file can have.
const FILE_BYTES_MAX: u64 =
    (PREFIX_BYTES + <HeaderRow as Versioned>::BYTES_MAX + SHARD_BYTES_MAX) as u64;

/// Why the spool refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The limit is reached; nothing was written.
    #[error("the spool holds {used} of {bytes_max}, {wanted} more do not fit")]
    Full {
        /// Bytes in it.
        used: ByteCount,
        /// Bytes wanted.
        wanted: ByteCount,
        /// Bytes it may hold.
        bytes_max: ByteCount,
    },
    /// A file could not be read or written.
    #[error("{} failed: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The shard is not in the spool.
    #[error("shard {position} of pack {pack} is not in the spool")]
    NotFound {
        /// Which pack.
        pack: PackId,
        /// Which shard of it.
        position: Position,
    },
    /// The file is not what was written; remove it.
    #[error("shard {position} of pack {pack} is damaged in the spool")]
    Corrupt {
        /// Which pack.
        pack: PackId,
        /// Which shard of it.
        position: Position,
    },
    /// The header or the shard is longer than any can be.
    #[error("a shard cannot be spooled: {0}")]
    TooLong(DatabaseError),
}

impl SpoolError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Full { .. } => ErrorCode::QuotaExceeded,
            Self::Disk { source, .. } => durable::code_of(source),
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::Corrupt { .. } => ErrorCode::Corrupt,
            Self::TooLong(error) => error.code(),
        }
    }

    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Disk { path, source }
    }
}

/// A shard in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpoolEntry {
    /// Which pack.
    pub pack: PackId,
    /// Which shard of it.
    pub position: Position,
    /// Bytes of its file.
    pub bytes: ByteCount,
}

/// A shard read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpooledShard {
    /// The header of its pack as it was signed.
    pub header: SignedHeader,
    /// Its bytes, matching the hash that the header has for its position.
    pub bytes: Vec<u8>,
}

/// A handle of the spool; clones share it.
#[derive(Clone)]
pub struct Spool {
    shared: Arc<SpoolShared>,
}

struct SpoolShared {
    dir: PathBuf,
    bytes_max: ByteCount,
    /// Files and their bytes; also those being written, so that the limit holds.
    entries: Mutex<BTreeMap<(PackId, Position), u64>>,
}

impl Spool {
    /// Opens the spool in a folder, with at most `bytes_max` bytes of files. Files over the
    /// limit stay; new ones are refused until there is room.
    pub fn open(dir: &Path, bytes_max: ByteCount) -> Result<Self, SpoolError> {
        durable::create_private_dir(dir).map_err(SpoolError::disk(dir))?;
        durable::sweep_temporaries(dir).map_err(SpoolError::disk(dir))?;
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(SpoolError::disk(dir))? {
            let entry = entry.map_err(SpoolError::disk(dir))?;
            let Some(key) = entry.file_name().to_str().and_then(parse_name) else {
                continue;
            };
            entries.insert(
                key,
                entry
                    .metadata()
                    .map_err(SpoolError::disk(&entry.path()))?
                    .len(),
            );
        }
        let shared = SpoolShared {
            dir: dir.to_path_buf(),
            bytes_max,
            entries: Mutex::new(entries),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Writes a shard durably; one with its place is replaced.
    pub fn put(
        &self,
        pack: PackId,
        position: Position,
        header: &SignedHeader,
        bytes: &[u8],
    ) -> Result<(), SpoolError> {
        let header = encode_header(header).map_err(SpoolError::TooLong)?;
        check_length("shard", bytes.len(), SHARD_BYTES_MAX).map_err(SpoolError::TooLong)?;
        let header_bytes = u32::try_from(header.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes();
        let parts: [&[u8]; 4] = [&MAGIC, &header_bytes, &header, bytes];
        let wanted = parts.iter().map(|part| part.len() as u64).sum();
        let before = self.reserve(pack, position, wanted)?;
        let path = self.path(pack, position);
        let written = durable::write_parts_durably(&path, &parts);
        if written.is_err() {
            let mut entries = self.lock();
            match before {
                Some(bytes) => entries.insert((pack, position), bytes),
                None => entries.remove(&(pack, position)),
            };
        }
        written.map_err(SpoolError::disk(&path))
    }

    /// What is in the spool, by pack and position.
    #[must_use]
    pub fn list(&self) -> Vec<SpoolEntry> {
        self.lock()
            .iter()
            .map(|((pack, position), bytes)| SpoolEntry {
                pack: *pack,
                position: *position,
                bytes: ByteCount(*bytes),
            })
            .collect()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn used(&self) -> ByteCount {
        ByteCount(used_of(&self.lock()))
    }

    /// Whether a shard is in the spool.
    #[must_use]
    pub fn contains(&self, pack: PackId, position: Position) -> bool {
        self.lock().contains_key(&(pack, position))
    }

    /// Reads a shard back and checks it against its header's hash, pack and position.
    pub fn read(&self, pack: PackId, position: Position) -> Result<SpooledShard, SpoolError> {
        let path = self.path(pack, position);
        match durable::read_bounded(&path, FILE_BYTES_MAX) {
            Ok(Some(bytes)) => parse(&bytes, position)
                .filter(|(header, _)| header.pack == pack)
                .map(|(_, shard)| shard)
                .ok_or(SpoolError::Corrupt { pack, position }),
            Ok(None) => Err(SpoolError::NotFound { pack, position }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(SpoolError::Corrupt { pack, position })
            }
            Err(error) => Err(SpoolError::disk(&path)(error)),
        }
    }

    /// Removes a shard. Says whether it was there.
    pub fn remove(&self, pack: PackId, position: Position) -> Result<bool, SpoolError> {
        let path = self.path(pack, position);
        let removed = durable::remove_if_there(&path).map_err(SpoolError::disk(&path))?;
        self.lock().remove(&(pack, position));
        Ok(removed)
    }

    /// Enters a file before it is written; gives the bytes of the one it will replace.
    fn reserve(
        &self,
        pack: PackId,
        position: Position,
        wanted: u64,
    ) -> Result<Option<u64>, SpoolError> {
        let mut entries = self.lock();
        let before = entries.get(&(pack, position)).copied();
        // The old file stands beside the new one until it is replaced.
        let used = used_of(&entries);
        if used.saturating_add(wanted) > self.shared.bytes_max.0 {
            return Err(SpoolError::Full {
                used: ByteCount(used),
                wanted: ByteCount(wanted),
                bytes_max: self.shared.bytes_max,
            });
        }
        entries.insert((pack, position), wanted);
        Ok(before)
    }

    fn path(&self, pack: PackId, position: Position) -> PathBuf {
        self.shared
            .dir
            .join(format!("{}-{position}", pack.to_hex()))
    }

    /// A poisoned lock is taken all the same: a map is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(PackId, Position), u64>> {
        self.shared
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn used_of(entries: &BTreeMap<(PackId, Position), u64>) -> u64 {
    entries
        .values()
        .fold(0, |sum: u64, bytes| sum.saturating_add(*bytes))
}

fn parse_name(name: &str) -> Option<(PackId, Position)> {
    let (pack, position) = name.split_once('-')?;
    let key = (
        pack.parse::<PackId>().ok()?,
        Position(position.parse().ok()?),
    );
    // Only names as they are written, so that each file has one key.
    (format!("{}-{}", key.0.to_hex(), key.1) == name).then_some(key)
}

fn parse(file: &[u8], position: Position) -> Option<(ShardHeader, SpooledShard)> {
    let rest = file.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (header, bytes) =
        rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let signed = decode_header(header).ok()?;
    let header = read_header(&signed).ok()?.at(position)?;
    if bytes.len() as u64 != u64::from(header.shard_bytes)
        || blake3::hash(bytes).as_bytes() != header.shard.as_bytes()
    {
        return None;
    }
    Some((
        header,
        SpooledShard {
            header: signed,
            bytes: bytes.to_vec(),
        },
    ))
}
