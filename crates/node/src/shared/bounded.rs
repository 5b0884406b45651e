//! Reads small files whose length nobody vouches for.
//!
//! Invariant: never more than one byte beyond the limit is held, whatever the file is.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The file's bytes. One that is longer than `bytes_max` gives one byte more than that, so
/// that the parser refuses it by its own limit.
pub(crate) fn read_bounded(path: &Path, bytes_max: usize) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
