//! Images of a machine's disk, and machines that are laid back to one.

use crate::id::NodeId;
use crate::node::Disk;
use crate::world::World;

/// What a machine knew of its own backups at some time.
#[derive(Debug, Clone)]
pub struct Image(Disk);

impl World {
    /// A copy of what a machine knows of its own backups, as an image of its disk has it.
    #[must_use]
    pub fn image(&self, node: NodeId) -> Image {
        Image(self.nodes[node.0].disk.clone())
    }

    /// A machine that is stopped is laid back to an image of its disk: it has forgotten what it wrote
    /// since. What it keeps for others stays.
    pub fn lay_back(&mut self, node: NodeId, image: &Image) {
        let disk = &mut self.nodes[node.0].disk;
        if let Some(head) = disk.head.filter(|head| Some(*head) > image.0.head) {
            self.books.laid_back.insert(node, head);
        }
        let now = std::mem::take(disk);
        *disk = Disk {
            suppliers: now.suppliers,
            suppliers_wanted: now.suppliers_wanted,
            contract_bytes: now.contract_bytes,
            recovered: now.recovered,
            offered: now.offered,
            customers: now.customers,
            kept: now.kept,
            has_lost: now.has_lost,
            rotten: now.rotten,
            heads: now.heads,
            folder: now.folder,
            schedule: now.schedule,
            ..image.0.clone()
        };
    }
}
