//! Closed lanes.

use bitdust_model::document::Signed;
use bitdust_model::limits::DEVICES_MAX;
use bitdust_model::locator::Fence;
use bitdust_model::{DeviceId, IdentityId, Sequence};
use rusqlite::{Connection, OptionalExtension, params};

use super::alignment::note_lane;
use super::{ShardError, ShardStore};
use crate::row::{blob, decode_signed, encode_signed, from_column, to_column};

impl ShardStore {
    /// Closes a lane: no shard of it is taken any more, and no head after the fence's last.
    /// `fence` is the verified content of `signed`. Of two fences the earlier end counts. At
    /// most `DEVICES_MAX` lanes of an identity.
    pub fn put_fence(&self, fence: &Fence, signed: &Signed<Fence>) -> Result<(), ShardError> {
        let (identity, lane) = (fence.identity, fence.lane);
        let last = to_column("sequence", fence.last.sequence.0)?;
        let bytes = encode_signed(signed)?;
        let documents = self.shared.documents.clone();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO fences (identity, lane, last, fence) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (identity, lane) DO UPDATE SET last = excluded.last, fence = excluded.fence
                 WHERE excluded.last < last",
                params![identity.0, lane.0, last, bytes],
            )?;
            let lanes: i64 = transaction
                .query_row("SELECT count(*) FROM fences WHERE identity = ?1", [identity.0], |row| row.get(0))?;
            // One more than allowed is one too many: the transaction is rolled back.
            if from_column::<usize>("row count", lanes)? > DEVICES_MAX {
                return Err(ShardError::TooMany { what: "closed lanes of one identity", count_max: DEVICES_MAX });
            }
            note_lane(&documents, transaction, identity, lane)
        })
    }

    /// The fences of an identity.
    pub fn fences(&self, identity: IdentityId) -> Result<Vec<Signed<Fence>>, ShardError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT fence FROM fences WHERE identity = ?1 ORDER BY lane")?;
            statement
                .query_and_then([identity.0], |row| Ok(decode_signed(blob(row, 0)?)?))?
                .collect()
        })
    }

    /// Whether a lane is closed.
    pub fn is_fenced(&self, identity: IdentityId, lane: DeviceId) -> Result<bool, ShardError> {
        Ok(self
            .read(|connection| last_of(connection, identity, lane))?
            .is_some())
    }
}

/// The last head of a closed lane; `None` for one that is open.
pub(super) fn last_of(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Option<Sequence>, ShardError> {
    let mut statement =
        connection.prepare_cached("SELECT last FROM fences WHERE identity = ?1 AND lane = ?2")?;
    let last: Option<i64> = statement
        .query_row([identity.0, lane.0], |row| row.get(0))
        .optional()?;
    let last = last.map(|last| from_column("sequence", last)).transpose()?;
    Ok(last.map(Sequence))
}
