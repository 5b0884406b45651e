//! What the event loop does on commands of the client.

use bitdust_model::DeviceId;

use super::state::EventLoop;
use crate::address;
use crate::command::Command;
use crate::peers::Waiter;
use crate::reply::answer;

impl EventLoop {
    pub(super) fn handle_command(&mut self, command: Command) {
        match command {
            Command::Listening { reply } => answer(reply, self.all_addresses()),
            Command::Peers { reply } => answer(
                reply,
                self.peers
                    .values()
                    .filter_map(|state| state.up.clone())
                    .collect(),
            ),
            Command::Dial {
                device,
                addresses,
                reply,
            } => self.dial_device(device, addresses, Waiter::Known(reply)),
            Command::DialAddress {
                address,
                peer,
                reply,
            } => self.dial_place(address, peer, Waiter::Unknown(reply)),
            Command::Disconnect { device, reply } => {
                self.disconnect(device);
                answer(reply, ());
            }
            Command::Request { device, request } => self.request(device, request),
            Command::Bulk { device, reply } => self.open_bulk(device, reply),
            Command::PutRecord { record, reply } => {
                self.dht
                    .put(&mut self.swarm.behaviour_mut().kad, &record, reply)
            }
            Command::GetRecord { key, reply } => {
                self.dht
                    .get(&mut self.swarm.behaviour_mut().kad, key, reply)
            }
            Command::StartProviding { key, reply } => {
                self.dht
                    .start_providing(&mut self.swarm.behaviour_mut().kad, key, reply)
            }
            Command::Providers { key, reply } => {
                self.dht
                    .providers(&mut self.swarm.behaviour_mut().kad, key, reply)
            }
            Command::Bootstrap { reply } => self
                .dht
                .bootstrap(&mut self.swarm.behaviour_mut().kad, reply),
            Command::Shutdown => {}
        }
    }

    fn disconnect(&mut self, device: DeviceId) {
        let Ok(peer) = address::peer_of(&device) else {
            return;
        };
        if let Some(state) = self.peers.get_mut(&peer) {
            state.pinned = false;
        }
        let _was_connected = self.swarm.disconnect_peer_id(peer);
    }
}
