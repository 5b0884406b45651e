//! Bytes to shards and back.
//!
//! Backup: [`chunker`] → [`compress`] → [`pack`] → [`erasure`] and [`shard`]. Restore:
//! [`plan`] → [`proof`] → [`bitdust_crypto::ShardMask`] → [`gather`] → [`pack::open`].
//! Listings and the index travel the same way as chunks of their own: [`tree`], [`content`],
//! [`index`].
//!
//! Everything here is pure and synchronous: no file, clock, thread or randomness; the caller
//! brings readers, random bytes and threads. No function holds a file or a listing whole;
//! each file says what it holds. docs/FORMAT.md defines the formats.

pub mod chunker;
pub mod compress;
pub mod content;
pub mod erasure;
pub mod gather;
#[cfg(test)]
mod golden;
pub mod index;
pub mod pack;
mod pages;
pub mod plan;
pub mod proof;
pub mod shard;
#[cfg(test)]
mod testing;
pub mod tree;

pub use chunker::{Chunker, Cutter};
pub use gather::Gathered;
pub use pack::{PackBuilder, SealedPack};
pub use proof::RangeVerifier;
pub use shard::{MaskedShard, Shards};
