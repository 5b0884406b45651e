//! What rows are made of: numbers that fit, ids, and values behind a version byte.
//!
//! SQLite knows signed integers only; a number that does not fit is refused, not bent.

use bitdust_model::codec::Versioned;
use bitdust_model::document::{Document, Signed};
use bitdust_model::manifest::{BlobRef, FolderRecord, PackRef, SnapshotRecord};
use bitdust_model::shard::{SignedHeader, StoreHeader};
use bitdust_model::{DecodeError, UnixMillis, decode, limits};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use crate::database::DatabaseError;

/// A number as a column holds it.
pub(crate) fn to_column(what: &'static str, value: u64) -> Result<i64, DatabaseError> {
    i64::try_from(value).map_err(|_| DatabaseError::OutOfRange {
        what,
        value: value.into(),
    })
}

/// A number as a column held it.
pub(crate) fn from_column<T: TryFrom<i64>>(
    what: &'static str,
    value: i64,
) -> Result<T, DatabaseError> {
    T::try_from(value).map_err(|_| DatabaseError::Impossible { what, value })
}

/// Encodes a value for a row; unlike `codec::encode` it refuses what is too long, because
/// what people and peers wrote may be.
pub(crate) fn encode_row<T: Versioned>(value: &T) -> Result<Vec<u8>, DatabaseError> {
    let bytes =
        postcard::to_extend(value, vec![T::VERSION]).map_err(|_| DatabaseError::OutOfRange {
            what: T::KIND,
            value: 0,
        })?;
    if bytes.len() > T::BYTES_MAX {
        return Err(DatabaseError::TooLong {
            kind: T::KIND,
            bytes: bytes.len(),
            bytes_max: T::BYTES_MAX,
        });
    }
    Ok(bytes)
}

/// Decodes what [`encode_row`] wrote.
pub(crate) fn decode_row<T: Versioned>(bytes: &[u8]) -> Result<T, DatabaseError> {
    Ok(decode(bytes)?)
}

/// The bytes of a column, without copying them.
pub(crate) fn blob<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(row.get_ref(column)?.as_blob()?)
}

/// An optional time as a column held it.
pub(crate) fn time_or_none(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<UnixMillis>, DatabaseError> {
    let Some(value) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    Ok(Some(UnixMillis(from_column("time", value)?)))
}

/// How many rows a `SELECT count(*)` without parameters finds.
pub(crate) fn count(connection: &Connection, sql: &str) -> Result<usize, DatabaseError> {
    let rows: i64 = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?;
    from_column("row count", rows)
}

/// Refuses bytes over the limit of their kind.
pub(crate) fn check_length(
    kind: &'static str,
    bytes: usize,
    bytes_max: usize,
) -> Result<(), DatabaseError> {
    if bytes > bytes_max {
        return Err(DatabaseError::TooLong {
            kind,
            bytes,
            bytes_max,
        });
    }
    Ok(())
}

/// A signed document in a row.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct SignedRow<T>(pub(crate) Signed<T>);

impl<T: Document> Versioned for SignedRow<T> {
    const KIND: &'static str = T::KIND;
    /// The document, its length, the signer and the signature.
    const BYTES_MAX: usize = T::BYTES_MAX + 128;
}

/// Encodes a signed document for a row.
pub(crate) fn encode_signed<T: Document>(signed: &Signed<T>) -> Result<Vec<u8>, DatabaseError> {
    encode_row(&SignedRow(signed.clone()))
}

/// Decodes what [`encode_signed`] wrote.
pub(crate) fn decode_signed<T: Document>(bytes: &[u8]) -> Result<Signed<T>, DatabaseError> {
    Ok(decode_row::<SignedRow<T>>(bytes)?.0)
}

/// The header of a pack in a row, and beside its shards.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeaderRow(pub(crate) SignedHeader);

impl Versioned for HeaderRow {
    const KIND: &'static str = StoreHeader::KIND;
    const VERSION: u8 = 2;
    /// Header and supplement, each with its length, its signer and its signature.
    const BYTES_MAX: usize = 2 * (StoreHeader::BYTES_MAX + 128);
}

/// Encodes the header of a pack for a row.
pub(crate) fn encode_header(header: &SignedHeader) -> Result<Vec<u8>, DatabaseError> {
    encode_row(&HeaderRow(header.clone()))
}

/// Decodes what [`encode_header`] wrote.
pub(crate) fn decode_header(bytes: &[u8]) -> Result<SignedHeader, DatabaseError> {
    Ok(decode_row::<HeaderRow>(bytes)?.0)
}

/// What a header that was verified before says, with the shards that came later.
pub(crate) fn read_header(header: &SignedHeader) -> Result<StoreHeader, DatabaseError> {
    let mut plain: StoreHeader = decode(&header.header.bytes)?;
    if let Some(supplement) = &header.supplement
        && !plain.grow(decode(&supplement.bytes)?)
    {
        return Err(DatabaseError::Damaged(DecodeError::Malformed {
            kind: StoreHeader::KIND,
        }));
    }
    Ok(plain)
}

/// A folder in a row.
#[derive(Serialize, Deserialize)]
pub(crate) struct FolderRow(pub(crate) FolderRecord);

impl Versioned for FolderRow {
    const KIND: &'static str = "folder";
    const VERSION: u8 = 3;
    const BYTES_MAX: usize = limits::RECORD_BYTES_MAX;
}

/// A snapshot in a row.
#[derive(Serialize, Deserialize)]
pub(crate) struct SnapshotRow(pub(crate) SnapshotRecord);

impl Versioned for SnapshotRow {
    const KIND: &'static str = "snapshot";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::RECORD_BYTES_MAX;
}

/// A pack's reference in a row.
#[derive(Serialize, Deserialize)]
pub(crate) struct PackRow(pub(crate) PackRef);

impl Versioned for PackRow {
    const KIND: &'static str = "pack reference";
    /// Thirty shard ids and less than a hundred bytes more.
    const BYTES_MAX: usize = 2 * limits::KIB;
}

/// Where a segment's pieces lie, in a row.
#[derive(Serialize, Deserialize)]
pub(crate) struct BlobsRow(pub(crate) Vec<BlobRef>);

impl Versioned for BlobsRow {
    const KIND: &'static str = "segment";
    const BYTES_MAX: usize = limits::RECORD_BYTES_MAX;
}

/// Addresses of a peer in a row.
#[derive(Serialize, Deserialize)]
pub(crate) struct AddressesRow(pub(crate) Vec<String>);

impl Versioned for AddressesRow {
    const KIND: &'static str = "list of addresses";
    /// Each address with its length, and the length of the list.
    const BYTES_MAX: usize = limits::ADDRESSES_MAX * (limits::ADDRESS_BYTES_MAX + 4) + 8;
}

#[cfg(test)]
mod tests {
    use bitdust_model::head::Head;
    use bitdust_model::manifest::{Retention, Trailer};
    use bitdust_model::set::SetRecord;
    use bitdust_model::shard::Receipt;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert_eq!(to_column("size", 5).expect("fits"), 5);
        assert!(to_column("size", u64::MAX).is_err());
        assert!(from_column::<u64>("size", -1).is_err());
        assert!(from_column::<u8>("position", 256).is_err());
    }

    #[test]
    fn a_row_that_is_too_long_is_an_error_and_no_panic() {
        let record = FolderRecord {
            folder: bitdust_model::FolderId([1; 32]),
            path: vec![b'a'; 2 * limits::MIB],
            excludes: Vec::new(),
            crosses_mounts: true,
            schedule: None,
            retention: Retention::KeepAll,
        };
        assert!(matches!(
            encode_row(&FolderRow(record)),
            Err(DatabaseError::TooLong { .. })
        ));
    }

    proptest! {
        #[test]
        fn garbage_in_a_row_is_an_error_or_a_value_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            // Once as it is, and behind each version byte so that the parsers are reached.
            let versioned = [1, 2, 3].map(|version| [&[version], &bytes[..]].concat());
            for bytes in versioned.iter().chain([&bytes]) {
                drop(decode_row::<FolderRow>(bytes));
                drop(decode_row::<SnapshotRow>(bytes));
                drop(decode_row::<PackRow>(bytes));
                drop(decode_row::<BlobsRow>(bytes));
                drop(decode_row::<AddressesRow>(bytes));
                drop(decode_row::<Trailer>(bytes));
                drop(decode_header(bytes).and_then(|header| read_header(&header)));
                drop(decode_signed::<Head>(bytes));
                drop(decode_signed::<SetRecord>(bytes));
                drop(decode_signed::<Receipt>(bytes));
            }
        }

        #[test]
        fn a_damaged_signed_row_never_reads_as_the_one_that_was_written(at in 0_usize..112, bit in 0_u8..8) {
            let signed = Signed::<Receipt>::from_parts(vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [7; 32], bitdust_model::document::Signature([9; 64]));
            let mut bytes = encode_signed(&signed).expect("encoded");
            prop_assume!(at < bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(read) = decode_signed::<Receipt>(&bytes) {
                prop_assert_ne!(read, signed);
            }
        }
    }
}
