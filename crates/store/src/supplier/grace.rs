//! Deleted shards in their grace: out of the quota, not yet gone.
//!
//! The database decides and the files follow: a delete that was interrupted between the two
//! is completed at the next start.

use bitdust_model::limits::DELETE_IDS_MAX;
use bitdust_model::{ByteCount, DeviceId, IdentityId, PackId, ShardId, UnixMillis};
use rusqlite::{Transaction, params};

use super::{ShardError, ShardStore};
use crate::row::to_column;

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
