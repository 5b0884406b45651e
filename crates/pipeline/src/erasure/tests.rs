//! The code against its written definition, against the crate's own coder, and its laws.

use proptest::prelude::*;
use reed_solomon_erasure::galois_8::ReedSolomon;

use super::*;
use crate::testing::{decode, encode, noise};

/// The definition in docs/FORMAT.md, written down a second time: no table, no shared code.
mod definition {
    pub(super) fn times(mut left: u8, mut right: u8) -> u8 {
        let mut product = 0;
        while right != 0 {
            if right & 1 != 0 {
                product ^= left;
            }
            let carry = left & 0x80 != 0;
            left <<= 1;
            if carry {
                left ^= 0x1d; // x^8 + x^4 + x^3 + x^2 + 1
            }
            right >>= 1;
        }
        product
    }

    fn power(base: u8, exponent: usize) -> u8 {
        (0..exponent).fold(1, |product, _| times(product, base))
    }

    fn over(value: u8) -> u8 {
        (1..=255)
            .find(|&other| times(value, other) == 1)
            .expect("not zero")
    }

    /// Row `index` by interpolation: the polynomial of degree below k that has the value of
    /// data shard j at the point j, taken at the point `index`.
    pub(super) fn row(k: u8, index: u8) -> Vec<u8> {
        (0..k)
            .map(|j| {
                (0..k).filter(|&m| m != j).fold(1, |product, m| {
                    times(product, times(index ^ m, over(j ^ m)))
                })
            })
            .collect()
    }

    /// Row `index` of V · inverse(top of V) must satisfy row · top = V[index].
    pub(super) fn is_systematic_vandermonde_row(k: u8, index: u8, row: &[u8]) -> bool {
        (0..usize::from(k)).all(|column| {
            let sum = (0..k).zip(row).fold(0, |sum, (line, &value)| {
                sum ^ times(value, power(line, column))
            });
            sum == power(index, column)
        })
    }
}

#[test]
fn the_matrix_is_the_one_of_the_format() {
    for k in 1..=30 {
        for index in 0..30 {
            let row = matrix::row(k, index);
            let expected = definition::row(k, index);
            assert_eq!(row[..usize::from(k)], expected, "k = {k}, row {index}");
            assert!(definition::is_systematic_vandermonde_row(
                k, index, &expected
            ));
        }
    }
}

#[test]
fn the_vectors_of_the_format_hold() {
    let check = |k: u8, index: u8, expected: &[u8]| {
        assert_eq!(
            matrix::row(k, index)[..usize::from(k)],
            *expected,
            "k = {k}, row {index}"
        );
    };
    check(1, 0, &[1]);
    check(1, 29, &[1]);
    check(2, 0, &[1, 0]);
    check(2, 2, &[3, 2]);
    check(2, 3, &[2, 3]);
    check(2, 29, &[0x1c, 0x1d]);
    check(3, 3, &[1, 1, 1]);
    check(3, 4, &[0x0f, 0x08, 0x06]);
    check(3, 5, &[0x0e, 0x09, 0x06]);
    check(4, 4, &[0x1b, 0x1c, 0x12, 0x14]);
    check(4, 7, &[0x14, 0x12, 0x1c, 0x1b]);
    check(8, 8, &[0x1a, 0x84, 0xba, 0x33, 0xe7, 0x10, 0xc6, 0x27]);
    check(
        10,
        29,
        &[0xc7, 0x31, 0xa7, 0xb0, 0x18, 0x19, 0xd6, 0x3d, 0x88, 0x82],
    );
    let data: [&[u8]; 4] = [&[0x01], &[0x80], &[0xff], &[0x5a]];
    let present: Vec<(u8, &[u8])> = (0..).zip(data).collect();
    let mut parity = [0_u8; 4];
    for (index, byte) in (4..).zip(parity.chunks_mut(1)) {
        decode_into(4, &present, index, byte).expect("all data is present");
    }
    assert_eq!(parity, [0xa9, 0xf0, 0x6a, 0x17]);
}

#[test]
fn the_crate_makes_the_same_shards() {
    let pack = noise(1, 700_001);
    for (k, n) in [(2, 4), (3, 6), (4, 7), (10, 30)] {
        let shards = encode(&pack, code(k, n));
        let mut theirs = shards.clone();
        for parity in &mut theirs[usize::from(k)..] {
            parity.fill(0);
        }
        let coder = ReedSolomon::new(usize::from(k), usize::from(n - k)).expect("a code");
        coder.encode(&mut theirs).expect("encoding");
        assert!(shards == theirs, "{k}/{n} differs");
    }
}

#[test]
fn more_positions_change_no_shard() {
    let pack = noise(2, 500_000);
    for (k, n) in [(1, 2), (2, 4), (3, 7), (8, 20), (10, 27)] {
        let few = encode(&pack, code(k, n));
        let more = encode(&pack, code(k, n + 3));
        assert!(few[..] == more[..few.len()], "{k}/{n} differs");
    }
}

#[test]
fn data_shards_are_the_padded_pack() {
    for (pack_bytes, k) in [(1, 1), (1, 4), (65_536, 2), (300_000, 3), (1_000_000, 4)] {
        let mut pack = noise(3, pack_bytes);
        let shards = encode(&pack, code(k, k + 1));
        let length = shard_bytes(u32::try_from(pack_bytes).expect("short"), k);
        assert!(shards.iter().all(|shard| shard.len() as u64 == length));
        assert_eq!(length % SHARD_ALIGN as u64, 0);
        pack.resize(shards[0].len() * usize::from(k), 0);
        assert!(shards[..usize::from(k)].concat() == pack);
    }
}

#[test]
fn a_code_without_parity_is_the_pack_itself() {
    let pack = noise(4, 200_000);
    let shards = encode(&pack, code(3, 3));
    assert_eq!(shards.len(), 3);
    let present: Vec<_> = shards.into_iter().map(Some).collect();
    assert!(decode(3, 200_000, &present).as_ref() == Ok(&pack));
}

#[test]
fn one_of_n_is_copies() {
    let pack = noise(5, 100_000);
    for shard in encode(&pack, code(1, 4)) {
        assert!(shard[..100_000] == pack);
        assert!(shard[100_000..].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn every_selection_of_three_of_six_gives_the_pack() {
    // The third shard holds the end of it, so that two of them are never enough.
    let pack = noise(6, 300_000);
    let shards = encode(&pack, code(3, 6));
    for selection in 0_u32..64 {
        let present: Vec<_> = (0..6)
            .zip(&shards)
            .map(|(index, shard)| (selection >> index & 1 == 1).then(|| shard.clone()))
            .collect();
        let decoded = decode(3, 300_000, &present);
        if selection.count_ones() >= 3 {
            assert!(decoded.as_ref() == Ok(&pack), "selection {selection:06b}");
        } else {
            let present = selection.count_ones() as usize;
            assert_eq!(decoded, Err(ErasureError::TooFew { present, k: 3 }));
        }
    }
}

#[test]
fn nonsense_is_refused() {
    let check = |k: u8, present: &[(u8, &[u8])], wanted: u8, expected: ErasureError| {
        let refused = decode_into(k, present, wanted, &mut [0; 2]);
        assert_eq!(refused, Err(expected));
    };
    let two: &[u8] = &[1, 2];
    check(0, &[], 0, ErasureError::NoCode { k: 0, n: 0 });
    check(31, &[(0, two)], 0, ErasureError::NoCode { k: 31, n: 1 });
    check(1, &[(30, two)], 0, ErasureError::NoShard { index: 30 });
    check(1, &[(0, two)], 30, ErasureError::NoShard { index: 30 });
    let twice = [(3, two), (3, two)];
    check(2, &twice, 0, ErasureError::TooFew { present: 1, k: 2 });
    let uneven = [(0, two), (1, &two[..1])];
    let length = ErasureError::Length {
        index: 1,
        bytes: 1,
        expected: 2,
    };
    check(2, &uneven, 0, length);
}

/// A code with a pack and an order in which shards are taken.
fn cases() -> impl Strategy<Value = (u8, u8, Vec<u8>, Vec<u8>)> {
    (1_u8..=10, 0_u8..=8, 1_usize..400_000, any::<u64>()).prop_flat_map(
        |(k, extra, bytes, seed)| {
            let order = Just((0..k + extra).collect::<Vec<u8>>()).prop_shuffle();
            (Just(k), Just(k + extra), Just(noise(seed, bytes)), order)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_k_of_n_give_the_pack_back((k, n, pack, order) in cases()) {
        let shards = encode(&pack, code(k, n));
        let mut present = vec![None; usize::from(n)];
        for &index in &order[..usize::from(k)] {
            present[usize::from(index)] = Some(shards[usize::from(index)].clone());
        }
        let pack_bytes = u32::try_from(pack.len()).expect("short");
        prop_assert!(decode(k, pack_bytes, &present) == Ok(pack));
    }

    #[test]
    fn any_range_of_any_shard_comes_from_any_k(
        (k, n, pack, order) in cases(),
        start in 0_usize..65_536,
        length in 0_usize..70_000,
    ) {
        let shards = encode(&pack, code(k, n));
        let start = start.min(shards[0].len());
        let range = start..(start + length).min(shards[0].len());
        let present: Vec<(u8, &[u8])> = order[..usize::from(k)]
            .iter()
            .map(|&index| (index, &shards[usize::from(index)][range.clone()]))
            .collect();
        let mut made = vec![0; range.len()];
        for &index in &order {
            decode_into(k, &present, index, &mut made).expect("k shards are present");
            prop_assert!(made == shards[usize::from(index)][range.clone()], "shard {}", index);
        }
    }

    #[test]
    fn a_changed_byte_changes_the_pack((k, n, pack, order) in cases(), at: usize) {
        let shards = encode(&pack, code(k, n));
        let mut present = vec![None; usize::from(n)];
        for &index in &order[..usize::from(k)] {
            present[usize::from(index)] = Some(shards[usize::from(index)].clone());
        }
        let pack_bytes = u32::try_from(pack.len()).expect("short");
        let changed = at % shards[0].len();
        if let Some(shard) = &mut present[usize::from(order[0])] {
            shard[changed] ^= 1;
        }
        // A data shard beyond the pack's end is padding, which no pack shows.
        let decoded = decode(k, pack_bytes, &present).expect("k shards are present");
        let place = usize::from(order[0]) * shards[0].len() + changed;
        if order[0] < k && place < pack.len() {
            prop_assert!(decoded != pack);
        }
    }
}

fn code(k: u8, n: u8) -> Code {
    Code::new(k, n).expect("a code")
}
