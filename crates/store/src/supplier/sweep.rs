//! Bringing files and database in line at the start, after whatever happened before.
//!
//! A shard whose file is gone keeps its row, marked: a disk may come back. A file without a
//! row is entered by the header that lies beside it, moved into the grace if its delete was
//! interrupted, and otherwise removed. Half-received shards are kept for a day.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bitdust_model::intervals::PARTS_KEPT;
use bitdust_model::limits::{PARTS_BYTES_MAX, SHARD_BYTES_MAX};
use bitdust_model::{DecodeError, IdentityId, ShardId, UnixMillis};
use rusqlite::params;

use super::files::{load_header, outboard_path};
use super::shards::{FileState, ShardRow, insert, set_state};
use super::swept::Swept;
use super::{ShardError, ShardStore};
use crate::database::DatabaseError;
use crate::durable;
use crate::row::{decode_header, encode_header, read_header};

/// A file that may stand in a bucket.
enum Name {
    Shard(ShardId),
    Tree(ShardId),
    Part,
    Temporary,
    /// Not ours; left alone.
    Foreign,
}

struct Part {
    path: PathBuf,
    modified_at: UnixMillis,
    bytes: u64,
}

#[derive(Default)]
struct Bucket {
    shards: BTreeMap<ShardId, u64>,
    trees: BTreeSet<ShardId>,
}

/// A finished file that has no row.
enum Unentered {
    /// It is what its header says.
    Adoptable(Box<ShardRow>),
    /// Another version of this program wrote its header.
    OfOtherVersion,
    /// It has no header, or that of another file.
    OfNobody,
}

/// What is to change in the database for one bucket.
#[derive(Default)]
struct Changes {
    states: Vec<(ShardId, FileState)>,
    adopted: Vec<(ShardRow, UnixMillis)>,
}

impl ShardStore {
    pub(super) fn sweep(&self, now: UnixMillis) -> Result<Swept, ShardError> {
        let mut swept = Swept::default();
        let mut parts = Vec::new();
        for identity in self.identities()? {
            for first in 0..=u8::MAX {
                self.sweep_bucket(identity, first, &mut swept, &mut parts)?;
            }
        }
        remove_parts(parts, now, &mut swept)?;
        self.write(|transaction| {
            transaction.execute_batch(
                "DELETE FROM usage;
                 INSERT INTO usage (identity, lane, shards, bytes)
                     SELECT identity, lane, count(*), sum(shard_bytes) FROM shards WHERE state = 0
                     GROUP BY identity, lane;
                 INSERT INTO usage (identity, lane, graced_bytes)
                     SELECT identity, lane, sum(shard_bytes) FROM graced WHERE true GROUP BY identity, lane
                     ON CONFLICT (identity, lane) DO UPDATE SET graced_bytes = excluded.graced_bytes;",
            )?;
            Ok(())
        })?;
        if swept != Swept::default() {
            tracing::info!(?swept, "Put the store in order");
        }
        Ok(swept)
    }

    /// All identities that have rows or folders.
    fn identities(&self) -> Result<BTreeSet<IdentityId>, ShardError> {
        let mut identities = self.read(|connection| {
            let mut statement = connection.prepare("SELECT DISTINCT identity FROM shards")?;
            let rows = statement.query_map([], |row| Ok(IdentityId(row.get(0)?)))?;
            Ok::<BTreeSet<IdentityId>, ShardError>(rows.collect::<Result<_, _>>()?)
        })?;
        let dir = self.files().shards_dir();
        durable::create_private_dir(dir).map_err(ShardError::disk(dir))?;
        for entry in fs::read_dir(dir).map_err(ShardError::disk(dir))? {
            let name = entry.map_err(ShardError::disk(dir))?.file_name();
            identities.extend(
                name.to_str()
                    .and_then(|name| name.parse::<IdentityId>().ok()),
            );
        }
        Ok(identities)
    }

    fn sweep_bucket(
        &self,
        identity: IdentityId,
        first: u8,
        swept: &mut Swept,
        parts: &mut Vec<Part>,
    ) -> Result<(), ShardError> {
        let dir = self.files().bucket(identity, first);
        let bucket = list_bucket(&dir, swept, parts)?;
        let rows = self.rows_of_bucket(identity, first)?;
        let mut changes = Changes::default();
        for (shard, (state, shard_bytes)) in &rows {
            let found = file_state(bucket.shards.get(shard).copied(), *shard_bytes, *state);
            if found != *state {
                count_change(swept, found);
                changes.states.push((*shard, found));
            }
        }
        for (shard, bytes) in bucket
            .shards
            .iter()
            .filter(|(shard, _)| !rows.contains_key(shard))
        {
            self.sweep_unentered(identity, *shard, *bytes, swept, &mut changes)?;
        }
        for shard in bucket
            .trees
            .iter()
            .filter(|shard| !bucket.shards.contains_key(shard))
        {
            let path = outboard_path(&self.files().shard(identity, *shard));
            durable::remove_if_there(&path).map_err(ShardError::disk(&path))?;
        }
        self.apply(identity, changes)
    }

    /// Decides about a finished file that has no row.
    fn sweep_unentered(
        &self,
        identity: IdentityId,
        shard: ShardId,
        bytes: u64,
        swept: &mut Swept,
        changes: &mut Changes,
    ) -> Result<(), ShardError> {
        let is_graced = self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT 1 FROM graced WHERE identity = ?1 AND shard = ?2")?;
            Ok::<bool, ShardError>(statement.exists([identity.0, shard.0])?)
        })?;
        if is_graced {
            swept.graced += 1;
            return self.files().move_to_grace(identity, shard);
        }
        let path = self.files().shard(identity, shard);
        match self.adoptable(identity, shard, bytes)? {
            Unentered::Adoptable(row) => {
                swept.adopted += 1;
                let modified_at = modified_at(&path).map_err(ShardError::disk(&path))?;
                changes.adopted.push((*row, modified_at));
                Ok(())
            }
            Unentered::OfOtherVersion => {
                swept.of_other_versions += 1;
                Ok(())
            }
            Unentered::OfNobody => {
                tracing::warn!(%identity, %shard, "Removed a file that belongs to nothing");
                swept.removed += 1;
                self.files().remove_shard(identity, shard)
            }
        }
    }

    /// The row for a finished file, if the header beside it is about this very file. The file
    /// got its name only after its hash was right. What another version of this program kept is
    /// not this one's to judge.
    fn adoptable(
        &self,
        identity: IdentityId,
        shard: ShardId,
        bytes: u64,
    ) -> Result<Unentered, ShardError> {
        if bytes == 0 || bytes > SHARD_BYTES_MAX as u64 {
            return Ok(Unentered::OfNobody);
        }
        let path = self.files().shard(identity, shard);
        let Some(beside) = load_header(&path, bytes).map_err(ShardError::disk(&path))? else {
            return Ok(Unentered::OfNobody);
        };
        let read = decode_header(&beside).and_then(|signed| Ok((read_header(&signed)?, signed)));
        let (pack, signed) = match read {
            Ok(read) => read,
            Err(DatabaseError::Damaged(
                DecodeError::Unreleased { .. } | DecodeError::Version { .. },
            )) => return Ok(Unentered::OfOtherVersion),
            Err(_) => return Ok(Unentered::OfNobody),
        };
        Ok(match pack.of(shard) {
            Some(header) if header.owner == identity && u64::from(header.shard_bytes) == bytes => {
                Unentered::Adoptable(Box::new(ShardRow {
                    header,
                    encoded: encode_header(&signed)?,
                }))
            }
            Some(_) | None => Unentered::OfNobody,
        })
    }

    fn rows_of_bucket(
        &self,
        identity: IdentityId,
        first: u8,
    ) -> Result<BTreeMap<ShardId, (FileState, u64)>, ShardError> {
        let (mut from, mut to) = ([0; 32], [u8::MAX; 32]);
        (from[0], to[0]) = (first, first);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT shard, state, shard_bytes FROM shards WHERE identity = ?1 AND shard BETWEEN ?2 AND ?3",
            )?;
            let rows = statement.query_map(params![identity.0, from, to], |row| {
                let state = FileState::from_column(row.get(1)?);
                Ok((ShardId(row.get(0)?), (state, row.get::<_, u32>(2)?.into())))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn apply(&self, identity: IdentityId, changes: Changes) -> Result<(), ShardError> {
        if changes.states.is_empty() && changes.adopted.is_empty() {
            return Ok(());
        }
        self.write(move |transaction| {
            for (shard, state) in changes.states {
                set_state(transaction, identity, shard, state)?;
            }
            for (row, stored_at) in changes.adopted {
                transaction.execute(
                    "INSERT OR IGNORE INTO incomplete (identity, lane) VALUES (?1, ?2)",
                    params![row.header.owner.0, row.header.lane.0],
                )?;
                match insert(transaction, &row, stored_at) {
                    Ok(()) => {}
                    // Its place has a whole shard: the file is swept when that one goes.
                    Err(ShardError::Conflict { shard }) => {
                        tracing::warn!(%shard, "Left a file whose place is taken")
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
    }
}

/// What is known of a shard's file now. Damage inside is not seen by looking at the length.
fn file_state(found: Option<u64>, shard_bytes: u64, known: FileState) -> FileState {
    match (found, known) {
        (None, _) => FileState::Missing,
        (Some(bytes), _) if bytes != shard_bytes => FileState::Damaged,
        (Some(_), FileState::Damaged) => FileState::Damaged,
        (Some(_), FileState::Whole | FileState::Missing) => FileState::Whole,
    }
}

fn count_change(swept: &mut Swept, found: FileState) {
    match found {
        FileState::Whole => swept.returned += 1,
        FileState::Missing => swept.missing += 1,
        FileState::Damaged => swept.damaged += 1,
    }
}

fn list_bucket(dir: &Path, swept: &mut Swept, parts: &mut Vec<Part>) -> Result<Bucket, ShardError> {
    let mut bucket = Bucket::default();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(bucket),
        Err(error) => return Err(ShardError::disk(dir)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(ShardError::disk(dir))?;
        let path = entry.path();
        let bytes = entry.metadata().map_err(ShardError::disk(&path))?.len();
        match parse_name(&entry.file_name().to_string_lossy()) {
            Name::Shard(shard) => drop(bucket.shards.insert(shard, bytes)),
            Name::Tree(shard) => drop(bucket.trees.insert(shard)),
            Name::Part => {
                let modified_at = modified_at(&path).map_err(ShardError::disk(&path))?;
                parts.push(Part {
                    path,
                    modified_at,
                    bytes,
                });
            }
            Name::Temporary => {
                swept.removed += 1;
                durable::remove_if_there(&path).map_err(ShardError::disk(&path))?;
            }
            Name::Foreign => {}
        }
    }
    Ok(bucket)
}

fn parse_name(name: &str) -> Name {
    let parse = |text: &str| {
        text.parse::<ShardId>()
            .ok()
            .filter(|shard| shard.to_hex() == text)
    };
    if durable::is_temporary(name) {
        return Name::Temporary;
    }
    match name.split_once('.') {
        None => parse(name).map_or(Name::Foreign, Name::Shard),
        Some((shard, "obao")) => parse(shard).map_or(Name::Foreign, Name::Tree),
        Some((shard, "part")) => parse(shard).map_or(Name::Foreign, |_| Name::Part),
        Some(_) => Name::Foreign,
    }
}

fn modified_at(path: &Path) -> io::Result<UnixMillis> {
    let modified = fs::metadata(path)?.modified()?;
    // A time before 1970 is as good as 1970: very old.
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(UnixMillis(
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    ))
}

/// Removes half-received shards older than `PARTS_KEPT`, and of the others the oldest
/// beyond `PARTS_BYTES_MAX`.
fn remove_parts(
    mut parts: Vec<Part>,
    now: UnixMillis,
    swept: &mut Swept,
) -> Result<(), ShardError> {
    parts.sort_by_key(|part| std::cmp::Reverse(part.modified_at));
    let mut bytes_kept = 0_u64;
    for part in parts {
        let age_ms = now.0.saturating_sub(part.modified_at.0);
        let bytes = bytes_kept.saturating_add(part.bytes);
        if u128::from(age_ms) <= PARTS_KEPT.as_millis() && bytes <= PARTS_BYTES_MAX {
            bytes_kept = bytes;
            continue;
        }
        swept.parts_removed += 1;
        durable::remove_if_there(&part.path).map_err(ShardError::disk(&part.path))?;
    }
    Ok(())
}
