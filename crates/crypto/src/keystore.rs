//! How the secrets of a home rest on disk: sealed bytes under one of three guards.
//!
//! It makes and reads the bytes; the caller does the file IO. A guard never changes on its
//! own: what cannot be had is an error, never another guard.
//!
//! A key file is `"BDKEY" ‖ version 2 ‖ guard kind ‖ guard fields ‖ nonce (12) ‖
//! AES-256-GCM ciphertext ‖ tag (16) ‖ checksum (16)`. Everything before the nonce is
//! associated data; the checksum is the beginning of the BLAKE3 of all bytes before it and
//! tells a damaged file from a wrong passphrase.

mod content;
mod cost;
mod error;
mod guard;
mod os_keyring;
mod version;

use bitdust_model::limits::KEY_FILE_BYTES_MAX;

use crate::aead::{Aead, NONCE_BYTES};
use crate::derive::{Label, Secret, derive};
use crate::home_secrets::HomeSecrets;
use crate::random::random;
use cost::SALT_BYTES;
use version::VERSION;

pub use cost::PassphraseCost;
pub use error::KeystoreError;
pub use guard::{GuardKind, KeyGuard};

const MAGIC: &[u8; 5] = b"BDKEY";
const CHECKSUM_BYTES: usize = 16;

/// Whether the system has a keyring that can be asked.
#[must_use]
pub fn has_keyring() -> bool {
    keyring::Entry::store_status().is_ok()
}

/// Seals the secrets of a home, a passphrase at the standard cost.
///
/// With a keyring, the key already there for the label is used again, so that a file that
/// could not be written leaves the one before it readable. Talks to the keyring and may
/// block: call it outside of asynchronous tasks.
pub fn seal_home(home: &HomeSecrets, guard: KeyGuard<'_>) -> Result<Vec<u8>, KeystoreError> {
    seal_home_at_cost(home, guard, PassphraseCost::STANDARD)
}

/// As [`seal_home`], at a chosen cost of the passphrase.
pub fn seal_home_at_cost(
    home: &HomeSecrets,
    guard: KeyGuard<'_>,
    cost: PassphraseCost,
) -> Result<Vec<u8>, KeystoreError> {
    let lock = match guard {
        KeyGuard::Passphrase(passphrase) => {
            let salt = random();
            let key = cost.stretch(passphrase, &salt)?;
            Lock {
                fields: Fields::Passphrase { cost, salt },
                key,
            }
        }
        KeyGuard::File => {
            let key = Secret::new(random());
            Lock {
                fields: Fields::File { key: key.clone() },
                key,
            }
        }
        KeyGuard::Keyring { home_label } => {
            let entry = os_keyring::entry(home_label)?;
            let key = os_keyring::key_for_sealing(&entry, home_label)?;
            Lock {
                fields: Fields::Keyring,
                key,
            }
        }
    };
    seal(home, &lock)
}

/// How a key file is guarded, without opening it.
pub fn guard_of(bytes: &[u8]) -> Result<GuardKind, KeystoreError> {
    Ok(parse(bytes)?.fields.kind())
}

/// Opens a key file that is guarded in the given way. May block as [`seal_home`] may.
pub fn open_home(bytes: &[u8], guard: KeyGuard<'_>) -> Result<HomeSecrets, KeystoreError> {
    let parsed = parse(bytes)?;
    match (guard, &parsed.fields) {
        (KeyGuard::Passphrase(passphrase), Fields::Passphrase { cost, salt }) => {
            let key = cost.stretch(passphrase, salt)?;
            open(&parsed, &key, KeystoreError::WrongPassphrase)
        }
        (KeyGuard::File, Fields::File { key }) => open(&parsed, key, KeystoreError::Damaged),
        (KeyGuard::Keyring { home_label }, Fields::Keyring) => {
            let entry = os_keyring::entry(home_label)?;
            let key = os_keyring::key_for_opening(&entry, home_label)?;
            let home_label = home_label.to_owned();
            open(&parsed, &key, KeystoreError::KeyringKeyWrong { home_label })
        }
        (_, fields) => Err(KeystoreError::OtherGuard {
            found: fields.kind(),
        }),
    }
}

/// A guard in use: what is written about it, and the key that it gives.
struct Lock {
    fields: Fields,
    key: Secret,
}

/// What a key file says about its guard.
enum Fields {
    /// `1 ‖ memory in KiB, passes, lanes (u32 LE each) ‖ salt (16)`.
    Passphrase {
        cost: PassphraseCost,
        salt: [u8; SALT_BYTES],
    },
    /// `2 ‖ key (32)`.
    File { key: Secret },
    /// `3`.
    Keyring,
}

impl Fields {
    const fn kind(&self) -> GuardKind {
        match self {
            Self::Passphrase { .. } => GuardKind::Passphrase,
            Self::File { .. } => GuardKind::File,
            Self::Keyring => GuardKind::Keyring,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Passphrase { cost, salt } => {
                out.push(1);
                out.extend_from_slice(&cost.to_bytes());
                out.extend_from_slice(salt);
            }
            Self::File { key } => {
                out.push(2);
                out.extend_from_slice(key.as_slice());
            }
            Self::Keyring => out.push(3),
        }
    }

    /// The fields, and what follows them.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), KeystoreError> {
        let (kind, rest) = bytes.split_first().ok_or(KeystoreError::Damaged)?;
        match kind {
            1 => {
                let (cost, rest) = rest.split_first_chunk().ok_or(KeystoreError::Damaged)?;
                let (salt, rest) = rest.split_first_chunk().ok_or(KeystoreError::Damaged)?;
                let cost = PassphraseCost::from_bytes(cost)?;
                Ok((Self::Passphrase { cost, salt: *salt }, rest))
            }
            2 => {
                let (key, rest) = rest.split_first_chunk().ok_or(KeystoreError::Damaged)?;
                Ok((
                    Self::File {
                        key: Secret::new(*key),
                    },
                    rest,
                ))
            }
            3 => Ok((Self::Keyring, rest)),
            _ => Err(KeystoreError::Damaged),
        }
    }
}

/// A key file taken apart, not yet opened.
struct Parsed<'a> {
    fields: Fields,
    header: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    sealed: &'a [u8],
}

fn parse(bytes: &[u8]) -> Result<Parsed<'_>, KeystoreError> {
    if bytes.len() > KEY_FILE_BYTES_MAX {
        return Err(KeystoreError::TooLong { bytes: bytes.len() });
    }
    let Some(versioned) = bytes.strip_prefix(MAGIC) else {
        return Err(KeystoreError::NotAKeyFile);
    };
    match versioned.first() {
        Some(&VERSION) => {}
        Some(&version) if version < VERSION => {
            return Err(KeystoreError::Unreleased { version });
        }
        Some(&version) => return Err(KeystoreError::Version { version }),
        None => return Err(KeystoreError::Damaged),
    }
    let Some((covered, found)) = bytes.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(KeystoreError::Damaged);
    };
    if *found != checksum(covered) {
        return Err(KeystoreError::Damaged);
    }
    let fields_at = MAGIC.len() + 1;
    let guarded = covered.get(fields_at..).ok_or(KeystoreError::Damaged)?;
    let (fields, rest) = Fields::read(guarded)?;
    let (nonce, sealed) = rest.split_first_chunk().ok_or(KeystoreError::Damaged)?;
    let header = &covered[..covered.len() - rest.len()];
    Ok(Parsed {
        fields,
        header,
        nonce: *nonce,
        sealed,
    })
}

fn seal(home: &HomeSecrets, lock: &Lock) -> Result<Vec<u8>, KeystoreError> {
    let mut sealed = content::write(home)?;
    let mut file = MAGIC.to_vec();
    file.push(VERSION);
    lock.fields.write(&mut file);
    let nonce: [u8; NONCE_BYTES] = random();
    cipher(&lock.key).seal(nonce, &file, &mut sealed);
    file.extend_from_slice(&nonce);
    file.extend_from_slice(&sealed);
    file.extend_from_slice(&checksum(&file));
    if file.len() > KEY_FILE_BYTES_MAX {
        return Err(KeystoreError::TooLong { bytes: file.len() });
    }
    Ok(file)
}

fn open(
    parsed: &Parsed<'_>,
    key: &Secret,
    refusal: KeystoreError,
) -> Result<HomeSecrets, KeystoreError> {
    let mut plain = zeroize::Zeroizing::new(parsed.sealed.to_vec());
    cipher(key)
        .open(parsed.nonce, parsed.header, &mut plain)
        .map_err(|_| refusal)?;
    content::read(&plain)
}

/// Label `key-file`, from what the guard gives.
fn cipher(key: &Secret) -> Aead {
    let key = derive(key, Label::KeyFile, &[]);
    Aead::new(&key)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut short = [0; CHECKSUM_BYTES];
    short.copy_from_slice(&blake3::hash(bytes).as_bytes()[..CHECKSUM_BYTES]);
    short
}
