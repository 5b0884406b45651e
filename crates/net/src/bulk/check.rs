//! What must hold of a header, a receipt and a range before the other side is believed. Pure.

use bitdust_crypto::{verify_by, verify_header};
use bitdust_model::message::{Fetch, FetchTarget};
use bitdust_model::shard::{Receipt, ShardHeader, SignedHeader, StoreHeader};
use bitdust_model::{DeviceId, Position, Signed, limits};

/// A header that the device of its lane signed, with a length that a shard may have.
fn check_header(header: &SignedHeader) -> Result<StoreHeader, String> {
    let plain = verify_header(header).map_err(|error| error.to_string())?;
    let bytes = usize::try_from(plain.shard_bytes).unwrap_or(usize::MAX);
    if bytes == 0 || bytes > limits::SHARD_BYTES_MAX {
        return Err(format!("a shard cannot have {bytes} bytes"));
    }
    Ok(plain)
}

/// The shard at a position of such a header.
pub(super) fn check_shard(
    header: &SignedHeader,
    position: Position,
) -> Result<ShardHeader, String> {
    let shard = check_header(header)?.at(position);
    shard.ok_or_else(|| format!("the store header has no shard {position}"))
}

pub(super) fn check_receipt(
    receipt: &Signed<Receipt>,
    header: &ShardHeader,
    supplier: DeviceId,
) -> Result<(), String> {
    let receipt = verify_by(receipt, supplier.as_bytes()).map_err(|error| error.to_string())?;
    let same_shard = receipt.shard == header.shard && receipt.shard_bytes == header.shard_bytes;
    let same_place = receipt.pack == header.pack && receipt.position == header.position;
    let same_people = receipt.supplier == supplier
        && receipt.owner == header.owner
        && receipt.lane == header.lane;
    if same_shard && same_place && same_people {
        return Ok(());
    }
    Err("the receipt is for something else".to_owned())
}

pub(super) fn check_range(
    header: &SignedHeader,
    offset: u64,
    length: u64,
    fetch: &Fetch,
) -> Result<(), String> {
    let header = check_header(header)?;
    let is_asked = match fetch.target {
        FetchTarget::Shard(shard) => header.of(shard).is_some(),
        FetchTarget::Place {
            set,
            pack,
            position,
        } => header.set == set && header.pack == pack && header.at(position).is_some(),
    };
    if !is_asked {
        return Err("another shard came than was asked for".to_owned());
    }
    let align = limits::SHARD_ALIGN as u64;
    let start = fetch.offset - fetch.offset % align;
    let wanted_end = fetch.offset.saturating_add(fetch.length);
    let end = wanted_end
        .checked_next_multiple_of(align)
        .unwrap_or(u64::MAX)
        .min(u64::from(header.shard_bytes));
    if offset != start || offset.checked_add(length) != Some(end) || length == 0 {
        return Err("another range came than was asked for".to_owned());
    }
    Ok(())
}

/// The most bytes that a range of `length` bytes may have with its proof: 64 bytes for each
/// inner node of the hash tree over groups of 16 KiB, and those on the way to its root.
pub(super) fn range_bytes_max(length: u64) -> usize {
    let groups = length.div_ceil(16 * 1024);
    let bytes = length.saturating_add(64 * (2 * groups + 64));
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
