//! A state in sixteen bytes, exactly: nothing is lost, so no two different states are taken for one.
//!
//! What is said of a device one bit a time makes a lane of 21 bits; five lanes and the rest of a state
//! are 128 bits. Devices that differ in nothing but their numbers are put in order by their lanes.

use std::ops::Range;

use crate::state::{Devices, SetStage, Stage, State, Version};

/// Bits of a lane: what is said of one device.
const LANE_BITS: u32 = 21;
/// Devices of the largest world: four, and the one that takes the place of one of them.
pub(crate) const DEVICES: usize = 5;
const LANE: u32 = (1 << LANE_BITS) - 1;
/// How often holders have gone away: behind the lanes, nine flags, the progress of two versions and
/// the number of losses.
const TRIPS: u128 = 3 << (5 * LANE_BITS + 9 + 6 + 2);

/// The most that is counted of trips and of losses.
pub(crate) const COUNT_MAX: u8 = 3;

/// A state, packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed(u128);

impl Packed {
    /// Packs a state, with those devices in order that are as good as one another.
    pub(crate) fn new(state: &State, alike: Range<usize>) -> Self {
        let mut lanes = lanes(state);
        sort(&mut lanes[alike]);
        let mut bits = u128::from(rest(state));
        for lane in lanes.iter().take(DEVICES).rev() {
            bits = bits << LANE_BITS | u128::from(*lane);
        }
        Self(bits)
    }

    /// The state.
    pub(crate) fn state(self) -> State {
        let mut state = State::default();
        let Self(mut bits) = self;
        for device in 0..DEVICES {
            set_lane(&mut state, device, low(bits) & LANE);
            bits >>= LANE_BITS;
        }
        set_rest(&mut state, low(bits));
        state
    }

    /// The same before anybody had gone away, if somebody has.
    pub(crate) fn before_trips(self) -> Option<Self> {
        let Self(bits) = self;
        (bits & TRIPS != 0).then_some(Self(bits & !TRIPS))
    }

    /// A number that differs in every bit where two states differ in one.
    pub(crate) fn hash(self) -> u64 {
        let low = low_half(self.0) ^ 0x9e37_79b9_7f4a_7c15;
        let high = low_half(self.0 >> 64) ^ 0xe703_7ed1_a0b4_28db;
        let mixed = u128::from(low) * u128::from(high);
        let folded = low_half(mixed) ^ low_half(mixed >> 64);
        let mixed = u128::from(folded ^ low) * 0xa076_1d64_78bd_642f;
        low_half(mixed) ^ low_half(mixed >> 64)
    }
}

/// Sorts few numbers, the largest first.
fn sort(lanes: &mut [u32]) {
    for end in (1..lanes.len()).rev() {
        for at in 0..end {
            let (one, other) = (lanes[at], lanes[at + 1]);
            lanes[at] = one.max(other);
            lanes[at + 1] = one.min(other);
        }
    }
}

/// What is said of each device, one bit a mask.
fn lanes(state: &State) -> [u32; 8] {
    let [first, second] = &state.versions;
    let (first, second) = (turned(masks(first)), turned(masks(second)));
    let others = [
        state.versions[0].stray,
        state.versions[1].stray,
        state.away,
        state.unasked,
        state.late,
        0,
        0,
        0,
    ];
    let others = turned(others);
    std::array::from_fn(|device| {
        u32::from_le_bytes([first[device], second[device], others[device], 0])
    })
}

fn masks(version: &Version) -> [Devices; 8] {
    let Version {
        data, lists, head, ..
    } = version;
    [
        data.kept,
        data.told,
        data.spooled,
        lists.kept,
        lists.told,
        lists.spooled,
        head.kept,
        head.told,
    ]
}

fn set_lane(state: &mut State, device: usize, lane: u32) {
    let [first, second, others, _] = lane.to_le_bytes();
    for (version, bits) in state.versions.iter_mut().zip([first, second]) {
        let Version {
            data, lists, head, ..
        } = version;
        let masks = [
            &mut data.kept,
            &mut data.told,
            &mut data.spooled,
            &mut lists.kept,
            &mut lists.told,
            &mut lists.spooled,
            &mut head.kept,
            &mut head.told,
        ];
        for (at, mask) in masks.into_iter().enumerate() {
            *mask |= (bits >> at & 1) << device;
        }
    }
    let [one, two] = &mut state.versions;
    let masks = [
        &mut one.stray,
        &mut two.stray,
        &mut state.away,
        &mut state.unasked,
        &mut state.late,
    ];
    for (at, mask) in masks.into_iter().enumerate() {
        *mask |= (others >> at & 1) << device;
    }
}

/// Eight rows of bits as eight columns.
fn turned(rows: [u8; 8]) -> [u8; 8] {
    let mut bits = u64::from_le_bytes(rows);
    for (mask, by) in [
        (0x00aa_00aa_00aa_00aa, 7),
        (0x0000_cccc_0000_cccc, 14),
        (0x0000_0000_f0f0_f0f0, 28),
    ] {
        let swapped = (bits ^ bits >> by) & mask;
        bits ^= swapped ^ swapped << by;
    }
    bits.to_le_bytes()
}

/// All that is not said of devices one by one: 23 bits.
fn rest(state: &State) -> u32 {
    let [first, second] = &state.versions;
    let set = match state.set {
        SetStage::Old => 0,
        SetStage::Recorded => 1,
        SetStage::InForce => 2,
        SetStage::Released => 3,
    };
    let numbers = [state.settled, state.trips, state.losses];
    let numbers = numbers.into_iter().map(|it| u32::from(it) & 3);
    let numbers = numbers.fold(set, |bits, it| bits << 2 | it);
    let numbers = numbers << 6 | progress(first) << 3 | progress(second);
    let flags = [
        first.names_new_set,
        second.names_new_set,
        second.names_former,
        second.omits_former,
        second.reaches_former,
        state.late_second,
        state.marks.dropped,
        state.marks.refused,
        state.marks.resealed,
    ];
    let flags = flags.into_iter().map(u32::from);
    flags.fold(numbers, |bits, it| bits << 1 | it)
}

fn set_rest(state: &mut State, mut bits: u32) {
    let [first, second] = &mut state.versions;
    let flags = [
        &mut state.marks.resealed,
        &mut state.marks.refused,
        &mut state.marks.dropped,
        &mut state.late_second,
        &mut second.reaches_former,
        &mut second.omits_former,
        &mut second.names_former,
        &mut second.names_new_set,
        &mut first.names_new_set,
    ];
    for flag in flags {
        *flag = bits & 1 != 0;
        bits >>= 1;
    }
    for version in [second, first] {
        (version.stage, version.in_memory) = PROGRESS[bits as usize & 7];
        bits >>= 3;
    }
    for number in [&mut state.losses, &mut state.trips, &mut state.settled] {
        *number = bits.to_le_bytes()[0] & 3;
        bits >>= 2;
    }
    state.set = SETS[bits as usize & 3];
}

const SETS: [SetStage; 4] = [
    SetStage::Old,
    SetStage::Recorded,
    SetStage::InForce,
    SetStage::Released,
];

/// How far a version has come, and whether it is in memory: it is neither before it is sealed nor
/// once it is published.
const PROGRESS: [(Stage, bool); 8] = [
    (Stage::Unmade, false),
    (Stage::Sealed, false),
    (Stage::Sealed, true),
    (Stage::Listed, false),
    (Stage::Listed, true),
    (Stage::Sent, false),
    (Stage::Sent, true),
    (Stage::Published, false),
];

fn progress(version: &Version) -> u32 {
    let stage = match version.stage {
        Stage::Unmade => 0,
        Stage::Sealed => 1,
        Stage::Listed => 3,
        Stage::Sent => 5,
        Stage::Published => 7,
    };
    stage + u32::from(version.in_memory)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn low_half(bits: u128) -> u64 {
    bits as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the lowest bits are meant")]
const fn low(bits: u128) -> u32 {
    bits as u32
}
