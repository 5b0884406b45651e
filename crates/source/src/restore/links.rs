//! Files with several names: which of them is in its place, so that the others are linked to it.
//!
//! A name whose file is still being written waits. A writer that is given up takes its claim
//! with it, and the next name becomes the first one. Invariant: nothing is linked to a file
//! that is not the very one placed here, whatever came under its name since.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use bitdust_model::limits;
use bitdust_model::tree::Meta;

use crate::relative::RelativePath;

/// What all names of one file have in common. A file that changed between the readings of two
/// of its names gives two of these: each name comes back with what was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkKey {
    group: u64,
    size: u64,
    mtime_seconds: i64,
    mtime_nanos: u32,
}

impl LinkKey {
    pub(super) const fn new(group: u64, size: u64, meta: &Meta) -> Self {
        Self {
            group,
            size,
            mtime_seconds: meta.mtime_seconds,
            mtime_nanos: meta.mtime_nanos,
        }
    }
}

/// A name that is in its place.
#[derive(Debug, Clone)]
pub(super) struct FirstName {
    /// Where it is.
    pub(super) path: RelativePath,
    /// Device and number of the file.
    pub(super) identity: (u64, u64),
}

/// A file that is being written for all of its names.
#[derive(Debug)]
pub(super) struct Claim {
    key: LinkKey,
    /// Gone with its writer.
    _alive: Arc<()>,
}

/// How far a group is.
#[derive(Debug)]
pub(super) enum Known {
    /// None of its names is in place: the next one is the first.
    Nothing,
    /// The first is being written.
    Claimed,
    /// The first is in its place.
    Placed(FirstName),
}

/// The groups met so far.
#[derive(Debug, Default)]
pub(super) struct LinkGroups {
    firsts: BTreeMap<LinkKey, First>,
}

#[derive(Debug)]
enum First {
    Claimed(Weak<()>),
    Placed(FirstName),
}

impl LinkGroups {
    pub(super) fn find(&self, key: &LinkKey) -> Known {
        match self.firsts.get(key) {
            Some(First::Claimed(alive)) if alive.strong_count() > 0 => Known::Claimed,
            Some(First::Claimed(_)) | None => Known::Nothing,
            Some(First::Placed(first)) => Known::Placed(first.clone()),
        }
    }

    /// Whether one more group can be remembered.
    pub(super) fn has_room_for(&self, key: &LinkKey) -> bool {
        self.firsts.len() < limits::RESTORE_LINK_GROUPS_MAX || self.firsts.contains_key(key)
    }

    pub(super) fn claim(&mut self, key: LinkKey) -> Claim {
        let alive = Arc::new(());
        self.firsts
            .insert(key.clone(), First::Claimed(Arc::downgrade(&alive)));
        Claim { key, _alive: alive }
    }

    pub(super) fn place(&mut self, key: LinkKey, first: FirstName) {
        self.firsts.insert(key, First::Placed(first));
    }

    pub(super) fn fulfil(&mut self, claim: Claim, first: FirstName) {
        self.place(claim.key, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_ends_with_its_writer() {
        let mut groups = LinkGroups::default();
        let key = LinkKey::new(7, 10, &Meta::default());
        assert!(matches!(groups.find(&key), Known::Nothing));
        let claim = groups.claim(key.clone());
        assert!(matches!(groups.find(&key), Known::Claimed));
        drop(claim);
        assert!(matches!(groups.find(&key), Known::Nothing));
        let claim = groups.claim(key.clone());
        let first = FirstName {
            path: RelativePath::root(),
            identity: (1, 2),
        };
        groups.fulfil(claim, first);
        assert!(matches!(groups.find(&key), Known::Placed(_)));
        let other = LinkKey::new(7, 11, &Meta::default());
        assert!(
            matches!(groups.find(&other), Known::Nothing),
            "it changed between two readings"
        );
    }
}
