//! The behaviours of a node, put together.
//!
//! Left out on purpose, to be added here: relay, hole punching, AutoNAT, port mapping and
//! discovery on the local network. In scope `loopback` none of them may ever be started.

use std::num::NonZeroUsize;
use std::time::Duration;

use bitdust_model::{Policy, limits};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{PeerId, identify, kad, memory_connection_limits, ping};

use crate::config::{Protocols, Scope};
use crate::{reluctance, streams};

/// All that a node does on the network.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) memory: memory_connection_limits::Behaviour,
    pub(crate) reluctance: reluctance::Behaviour,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) kad: kad::Behaviour<MemoryStore>,
    pub(crate) streams: streams::Behaviour,
}

impl Behaviour {
    pub(crate) fn new(
        keypair: &Keypair,
        protocols: &Protocols,
        scope: Scope,
        policy: &Policy,
    ) -> Self {
        let me = keypair.public().to_peer_id();
        let pending = Some(limits::CONNECTIONS_PENDING_MAX);
        let connections = ConnectionLimits::default()
            .with_max_pending_incoming(pending)
            .with_max_pending_outgoing(pending)
            .with_max_established(Some(limits::CONNECTIONS_MAX))
            .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER_MAX));
        let identify = identify::Config::new(protocols.identify.clone(), keypair.public())
            .with_agent_version(concat!("bitdust/", env!("CARGO_PKG_VERSION")).to_owned())
            .with_push_listen_addr_updates(true)
            .with_hide_listen_addrs(scope == Scope::Internet);
        Self {
            limits: connection_limits::Behaviour::new(connections),
            memory: memory_connection_limits::Behaviour::with_max_bytes(
                limits::NET_PROCESS_BYTES_MAX,
            ),
            reluctance: reluctance::Behaviour::new(policy),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            kad: kad_behaviour(me, protocols, policy),
            streams: streams::Behaviour::new(protocols, scope),
        }
    }
}

/// Kademlia that stores only what we have checked, and leaves republishing to us.
fn kad_behaviour(
    me: PeerId,
    protocols: &Protocols,
    policy: &Policy,
) -> kad::Behaviour<MemoryStore> {
    let store = MemoryStoreConfig {
        max_records: 2 * limits::DHT_RECORDS_MAX,
        max_value_bytes: limits::DHT_VALUE_BYTES_MAX + 1,
        ..MemoryStoreConfig::default()
    };
    let mut config = kad::Config::new(protocols.kad.clone());
    config
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_caching(kad::Caching::Disabled)
        .set_record_ttl(Some(policy.record_lifetime))
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_record_ttl(Some(policy.record_lifetime))
        .set_provider_publication_interval(None)
        .set_replication_factor(REPLICATION)
        .disjoint_query_paths(true)
        .set_parallelism(PARALLELISM)
        .set_query_timeout(query_timeout(policy));
    kad::Behaviour::with_config(me, MemoryStore::with_config(me, store), config)
}

/// Nodes that are asked to keep each record.
pub(crate) const REPLICATION: NonZeroUsize = NonZeroUsize::new(20).expect("twenty is not zero");

/// Nodes that a query asks at once, each on a path of its own: one that is dead holds up its own path
/// only, and three of six may be dead.
const PARALLELISM: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// A query asks many nodes, some of which are gone.
fn query_timeout(policy: &Policy) -> Duration {
    policy.request_timeout.saturating_mul(2)
}
