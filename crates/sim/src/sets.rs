//! The sets of a machine: as its disk has them, and as they are changed behind its back.

use bitdust_engine::{PositionFact, SetFact, set_for_new_packs};
use bitdust_model::set::PositionState;
use bitdust_model::{Code, DeviceId, Position, SetId};

use crate::id::NodeId;
use crate::node::{Disk, PackRow};
use crate::world::World;

impl Disk {
    /// Where the lists lie.
    pub(crate) fn home_set(&self) -> Option<&SetFact> {
        self.sets.get(&self.home?)
    }

    /// Where new packs go.
    pub(crate) fn set_for_new_packs(&self) -> Option<&SetFact> {
        set_for_new_packs(self.sets.values(), self.home)
    }

    /// The position that somebody holds in a pack's set.
    pub(crate) fn position_of(&self, row: &PackRow, device: DeviceId) -> Option<Position> {
        self.sets.get(&row.set)?.position_of(device)
    }

    /// Who holds a position of a pack's set.
    pub(crate) fn holder_at(&self, row: &PackRow, position: Position) -> Option<DeviceId> {
        self.sets.get(&row.set)?.holder_at(position)
    }
}

impl World {
    /// Writes a further set of these holders to the disk of a machine that is down, as its home set from
    /// its next start on: nothing in this world changes sets otherwise.
    ///
    /// # Panics
    /// If the machine runs, or the code has not as many positions.
    pub fn begin_set(
        &mut self,
        node: NodeId,
        code: Code,
        places: &[(PositionState, NodeId)],
    ) -> SetId {
        assert!(!self.nodes[node.0].is_up(), "its engine would not know");
        assert_eq!(
            places.len(),
            usize::from(code.n()),
            "a place for each position"
        );
        let place = |(state, holder): &(PositionState, NodeId)| PositionFact {
            state: *state,
            holder: Some(self.nodes[holder.0].device),
        };
        let positions = places.iter().map(place).collect();
        let mut set = SetFact::formed(SetId(self.fresh_bytes()), code, []);
        set.positions = positions;
        let id = set.set;
        let disk = &mut self.nodes[node.0].disk;
        disk.home = Some(id);
        disk.sets.insert(id, set);
        id
    }

    /// Writes how the position of a holder of the home set stands to the disk of a machine that is down,
    /// in the next version of that set.
    ///
    /// # Panics
    /// If the machine runs, or the other holds no position.
    pub fn change_position(&mut self, node: NodeId, holder: NodeId, state: PositionState) {
        assert!(!self.nodes[node.0].is_up(), "its engine would not know");
        let device = self.nodes[holder.0].device;
        let disk = &mut self.nodes[node.0].disk;
        let home = disk.home.and_then(|home| disk.sets.get_mut(&home));
        let home = home.expect("there is a set");
        let position = home.position_of(device).expect("it is a holder");
        home.version = home.version.next();
        home.positions[usize::from(position.0)].state = state;
        let changed = home.clone();
        let packs = self.books.packs.iter_mut();
        let packs =
            packs.filter(|((owner, _), pack)| *owner == node && pack.set.set == changed.set);
        packs.for_each(|(_, pack)| pack.set = changed.clone());
    }
}
