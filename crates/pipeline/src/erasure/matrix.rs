//! The matrix of the format (docs/FORMAT.md): the Vandermonde matrix V with V[r][c] = r^c over
//! GF(2^8), made systematic by the inverse of its first k rows.

use std::sync::OnceLock;

use bitdust_model::limits::SUPPLIERS_PER_SET_MAX;
use reed_solomon_erasure::galois_8::{div, exp, mul};

/// Coefficients of one shard over k others; those from k on are zero and never read.
pub(super) type Row = [u8; SUPPLIERS_PER_SET_MAX];

type Matrix = [Row; SUPPLIERS_PER_SET_MAX];

const ZERO: Matrix = [[0; SUPPLIERS_PER_SET_MAX]; SUPPLIERS_PER_SET_MAX];

/// The coefficients that make shard `index` of the k data shards.
///
/// Both numbers are below or at `SUPPLIERS_PER_SET_MAX`; k is not zero.
pub(super) fn row(k: u8, index: u8) -> Row {
    static MATRICES: [OnceLock<Box<Matrix>>; SUPPLIERS_PER_SET_MAX + 1] =
        [const { OnceLock::new() }; SUPPLIERS_PER_SET_MAX + 1];
    let matrix = MATRICES[usize::from(k)].get_or_init(|| Box::new(systematic(usize::from(k))));
    matrix[usize::from(index)]
}

/// The coefficients that make shard `wanted` of k other shards, given by their indices.
pub(super) fn row_from(k: u8, sources: &[u8], wanted: u8) -> Row {
    let mut square = ZERO;
    for (line, &source) in square.iter_mut().zip(sources) {
        *line = row(k, source);
    }
    let inverse = inverse(square, usize::from(k));
    times(&row(k, wanted), &inverse, usize::from(k))
}

fn systematic(k: usize) -> Matrix {
    let mut vandermonde = ZERO;
    for (base, line) in (0..=u8::MAX).zip(vandermonde.iter_mut()) {
        for (power, value) in line.iter_mut().enumerate().take(k) {
            *value = exp(base, power);
        }
    }
    let top = inverse(vandermonde, k);
    vandermonde.map(|line| times(&line, &top, k))
}

fn times(line: &Row, matrix: &Matrix, k: usize) -> Row {
    let mut product = [0; SUPPLIERS_PER_SET_MAX];
    for (&factor, other) in line.iter().zip(matrix).take(k) {
        for (sum, &value) in product.iter_mut().zip(other).take(k) {
            *sum ^= mul(factor, value);
        }
    }
    product
}

/// The inverse of the upper left k × k corner, by Gauss and Jordan. Any k different rows of
/// the matrix are independent, so there always is one.
fn inverse(mut left: Matrix, k: usize) -> Matrix {
    let mut right = ZERO;
    for (index, line) in right.iter_mut().enumerate() {
        line[index] = 1;
    }
    for column in 0..k {
        let pivot = (column..k)
            .find(|&line| left[line][column] != 0)
            .expect("any k different rows are independent");
        left.swap(column, pivot);
        right.swap(column, pivot);
        let scale = div(1, left[column][column]);
        for value in left[column].iter_mut().chain(&mut right[column]) {
            *value = mul(*value, scale);
        }
        let (left_pivot, right_pivot) = (left[column], right[column]);
        for line in (0..k).filter(|&line| line != column) {
            let factor = left[line][column];
            subtract(&mut left[line], factor, &left_pivot);
            subtract(&mut right[line], factor, &right_pivot);
        }
    }
    right
}

fn subtract(line: &mut Row, factor: u8, pivot: &Row) {
    for (value, &other) in line.iter_mut().zip(pivot) {
        *value ^= mul(factor, other);
    }
}
