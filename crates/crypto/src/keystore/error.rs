//! Why the secrets of a home cannot be sealed or opened, and what to do then.

use bitdust_model::limits::{KEY_FILE_BYTES_MAX, PASSPHRASE_BYTES_MAX};

use super::guard::GuardKind;
use super::version::VERSION;
use crate::identity::IdentityError;

/// Why the secrets of a home cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The bytes are something else.
    #[error("this is no BitDust key file")]
    NotAKeyFile,
    /// Written before the first release, in a form that is not read any more.
    #[error(
        "the key file has version {version}, which was never released and is not read any more; \
         it was left as it is"
    )]
    Unreleased {
        /// The version that was found.
        version: u8,
    },
    /// Written by a newer program.
    #[error("the key file has version {version}, this program reads version {VERSION}")]
    Version {
        /// The version that was found.
        version: u8,
    },
    /// Far too long, or too many epochs to fit.
    #[error("a key file of {bytes} bytes exceeds the limit of {KEY_FILE_BYTES_MAX}")]
    TooLong {
        /// How many bytes.
        bytes: usize,
    },
    /// Cut, altered, or with contents that do not belong together.
    #[error(
        "the key file is damaged; nothing that was backed up is lost: \
         restore the file, or recover with the 24 words"
    )]
    Damaged,
    /// The home is guarded in another way than it was to be opened.
    #[error("this home is guarded by {found}, open it that way")]
    OtherGuard {
        /// How it is guarded.
        found: GuardKind,
    },
    /// The passphrase is not the one that sealed the file.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// An empty passphrase guards nothing; one beyond the limit is a mistake.
    #[error("a passphrase has 1 to {PASSPHRASE_BYTES_MAX} bytes, this one has {bytes}")]
    PassphraseLength {
        /// How many bytes.
        bytes: usize,
    },
    /// Parameters of Argon2id that are useless or would exhaust this machine.
    #[error(
        "the cost of the passphrase ({memory_kib} KiB, {passes} passes, {lanes} lanes) is \
         outside of what is allowed"
    )]
    Cost {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes of it.
        lanes: u32,
    },
    /// There is not enough memory for Argon2id.
    #[error("there is not enough free memory to check the passphrase ({memory_kib} KiB)")]
    OutOfMemory {
        /// Memory in KiB that was asked for.
        memory_kib: u32,
    },
    /// The system has no keyring, or it is locked.
    #[error(
        "the keyring of this system cannot be used ({reason}); unlock it, or guard the home \
         with a passphrase, or, knowing that whoever reads the disk reads the keys, with a file"
    )]
    KeyringMissing {
        /// What the system said.
        reason: String,
    },
    /// The keyring works but has no key for this home.
    #[error(
        "the keyring of this system has no key for the home \"{home_label}\"; if it was reset \
         or belongs to another account, recover with the 24 words"
    )]
    KeyringEntryMissing {
        /// What tells this home from others.
        home_label: String,
    },
    /// The keyring has a key for this home, but not the one that sealed the file.
    #[error(
        "the key for the home \"{home_label}\" in the keyring of this system does not fit its \
         key file; recover with the 24 words"
    )]
    KeyringKeyWrong {
        /// What tells this home from others.
        home_label: String,
    },
    /// The secrets do not make an identity.
    #[error("the secrets in the key file do not belong together")]
    Identity(#[from] IdentityError),
}
