//! The one encoding of everything stored or sent: postcard behind a version byte.
//!
//! A value is refused before it is parsed when its bytes exceed the limit of its kind, and
//! after it is parsed when bytes are left over.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes from outside were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than the kind may have; nothing was allocated for them.
    #[error("{kind} has {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// What was expected.
        kind: &'static str,
        /// How many bytes came.
        bytes: usize,
        /// How many may come.
        bytes_max: usize,
    },
    /// Written before the first release, in a form that is not read any more.
    #[error("{kind} has version {version}, which was never released and is not read any more")]
    Unreleased {
        /// What was expected.
        kind: &'static str,
        /// The version byte that came.
        version: u8,
    },
    /// Written by a newer (or no) BitDust.
    #[error("{kind} has version {version}, this program reads up to {version_max}")]
    Version {
        /// What was expected.
        kind: &'static str,
        /// The version byte that came.
        version: u8,
        /// The newest version known here.
        version_max: u8,
    },
    /// The bytes are no value of the kind.
    #[error("{kind} is damaged")]
    Malformed {
        /// What was expected.
        kind: &'static str,
    },
}

/// A kind of value with a version and a size limit.
pub trait Versioned: Serialize + DeserializeOwned {
    /// The name in errors, for example `"head"`.
    const KIND: &'static str;
    /// The version written. Of older ones the last before it is read by [`Versioned::migrate`],
    /// unless it is older than `OLDEST`.
    const VERSION: u8 = 1;
    /// The oldest version that is read; earlier ones were never released.
    const OLDEST: u8 = Self::VERSION;
    /// The most bytes an encoded value may have, version byte included.
    const BYTES_MAX: usize;

    /// Reads the body of an older version, from `OLDEST` on; nothing where the bytes are no value of
    /// it.
    #[must_use]
    fn migrate(_version: u8, _body: &[u8]) -> Option<Self> {
        None
    }
}

/// A value that is longer than its kind may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} of {bytes} bytes exceeds its own limit of {bytes_max}")]
pub struct EncodeError {
    /// What was to be written.
    pub kind: &'static str,
    /// How many bytes it has.
    pub bytes: usize,
    /// How many it may have.
    pub bytes_max: usize,
}

/// Encodes a value behind its version byte.
///
/// # Panics
/// If the value cannot be serialised or exceeds its own limit: both are bugs of the caller,
/// which must bound what it builds, or use [`try_encode`].
#[must_use]
pub fn encode<T: Versioned>(value: &T) -> Vec<u8> {
    let bytes = written(value);
    assert!(
        bytes.len() <= T::BYTES_MAX,
        "{} of {} bytes exceeds its own limit of {}",
        T::KIND,
        bytes.len(),
        T::BYTES_MAX
    );
    bytes
}

/// Encodes a value that grows with what a person has, and so may exceed its limit.
///
/// # Panics
/// If the value cannot be serialised, which plain data always can.
pub fn try_encode<T: Versioned>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let bytes = written(value);
    if bytes.len() > T::BYTES_MAX {
        return Err(EncodeError {
            kind: T::KIND,
            bytes: bytes.len(),
            bytes_max: T::BYTES_MAX,
        });
    }
    Ok(bytes)
}

fn written<T: Versioned>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![T::VERSION]).expect("plain data always serialises")
}

/// Decodes a value; refuses what is too long, of another version, malformed, or followed by
/// further bytes.
pub fn decode<T: Versioned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > T::BYTES_MAX {
        return Err(DecodeError::TooLong {
            kind: T::KIND,
            bytes: bytes.len(),
            bytes_max: T::BYTES_MAX,
        });
    }
    let Some((&version, body)) = bytes.split_first() else {
        return Err(DecodeError::Malformed { kind: T::KIND });
    };
    if (1..T::OLDEST).contains(&version) {
        return Err(DecodeError::Unreleased {
            kind: T::KIND,
            version,
        });
    }
    if (T::OLDEST..T::VERSION).contains(&version) {
        return T::migrate(version, body).ok_or(DecodeError::Malformed { kind: T::KIND });
    }
    if version != T::VERSION {
        return Err(DecodeError::Version {
            kind: T::KIND,
            version,
            version_max: T::VERSION,
        });
    }
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(DecodeError::Malformed { kind: T::KIND }),
    }
}
