//! Deleted shards in their grace: out of the quota, not yet gone.
//!
//! The database decides and the files follow: a delete that was interrupted between the two
//! is completed at the next start.

use bitdust_model::limits::DELETE_IDS_MAX;
use bitdust_model::manifest::StoreHeader;
use bitdust_model::{ByteCount, DeviceId, IdentityId, PackId, ShardId, UnixMillis, decode};
use rusqlite::{Row, Transaction, params};

use super::shards::{ShardRow, insert, kept_at_place, kept_shard};
use super::{ShardError, ShardStore};
use crate::row::{blob, decode_signed, from_column, to_column};

/// Graced shards removed for good in one transaction.
const PURGE_BATCH: i64 = 500;

impl ShardStore {
    /// Deletes a lane's shards of some packs into the grace. Gives their bytes. At most
    /// `DELETE_IDS_MAX` packs.
    pub fn delete(
        &self,
        identity: IdentityId,
        lane: DeviceId,
        packs: &[PackId],
        now: UnixMillis,
    ) -> Result<ByteCount, ShardError> {
        check_count(packs)?;
        let at = to_column("time", now.0)?;
        let packs = packs.to_vec();
        let deleted = self.write(move |transaction| {
            let mut deleted = Vec::new();
            for pack in packs {
                deleted.extend(move_rows_to_grace(transaction, identity, lane, pack, at)?);
            }
            Ok(deleted)
        })?;
        for (shard, _) in &deleted {
            // A shard claimed by a writer is being stored anew: its file is that writer's.
            if let Some(_claim) = self.claim(identity, *shard)
                && self.stored_at(identity, *shard)?.is_none()
            {
                self.files().move_to_grace(identity, *shard)?;
            }
        }
        Ok(total(&deleted))
    }

    /// Takes a delete back while the grace lasts. Gives the bytes that are kept again.
    pub fn undelete(
        &self,
        identity: IdentityId,
        lane: DeviceId,
        packs: &[PackId],
    ) -> Result<ByteCount, ShardError> {
        check_count(packs)?;
        let mut restored = ByteCount(0);
        for pack in packs {
            let graced = self.read(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT header, stored_at FROM graced WHERE identity = ?1 AND pack = ?2 AND lane = ?3",
                )?;
                statement.query_and_then([identity.0, pack.0, lane.0], graced_from_row)?.collect::<Result<Vec<_>, _>>()
            })?;
            for (row, stored_at) in graced {
                restored += self.undelete_one(identity, row, stored_at)?;
            }
        }
        Ok(restored)
    }

    fn undelete_one(
        &self,
        identity: IdentityId,
        row: ShardRow,
        stored_at: UnixMillis,
    ) -> Result<ByteCount, ShardError> {
        let header = row.header.clone();
        let shard = header.shard;
        let _claim = self
            .claim(identity, shard)
            .ok_or(ShardError::Busy { shard })?;
        if self.stored_at(identity, shard)?.is_some() {
            // It was stored anew since; what lies in the grace is a second copy.
            self.files().remove_graced(identity, shard)?;
            self.write(move |transaction| forget_graced(transaction, identity, shard))?;
            return Ok(ByteCount(0));
        }
        let place = self.read(|connection| {
            kept_at_place(
                connection,
                identity,
                header.set,
                header.pack,
                header.position,
            )
        })?;
        if place.is_some_and(|kept| kept.is_whole) {
            return Err(ShardError::Conflict { shard });
        }
        self.files().move_from_grace(identity, shard)?;
        if !self.files().shard(identity, shard).is_file() {
            // Its file was lost before or in the grace: there is nothing to take back.
            self.write(move |transaction| forget_graced(transaction, identity, shard))?;
            return Ok(ByteCount(0));
        }
        self.write(move |transaction| {
            insert(transaction, &row, stored_at)?;
            forget_graced(transaction, identity, shard)
        })?;
        Ok(ByteCount(u64::from(header.shard_bytes)))
    }

    /// Removes for good what was deleted before a moment. Gives the bytes that became free.
    pub fn purge_grace(&self, before: UnixMillis) -> Result<ByteCount, ShardError> {
        let before = to_column("time", before.0)?;
        let mut freed = ByteCount(0);
        loop {
            let batch = self.read(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT identity, shard, shard_bytes FROM graced WHERE deleted_at < ?1
                     ORDER BY deleted_at LIMIT ?2",
                )?;
                let rows = statement.query_map([before, PURGE_BATCH], |row| {
                    Ok((
                        IdentityId(row.get(0)?),
                        ShardId(row.get(1)?),
                        row.get::<_, i64>(2)?,
                    ))
                })?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            })?;
            if batch.is_empty() {
                return Ok(freed);
            }
            for (identity, shard, bytes) in &batch {
                self.remove_for_good(*identity, *shard)?;
                freed += ByteCount(from_column("byte count", *bytes)?);
            }
            self.write(move |transaction| {
                batch.iter().try_for_each(|(identity, shard, _)| {
                    forget_graced(transaction, *identity, *shard)
                })
            })?;
        }
    }
}

impl ShardStore {
    /// Removes a graced shard's files, also where a failed move left them behind.
    fn remove_for_good(&self, identity: IdentityId, shard: ShardId) -> Result<(), ShardError> {
        self.files().remove_graced(identity, shard)?;
        if let Some(_claim) = self.claim(identity, shard)
            && self
                .read(|connection| kept_shard(connection, identity, shard))?
                .is_none()
        {
            self.files().remove_shard(identity, shard)?;
        }
        Ok(())
    }
}

fn check_count(packs: &[PackId]) -> Result<(), ShardError> {
    if packs.len() > DELETE_IDS_MAX {
        return Err(ShardError::TooMany {
            what: "packs in one delete",
            count_max: DELETE_IDS_MAX,
        });
    }
    Ok(())
}

fn total(shards: &[(ShardId, i64)]) -> ByteCount {
    ByteCount(shards.iter().map(|(_, bytes)| bytes.cast_unsigned()).sum())
}

/// Moves the rows of a lane's shards of one pack; gives shards and bytes.
fn move_rows_to_grace(
    transaction: &Transaction<'_>,
    identity: IdentityId,
    lane: DeviceId,
    pack: PackId,
    at: i64,
) -> Result<Vec<(ShardId, i64)>, ShardError> {
    let key = params![identity.0, pack.0, lane.0];
    let deleted = transaction
        .prepare_cached(
            // A lost shard frees nothing.
            "SELECT shard, CASE state WHEN 0 THEN shard_bytes ELSE 0 END FROM shards
             WHERE identity = ?1 AND pack = ?2 AND lane = ?3",
        )?
        .query_map(key, |row| Ok((ShardId(row.get(0)?), row.get(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    // A replaced row would not fire its trigger, so an older grace of the same shard ends first.
    transaction
        .prepare_cached(
            "DELETE FROM graced WHERE identity = ?1 AND shard IN
             (SELECT shard FROM shards WHERE identity = ?1 AND pack = ?2 AND lane = ?3)",
        )?
        .execute(key)?;
    transaction
        .prepare_cached(
            "INSERT INTO graced (identity, shard, lane, pack, shard_bytes, stored_at, deleted_at, header)
             SELECT identity, shard, lane, pack, shard_bytes, stored_at, ?4, header FROM shards
             WHERE identity = ?1 AND pack = ?2 AND lane = ?3",
        )?
        .execute(params![identity.0, pack.0, lane.0, at])?;
    transaction
        .prepare_cached("DELETE FROM shards WHERE identity = ?1 AND pack = ?2 AND lane = ?3")?
        .execute(key)?;
    Ok(deleted)
}

fn forget_graced(
    transaction: &Transaction<'_>,
    identity: IdentityId,
    shard: ShardId,
) -> Result<(), ShardError> {
    transaction
        .prepare_cached("DELETE FROM graced WHERE identity = ?1 AND shard = ?2")?
        .execute([identity.0, shard.0])?;
    Ok(())
}

fn graced_from_row(row: &Row<'_>) -> Result<(ShardRow, UnixMillis), ShardError> {
    let encoded = blob(row, 0)?.to_vec();
    let header = decode(&decode_signed::<StoreHeader>(&encoded)?.bytes)?;
    Ok((
        ShardRow { header, encoded },
        UnixMillis(from_column("time", row.get(1)?)?),
    ))
}
