//! What suppliers tell of the heads of a lane, and to whom a head may be given for that.

use bitdust_engine::{Input, TipFact};
use bitdust_model::{DeviceId, ErrorCode, Sequence};

use crate::id::NodeId;
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// Notes who told what it keeps since it is there.
    pub(crate) fn note_tip(&mut self, node: NodeId, input: &Input) {
        let told = &mut self.nodes[node.0].memory.told_tips;
        if let Input::TipTold { device, .. } = input {
            told.insert(*device);
        } else if let Input::PeerUp { device, .. } | Input::PeerDown { device } = input {
            told.remove(device);
        }
    }

    /// Why a head may not be given to somebody, whichever it is.
    pub(crate) fn why_not_give(&self, node: NodeId, device: DeviceId) -> Option<String> {
        if self.books.laid_back.contains_key(&node) {
            return Some("a head is given out behind what suppliers keep of the lane".to_owned());
        }
        let is_asked = self.nodes[node.0].memory.told_tips.contains(&device);
        (!is_asked).then(|| format!("{device} is given a head and did not tell what it keeps"))
    }

    /// Why somebody may not be sent what it is owed.
    pub(crate) fn why_not_serve(&self, node: NodeId, device: DeviceId) -> Option<String> {
        let is_asked = self.nodes[node.0].memory.told_tips.contains(&device);
        (!is_asked).then(|| format!("{device} is served and did not tell what it keeps"))
    }

    /// A head is known by its number: nobody else writes into this lane.
    pub(crate) fn hear_tip(
        &self,
        node: NodeId,
        supplier: NodeId,
        answer: Result<(), ErrorCode>,
    ) -> Input {
        let machine = &self.nodes[node.0];
        let supplier = &self.nodes[supplier.0];
        let device = supplier.device;
        if let Err(code) = answer {
            return Input::TipNotTold { device, code };
        }
        let known = machine.disk.newest_number();
        let is_known = |sequence: Sequence| {
            machine.sabotage == Sabotage::KnowsEveryHead || Some(sequence) <= known
        };
        let tip = match supplier.disk.heads.get(&machine.device).copied() {
            None => TipFact::Nothing,
            Some(sequence) if is_known(sequence) => TipFact::Known { sequence },
            Some(sequence) => TipFact::Unknown { sequence },
        };
        Input::TipTold { device, tip }
    }
}
