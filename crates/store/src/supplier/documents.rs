//! What customers signed, as files beside their shards: for the day on which the database is lost.
//!
//! `documents/<identity>/<lane>.lane` has the contract of a lane, its newest heads, its set records and
//! its fence; `<key>.record` a record that its owner left to be published. Whatever is answered as kept
//! lies in the database and here. A start brings both in line: what only one of them has, both have
//! afterwards, of two versions the newer.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bitdust_model::codec::Versioned;
use bitdust_model::contract::{Contract, ContractAcceptance};
use bitdust_model::document::Signed;
use bitdust_model::head::Head;
use bitdust_model::limits::{HEADS_PER_LANE_FILE_MAX, SETS_MAX};
use bitdust_model::locator::{Certificate, DhtRecord, Fence, KeyedRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::{DecodeError, DeviceId, DhtKey, HeadHash, IdentityId, UnixMillis, decode};
use serde::{Deserialize, Serialize};

use super::ShardError;
use crate::durable;
use crate::row::{SignedRow, decode_row, encode_row};

/// What a signed document takes beside its own bytes.
const SIGNED_BYTES: usize = 128;
/// Bytes of the hash behind a file's content.
const HASH_BYTES: usize = 32;

/// All that is kept of one lane but its shards.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LaneFile {
    pub(super) identity: IdentityId,
    pub(super) lane: DeviceId,
    pub(super) contract: Option<(Signed<Contract>, Signed<ContractAcceptance>)>,
    /// By number.
    pub(super) heads: Vec<KeptHead>,
    pub(super) sets: Vec<Signed<SetRecord>>,
    pub(super) fence: Option<Signed<Fence>>,
}

/// A head as it came.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptHead {
    pub(super) head: Signed<Head>,
    pub(super) hash: HeadHash,
    pub(super) certificate: Signed<Certificate>,
    pub(super) received_at: UnixMillis,
}

impl Versioned for LaneFile {
    const KIND: &'static str = "documents of a lane";
    /// One head more: of a closed lane the last one that counts is kept however old it is.
    const BYTES_MAX: usize = Contract::BYTES_MAX
        + ContractAcceptance::BYTES_MAX
        + Fence::BYTES_MAX
        + 4 * SIGNED_BYTES
        + (HEADS_PER_LANE_FILE_MAX + 1)
            * (Head::BYTES_MAX + Certificate::BYTES_MAX + 3 * SIGNED_BYTES)
        + SETS_MAX * (SetRecord::BYTES_MAX + SIGNED_BYTES);
}

impl LaneFile {
    /// Refuses documents that this version of the program cannot read.
    fn check(&self) -> Result<(), DecodeError> {
        if let Some((contract, _)) = &self.contract {
            decode::<Contract>(&contract.bytes)?;
        }
        if let Some(fence) = &self.fence {
            decode::<Fence>(&fence.bytes)?;
        }
        for set in &self.sets {
            decode::<SetRecord>(&set.bytes)?;
        }
        for kept in &self.heads {
            decode::<Head>(&kept.head.bytes)?;
        }
        Ok(())
    }
}

/// A file of the folder, as a start finds it.
pub(super) enum Found {
    Lane(Box<LaneFile>),
    Record(IdentityId, KeyedRecord),
}

/// The folder of these files.
#[derive(Clone)]
pub(super) struct DocumentFiles {
    dir: PathBuf,
}

impl DocumentFiles {
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn lane(&self, identity: IdentityId, lane: DeviceId) -> PathBuf {
        let name = format!("{}.lane", lane.to_hex());
        self.dir.join(identity.to_hex()).join(name)
    }

    pub(super) fn record(&self, identity: IdentityId, key: DhtKey) -> PathBuf {
        let name = format!("{}.record", key.to_hex());
        self.dir.join(identity.to_hex()).join(name)
    }

    /// All files that are whole, and how many are damaged: those stay until there is a new one to take
    /// their place.
    pub(super) fn read_all(&self) -> (Vec<Found>, u64) {
        let (mut found, mut damaged) = (Vec::new(), 0);
        let mut list = |dir: &Path| match names(dir) {
            Ok(names) => names,
            Err(error) => {
                tracing::warn!(code = ?error.code(), "Kept documents cannot be listed");
                damaged += 1;
                BTreeSet::new()
            }
        };
        let mut paths = Vec::new();
        for name in list(&self.dir) {
            if let Ok(identity) = name.parse::<IdentityId>() {
                let dir = self.dir.join(&name);
                paths.extend(list(&dir).iter().map(|name| (identity, dir.join(name))));
            }
        }
        for (identity, path) in paths {
            match self.read(identity, &path) {
                Ok(file) => found.extend(file),
                Err(error) => {
                    tracing::warn!(%identity, code = ?error.code(), "A kept document is damaged");
                    tracing::debug!(%error, "It is this one");
                    damaged += 1;
                }
            }
        }
        (found, damaged)
    }

    /// `None` for what is no file of ours.
    fn read(&self, identity: IdentityId, path: &Path) -> Result<Option<Found>, ShardError> {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(durable::is_temporary) {
            durable::remove_if_there(path).map_err(ShardError::disk(path))?;
            return Ok(None);
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let ending = path.extension().and_then(|ending| ending.to_str());
        match (stem, ending) {
            (Some(stem), Some("lane")) => {
                let file: LaneFile = load(path)?;
                file.check()?;
                let is_own = file.identity == identity && file.lane.to_hex() == stem;
                Ok(is_own.then(|| Found::Lane(Box::new(file))))
            }
            (Some(stem), Some("record")) => {
                let Ok(key) = stem.parse::<DhtKey>() else {
                    return Ok(None);
                };
                let record = load::<SignedRow<DhtRecord>>(path)?.0;
                decode::<DhtRecord>(&record.bytes)?;
                Ok(Some(Found::Record(identity, KeyedRecord { key, record })))
            }
            _ => Ok(None),
        }
    }

    /// Replaces a file unless it has this content.
    pub(super) fn store<T: Versioned>(&self, path: &Path, value: &T) -> Result<(), ShardError> {
        let bytes = encode_row(value)?;
        let hash = blake3::hash(&bytes);
        let whole = [&bytes[..], hash.as_bytes()].concat();
        let known = durable::read_bounded(path, whole.len() as u64);
        // One that cannot be read is written anew.
        if known.is_ok_and(|known| known.as_ref() == Some(&whole)) {
            return Ok(());
        }
        for dir in [&self.dir, durable::parent_of(path)] {
            durable::create_private_dir(dir).map_err(ShardError::disk(dir))?;
        }
        durable::write_durably(path, &whole).map_err(ShardError::disk(path))
    }
}

fn load<T: Versioned>(path: &Path) -> Result<T, ShardError> {
    let bytes_max = (T::BYTES_MAX + HASH_BYTES) as u64;
    let bytes = durable::read_bounded(path, bytes_max).map_err(ShardError::disk(path))?;
    let bytes = bytes.unwrap_or_default();
    let torn = || ShardError::disk(path)(io::Error::from(io::ErrorKind::InvalidData));
    let (content, hash) = bytes
        .len()
        .checked_sub(HASH_BYTES)
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or_else(torn)?;
    if blake3::hash(content).as_bytes() != hash {
        return Err(torn());
    }
    Ok(decode_row(content)?)
}

/// Names in a folder, in order; none where it is not there.
fn names(dir: &Path) -> Result<BTreeSet<String>, ShardError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(ShardError::disk(dir)(error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry.map_err(ShardError::disk(dir))?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    Ok(names)
}
