//! Addresses in text and binary form, which of them a scope admits, and how a device's key
//! and a libp2p peer id turn into each other.
//!
//! Text from outside is refused before it is parsed when it is too long.

use std::net::IpAddr;

use bitdust_model::{DeviceId, limits};
use libp2p::identity::{PublicKey, ed25519};
use libp2p::multiaddr::Protocol;
use libp2p::multihash::Multihash;
use libp2p::{Multiaddr, PeerId};

use crate::config::Scope;
use crate::error::NetError;

/// Over what a connection runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// TCP with TLS or Noise.
    Tcp,
    /// QUIC over UDP.
    Quic,
}

/// The device whose Ed25519 key the peer id carries; `None` for any other kind of key.
pub(crate) fn device_of(peer: &PeerId) -> Option<DeviceId> {
    let multihash: &Multihash<64> = peer.as_ref();
    if multihash.code() != IDENTITY_HASH {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(multihash.digest()).ok()?;
    Some(DeviceId(key.try_into_ed25519().ok()?.to_bytes()))
}

/// The peer id of a device.
pub(crate) fn peer_of(device: &DeviceId) -> Result<PeerId, NetError> {
    let Ok(key) = ed25519::PublicKey::try_from_bytes(device.as_bytes()) else {
        return Err(NetError::BadDevice { device: *device });
    };
    Ok(PublicKey::from(key).to_peer_id())
}

/// Reads an address and splits a trailing `/p2p/ID` off.
pub(crate) fn parse(text: &str) -> Result<(Multiaddr, Option<PeerId>), NetError> {
    if text.len() > limits::ADDRESS_BYTES_MAX {
        return Err(refuse(text, "it is too long"));
    }
    let mut address: Multiaddr = text
        .parse()
        .map_err(|error: libp2p::multiaddr::Error| refuse(text, &error.to_string()))?;
    let peer = match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            Some(peer)
        }
        Some(_) | None => None,
    };
    if address.is_empty() {
        return Err(refuse(text, "it names no place"));
    }
    Ok((address, peer))
}

/// The address with the peer id at its end, as it is handed around.
pub(crate) fn with_peer(address: &Multiaddr, peer: PeerId) -> String {
    match address.iter().last() {
        Some(Protocol::P2p(_)) => address.to_string(),
        Some(_) | None => address.clone().with(Protocol::P2p(peer)).to_string(),
    }
}

/// Over what a connection runs.
pub(crate) fn path_of(address: &Multiaddr) -> Path {
    if address
        .iter()
        .any(|part| matches!(part, Protocol::QuicV1 | Protocol::Quic))
    {
        Path::Quic
    } else {
        Path::Tcp
    }
}

/// Whether the connection goes through a relay.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
    address
        .iter()
        .any(|part| matches!(part, Protocol::P2pCircuit))
}

/// Whether a node of the scope may listen on or dial the address.
pub(crate) fn admits(scope: Scope, address: &Multiaddr) -> bool {
    match (scope, reach_of(address)) {
        (Scope::Internet, _) => true,
        (Scope::Loopback, reach) => reach == Some(Reach::Loopback),
        (Scope::Lan, Some(Reach::Loopback | Reach::Local | Reach::Unspecified | Reach::Named)) => {
            true
        }
        (Scope::Lan, Some(Reach::Public) | None) => false,
    }
}

/// Whether an address that a stranger gave is worth remembering and passing on.
pub(crate) fn is_credible(scope: Scope, address: &Multiaddr) -> bool {
    match (scope, reach_of(address)) {
        (Scope::Internet, reach) => matches!(reach, Some(Reach::Public | Reach::Named)),
        (Scope::Lan, reach) => reach == Some(Reach::Local),
        (Scope::Loopback, reach) => reach == Some(Reach::Loopback),
    }
}

/// Whether an own listening address is a peer's business: those of the local network are
/// nobody's who is not in it.
pub(crate) fn may_be_told(scope: Scope, is_near: bool, address: &Multiaddr) -> bool {
    is_near || is_credible(scope, address)
}

/// Whether the address belongs to this machine or its own network.
pub(crate) fn is_local(address: &Multiaddr) -> bool {
    matches!(reach_of(address), Some(Reach::Loopback | Reach::Local))
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Unspecified,
    Loopback,
    Local,
    Public,
    Named,
}

/// The code of the multihash that carries its input verbatim.
const IDENTITY_HASH: u64 = 0;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the address parts only those that start an address matter"
)]
fn reach_of(address: &Multiaddr) -> Option<Reach> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(reach_of_ip(IpAddr::V4(ip))),
        Protocol::Ip6(ip) => Some(reach_of_ip(IpAddr::V6(ip))),
        Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_) => {
            Some(Reach::Named)
        }
        _ => None,
    }
}

fn reach_of_ip(ip: IpAddr) -> Reach {
    let ip = ip.to_canonical();
    if ip.is_unspecified() {
        return Reach::Unspecified;
    }
    if ip.is_loopback() {
        return Reach::Loopback;
    }
    let local = match ip {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_link_local()
                || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    if local { Reach::Local } else { Reach::Public }
}

fn refuse(text: &str, reason: &str) -> NetError {
    let address = text.chars().take(limits::ADDRESS_BYTES_MAX).collect();
    NetError::BadAddress {
        address,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::SigningKey;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_device_and_its_peer_id_turn_into_each_other() {
        let device = DeviceId(SigningKey::from_seed(&[7; 32]).public());
        let peer = peer_of(&device).expect("a public key");
        assert_eq!(device_of(&peer), Some(device));
        assert_eq!(
            device_of(&PeerId::random()),
            None,
            "a hashed peer id carries no key"
        );
    }

    #[test]
    fn each_scope_admits_its_own_addresses() {
        let check = |text: &str, loopback: bool, lan: bool, internet: bool| {
            let (address, _) = parse(text).expect("an address");
            assert_eq!(
                admits(Scope::Loopback, &address),
                loopback,
                "{text} in scope loopback"
            );
            assert_eq!(admits(Scope::Lan, &address), lan, "{text} in scope lan");
            assert_eq!(
                admits(Scope::Internet, &address),
                internet,
                "{text} in scope internet"
            );
        };
        check("/ip4/127.0.0.1/tcp/1", true, true, true);
        check("/ip6/::1/udp/1/quic-v1", true, true, true);
        check("/ip6/::ffff:127.0.0.1/tcp/1", true, true, true);
        check("/ip6/::ffff:8.8.8.8/tcp/1", false, false, true);
        check("/ip4/0.0.0.0/tcp/1", false, true, true);
        check("/ip4/192.168.1.2/tcp/1", false, true, true);
        check("/ip4/100.64.0.1/tcp/1", false, true, true);
        check("/ip4/8.8.8.8/tcp/1", false, false, true);
        check("/dns4/example.org/tcp/1", false, true, true);
        check("/memory/7", false, false, true);
    }

    #[test]
    fn strangers_cannot_plant_local_addresses_in_the_internet() {
        let check = |text: &str, credible: bool| {
            let (address, _) = parse(text).expect("an address");
            assert_eq!(is_credible(Scope::Internet, &address), credible, "{text}");
        };
        check("/ip4/10.0.0.1/tcp/1", false);
        check("/ip4/127.0.0.1/tcp/1", false);
        check("/ip6/fe80::1/tcp/1", false);
        check("/ip4/8.8.8.8/tcp/1", true);
    }

    #[test]
    fn strangers_in_the_internet_are_not_told_local_addresses() {
        let check = |text: &str, is_near: bool, told: bool| {
            let (address, _) = parse(text).expect("an address");
            assert_eq!(
                may_be_told(Scope::Internet, is_near, &address),
                told,
                "{text}, near: {is_near}"
            );
        };
        check("/ip4/192.168.1.2/tcp/1", false, false);
        check("/ip4/192.168.1.2/tcp/1", true, true);
        check("/ip4/8.8.8.8/tcp/1", false, true);
    }

    #[test]
    fn a_trailing_peer_id_is_split_off() {
        let peer =
            peer_of(&DeviceId(SigningKey::from_seed(&[7; 32]).public())).expect("a public key");
        let (address, found) =
            parse(&format!("/ip4/127.0.0.1/tcp/1/p2p/{peer}")).expect("an address");
        assert_eq!(found, Some(peer));
        assert_eq!(
            with_peer(&address, peer),
            format!("/ip4/127.0.0.1/tcp/1/p2p/{peer}")
        );
        assert!(
            parse(&format!("/p2p/{peer}")).is_err(),
            "a peer id alone is no place"
        );
        assert!(parse(&"/ip4/127.0.0.1".repeat(40)).is_err(), "too long");
    }

    proptest! {
        #[test]
        fn garbage_is_refused_and_never_panics(text in ".{0,300}") {
            drop(parse(&text));
        }
    }
}
