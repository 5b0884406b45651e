//! Turns a sealed pack into the shards that leave this machine.
//!
//! Each shard is XORed with a stream of its own before it is hashed and sent. Without it
//! copies are identical and k suppliers could compute the shards of all others, so that one
//! disk could pose as n. No unmasked shard is ever given out by this file.

use bitdust_crypto::{EpochSecrets, ShardMask};
use bitdust_model::manifest::{PackKind, PackRef};
use bitdust_model::{Code, PackId, Position, SetId, ShardId};

use crate::erasure;
use crate::pack::SealedPack;

/// Bytes masked and hashed at a time, so that they are in the cache for both.
const MASK_WINDOW_BYTES: usize = 256 * 1024;

/// A shard as its supplier keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedShard {
    /// Its place in the set.
    pub position: Position,
    /// Its id: BLAKE3 of `bytes`.
    pub shard: ShardId,
    /// What is stored.
    pub bytes: Vec<u8>,
}

/// The masked shards of a pack, in two buffers: those that were its bytes, and those that were
/// computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    /// Bytes of each shard.
    pub shard_bytes: usize,
    /// Their ids: BLAKE3 of each, by position.
    pub ids: Vec<ShardId>,
    /// The first k shards.
    pub data: Vec<u8>,
    /// The others.
    pub parity: Vec<u8>,
}

impl Shards {
    /// Each shard with its place and its id.
    pub fn iter(&self) -> impl Iterator<Item = (Position, ShardId, &[u8])> {
        let data = self.data.chunks(self.shard_bytes.max(1));
        let all = data.chain(self.parity.chunks(self.shard_bytes.max(1)));
        (0..)
            .map(Position)
            .zip(&self.ids)
            .zip(all)
            .map(|((position, id), bytes)| (position, *id, bytes))
    }
}

/// The code of a pack in a set: that of the set for contents of files, copies at every
/// position for metadata.
#[must_use]
pub fn code_of(kind: PackKind, set_code: Code) -> Code {
    match kind {
        PackKind::Data => set_code,
        PackKind::Tree | PackKind::Commit => {
            Code::new(1, set_code.n()).expect("n of a code is at least one")
        }
    }
}

/// Makes the shards of all n positions. For metadata packs k counts as 1, whatever `code`
/// says. The pack's own bytes become the first k; the others go into `parity`, a buffer that
/// may have served before. Memory: n / k times the pack.
#[must_use]
pub fn make_shards(
    secrets: &EpochSecrets,
    set: SetId,
    sealed: SealedPack,
    code: Code,
    mut parity: Vec<u8>,
) -> Shards {
    let code = code_of(sealed.kind, code);
    let mut data = sealed.bytes;
    let shard_bytes = erasure::encode_in_place(&mut data, code, &mut parity);
    let all = data
        .chunks_mut(shard_bytes.max(1))
        .chain(parity.chunks_mut(shard_bytes.max(1)));
    let ids = (0..)
        .map(Position)
        .zip(all)
        .map(|(position, bytes)| mask_and_name(secrets, set, sealed.pack, position, bytes))
        .collect();
    Shards {
        shard_bytes,
        ids,
        data,
        parity,
    }
}

/// Makes one shard of a pack again from the pack as it was sealed. `None` where these bytes do not
/// give the shard that was named when the pack was sealed. Memory: n / k times the pack.
#[must_use]
pub fn remake_shard(
    secrets: &EpochSecrets,
    pack: &PackRef,
    mut sealed: Vec<u8>,
    position: Position,
) -> Option<MaskedShard> {
    let positions = u8::try_from(pack.shards.len()).ok()?;
    let code = Code::new(pack.k, positions).ok()?;
    if u32::try_from(sealed.len()) != Ok(pack.pack_bytes) {
        return None;
    }
    let mut parity = Vec::new();
    let shard_bytes = erasure::encode_in_place(&mut sealed, code, &mut parity).max(1);
    let mut all = sealed.chunks(shard_bytes).chain(parity.chunks(shard_bytes));
    let plain = all.nth(usize::from(position.0))?.to_vec();
    let made = mask(secrets, pack.set, pack.pack, position, plain);
    let is_named = pack.shards.get(usize::from(position.0)) == Some(&made.shard);
    is_named.then_some(made)
}

/// Masks a shard that the erasure code made, and names it.
#[must_use]
pub fn mask(
    secrets: &EpochSecrets,
    set: SetId,
    pack: PackId,
    position: Position,
    mut bytes: Vec<u8>,
) -> MaskedShard {
    let shard = mask_and_name(secrets, set, pack, position, &mut bytes);
    MaskedShard {
        position,
        shard,
        bytes,
    }
}

fn mask_and_name(
    secrets: &EpochSecrets,
    set: SetId,
    pack: PackId,
    position: Position,
    bytes: &mut [u8],
) -> ShardId {
    let mask = ShardMask::new(secrets, set, pack, position);
    let mut hasher = blake3::Hasher::new();
    for (offset, window) in (0..).step_by(MASK_WINDOW_BYTES).zip(windows(bytes)) {
        mask.apply(offset, window);
        hasher.update(window);
    }
    ShardId(*hasher.finalize().as_bytes())
}

/// The id of a masked shard.
#[must_use]
pub fn shard_id(masked: &[u8]) -> ShardId {
    ShardId(*blake3::hash(masked).as_bytes())
}

fn windows(bytes: &mut [u8]) -> impl Iterator<Item = &mut [u8]> {
    bytes.chunks_mut(MASK_WINDOW_BYTES)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bitdust_model::CodeVersion;
    use proptest::prelude::*;

    use super::*;
    use crate::pack::PackBuilder;
    use crate::testing::{decode, noise, secrets};

    const SET: SetId = SetId([5; 32]);

    #[test]
    fn unmasked_shards_give_the_pack() {
        let secrets = secrets(0);
        let sealed = seal(PackKind::Data, 700_000);
        let shards = all(&secrets, SET, &sealed, code(3, 6));
        assert_eq!(shards.len(), 6);
        let mut present = vec![None; 6];
        for shard in &shards[2..5] {
            assert_eq!(shard.shard, shard_id(&shard.bytes));
            let mut bytes = shard.bytes.clone();
            ShardMask::new(&secrets, SET, sealed.pack, shard.position).apply(0, &mut bytes);
            present[usize::from(shard.position.0)] = Some(bytes);
        }
        let pack = decode(3, sealed.pack_bytes(), &present);
        assert!(pack == Ok(sealed.bytes));
    }

    #[test]
    fn a_shard_is_made_again_as_it_was_and_from_no_other_bytes() {
        let secrets = secrets(0);
        for (kind, k, length) in [
            (PackKind::Data, 3, 700_000),
            (PackKind::Data, 3, 1),
            (PackKind::Tree, 1, 10_000),
        ] {
            let sealed = seal(kind, length);
            let shards = all(&secrets, SET, &sealed, code(3, 6));
            let pack = PackRef {
                pack: sealed.pack,
                kind,
                epoch: sealed.epoch,
                set: SET,
                k,
                code_version: CodeVersion::Vandermonde1,
                pack_bytes: sealed.pack_bytes(),
                shards: shards.iter().map(|shard| shard.shard).collect(),
            };
            let remade = |bytes: &[u8], position| {
                remake_shard(&secrets, &pack, bytes.to_vec(), Position(position))
            };
            for shard in &shards {
                assert_eq!(
                    remade(&sealed.bytes, shard.position.0).as_ref(),
                    Some(shard)
                );
            }
            assert_eq!(remade(&sealed.bytes, 6), None, "there is no such position");
            assert_eq!(remade(&sealed.bytes[1..], 0), None, "too short");
            let mut other = sealed.bytes.clone();
            other[0] ^= 1;
            assert_eq!(remade(&other, 5), None, "not what was sealed");
        }
    }

    #[test]
    fn metadata_is_a_copy_for_each_and_no_copy_is_like_another() {
        let secrets = secrets(0);
        for kind in [PackKind::Tree, PackKind::Commit] {
            let sealed = seal(kind, 10_000);
            let shards = all(&secrets, SET, &sealed, code(3, 6));
            let ids: BTreeSet<_> = shards.iter().map(|shard| shard.shard).collect();
            assert_eq!(ids.len(), 6);
            for shard in shards {
                let mut bytes = shard.bytes;
                assert!(bytes[..sealed.bytes.len()] != sealed.bytes);
                ShardMask::new(&secrets, SET, sealed.pack, shard.position).apply(0, &mut bytes);
                assert!(bytes[..sealed.bytes.len()] == sealed.bytes);
            }
        }
    }

    #[test]
    fn another_set_means_other_shards() {
        let secrets = secrets(0);
        let sealed = seal(PackKind::Data, 10_000);
        let here = all(&secrets, SET, &sealed, code(1, 2));
        let there = all(&secrets, SetId([6; 32]), &sealed, code(1, 2));
        assert_ne!(here[0].shard, there[0].shard);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_range_unmasks_alone(start in 0_usize..700_000, length in 0_usize..600_000) {
            let secrets = secrets(0);
            let (position, pack) = (Position(4), PackId([2; 32]));
            let plain = noise(1, 700_000);
            let range = start..(start + length).min(plain.len());
            let masked = mask(&secrets, SET, pack, position, plain.clone());
            let mut part = masked.bytes[range.clone()].to_vec();
            ShardMask::new(&secrets, SET, pack, position).apply(start as u64, &mut part);
            prop_assert!(part == plain[range]);
        }
    }

    fn all(
        secrets: &EpochSecrets,
        set: SetId,
        sealed: &SealedPack,
        code: Code,
    ) -> Vec<MaskedShard> {
        // What was in the buffer before must not matter.
        let shards = make_shards(secrets, set, sealed.clone(), code, vec![9; 100_000]);
        let shard = |(position, shard, bytes): (Position, ShardId, &[u8])| MaskedShard {
            position,
            shard,
            bytes: bytes.to_vec(),
        };
        shards.iter().map(shard).collect()
    }

    fn seal(kind: PackKind, bytes: usize) -> SealedPack {
        let mut builder = PackBuilder::new(kind);
        let raw = noise(8, bytes);
        builder.push(secrets(0).chunk_id(&raw), &raw);
        builder.seal(&secrets(0), [3; 32])
    }

    fn code(k: u8, n: u8) -> Code {
        Code::new(k, n).expect("a code")
    }
}
