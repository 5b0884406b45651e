//! What machines of the world ask each other.

use bitdust_engine::{FetchId, JobId};
use bitdust_model::{ByteCount, DeviceId, PackId, Position, Sequence};

use crate::id::NodeId;

/// A question of one machine to another.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) from: NodeId,
    pub(crate) from_boot: u64,
    pub(crate) to: NodeId,
    pub(crate) to_boot: u64,
    pub(crate) request: Request,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Propose {
        bytes: ByteCount,
    },
    Store {
        pack: PackId,
        position: Position,
        bytes: ByteCount,
    },
    PutHead {
        sequence: Sequence,
    },
    Check {
        pack: PackId,
        position: Position,
    },
    Fetch {
        fetch: FetchId,
        lane: DeviceId,
        pack: PackId,
        position: Position,
        whole: bool,
    },
    Heads {
        job: JobId,
    },
    Tip,
    List {
        pick: u64,
    },
}
