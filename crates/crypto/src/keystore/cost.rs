//! What a passphrase costs whoever guesses it: the parameters of Argon2id.
//!
//! They are stored with each key file and limited when they are read, so that a forged file
//! cannot exhaust the memory of this machine.

use argon2::{Algorithm, Argon2, Params, Version};
use bitdust_model::limits::{
    ARGON_LANES_MAX, ARGON_MEMORY_KIB_MAX, ARGON_PASSES_MAX, PASSPHRASE_BYTES_MAX,
};

use super::error::KeystoreError;
use crate::derive::Secret;

/// Bytes of the salt of a passphrase.
pub(super) const SALT_BYTES: usize = 16;

/// Parameters of Argon2id, within limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PassphraseCost {
    /// What homes use: 64 MiB, three passes, one lane.
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// The least that Argon2id takes. It guards nothing: for tests and practice homes.
    pub const CHEAPEST: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    /// A chosen cost: memory in KiB (at least eight a lane, at most 1 GiB), passes, lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KeystoreError> {
        let within = memory_kib <= ARGON_MEMORY_KIB_MAX
            && passes <= ARGON_PASSES_MAX
            && lanes <= ARGON_LANES_MAX;
        if !within || Params::new(memory_kib, passes, lanes, Some(32)).is_err() {
            return Err(KeystoreError::Cost {
                memory_kib,
                passes,
                lanes,
            });
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    pub(super) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.memory_kib.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.passes.to_le_bytes());
        bytes[8..].copy_from_slice(&self.lanes.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; 12]) -> Result<Self, KeystoreError> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        Self::new(
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
            u32::from_le_bytes([i, j, k, l]),
        )
    }

    /// Argon2id (version 1.3) of the passphrase, 32 bytes.
    pub(super) fn stretch(
        self,
        passphrase: &str,
        salt: &[u8; SALT_BYTES],
    ) -> Result<Secret, KeystoreError> {
        let Self {
            memory_kib,
            passes,
            lanes,
        } = self;
        if passphrase.is_empty() || passphrase.len() > PASSPHRASE_BYTES_MAX {
            return Err(KeystoreError::PassphraseLength {
                bytes: passphrase.len(),
            });
        }
        let refused = |_| KeystoreError::Cost {
            memory_kib,
            passes,
            lanes,
        };
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(refused)?;
        let mut key = Secret::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
            .map_err(|error| {
                if error == argon2::Error::OutOfMemory {
                    return KeystoreError::OutOfMemory { memory_kib };
                }
                KeystoreError::Cost {
                    memory_kib,
                    passes,
                    lanes,
                }
            })?;
        Ok(key)
    }
}
