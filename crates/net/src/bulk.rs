//! Bulk streams: shards over few long-lived streams, many requests side by side, each
//! refused or admitted before its bytes flow.
//!
//! A customer asks with a signed packet; the supplier answers Go, or refuses before any byte
//! is sent. A range comes with its proof and never with more bytes than the proof can have.

mod client;
mod frame;
mod frames;
mod server;
mod writer;

pub(crate) use client::open as open_client;
pub use client::{BulkClient, FetchedRange};
#[cfg(test)]
pub(crate) use frame::{Frame, RequestId};
#[cfg(test)]
pub(crate) use frames::Frames;
pub(crate) use server::open as open_server;
pub use server::{BulkRequest, BulkServer, IncomingStore, OutgoingFetch};

use bitdust_crypto::verify_by;
use bitdust_model::manifest::StoreHeader;
use bitdust_model::{Signed, limits};

/// A header that the device of its lane signed, with a length that a shard may have.
pub(crate) fn check_header(header: &Signed<StoreHeader>) -> Result<StoreHeader, String> {
    let plain = verify_by(header, &header.signer).map_err(|error| error.to_string())?;
    if plain.lane.as_bytes() != &header.signer {
        return Err("the store header is not signed by the device of its lane".to_owned());
    }
    let bytes = usize::try_from(plain.shard_bytes).unwrap_or(usize::MAX);
    if bytes == 0 || bytes > limits::SHARD_BYTES_MAX {
        return Err(format!("a shard cannot have {bytes} bytes"));
    }
    Ok(plain)
}
