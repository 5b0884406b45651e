//! Shards at suppliers: what a supplier is told of one, and what it signs for it.

use serde::{Deserialize, Serialize};

use crate::code::CodeVersion;
use crate::codec::Versioned;
use crate::document::{Document, Signed};
use crate::id::{DeviceId, IdentityId, PackId, SetId, ShardId};
use crate::limits;
use crate::manifest::PackKind;
use crate::unit::{Epoch, Position, UnixMillis};

/// What suppliers are told about a pack before the bytes of a shard of it; kept beside the shard,
/// returned verbatim. It names the shards of all positions, so that whoever makes one again knows
/// what must come out. Signed once by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHeader {
    /// Whose it is.
    pub owner: IdentityId,
    /// The device that wrote the pack.
    pub lane: DeviceId,
    /// Generation of the secrets.
    pub epoch: Epoch,
    /// The set.
    pub set: SetId,
    /// The pack.
    pub pack: PackId,
    /// What the pack carries.
    pub kind: PackKind,
    /// Shards that give the pack back.
    pub k: u8,
    /// The matrix.
    pub code_version: CodeVersion,
    /// Length of the pack in bytes.
    pub pack_bytes: u32,
    /// Length of each shard in bytes.
    pub shard_bytes: u32,
    /// Ids of the masked shards by position; at most `SUPPLIERS_PER_SET_MAX`.
    pub shards: Vec<ShardId>,
}

impl Versioned for StoreHeader {
    const KIND: &'static str = "store header";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = 1_280;
}
impl Document for StoreHeader {}

/// Shards that a pack got when its set grew. Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSupplement {
    /// Whose it is.
    pub owner: IdentityId,
    /// The device that wrote the pack.
    pub lane: DeviceId,
    /// The pack.
    pub pack: PackId,
    /// The first position that was added: the number of those that the header names.
    pub first: Position,
    /// Ids of the masked shards from that position on.
    pub shards: Vec<ShardId>,
}

impl Versioned for StoreSupplement {
    const KIND: &'static str = "store supplement";
    const BYTES_MAX: usize = 1_280;
}
impl Document for StoreSupplement {}

/// A header as it is stored and served, with its supplement if its pack has grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHeader {
    /// The header.
    pub header: Signed<StoreHeader>,
    /// The shards that came later.
    pub supplement: Option<Signed<StoreSupplement>>,
}

impl From<Signed<StoreHeader>> for SignedHeader {
    fn from(header: Signed<StoreHeader>) -> Self {
        Self {
            header,
            supplement: None,
        }
    }
}

/// One shard of a pack as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardHeader {
    /// Whose it is.
    pub owner: IdentityId,
    /// The device that wrote the pack.
    pub lane: DeviceId,
    /// Generation of the secrets.
    pub epoch: Epoch,
    /// The set.
    pub set: SetId,
    /// Which shard of the pack.
    pub position: Position,
    /// The pack.
    pub pack: PackId,
    /// What the pack carries.
    pub kind: PackKind,
    /// Shards that give the pack back.
    pub k: u8,
    /// The matrix.
    pub code_version: CodeVersion,
    /// Length of the pack in bytes.
    pub pack_bytes: u32,
    /// The shard.
    pub shard: ShardId,
    /// Its length in bytes.
    pub shard_bytes: u32,
}

impl StoreHeader {
    /// The shard at a position, if there is one.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<ShardHeader> {
        let shard = *self.shards.get(usize::from(position.0))?;
        Some(ShardHeader {
            owner: self.owner,
            lane: self.lane,
            epoch: self.epoch,
            set: self.set,
            position,
            pack: self.pack,
            kind: self.kind,
            k: self.k,
            code_version: self.code_version,
            pack_bytes: self.pack_bytes,
            shard,
            shard_bytes: self.shard_bytes,
        })
    }

    /// The shard of an id, if it is one of this pack's.
    #[must_use]
    pub fn of(&self, shard: ShardId) -> Option<ShardHeader> {
        let at = self.shards.iter().position(|named| *named == shard)?;
        self.at(Position(u8::try_from(at).ok()?))
    }

    /// Takes in the shards that came later. Says whether the supplement is one of this pack's that
    /// follows what is named already, within the limit of positions.
    #[must_use]
    pub fn grow(&mut self, supplement: StoreSupplement) -> bool {
        let is_next = supplement.owner == self.owner
            && supplement.lane == self.lane
            && supplement.pack == self.pack
            && usize::from(supplement.first.0) == self.shards.len()
            && self.shards.len() + supplement.shards.len() <= limits::SUPPLIERS_PER_SET_MAX;
        if is_next {
            self.shards.extend(supplement.shards);
        }
        is_next
    }
}

/// A supplier's word that a shard is durable with it. Signed by the supplier's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who keeps it.
    pub supplier: DeviceId,
    /// Whose it is.
    pub owner: IdentityId,
    /// The lane that wrote it.
    pub lane: DeviceId,
    /// The pack.
    pub pack: PackId,
    /// Which shard of the pack.
    pub position: Position,
    /// The shard.
    pub shard: ShardId,
    /// Its length in bytes.
    pub shard_bytes: u32,
    /// When it was made durable, by the supplier's clock.
    pub stored_at: UnixMillis,
}

impl Versioned for Receipt {
    const KIND: &'static str = "receipt";
    const BYTES_MAX: usize = 512;
}
impl Document for Receipt {}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(shards: u8) -> StoreHeader {
        StoreHeader {
            owner: IdentityId([1; 32]),
            lane: DeviceId([2; 32]),
            epoch: Epoch(0),
            set: SetId([3; 32]),
            pack: PackId([4; 32]),
            kind: PackKind::Data,
            k: 1,
            code_version: CodeVersion::Vandermonde1,
            pack_bytes: 7,
            shard_bytes: 7,
            shards: (0..shards).map(|shard| ShardId([shard; 32])).collect(),
        }
    }

    fn supplement(first: u8, shards: u8) -> StoreSupplement {
        StoreSupplement {
            owner: IdentityId([1; 32]),
            lane: DeviceId([2; 32]),
            pack: PackId([4; 32]),
            first: Position(first),
            shards: (first..first + shards)
                .map(|shard| ShardId([shard; 32]))
                .collect(),
        }
    }

    #[test]
    fn a_shard_is_found_by_its_place_and_by_its_id() {
        let header = header(3);
        let last = header.at(Position(2)).expect("there are three");
        assert_eq!(last.shard, ShardId([2; 32]));
        assert_eq!(header.of(last.shard), Some(last));
        assert_eq!(header.at(Position(3)), None);
        assert_eq!(header.of(ShardId([9; 32])), None);
    }

    #[test]
    fn a_supplement_adds_what_follows_and_nothing_else() {
        let mut grown = header(3);
        assert!(grown.grow(supplement(3, 2)));
        assert_eq!(grown, header(5));
        let of_another_pack = StoreSupplement {
            pack: PackId([5; 32]),
            ..supplement(5, 1)
        };
        let refused = [
            supplement(4, 1),
            supplement(6, 1),
            supplement(5, 26),
            of_another_pack,
        ];
        for supplement in refused {
            assert!(!grown.grow(supplement));
            assert_eq!(grown, header(5));
        }
        assert!(grown.grow(supplement(5, 25)), "thirty");
    }
}
