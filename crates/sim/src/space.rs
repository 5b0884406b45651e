//! A catalogue whose disk has no room: writes wait until they are tried again.

use bitdust_engine::{Input, Output};

use crate::id::NodeId;
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// Whether what is asked for waits for room on the disk, as the engine is told then.
    pub(crate) fn waits_for_space(&mut self, node: NodeId, output: &Output) -> bool {
        let is_written = matches!(
            output,
            Output::CommitPack { .. } | Output::RecordCommit { .. }
        );
        let machine = &mut self.nodes[node.0];
        if !machine.catalogue_full || !is_written {
            return false;
        }
        machine.memory.waiting_writes.push(output.clone());
        let wait = self.disk_time();
        self.deliver(node, wait, Input::DiskFull);
        true
    }

    /// Tries what waits for room once more.
    pub(crate) fn retry_writes(&mut self, node: NodeId) {
        let wait = self.disk_time();
        let machine = &mut self.nodes[node.0];
        if machine.sabotage == Sabotage::RetriesNothing {
            return self.deliver(node, wait, Input::NoWriteWaits);
        }
        if machine.catalogue_full && !machine.memory.waiting_writes.is_empty() {
            return self.deliver(node, wait, Input::WritesWait);
        }
        for output in std::mem::take(&mut machine.memory.waiting_writes) {
            self.do_output(node, output);
        }
        self.deliver(node, wait, Input::NoWriteWaits);
    }
}
