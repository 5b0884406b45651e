//! What a node of the network is told at its start, and the names of its protocols.

use bitdust_crypto::SigningKey;
use bitdust_model::locator::Certificate;
use bitdust_model::{Policy, Signed, limits};
use libp2p::StreamProtocol;

use crate::error::NetError;

/// How far a node reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This machine only: 127.0.0.1 and ::1.
    Loopback,
    /// Private addresses of the local network.
    Lan,
    /// Everything.
    Internet,
}

/// What a node of the network is told at its start.
pub struct NetConfig {
    /// Name of the network: 1 to 32 of `a-z`, `0-9` and `-`.
    pub network: String,
    /// How far it reaches.
    pub scope: Scope,
    /// Addresses to listen on; empty means TCP and QUIC on free ports of all addresses of
    /// the scope.
    pub listen: Vec<String>,
    /// Addresses confirmed by hand under which others reach this node.
    pub external: Vec<String>,
    /// The transport key of the device.
    pub device: SigningKey,
    /// Certificate of the device, signed by its identity.
    pub certificate: Signed<Certificate>,
    /// Durations.
    pub policy: Policy,
    /// Whether to serve the DHT; `None` means while a confirmed address exists.
    pub kad_server: Option<bool>,
}

/// Names of the protocols of one network.
#[derive(Debug, Clone)]
pub(crate) struct Protocols {
    pub(crate) control: StreamProtocol,
    pub(crate) bulk: StreamProtocol,
    pub(crate) kad: StreamProtocol,
    pub(crate) identify: String,
}

impl Protocols {
    /// The names in the network; refuses names that could blur them.
    pub(crate) fn of(network: &str) -> Result<Self, NetError> {
        if !is_network_name(network) {
            return Err(NetError::BadNetworkName {
                name: network.chars().take(64).collect(),
            });
        }
        let name = |protocol: &str| {
            let name = format!("/bitdust/{network}/{protocol}/2");
            StreamProtocol::try_from_owned(name).expect("it starts with a slash")
        };
        Ok(Self {
            control: name("control"),
            bulk: name("bulk"),
            kad: name("kad"),
            identify: name("id").to_string(),
        })
    }
}

/// Whether the text can name a network.
#[must_use]
pub fn is_network_name(text: &str) -> bool {
    let length_is_good = (1..=limits::NETWORK_NAME_BYTES_MAX).contains(&text.len());
    length_is_good
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_name_a_network() {
        let check = |text: &str, good: bool| assert_eq!(is_network_name(text), good, "{text:?}");
        check("main", true);
        check("practice-7f3a", true);
        check(&"a".repeat(32), true);
        check(&"a".repeat(33), false);
        check("", false);
        check("Main", false);
        check("a/b", false);
        check("müll", false);
    }

    #[test]
    fn protocol_names_carry_the_network() {
        let protocols = Protocols::of("main").expect("a good name");
        assert_eq!(protocols.kad.as_ref(), "/bitdust/main/kad/2");
        assert_eq!(protocols.control.as_ref(), "/bitdust/main/control/2");
        assert_eq!(protocols.bulk.as_ref(), "/bitdust/main/bulk/2");
        assert_eq!(protocols.identify, "/bitdust/main/id/2");
    }
}
