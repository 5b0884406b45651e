//! How machines of the world are named, and what is theirs in the world's own books.

use bitdust_model::{PackId, Sequence};

/// A machine of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// Names in the world's own books: a pack or a head of one machine.
pub(crate) type PackKey = (NodeId, PackId);

/// A head by its lane.
pub(crate) type HeadKey = (NodeId, Sequence);
