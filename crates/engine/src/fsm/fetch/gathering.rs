//! The arithmetic of a fetch: which pieces are here, whom to ask for others, and which of them
//! to put together next.
//!
//! It knows no states and wants nothing done: it says whom to ask, and its machine asks.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::limits::DECODE_TRIES_MAX;
use bitdust_model::{DeviceId, ErrorCode, Position, Tick};

use crate::io::PlaceFact;

/// What is wanted, and who may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Pieces that suffice.
    pub(crate) k: u8,
    /// Data positions that hold what is wanted.
    pub(crate) direct: Vec<Position>,
    /// Who holds which position.
    pub(crate) places: Vec<PlaceFact>,
}

/// A fetch at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gathering {
    wanted: Wanted,
    /// Whether whole pieces are gathered.
    whole: bool,
    pieces: BTreeMap<Position, PartState>,
    /// Whole pieces in the order they came.
    order: Vec<Position>,
    /// The combination tried last, as bits over `order`; zero: none yet.
    tried: u32,
    tries: u32,
    /// Who failed since the last round.
    failed: BTreeSet<(Position, DeviceId)>,
    rounds: u32,
    progress_at: Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartState {
    Asked { whole: bool },
    Here { whole: bool },
    Bad,
}

/// Positions to ask for, and whom.
pub(super) type Asks = Vec<(Position, DeviceId)>;

impl Gathering {
    pub(super) fn new(wanted: Wanted, now: Tick) -> Self {
        let whole = wanted.direct.is_empty();
        Self {
            wanted,
            whole,
            pieces: BTreeMap::new(),
            order: Vec::new(),
            tried: 0,
            tries: 0,
            failed: BTreeSet::new(),
            rounds: 0,
            progress_at: now,
        }
    }

    /// Whether whole pieces are gathered.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// From now on whole pieces are gathered.
    pub(super) const fn go_whole(&mut self) {
        self.whole = true;
    }

    /// The direct positions, when all of them are here.
    pub(super) fn direct(&self) -> Option<Vec<Position>> {
        let direct = &self.wanted.direct;
        direct
            .iter()
            .all(|position| self.is_here(*position))
            .then(|| direct.clone())
    }

    /// Whom to ask for the direct positions that are missing; `None` when one of them is bad or
    /// cannot be asked for now.
    pub(super) fn ask_direct(&mut self, online: &BTreeSet<DeviceId>) -> Option<Asks> {
        let mut asks = Vec::new();
        for &position in &self.wanted.direct {
            match self.pieces.get(&position) {
                None => asks.push((position, self.holder(position, online)?)),
                Some(PartState::Bad) => return None,
                Some(PartState::Asked { .. } | PartState::Here { .. }) => {}
            }
        }
        for &(position, _) in &asks {
            self.pieces
                .insert(position, PartState::Asked { whole: false });
        }
        Some(asks)
    }

    /// Whom to ask for as many whole pieces as the next combination needs.
    pub(super) fn ask_whole(&mut self, online: &BTreeSet<DeviceId>) -> Asks {
        let wanted = (self.order.len() + 1).max(usize::from(self.wanted.k));
        let pieces = self.pieces.values();
        let mut coming = pieces
            .filter(|piece| matches!(piece, PartState::Asked { whole: true }))
            .count();
        let mut asks = Vec::new();
        for position in self.candidates() {
            if self.order.len() + coming >= wanted {
                break;
            }
            if let Some(device) = self.holder(position, online) {
                self.pieces
                    .insert(position, PartState::Asked { whole: true });
                asks.push((position, device));
                coming += 1;
            }
        }
        asks
    }

    /// Whether any piece is on its way.
    pub(super) fn is_coming(&self) -> bool {
        let mut pieces = self.pieces.values();
        pieces.any(|piece| matches!(piece, PartState::Asked { .. }))
    }

    /// Positions that could still be asked for whole, data positions first, in the order in which
    /// the places were named.
    fn candidates(&self) -> Vec<Position> {
        let mut positions: Vec<_> = self
            .wanted
            .places
            .iter()
            .map(|place| place.position)
            .collect();
        positions.sort_by_key(|position| !self.wanted.direct.contains(position));
        positions.retain(|position| match self.pieces.get(position) {
            None | Some(PartState::Here { whole: false }) => true,
            Some(PartState::Here { whole: true } | PartState::Asked { .. } | PartState::Bad) => {
                false
            }
        });
        positions
    }

    /// The first holder of a position who is there and has not failed in this round.
    fn holder(&self, position: Position, online: &BTreeSet<DeviceId>) -> Option<DeviceId> {
        let place = self
            .wanted
            .places
            .iter()
            .find(|place| place.position == position)?;
        let mut holders = place.holders.iter().copied();
        holders
            .find(|holder| online.contains(holder) && !self.failed.contains(&(position, *holder)))
    }

    /// Holders of what could still be asked for, who are away.
    pub(super) fn away(&self, online: &BTreeSet<DeviceId>) -> BTreeSet<DeviceId> {
        let mut away = BTreeSet::new();
        for position in self.candidates() {
            let places = self
                .wanted
                .places
                .iter()
                .filter(|place| place.position == position);
            away.extend(places.flat_map(|place| place.holders.iter().copied()));
        }
        away.retain(|device| !online.contains(device));
        away
    }

    /// When something came last.
    pub(super) const fn progress_at(&self) -> Tick {
        self.progress_at
    }

    /// Rounds in vain.
    pub(super) const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// A new round: everybody may be asked again.
    pub(super) fn begin_round(&mut self) {
        self.failed.clear();
        self.rounds = self.rounds.saturating_add(1);
    }

    /// The next combination of k whole pieces: all of the first k, then those in which the
    /// newest piece stands for one suspect, and so on. Bits in growing order of their
    /// number do exactly that.
    pub(super) fn next_combination(&mut self) -> Option<Vec<Position>> {
        if self.tries >= DECODE_TRIES_MAX {
            return None;
        }
        let next = match self.tried {
            0 => 1_u32.checked_shl(u32::from(self.wanted.k))?.wrapping_sub(1),
            tried => next_same_weight(tried)?,
        };
        let bits = usize::try_from(u32::BITS - next.leading_zeros()).ok()?;
        if next == 0 || bits > self.order.len() {
            return None;
        }
        self.tried = next;
        let chosen = self.order.iter().enumerate();
        let mut positions: Vec<_> = chosen
            .filter(|(index, _)| next >> index & 1 == 1)
            .map(|(_, p)| *p)
            .collect();
        positions.sort();
        Some(positions)
    }

    /// Whether there were tries enough, too few positions are left that are not known to be
    /// bad, or every combination of all pieces was tried.
    pub(super) fn is_hopeless(&self) -> bool {
        if self.tries >= DECODE_TRIES_MAX {
            return true;
        }
        let bad = |position: Position| self.pieces.get(&position) == Some(&PartState::Bad);
        let left = self
            .wanted
            .places
            .iter()
            .filter(|place| !bad(place.position))
            .count();
        left < usize::from(self.wanted.k) || self.order.len() >= left
    }

    fn is_here(&self, position: Position) -> bool {
        matches!(self.pieces.get(&position), Some(PartState::Here { .. }))
    }

    /// Whether it is a holder of anything wanted.
    pub(super) fn may_hold(&self, device: DeviceId) -> bool {
        self.wanted
            .places
            .iter()
            .any(|place| place.holders.contains(&device))
    }

    /// The bytes of a position came.
    pub(super) fn take(&mut self, position: Position, now: Tick) {
        let Some(PartState::Asked { whole }) = self.pieces.get(&position).copied() else {
            return;
        };
        // A single direct position's ranges are the union of all ranges.
        let whole = whole || self.wanted.direct == [position];
        self.pieces.insert(position, PartState::Here { whole });
        if whole {
            self.order.push(position);
        }
        self.progress_at = now;
    }

    /// They did not.
    pub(super) fn miss(&mut self, position: Position, device: DeviceId, code: ErrorCode) {
        if code == ErrorCode::Corrupt {
            self.pieces.insert(position, PartState::Bad);
            return;
        }
        self.pieces.remove(&position);
        self.failed.insert((position, device));
    }

    /// A holder is there anew: what it failed at before does not count.
    pub(super) fn forgive(&mut self, device: DeviceId) {
        self.failed.retain(|(_, failed)| *failed != device);
    }

    /// The pieces did not fit.
    pub(super) fn suspect(&mut self) {
        self.tries += 1;
        if self.whole {
            return;
        }
        self.whole = true;
        // A direct position that stood alone is surely the bad one.
        if let [position] = self.wanted.direct[..] {
            self.pieces.insert(position, PartState::Bad);
            self.order.retain(|here| *here != position);
        }
    }
}

/// The next larger number with as many bits set (Gosper's hack); `None` past 32 bits.
fn next_same_weight(bits: u32) -> Option<u32> {
    let lowest = bits & bits.wrapping_neg();
    let carried = bits.checked_add(lowest)?;
    let ones = ((bits ^ carried) >> 2) / lowest;
    Some(carried | ones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_leave_out_one_suspect_at_a_time() {
        let wanted = Wanted {
            k: 2,
            direct: Vec::new(),
            places: Vec::new(),
        };
        let mut gathering = Gathering::new(wanted, Tick(0));
        gathering.order = vec![Position(4), Position(1), Position(3)];
        let mut seen = Vec::new();
        while let Some(positions) = gathering.next_combination() {
            seen.push(
                positions
                    .iter()
                    .map(|position| position.0)
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(seen, vec![vec![1, 4], vec![3, 4], vec![1, 3]]);
        gathering.order.push(Position(0));
        assert_eq!(
            gathering.next_combination(),
            Some(vec![Position(0), Position(4)])
        );
    }
}
