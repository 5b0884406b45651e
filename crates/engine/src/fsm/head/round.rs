//! The holders of a head: who was given it, and how that went.
//!
//! It keeps each holder in one place, and says whom to give the head next; what follows from
//! that is the machine's to decide.

use std::collections::BTreeSet;

use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, DeviceId, ErrorCode, Tick};

use crate::fsm::Moment;
use crate::rules::{published_at, stragglers_until};
use crate::safety::{Need, Quorum};

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
    /// When it was first given to somebody.
    began_at: Option<Tick>,
    /// When the last holder answered that it keeps it.
    kept_at: Option<Tick>,
}

/// Those who hold active positions of the home set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holders<'a> {
    /// Holders that are not suspect.
    pub(crate) trusted: &'a BTreeSet<DeviceId>,
    /// Those of them that are connected with a contract and have the lists.
    pub(crate) online: &'a BTreeSet<DeviceId>,
    /// Those that may be given a head at this moment: it is known what they keep of the lane.
    pub(crate) open: &'a BTreeSet<DeviceId>,
    /// Whether somebody keeps heads of the lane that are not known here.
    pub(crate) is_behind: bool,
    /// Those that are connected with a contract.
    pub(crate) connected: &'a BTreeSet<DeviceId>,
    /// Those of them that did not answer in time when they were last waited for.
    pub(crate) passed_over: &'a BTreeSet<DeviceId>,
    /// The code of the set.
    pub(crate) code: Code,
    /// How many of its positions are active.
    pub(crate) active: u8,
}

impl Holders<'_> {
    /// How many must keep a head before it settles: more than there are, where nothing settles.
    fn quorum(&self) -> u8 {
        let quorum = self.code.metadata_quorum_of(self.active);
        quorum.unwrap_or(u8::MAX)
    }
}

impl Round {
    /// When those who failed are asked again.
    pub(super) const fn retry_at(&self) -> Option<Tick> {
        self.retry_at
    }

    /// How those who keep it stand against those who must. Whoever refused it for good may know
    /// something newer: then none is published that all who are away could overrule.
    pub(super) fn quorum(&self, holders: &Holders<'_>) -> Quorum {
        let kept = self.kept.intersection(holders.trusted);
        let awaited = holders.quorum();
        let enough = if !self.is_welcome(holders) {
            awaited
        } else {
            let there = self.kept.intersection(holders.trusted);
            let others = self.waited_for(holders.connected, holders);
            let there = count(there).saturating_add(count(others));
            published_at(PackKind::Commit, holders.code, there)
        };
        Quorum::of(
            count(kept),
            count(self.answering(holders)),
            Need { enough, awaited },
        )
    }

    /// Whether nobody refused it for good, or keeps another.
    pub(super) fn is_welcome(&self, holders: &Holders<'_>) -> bool {
        !holders.is_behind && self.closed.is_disjoint(holders.trusted)
    }

    /// Holders that are there and may still answer that they keep it, also those who could not now.
    fn answering<'a>(&'a self, holders: &'a Holders<'_>) -> impl Iterator<Item = &'a DeviceId> {
        self.waited_for(holders.online, holders)
    }

    fn waited_for<'a>(
        &'a self,
        of: &'a BTreeSet<DeviceId>,
        holders: &'a Holders<'_>,
    ) -> impl Iterator<Item = &'a DeviceId> {
        of.iter().filter(|device| {
            !self.kept.contains(device)
                && !self.closed.contains(device)
                && !holders.passed_over.contains(device)
        })
    }

    /// Those who are waited for.
    pub(super) fn stragglers(&self, holders: &Holders<'_>) -> BTreeSet<DeviceId> {
        self.waited_for(holders.connected, holders)
            .copied()
            .collect()
    }

    /// Until when those are waited for without whom fewer than two keep it.
    pub(super) fn until_needed(&self, at: &Moment<'_>) -> Tick {
        let last = self.kept_at.or(self.began_at).unwrap_or(at.now);
        last + at.policy.request_timeout
    }

    /// Until when they are waited for, where enough others keep it.
    pub(super) fn until(&self, at: &Moment<'_>) -> Tick {
        let began = self.began_at.unwrap_or(at.now);
        stragglers_until(at.policy, began, self.kept_at.unwrap_or(began))
    }

    /// Whether enough holders are left that keep it or might still.
    pub(super) fn may_be_kept(&self, holders: &Holders<'_>) -> bool {
        count(holders.trusted.difference(&self.closed)) >= holders.quorum()
    }

    /// A holder is connected anew.
    pub(super) fn reopen(&mut self, device: DeviceId) {
        self.closed.remove(&device);
        self.failed.remove(&device);
    }

    /// A holder has nothing any more.
    pub(super) fn forget(&mut self, device: DeviceId) {
        self.kept.remove(&device);
        self.failed.remove(&device);
    }

    /// It was too early for a holder.
    pub(super) fn ask_again(&mut self, device: DeviceId) {
        self.failed.remove(&device);
    }

    /// A holder keeps it.
    pub(super) fn keep(&mut self, device: DeviceId, now: Tick) {
        self.asked.remove(&device);
        self.kept.insert(device);
        self.kept_at = Some(now);
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
    pub(super) fn give(&mut self, holders: &Holders<'_>, now: Tick) -> Vec<DeviceId> {
        let mut given = Vec::new();
        for &device in holders.online.intersection(holders.open) {
            let done = self.kept.contains(&device)
                || self.asked.contains(&device)
                || self.closed.contains(&device)
                || self.failed.contains(&device);
            if !done {
                self.asked.insert(device);
                self.began_at.get_or_insert(now);
                given.push(device);
            }
        }
        given
    }
}

fn count<'a>(devices: impl Iterator<Item = &'a DeviceId>) -> u8 {
    u8::try_from(devices.count()).expect("a set has at most 30 positions")
}

/// Whether asking again can never help.
const fn is_final(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Stale
            | ErrorCode::Forked
            | ErrorCode::Fenced
            | ErrorCode::NotAllowed
            | ErrorCode::NotAuthentic
            | ErrorCode::Malformed
            | ErrorCode::Incompatible
            | ErrorCode::Expired
    )
}
