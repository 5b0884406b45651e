//! The version of key files.

/// What is written, and all that is read.
pub(super) const VERSION: u8 = 1;
