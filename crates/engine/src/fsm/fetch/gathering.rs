//! The arithmetic of a fetch: which pieces are here, whom to ask for others, and which of them
//! to put together next.
//!
//! It knows no states and wants nothing done: it says whom to ask, and its machine asks.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::limits::DECODE_TRIES_MAX;
use bitdust_model::{DeviceId, ErrorCode, Position, Tick};

use crate::io::PlaceFact;

use super::peers::Peers;

mod hedging;

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
    /// Direct positions that came, also those that are asked for once more as whole pieces.
    direct_here: BTreeSet<Position>,
    /// Whether the direct positions were put together, or are being.
    direct_tried: bool,
    /// Whether they are what is put together now.
    is_direct_tried_now: bool,
    /// When a late answer is to be noticed.
    hedge_at: Option<Tick>,
    /// Whether it could not ask others the last time because another fetch did.
    is_parked: bool,
    /// No further hedge before.
    quiet_until: Tick,
    /// Whether one of those who were asked last in the place of others answered.
    is_hedge_answered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartState {
    Asked(Ask),
    Here { whole: bool },
    Bad,
}

/// What was asked of a holder and has no answer yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ask {
    whole: bool,
    device: DeviceId,
    asked_at: Tick,
    late_at: Tick,
    /// Whether it was asked because another one is late.
    is_hedge: bool,
    /// Whether another one was asked in its place.
    is_passed: bool,
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
            direct_here: BTreeSet::new(),
            direct_tried: false,
            is_direct_tried_now: false,
            hedge_at: None,
            is_parked: false,
            quiet_until: now,
            is_hedge_answered: false,
        }
    }

    /// Whether whole pieces are gathered.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// From now on whole pieces are gathered; others are asked in the place of those who were asked
    /// for direct positions, which still count when they come.
    pub(super) fn go_whole(&mut self) {
        self.whole = true;
        for ask in self.asks_mut() {
            ask.is_passed |= !ask.whole;
        }
    }

    /// The direct positions to put together, once, when all of them are here: also when whole
    /// pieces are gathered because one of them was late.
    pub(super) fn take_direct(&mut self) -> Option<Vec<Position>> {
        let direct = &self.wanted.direct;
        let mut wanted = direct.iter();
        let are_here = wanted.all(|position| self.direct_here.contains(position));
        if self.direct_tried || direct.is_empty() || !are_here {
            return None;
        }
        self.direct_tried = true;
        self.is_direct_tried_now = true;
        Some(direct.clone())
    }

    /// Whom to ask for the direct positions that are missing; `None` when one of them is bad or
    /// cannot be asked for now, or would be asked of one who is late while others have enough.
    pub(super) fn ask_direct(&mut self, peers: &Peers<'_>, now: Tick) -> Option<Asks> {
        let mut asks = Vec::new();
        for &position in &self.wanted.direct {
            match self.pieces.get(&position) {
                None => asks.push((position, self.holder(position, peers)?)),
                Some(PartState::Bad) => return None,
                Some(PartState::Asked(_) | PartState::Here { .. }) => {}
            }
        }
        let is_late = asks.iter().any(|(_, device)| peers.is_late(*device));
        if is_late && self.has_enough_in_time(peers) {
            return None;
        }
        for &(position, device) in &asks {
            self.note_ask(position, device, false, peers, now);
        }
        Some(asks)
    }

    /// Whom to ask for as many whole pieces as the next combination needs.
    pub(super) fn ask_whole(&mut self, peers: &Peers<'_>, now: Tick) -> Asks {
        let wanted = (self.order.len() + 1).max(usize::from(self.wanted.k));
        let coming = self.asks().filter(|ask| ask.whole && !ask.is_passed);
        let missing = wanted.saturating_sub(self.order.len() + coming.count());
        let mut asks = self.askable(peers);
        asks.truncate(missing);
        for &(position, device) in &asks {
            self.note_ask(position, device, true, peers, now);
        }
        asks
    }

    fn note_ask(
        &mut self,
        position: Position,
        device: DeviceId,
        whole: bool,
        peers: &Peers<'_>,
        now: Tick,
    ) {
        let ask = Ask {
            whole,
            device,
            asked_at: now,
            late_at: now + peers.late_after,
            is_hedge: false,
            is_passed: false,
        };
        self.pieces.insert(position, PartState::Asked(ask));
    }

    fn asks(&self) -> impl Iterator<Item = &Ask> {
        self.pieces.values().filter_map(|piece| match piece {
            PartState::Asked(ask) => Some(ask),
            PartState::Here { .. } | PartState::Bad => None,
        })
    }

    fn asks_mut(&mut self) -> impl Iterator<Item = &mut Ask> {
        self.pieces.values_mut().filter_map(|piece| match piece {
            PartState::Asked(ask) => Some(ask),
            PartState::Here { .. } | PartState::Bad => None,
        })
    }

    /// Whom one could ask for whole pieces: those who are late come last.
    fn askable(&self, peers: &Peers<'_>) -> Asks {
        let positions = self.candidates().into_iter();
        let mut askable: Asks = positions
            .filter_map(|position| Some((position, self.holder(position, peers)?)))
            .collect();
        askable.sort_by_key(|(_, device)| peers.is_late(*device));
        askable
    }

    /// Whether pieces enough are here or with those who are not late.
    fn has_enough_in_time(&self, peers: &Peers<'_>) -> bool {
        let askable = self.askable(peers);
        let in_time = askable.iter().filter(|(_, device)| !peers.is_late(*device));
        self.order.len() + in_time.count() >= usize::from(self.wanted.k)
    }

    /// Whether more pieces are here or asked for than it takes.
    pub(super) fn has_spare(&self) -> bool {
        let pieces = self.pieces.values();
        let kept = pieces.filter(|piece| !matches!(piece, PartState::Bad));
        kept.count() > usize::from(self.wanted.k)
    }

    /// Who is asked for a position, and since when.
    pub(super) fn asked(&self, position: Position) -> Option<(DeviceId, Tick)> {
        match self.pieces.get(&position)? {
            PartState::Asked(ask) => Some((ask.device, ask.asked_at)),
            PartState::Here { .. } | PartState::Bad => None,
        }
    }

    /// Whether any piece is on its way.
    pub(super) fn is_coming(&self) -> bool {
        self.asks().next().is_some()
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
            Some(PartState::Here { whole: true } | PartState::Asked(_) | PartState::Bad) => false,
        });
        positions
    }

    /// The first holder of a position who is there and has not failed in this round; one who is
    /// late only where there is no other.
    fn holder(&self, position: Position, peers: &Peers<'_>) -> Option<DeviceId> {
        let mut places = self.wanted.places.iter();
        let place = places.find(|place| place.position == position)?;
        let holders = place.holders.iter().copied();
        holders
            .filter(|holder| peers.online.contains(holder))
            .filter(|holder| !self.failed.contains(&(position, *holder)))
            .min_by_key(|holder| peers.is_late(*holder))
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

    /// Whether it is a holder of anything wanted.
    pub(super) fn may_hold(&self, device: DeviceId) -> bool {
        self.wanted
            .places
            .iter()
            .any(|place| place.holders.contains(&device))
    }

    /// The bytes of a position came.
    pub(super) fn take(&mut self, position: Position, now: Tick) {
        let Some(PartState::Asked(ask)) = self.pieces.get(&position).copied() else {
            return;
        };
        // A single direct position's ranges are the union of all ranges.
        let whole = ask.whole || self.wanted.direct == [position];
        self.pieces.insert(position, PartState::Here { whole });
        if self.wanted.direct.contains(&position) {
            self.direct_here.insert(position);
        }
        if whole {
            self.order.push(position);
        }
        self.progress_at = now;
        self.is_hedge_answered |= ask.is_hedge;
    }

    /// They did not.
    pub(super) fn miss(&mut self, position: Position, device: DeviceId, code: ErrorCode) {
        if code == ErrorCode::Corrupt {
            self.pieces.insert(position, PartState::Bad);
            self.direct_here.remove(&position);
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
        if !std::mem::take(&mut self.is_direct_tried_now) {
            return;
        }
        self.whole = true;
        // A direct position that stood alone is surely the bad one. Once combinations were tried, the
        // pieces keep their order.
        if let [position] = self.wanted.direct[..]
            && self.tried == 0
        {
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
