//! Identity, phrase, key derivation and sealing; the only user of the cipher crates.
//!
//! It owns every secret's way from the 24 words to the keys of daily work, and every
//! signature. It reads no file, no clock and no network; the operating system's random
//! numbers and keyring are all that it touches. docs/FORMAT.md lists each derivation.

mod aead;
pub mod chunk;
mod derive;
#[cfg(test)]
mod golden;
pub mod home_secrets;
pub mod identity;
pub mod invitation;
pub mod keystore;
pub mod locator;
pub mod mask;
pub mod pack;
pub mod phrase;
mod place;
pub mod random;
pub mod record;
pub mod sealed_box;
pub mod sign;

pub use home_secrets::HomeSecrets;
pub use identity::{DeviceKeys, EpochSecrets, IdentityError, RootSecrets};
pub use invitation::InvitationError;
pub use keystore::{GuardKind, KeyGuard, KeystoreError, PassphraseCost, guard_of, has_keyring};
pub use keystore::{open_home, seal_home, seal_home_at_cost};
pub use locator::{LocatorError, LocatorKey, RootSlot};
pub use mask::ShardMask;
pub use pack::{OpenError, PackCipher, TAG_BYTES, pack_id};
pub use phrase::{Phrase, PhraseError};
pub use place::{dht_key, nickname_key, offers_key};
pub use random::random;
pub use record::{Numbered, RecordError, next_number, validate_record};
pub use sealed_box::{SealedBoxError, seal_to};
pub use sign::{SigningKey, VerifyError, contract_id, head_hash, set_hash, tombstone_hash};
pub use sign::{verify, verify_by, verify_certificate, verify_header};
