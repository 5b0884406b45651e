//! Randomness that comes from a seed alone, so that a run can be played back.
//!
//! The generator is xoshiro256** by David Blackman and Sebastiano Vigna, seeded through
//! SplitMix64 (both in the public domain, <https://prng.di.unimi.it>). It spreads load and
//! picks samples; nothing secret is ever made from it.

/// A deterministic generator of random numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator whose whole future follows from 32 bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut state = [0; 4];
        let mut carry = 0;
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(8)) {
            let bytes = <[u8; 8]>::try_from(bytes).expect("chunks of eight bytes");
            carry = split_mix(u64::from_le_bytes(bytes) ^ carry);
            *word = carry;
        }
        if state == [0; 4] {
            // The one state that xoshiro can never leave.
            state[0] = 1;
        }
        Self { state }
    }

    /// A generator whose whole future follows from a number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self::from_seed(seed)
    }

    /// A generator for one occasion: it follows from the seed and from the number mixed of what
    /// names the occasion, and from nothing that was drawn before.
    pub(crate) fn for_occasion(mut seed: [u8; 32], occasion: u64) -> Self {
        for (byte, part) in seed.iter_mut().zip(occasion.to_le_bytes()) {
            *byte ^= part;
        }
        Self::from_seed(seed)
    }

    /// The next 64 random bits.
    pub fn next_word(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let c = c ^ a;
        let d = d ^ b;
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number below `bound`; zero when `bound` is zero. The bias is below 2⁻³² for bounds
    /// below 2³².
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_word()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the upper half of a product fits")
    }

    /// Whether an event of `percent` in a hundred happens.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Mixes a further word into a number.
pub(crate) fn mix(carry: u64, word: u64) -> u64 {
    split_mix(carry ^ word)
}

/// Mixes bytes into a number, eight at a time; the last may have fewer.
pub(crate) fn mix_bytes(carry: u64, bytes: &[u8]) -> u64 {
    let word = |bytes: &[u8]| {
        let most_first = bytes.iter().rev();
        most_first.fold(0, |word, byte| (word << 8) | u64::from(*byte))
    };
    let words = bytes.chunks(8).map(word);
    words.fold(carry, mix)
}

/// One round of SplitMix64.
fn split_mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_another_gives_another() {
        let draw = |seed: u64| {
            let mut random = Random::from_number(seed);
            (0..8).map(|_| random.next_word()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn an_occasion_has_its_own_word_whatever_was_drawn_before() {
        let draw = |seed: u8, name: &[u8]| {
            Random::for_occasion([seed; 32], mix_bytes(0, name)).next_word()
        };
        assert_eq!(draw(7, b"head"), draw(7, b"head"));
        assert_ne!(draw(7, b"head"), draw(7, b"check"));
        assert_ne!(draw(7, b"head"), draw(8, b"head"));
        let (one, other) = (mix(mix(0, 1), 2), mix(mix(0, 2), 1));
        assert_ne!(one, other, "the order counts");
    }

    #[test]
    fn xoshiro_matches_the_published_step() {
        // Worked by hand from the reference code: state 1, 2, 3, 4.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        assert_eq!(random.next_word(), 11_520);
        assert_eq!(random.next_word(), 0);
        assert_eq!(random.next_word(), 1_509_978_240);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut random = Random::from_number(1);
        for _ in 0..1_000 {
            assert!(random.below(7) < 7);
        }
        assert_eq!(random.below(0), 0);
    }
}
