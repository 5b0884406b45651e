//! The states that were reached, in the order in which they were.
//!
//! States are kept whole and compared whole ([`Packed`]), so that nothing is passed over for a hash
//! that two have in common.

use crate::packed::Packed;

/// States in a piece of the list, which grows by pieces so that it is never copied.
const PIECE: usize = 1 << 20;
/// Places of the smallest table.
const PLACES_MIN: usize = 1 << 16;
/// Bits of a place of the table that number a state; the others are of its hash.
const NUMBER_BITS: u32 = 29;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;
/// The most states that can be numbered, with room for those to which one more leads.
pub(crate) const STATES_MAX: usize = NUMBER as usize - 1000;
/// No state has this number.
const NONE: u32 = u32::MAX;

/// States that were reached.
#[derive(Default)]
pub(crate) struct Found {
    pieces: Vec<Vec<Packed>>,
    /// How many there are.
    pub(crate) count: usize,
    /// Numbers of states by their hash, with room between them, and some bits of the hash.
    table: Vec<u32>,
}

impl Found {
    /// The one with a number, in order.
    pub(crate) fn at(&self, number: usize) -> Packed {
        self.pieces[number / PIECE][number % PIECE]
    }

    /// Whether one is among them.
    pub(crate) fn has(&self, state: Packed) -> bool {
        self.table[self.place_of(state).0] != NONE
    }

    /// Adds those that are new.
    pub(crate) fn add(&mut self, reached: &[Packed]) {
        while (self.count + reached.len()) * 4 >= self.table.len() * 3 {
            self.grow();
        }
        // Where they belong is far apart in memory: what is there is called for all at once.
        let touched = reached.iter().map(|state| {
            let place = self.table[self.home_of(state.hash())];
            let number = (place & NUMBER) as usize;
            let piece = self.pieces.get(number / PIECE);
            piece.and_then(|piece| piece.get(number % PIECE)) == Some(state)
        });
        std::hint::black_box(touched.filter(|it| *it).count());
        for state in reached {
            let (place, entry) = self.place_of(*state);
            if self.table[place] == NONE {
                self.table[place] = entry;
                self.push(*state);
            }
        }
    }

    fn push(&mut self, state: Packed) {
        if self.count.is_multiple_of(PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        self.pieces[self.count / PIECE].push(state);
        self.count += 1;
    }

    /// Where the number of a state is, or belongs, and what is to be written there.
    fn place_of(&self, state: Packed) -> (usize, u32) {
        let hash = state.hash();
        let tag = low_half(hash) << NUMBER_BITS;
        let mut place = self.home_of(hash);
        loop {
            let entry = self.table[place];
            let is_free = entry == NONE;
            if is_free || (entry & !NUMBER == tag && self.at((entry & NUMBER) as usize) == state) {
                return (place, tag | index(self.count));
            }
            place += 1;
            if place == self.table.len() {
                place = 0;
            }
        }
    }

    /// The first place where the number of a state with this hash may be.
    fn home_of(&self, hash: u64) -> usize {
        let scaled = u128::from(hash) * self.table.len() as u128;
        usize::try_from(scaled >> 64).unwrap_or(0)
    }

    fn grow(&mut self) {
        let room = (self.table.len() / 2 * 3).max(PLACES_MIN);
        // The old table goes first.
        self.table = Vec::new();
        self.table = vec![NONE; room];
        let all = std::mem::take(&mut self.count);
        for number in 0..all {
            let (place, entry) = self.place_of(self.at(number));
            self.table[place] = entry;
            self.count += 1;
        }
    }
}

/// The number of a state as it is kept: there are fewer than the bits for it can say.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NUMBER)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn low_half(hash: u64) -> u32 {
    hash as u32
}
