//! The one derivation of keys: HKDF-SHA256 without salt under labelled infos.
//!
//! Every info begins with `bitdust/v1/`. Labels are constants of this file, so that no two
//! uses can meet by accident; a test checks that none is the beginning of another.

use bitdust_model::Epoch;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A 32-byte secret that is wiped when it is dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// What all labels stand behind.
pub(crate) const PREFIX: &[u8] = b"bitdust/v1/";

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// Seed of the root signing key.
    RootSigning,
    /// X25519 secret of the identity.
    IdentityExchange,
    /// Secret of an epoch: chunk ids.
    EpochChunk,
    /// Secret of an epoch: pack ids and data packs.
    EpochPack,
    /// Secret of an epoch: masks of shards.
    EpochMask,
    /// Secret of an epoch: tree and commit packs.
    EpochMetadata,
    /// Secret of an epoch: locator records.
    EpochLocator,
    /// Cipher of one pack.
    PackCipher,
    /// Secret of a set, from which its masks come.
    SetSecret,
    /// Mask of one shard.
    ShardMask,
    /// Blinded signing seed of a slot of the root record.
    RootLocatorSigning,
    /// Cipher of a slot of the root record.
    RootLocatorSealing,
    /// Blinded signing seed of a slot of a lane record.
    LaneLocatorSigning,
    /// Cipher of a slot of a lane record.
    LaneLocatorSealing,
    /// Cipher of a sealed box.
    SealedBox,
    /// Cipher of a key file.
    KeyFile,
}

impl Label {
    const fn text(self) -> &'static str {
        match self {
            Self::RootSigning => "root-signing",
            Self::IdentityExchange => "identity-exchange",
            Self::EpochChunk => "epoch-chunk",
            Self::EpochPack => "epoch-pack",
            Self::EpochMask => "epoch-mask",
            Self::EpochMetadata => "epoch-metadata",
            Self::EpochLocator => "epoch-locator",
            Self::PackCipher => "pack-cipher",
            Self::SetSecret => "set-secret",
            Self::ShardMask => "shard-mask",
            Self::RootLocatorSigning => "root-locator-signing",
            Self::RootLocatorSealing => "root-locator-sealing",
            Self::LaneLocatorSigning => "lane-locator-signing",
            Self::LaneLocatorSealing => "lane-locator-sealing",
            Self::SealedBox => "sealed-box",
            Self::KeyFile => "key-file",
        }
    }
}

/// `HKDF-SHA256(ikm = secret, no salt, info = "bitdust/v1/" ‖ label ‖ context parts)`, 32 bytes.
///
/// The parts of one label always have the same lengths, so their border needs no mark.
pub(crate) fn derive(secret: &[u8; 32], label: Label, context: &[&[u8]]) -> Secret {
    let mut info: Vec<&[u8]> = vec![PREFIX, label.text().as_bytes()];
    info.extend_from_slice(context);
    let mut key = Secret::default();
    Hkdf::<Sha256>::new(None, secret)
        .expand_multi_info(&info, key.as_mut_slice())
        .expect("32 bytes are within the length HKDF can give");
    key
}

/// [`derive`] with the epoch as u32 LE for context.
pub(crate) fn derive_for_epoch(secret: &[u8; 32], label: Label, epoch: Epoch) -> Secret {
    derive(secret, label, &[&epoch.0.to_le_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [Label; 16] = [
        Label::RootSigning,
        Label::IdentityExchange,
        Label::EpochChunk,
        Label::EpochPack,
        Label::EpochMask,
        Label::EpochMetadata,
        Label::EpochLocator,
        Label::PackCipher,
        Label::SetSecret,
        Label::ShardMask,
        Label::RootLocatorSigning,
        Label::RootLocatorSealing,
        Label::LaneLocatorSigning,
        Label::LaneLocatorSealing,
        Label::SealedBox,
        Label::KeyFile,
    ];

    #[test]
    fn no_label_is_the_beginning_of_another() {
        for one in LABELS {
            for other in LABELS {
                assert!(
                    one == other || !other.text().starts_with(one.text()),
                    "{one:?} begins {other:?}"
                );
            }
        }
    }

    #[test]
    fn labels_and_epochs_give_unrelated_keys() {
        let secret = [7; 32];
        let mut keys: Vec<[u8; 32]> = Vec::new();
        for label in LABELS {
            for epoch in [0, 1, 256] {
                keys.push(*derive_for_epoch(&secret, label, Epoch(epoch)));
            }
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "two labels or epochs gave one key");
    }
}
