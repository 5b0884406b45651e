//! The vocabulary of BitDust: ids, units, messages, limits and error codes.
//!
//! It owns the shape of everything that two crates speak about, and nothing else:
//! no behaviour beyond encoding and small pure rules about these shapes, no IO, no cryptography.

pub mod code;
pub mod codec;
pub mod contract;
pub mod deletion;
pub mod document;
pub mod error;
pub mod head;
mod head_ref;
pub mod id;
pub mod intervals;
pub mod ledger;
pub mod limits;
pub mod locator;
pub mod manifest;
pub mod message;
pub mod policy;
pub mod roots;
pub mod schedule;
pub mod set;
pub mod shard;
pub mod status;
pub mod tree;
pub mod unit;
pub mod verdict;
pub mod versions;
pub mod witness;

pub use code::{Code, CodeVersion};
pub use codec::{DecodeError, EncodeError, decode, encode, try_encode};
pub use document::{Document, Signed};
pub use error::{ErrorCode, Severity};
pub use head_ref::HeadRef;
pub use id::*;
pub use policy::Policy;
pub use schedule::Schedule;
pub use unit::*;
