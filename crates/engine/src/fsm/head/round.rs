//! The holders of a head: who was given it, and how that went.
//!
//! It keeps each holder in one place, and says whom to give the head next; what follows from
//! that is the machine's to decide.

use std::collections::BTreeSet;

use bitdust_model::{DeviceId, ErrorCode, Tick};

use crate::fsm::Moment;

/// Who was given a head, and how that went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Round {
    kept: BTreeSet<DeviceId>,
    asked: BTreeSet<DeviceId>,
    /// Refused for good, or until it is connected anew.
    closed: BTreeSet<DeviceId>,
    /// Failed for now.
    failed: BTreeSet<DeviceId>,
    retry_at: Option<Tick>,
    tries: u32,
}

/// Who holds the set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holders<'a> {
    /// Holders that are not condemned.
    pub(crate) trusted: &'a BTreeSet<DeviceId>,
    /// Those of them that are connected with a contract.
    pub(crate) online: &'a BTreeSet<DeviceId>,
    /// How many must keep a head.
    pub(crate) quorum: u8,
}

impl Round {
    /// When those who failed are asked again.
    pub(super) const fn retry_at(&self) -> Option<Tick> {
        self.retry_at
    }

    /// Whether enough holders keep it.
    pub(super) fn is_kept(&self, holders: &Holders<'_>) -> bool {
        self.kept.intersection(holders.trusted).count() >= usize::from(holders.quorum)
    }

    /// Whether enough holders are left that keep it or might still.
    pub(super) fn may_be_kept(&self, holders: &Holders<'_>) -> bool {
        holders.trusted.difference(&self.closed).count() >= usize::from(holders.quorum)
    }

    /// A holder is connected anew.
    pub(super) fn reopen(&mut self, device: DeviceId) {
        self.closed.remove(&device);
        self.failed.remove(&device);
    }

    /// A holder keeps it.
    pub(super) fn keep(&mut self, device: DeviceId) {
        self.asked.remove(&device);
        self.kept.insert(device);
    }

    /// A holder does not; says whether it is closed now.
    pub(super) fn decline(&mut self, device: DeviceId, code: ErrorCode, at: &Moment<'_>) -> bool {
        self.asked.remove(&device);
        if is_final(code) {
            return self.closed.insert(device);
        }
        self.failed.insert(device);
        if self.retry_at.is_none() {
            self.retry_at = Some(at.retry_at(self.tries));
            self.tries = self.tries.saturating_add(1);
        }
        false
    }

    /// Those who failed may be asked again, when it is time.
    pub(super) fn retry(&mut self, now: Tick) {
        if self.retry_at.is_some_and(|retry_at| now >= retry_at) {
            self.retry_at = None;
            self.failed.clear();
        }
    }

    /// Takes everybody who is there and has not been asked: to them it is given now.
    pub(super) fn give(&mut self, holders: &Holders<'_>) -> Vec<DeviceId> {
        let mut given = Vec::new();
        for &device in holders.online {
            let done = self.kept.contains(&device)
                || self.asked.contains(&device)
                || self.closed.contains(&device)
                || self.failed.contains(&device);
            if !done {
                self.asked.insert(device);
                given.push(device);
            }
        }
        given
    }
}

/// Whether asking again can never help.
const fn is_final(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Stale
            | ErrorCode::Fenced
            | ErrorCode::NotAllowed
            | ErrorCode::NotAuthentic
            | ErrorCode::Malformed
            | ErrorCode::Incompatible
            | ErrorCode::Expired
    )
}
