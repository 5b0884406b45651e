//! Which head of each lane is taken: the newest whose lists can be read.
//!
//! All that were told are tried, the newest first. Where no head of a lane can be had whole, the newest is
//! taken of which a part can.

use std::collections::VecDeque;

use bitdust_model::{DeviceId, Sequence};

use super::inquiry::Findings;
use crate::io::{ListsRead, RecoveryFound, ToldVersion, WantedHead};

/// Heads of all lanes, and what was found out of their lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Lanes that are not decided; the first one's turn it is.
    lanes: VecDeque<Candidates>,
    taken: Vec<ToldVersion>,
    unread: Vec<ToldVersion>,
    unheard: Vec<(DeviceId, Sequence)>,
    is_sure: bool,
}

/// The heads of one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidates {
    newest: ToldVersion,
    /// Not tried yet, the newest first.
    left: VecDeque<ToldVersion>,
    /// Of which a part can be had, the newest first.
    in_part: VecDeque<ToldVersion>,
}

impl Choice {
    /// Nothing was tried yet.
    pub(super) fn new(findings: Findings) -> Self {
        let lanes = findings.lanes.into_iter().filter_map(|heads| {
            Some(Candidates {
                newest: *heads.first()?,
                left: heads.into(),
                in_part: VecDeque::new(),
            })
        });
        Self {
            lanes: lanes.collect(),
            taken: Vec::new(),
            unread: Vec::new(),
            unheard: findings.unheard,
            is_sure: findings.is_sure,
        }
    }

    /// The head whose lists are to be read now; `None` once all lanes are decided.
    pub(super) fn wanted(&mut self) -> Option<WantedHead> {
        while let Some(lane) = self.lanes.front() {
            if let Some((told, partly)) = lane.wanted() {
                let ToldVersion { lane, head, .. } = *told;
                return Some(WantedHead { lane, head, partly });
            }
            self.unread.push(lane.newest);
            self.lanes.pop_front();
        }
        None
    }

    /// What could be had of the head that was wanted.
    pub(super) fn hear(&mut self, lists: ListsRead) {
        let Some(lane) = self.lanes.front_mut() else {
            return;
        };
        if let Some(taken) = lane.hear(lists) {
            if taken.head != lane.newest.head {
                self.unread.push(lane.newest);
            }
            self.taken.push(taken);
            self.lanes.pop_front();
        }
    }

    /// What is taken over; `None` where nothing could be read.
    pub(super) fn found(self) -> Option<RecoveryFound> {
        let is_any = !self.taken.is_empty();
        is_any.then_some(RecoveryFound {
            taken: self.taken,
            unread: self.unread,
            unheard: self.unheard,
            is_sure: self.is_sure,
        })
    }
}

impl Candidates {
    /// The next one, and whether a part of it is enough.
    fn wanted(&self) -> Option<(&ToldVersion, bool)> {
        let whole = self.left.front().map(|told| (told, false));
        whole.or_else(|| self.in_part.front().map(|told| (told, true)))
    }

    /// Gives the one that is taken.
    fn hear(&mut self, lists: ListsRead) -> Option<ToldVersion> {
        let (tried, partly) = match self.left.pop_front() {
            Some(told) => (told, false),
            None => (self.in_part.pop_front()?, true),
        };
        match (lists, partly) {
            (ListsRead::Whole, _) | (ListsRead::Partly, true) => return Some(tried),
            (ListsRead::Partly, false) => self.in_part.push_back(tried),
            (ListsRead::Nothing, _) => {}
        }
        None
    }
}
