//! One pack, or ranges of it, on the way back.
//!
//! First the positions that hold the wanted bytes themselves; if one cannot be had, any k
//! positions. A position that gave wrong bytes is out; when the pieces cannot be put
//! together, other combinations are tried, one suspect left out at a time. Holders that are
//! away are dialed until patience ends.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::limits::DECODE_TRIES_MAX;
use bitdust_model::{DeviceId, ErrorCode, Position, Tick};

use super::Moment;
use crate::io::PlaceFact;

/// Where the fetch stands.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Others come first.
    Queued {
        /// What is wanted.
        plan: Plan,
    },
    /// Fetching the positions that hold the bytes themselves.
    Direct {
        /// What is wanted and here.
        gathering: Gathering,
    },
    /// Fetching any k positions.
    Whole {
        /// What is wanted and here.
        gathering: Gathering,
    },
    /// The pieces are being put together.
    Decoding {
        /// What is wanted and here.
        gathering: Gathering,
    },
    /// Nobody who is there can help.
    Waiting {
        /// What is wanted and here.
        gathering: Gathering,
        /// When to ask again.
        retry_at: Tick,
    },
    /// Every chunk was opened.
    Decoded,
    /// It cannot be had.
    GivenUp,
}

/// What is wanted, and who may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
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
    plan: Plan,
    /// Whether whole pieces are gathered.
    whole: bool,
    pieces: BTreeMap<Position, Piece>,
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
enum Piece {
    Asked { whole: bool },
    Here { whole: bool },
    Bad,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(&self) -> Option<Tick> {
        match self {
            Self::Queued { .. }
            | Self::Direct { .. }
            | Self::Whole { .. }
            | Self::Decoding { .. }
            | Self::Decoded
            | Self::GivenUp => None,
            Self::Waiting { retry_at, .. } => Some(*retry_at),
        }
    }

    /// Whether it is over.
    pub(crate) const fn is_over(&self) -> bool {
        match self {
            Self::Decoded | Self::GivenUp => true,
            Self::Queued { .. }
            | Self::Direct { .. }
            | Self::Whole { .. }
            | Self::Decoding { .. }
            | Self::Waiting { .. } => false,
        }
    }

    /// Whether it waits for its turn.
    pub(crate) const fn is_queued(&self) -> bool {
        matches!(self, Self::Queued { .. })
    }

    /// Whether it waits for suppliers.
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Its turn came.
    TurnCame,
    /// The bytes of a position came.
    RangeFetched {
        /// Which.
        position: Position,
    },
    /// They did not.
    RangeFailed {
        /// Which.
        position: Position,
        /// Who was asked.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// The pieces fit.
    Decoded,
    /// They do not.
    DecodeFailed,
    /// A peer said hello.
    PeerUp {
        /// Who.
        device: DeviceId,
    },
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Ask a holder.
    Ask {
        /// For which position.
        position: Position,
        /// Whom.
        device: DeviceId,
        /// For the union of all wanted ranges.
        whole: bool,
    },
    /// Connect to a holder.
    Dial {
        /// Whom.
        device: DeviceId,
    },
    /// Put pieces together.
    Decode {
        /// Which.
        positions: Vec<Position>,
    },
    /// Say that it cannot be had.
    GiveUp,
}

/// One step; `online`: peers that are connected.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    online: &BTreeSet<DeviceId>,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Queued { plan } => match event {
            Event::TurnCame => Gathering::new(plan, at.now).advance(at, online, out),
            Event::RangeFetched { .. }
            | Event::RangeFailed { .. }
            | Event::Decoded
            | Event::DecodeFailed
            | Event::PeerUp { .. }
            | Event::Wake => State::Queued { plan },
        },
        State::Direct { mut gathering } | State::Whole { mut gathering } => match event {
            Event::RangeFetched { position } => {
                gathering.take(position, at.now);
                gathering.advance(at, online, out)
            }
            Event::RangeFailed {
                position,
                device,
                code,
            } => {
                gathering.miss(position, device, code);
                gathering.advance(at, online, out)
            }
            Event::PeerUp { device } => {
                gathering.forgive(device);
                gathering.advance(at, online, out)
            }
            Event::TurnCame | Event::Decoded | Event::DecodeFailed | Event::Wake => {
                gathering.rest()
            }
        },
        State::Decoding { gathering } => in_decoding(gathering, event, at, online, out),
        State::Waiting {
            gathering,
            retry_at,
        } => in_waiting(gathering, retry_at, event, at, online, out),
        State::Decoded => State::Decoded,
        State::GivenUp => State::GivenUp,
    }
}

fn in_decoding(
    mut gathering: Gathering,
    event: Event,
    at: &Moment<'_>,
    online: &BTreeSet<DeviceId>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Decoded => State::Decoded,
        Event::DecodeFailed => {
            gathering.suspect();
            gathering.advance(at, online, out)
        }
        Event::RangeFetched { position } => {
            gathering.take(position, at.now);
            State::Decoding { gathering }
        }
        Event::RangeFailed {
            position,
            device,
            code,
        } => {
            gathering.miss(position, device, code);
            State::Decoding { gathering }
        }
        Event::PeerUp { device } => {
            gathering.forgive(device);
            State::Decoding { gathering }
        }
        Event::TurnCame | Event::Wake => State::Decoding { gathering },
    }
}

fn in_waiting(
    mut gathering: Gathering,
    retry_at: Tick,
    event: Event,
    at: &Moment<'_>,
    online: &BTreeSet<DeviceId>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => {
            gathering.failed.clear();
            gathering.rounds = gathering.rounds.saturating_add(1);
            gathering.advance(at, online, out)
        }
        Event::PeerUp { device } if gathering.may_hold(device) => {
            gathering.forgive(device);
            gathering.advance(at, online, out)
        }
        Event::Wake
        | Event::PeerUp { .. }
        | Event::TurnCame
        | Event::RangeFetched { .. }
        | Event::RangeFailed { .. }
        | Event::Decoded
        | Event::DecodeFailed => State::Waiting {
            gathering,
            retry_at,
        },
    }
}

impl Gathering {
    pub(crate) fn new(plan: Plan, now: Tick) -> Self {
        let whole = plan.direct.is_empty();
        Self {
            plan,
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

    /// Decides what to do next with what is here.
    fn advance(
        mut self,
        at: &Moment<'_>,
        online: &BTreeSet<DeviceId>,
        out: &mut Vec<Action>,
    ) -> State {
        if !self.whole {
            if self
                .plan
                .direct
                .iter()
                .all(|position| self.is_here(*position))
            {
                out.push(Action::Decode {
                    positions: self.plan.direct.clone(),
                });
                return State::Decoding { gathering: self };
            }
            if self.ask_direct(online, out) {
                return State::Direct { gathering: self };
            }
            self.whole = true;
        }
        if let Some(positions) = self.next_combination() {
            out.push(Action::Decode { positions });
            return State::Decoding { gathering: self };
        }
        if self.tries >= DECODE_TRIES_MAX || self.is_hopeless() {
            out.push(Action::GiveUp);
            return State::GivenUp;
        }
        if self.ask_whole(online, out) {
            return State::Whole { gathering: self };
        }
        self.wait(at, online, out)
    }

    /// Asks for the direct positions; says whether each of them is here or asked for.
    fn ask_direct(&mut self, online: &BTreeSet<DeviceId>, out: &mut Vec<Action>) -> bool {
        let missing: Vec<_> = self
            .plan
            .direct
            .iter()
            .copied()
            .filter(|p| !self.pieces.contains_key(p))
            .collect();
        let mut asks = Vec::new();
        for position in missing {
            let Some(device) = self.holder(position, online) else {
                return false;
            };
            asks.push((position, device));
        }
        if self
            .plan
            .direct
            .iter()
            .any(|p| self.pieces.get(p) == Some(&Piece::Bad))
        {
            return false;
        }
        for (position, device) in asks {
            self.pieces.insert(position, Piece::Asked { whole: false });
            out.push(Action::Ask {
                position,
                device,
                whole: false,
            });
        }
        true
    }

    /// Asks for as many whole pieces as the next combination needs; says whether any is on
    /// its way.
    fn ask_whole(&mut self, online: &BTreeSet<DeviceId>, out: &mut Vec<Action>) -> bool {
        let wanted = (self.order.len() + 1).max(usize::from(self.plan.k));
        let under_way = |gathering: &Self| {
            let pieces = gathering.pieces.values();
            pieces
                .filter(|piece| matches!(piece, Piece::Asked { whole: true }))
                .count()
        };
        let mut coming = under_way(self);
        for position in self.candidates() {
            if self.order.len() + coming >= wanted {
                break;
            }
            if let Some(device) = self.holder(position, online) {
                self.pieces.insert(position, Piece::Asked { whole: true });
                out.push(Action::Ask {
                    position,
                    device,
                    whole: true,
                });
                coming += 1;
            }
        }
        self.pieces
            .values()
            .any(|piece| matches!(piece, Piece::Asked { .. }))
    }

    /// Positions that could still be asked for whole, data positions first.
    fn candidates(&self) -> Vec<Position> {
        let mut positions: Vec<_> = self
            .plan
            .places
            .iter()
            .map(|place| place.position)
            .collect();
        positions.sort_by_key(|position| (!self.plan.direct.contains(position), *position));
        positions.retain(|position| match self.pieces.get(position) {
            None | Some(Piece::Here { whole: false }) => true,
            Some(Piece::Here { whole: true } | Piece::Asked { .. } | Piece::Bad) => false,
        });
        positions
    }

    /// The first holder of a position who is there and has not failed in this round.
    fn holder(&self, position: Position, online: &BTreeSet<DeviceId>) -> Option<DeviceId> {
        let place = self
            .plan
            .places
            .iter()
            .find(|place| place.position == position)?;
        let mut holders = place.holders.iter().copied();
        holders
            .find(|holder| online.contains(holder) && !self.failed.contains(&(position, *holder)))
    }

    /// Nobody there can help: dial those who are away, and come back.
    fn wait(self, at: &Moment<'_>, online: &BTreeSet<DeviceId>, out: &mut Vec<Action>) -> State {
        let patient_until = self.progress_at + at.policy.restore_patience;
        if at.now >= patient_until {
            out.push(Action::GiveUp);
            return State::GivenUp;
        }
        let mut away = BTreeSet::new();
        for position in self.candidates() {
            let places = self
                .plan
                .places
                .iter()
                .filter(|place| place.position == position);
            away.extend(places.flat_map(|place| place.holders.iter().copied()));
        }
        for device in away {
            if !online.contains(&device) {
                out.push(Action::Dial { device });
            }
        }
        let retry_at = at.retry_at(self.rounds).min(patient_until);
        State::Waiting {
            gathering: self,
            retry_at,
        }
    }

    /// The next combination of k whole pieces: all of the first k, then those in which the
    /// newest piece stands for one suspect, and so on. Bits in growing order of their
    /// number do exactly that.
    fn next_combination(&mut self) -> Option<Vec<Position>> {
        if self.tries >= DECODE_TRIES_MAX {
            return None;
        }
        let next = match self.tried {
            0 => 1_u32.checked_shl(u32::from(self.plan.k))?.wrapping_sub(1),
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

    /// Whether too few positions are left that are not known to be bad, or every
    /// combination of all pieces was tried.
    fn is_hopeless(&self) -> bool {
        let bad = |position: Position| self.pieces.get(&position) == Some(&Piece::Bad);
        let left = self
            .plan
            .places
            .iter()
            .filter(|place| !bad(place.position))
            .count();
        left < usize::from(self.plan.k) || self.order.len() >= left
    }

    fn is_here(&self, position: Position) -> bool {
        matches!(self.pieces.get(&position), Some(Piece::Here { .. }))
    }

    fn may_hold(&self, device: DeviceId) -> bool {
        self.plan
            .places
            .iter()
            .any(|place| place.holders.contains(&device))
    }

    fn take(&mut self, position: Position, now: Tick) {
        let Some(Piece::Asked { whole }) = self.pieces.get(&position).copied() else {
            return;
        };
        // A single direct position's ranges are the union of all ranges.
        let whole = whole || self.plan.direct == [position];
        self.pieces.insert(position, Piece::Here { whole });
        if whole {
            self.order.push(position);
        }
        self.progress_at = now;
    }

    fn miss(&mut self, position: Position, device: DeviceId, code: ErrorCode) {
        if code == ErrorCode::Corrupt {
            self.pieces.insert(position, Piece::Bad);
            return;
        }
        self.pieces.remove(&position);
        self.failed.insert((position, device));
    }

    fn forgive(&mut self, device: DeviceId) {
        self.failed.retain(|(_, failed)| *failed != device);
    }

    /// The pieces did not fit.
    fn suspect(&mut self) {
        self.tries += 1;
        if self.whole {
            return;
        }
        self.whole = true;
        // A direct position that stood alone is surely the bad one.
        if let [position] = self.plan.direct[..] {
            self.pieces.insert(position, Piece::Bad);
            self.order.retain(|here| *here != position);
        }
    }

    fn rest(self) -> State {
        if self.whole {
            State::Whole { gathering: self }
        } else {
            State::Direct { gathering: self }
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
        let plan = Plan {
            k: 2,
            direct: Vec::new(),
            places: Vec::new(),
        };
        let mut gathering = Gathering::new(plan, Tick(0));
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
