//! Peers by what people call them: who is connected, and who is a friend.

use std::collections::BTreeMap;

use bitdust_model::{DeviceId, IdentityId};
use bitdust_net::Path;

/// A peer that is connected.
#[derive(Debug, Clone)]
pub(crate) struct ConnectedPeer {
    /// The person.
    pub(crate) identity: IdentityId,
    /// What they call themselves; may be empty.
    pub(crate) nickname: String,
    /// How they are reached.
    pub(crate) path: Path,
}

#[derive(Debug, Clone)]
struct FriendName {
    identity: IdentityId,
    nickname: String,
}

/// Connected peers and friends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    connected: BTreeMap<DeviceId, ConnectedPeer>,
    friends: BTreeMap<DeviceId, FriendName>,
}

impl Peers {
    /// A peer is connected.
    pub(crate) fn came(&mut self, device: DeviceId, peer: ConnectedPeer) {
        self.connected.insert(device, peer);
    }

    /// It is no more.
    pub(crate) fn went(&mut self, device: DeviceId) {
        self.connected.remove(&device);
    }

    /// Somebody is a friend.
    pub(crate) fn add_friend(&mut self, device: DeviceId, identity: IdentityId, nickname: String) {
        self.friends
            .insert(device, FriendName { identity, nickname });
    }

    /// Whether a person is a friend.
    pub(crate) fn is_friend(&self, identity: IdentityId) -> bool {
        self.friends
            .values()
            .any(|friend| friend.identity == identity)
    }

    /// Whether a peer is connected.
    pub(crate) fn is_connected(&self, device: DeviceId) -> bool {
        self.connected.contains_key(&device)
    }

    /// Whose device a connected peer is.
    pub(crate) fn identity(&self, device: DeviceId) -> Option<IdentityId> {
        Some(self.connected.get(&device)?.identity)
    }

    /// How a connected peer is reached.
    pub(crate) fn path(&self, device: DeviceId) -> Option<Path> {
        Some(self.connected.get(&device)?.path)
    }

    /// How many are connected.
    pub(crate) fn count(&self) -> usize {
        self.connected.len()
    }

    /// What a person sees: what the peer calls itself, or what a friend was called when the
    /// friendship was made, and the fingerprint, which nobody can choose.
    pub(crate) fn name_of(&self, device: DeviceId) -> String {
        let connected = self.connected.get(&device).map(|peer| &peer.nickname);
        let nickname = connected
            .or_else(|| Some(&self.friends.get(&device)?.nickname))
            .filter(|nickname| !nickname.is_empty())
            .map_or("somebody", String::as_str);
        format!("{nickname} · {}", device.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_is_known_and_always_has_the_fingerprint() {
        let device = DeviceId([7; 32]);
        let mut peers = Peers::default();
        let fingerprint = device.fingerprint();
        assert_eq!(peers.name_of(device), format!("somebody · {fingerprint}"));
        peers.add_friend(device, IdentityId([1; 32]), "bob".to_owned());
        assert_eq!(peers.name_of(device), format!("bob · {fingerprint}"));
        let nickname = "robert".to_owned();
        peers.came(
            device,
            ConnectedPeer {
                identity: IdentityId([1; 32]),
                nickname,
                path: Path::Tcp,
            },
        );
        assert_eq!(peers.name_of(device), format!("robert · {fingerprint}"));
        peers.went(device);
        assert_eq!(peers.name_of(device), format!("bob · {fingerprint}"));
        assert!(peers.is_friend(IdentityId([1; 32])));
        assert!(!peers.is_friend(IdentityId([2; 32])));
    }
}
