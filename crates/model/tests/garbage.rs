//! What comes from outside: refused or read, never a panic, never more memory than its limit.

#[path = "support/samples.rs"]
mod samples;

use std::fmt::Debug;

use bitdust_model::codec::Versioned;
use bitdust_model::{DecodeError, decode, encode};
use proptest::prelude::*;
use samples::{Visitor, bodies, file_of, packet, tree_page, visit_all};

#[test]
fn bytes_behind_the_end_are_refused() {
    visit_all(&mut Trailing);
}

#[test]
fn a_cut_value_is_refused() {
    visit_all(&mut Cut);
}

#[test]
fn another_version_is_named() {
    visit_all(&mut OtherVersion);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_looked_at() {
    visit_all(&mut TooLong);
}

#[test]
fn a_length_beyond_all_memory_is_refused_and_not_made_room_for() {
    visit_all(&mut Giant);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn garbage_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        visit_all(&mut Garbage { bytes: &bytes });
    }

    #[test]
    fn a_mutation_is_refused_or_read(
        place in any::<prop::sample::Index>(),
        value in any::<u8>(),
        kind in 0_u8..3,
    ) {
        visit_all(&mut Mutation { place, value, kind });
    }

    #[test]
    fn numbers_of_any_size_in_place_of_a_length_are_refused_or_read(
        place in any::<prop::sample::Index>(),
        number in any::<u64>(),
    ) {
        visit_all(&mut OtherLength { place, number });
    }
}

#[test]
fn the_samples_are_those_of_the_fixtures() {
    for body in bodies() {
        let file = file_of(&body);
        let bytes = encode(&packet(body));
        assert!(
            decode::<bitdust_model::message::Packet>(&bytes).is_ok(),
            "{file}"
        );
    }
    let entries = tree_page().entries;
    assert!(
        entries
            .iter()
            .all(bitdust_model::tree::Entry::has_valid_name)
    );
}

struct Trailing;

impl Visitor for Trailing {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        for surplus in [&[0][..], &[1], &[0; 10]] {
            let bytes = [&encode(value), surplus].concat();
            assert!(is_malformed(decode::<T>(&bytes)), "{file} {surplus:?}");
        }
    }
}

struct Cut;

impl Visitor for Cut {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        let bytes = encode(value);
        for length in 0..bytes.len() {
            assert!(
                is_malformed(decode::<T>(&bytes[..length])),
                "{file} {length}"
            );
        }
    }
}

struct OtherVersion;

impl Visitor for OtherVersion {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        for version in [0, T::VERSION + 1, 255] {
            let mut bytes = encode(value);
            bytes[0] = version;
            let expected = DecodeError::Version {
                kind: T::KIND,
                version,
                version_max: T::VERSION,
            };
            assert_eq!(decode::<T>(&bytes), Err(expected), "{file}");
        }
    }
}

struct TooLong;

impl Visitor for TooLong {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, _: &T) {
        let bytes = vec![T::VERSION; T::BYTES_MAX + 1];
        let refused = DecodeError::TooLong {
            kind: T::KIND,
            bytes: T::BYTES_MAX + 1,
            bytes_max: T::BYTES_MAX,
        };
        assert_eq!(decode::<T>(&bytes), Err(refused), "{file}");
    }
}

/// Writes the largest number everywhere: each length in turn promises more than memory has.
struct Giant;

impl Visitor for Giant {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        let bytes = encode(value);
        for place in 1..bytes.len() {
            let mut huge = bytes[..place].to_vec();
            huge.extend_from_slice(&varint(u64::MAX));
            check_sound::<T>(file, &huge);
        }
    }
}

struct Garbage<'a> {
    bytes: &'a [u8],
}

impl Visitor for Garbage<'_> {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, _: &T) {
        check_sound::<T>(file, self.bytes);
        // Once behind the right version byte, so that the parser is reached.
        check_sound::<T>(file, &[&[T::VERSION], self.bytes].concat());
    }
}

struct Mutation {
    place: prop::sample::Index,
    value: u8,
    kind: u8,
}

impl Visitor for Mutation {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        let mut bytes = encode(value);
        let place = self.place.index(bytes.len());
        match self.kind {
            0 => bytes[place] ^= self.value,
            1 => bytes.insert(place, self.value),
            _ => drop(bytes.remove(place)),
        }
        check_sound::<T>(file, &bytes);
    }
}

struct OtherLength {
    place: prop::sample::Index,
    number: u64,
}

impl Visitor for OtherLength {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        let bytes = encode(value);
        let place = 1 + self.place.index(bytes.len() - 1);
        let shifted = [&bytes[..place], &varint(self.number), &bytes[place + 1..]].concat();
        check_sound::<T>(file, &shifted);
    }
}

/// Whatever is read can be written, and reads as the same again.
fn check_sound<T: Versioned + PartialEq + Debug>(file: &str, bytes: &[u8]) {
    if let Ok(value) = decode::<T>(bytes) {
        let again = encode(&value);
        assert!(again.len() <= bytes.len(), "{file} grew");
        assert_eq!(decode::<T>(&again), Ok(value), "{file}");
    }
}

fn is_malformed<T>(result: Result<T, DecodeError>) -> bool {
    matches!(result, Err(DecodeError::Malformed { .. }))
}

/// A number as postcard writes it.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}
