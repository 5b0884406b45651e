//! Identifiers: newtypes over 32 bytes, so that no two kinds can be confused.
//!
//! `Display` and `Debug` show the first eight hex digits; `to_hex` and `FromStr` carry
//! all of them across text borders.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// A text that is not 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 64 hexadecimal digits, this has {length} characters")]
pub struct IdParseError {
    /// Length of the text that was refused, in characters.
    pub length: usize,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The raw bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// All 64 hexadecimal digits.
            #[must_use]
            pub fn to_hex(&self) -> String {
                HEXLOWER.encode(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0[..4]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let refused = IdParseError { length: text.chars().count() };
                let Ok(bytes) = HEXLOWER.decode(text.to_ascii_lowercase().as_bytes()) else {
                    return Err(refused);
                };
                let Ok(bytes) = <[u8; 32]>::try_from(bytes) else {
                    return Err(refused);
                };
                Ok(Self(bytes))
            }
        }
    };
}

id_type!(
    /// A person: the Ed25519 root public key derived from the phrase.
    IdentityId
);
id_type!(
    /// A machine of an identity: its Ed25519 transport public key. Also names its lane.
    DeviceId
);
id_type!(
    /// A content-defined piece of a file: BLAKE3 of the plain bytes, keyed with a secret of the epoch.
    ChunkId
);
id_type!(
    /// A sealed pack: keyed BLAKE3 over its random header, kind and compressed chunks.
    PackId
);
id_type!(
    /// A shard: plain BLAKE3 of its masked bytes; `b3sum` of the file at the supplier prints it.
    ShardId
);
id_type!(
    /// An ordered list of suppliers with a fixed k.
    SetId
);
id_type!(
    /// One version of one folder.
    SnapshotId
);
id_type!(
    /// A folder under protection, stable across renames of its path.
    FolderId
);
id_type!(
    /// A contract: BLAKE3 of the bytes the customer signed.
    ContractId
);
id_type!(
    /// A key in the DHT.
    DhtKey
);
id_type!(
    /// BLAKE3 of a head's signed bytes; heads of a lane form a chain of these.
    HeadHash
);

id_type!(
    /// BLAKE3 of a set record's signed bytes; versions of a set form a chain of these.
    SetHash
);
id_type!(
    /// BLAKE3 of a mandate's signed bytes.
    MandateHash
);
id_type!(
    /// BLAKE3 of a tombstone's signed bytes; tombstones of a lane form a chain of these.
    TombstoneHash
);

/// Who writes into a lane: drawn at random when a catalogue is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WriterId(pub [u8; 16]);

impl DeviceId {
    /// The name a person sees beside a nickname: `7f3a 91c2`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }
}

impl IdentityId {
    /// The name a person sees beside a nickname: `7f3a 91c2`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }
}

fn fingerprint(bytes: &[u8; 32]) -> String {
    let hex = HEXLOWER.encode(&bytes[..4]);
    format!("{} {}", &hex[..4], &hex[4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_display_is_short() {
        let id = PackId([0xab; 32]);
        assert_eq!(id.to_hex().parse::<PackId>(), Ok(id));
        assert_eq!(id.to_string(), "abababab");
        assert_eq!("xyz".parse::<PackId>(), Err(IdParseError { length: 3 }));
    }
}
