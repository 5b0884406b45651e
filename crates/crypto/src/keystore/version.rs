//! The version of key files.

/// What is written, and all that is read: version 1 was never released.
pub(super) const VERSION: u8 = 2;
