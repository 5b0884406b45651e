//! How many confirmations a pack needs, by its kind and the set's code.

use bitdust_model::Code;
use bitdust_model::manifest::PackKind;

/// Confirmations at which a pack may be committed: its chunks count as known.
#[must_use]
pub fn known_at(kind: PackKind, code: Code) -> u8 {
    match kind {
        PackKind::Data => code.known_at(),
        PackKind::Tree | PackKind::Commit => code.metadata_quorum(),
    }
}

/// Confirmations that a backup waits for before it builds on the pack: the safe number for
/// contents (a lone supplier is all there is at n = 1), the quorum for metadata.
#[must_use]
pub fn settled_at(kind: PackKind, code: Code) -> u8 {
    match kind {
        PackKind::Data => code.safe_at().unwrap_or(1),
        PackKind::Tree | PackKind::Commit => code.metadata_quorum(),
    }
}
