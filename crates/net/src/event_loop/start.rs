//! The start of the network: the swarm, its listeners and the addresses confirmed by hand.
//!
//! Nothing outside of the scope is listened on.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bitdust_model::intervals::LISTEN_PATIENCE;
use bitdust_model::{DeviceId, limits};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, Swarm};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::state::EventLoop;
use crate::address;
use crate::behaviour::Behaviour;
use crate::client::Client;
use crate::config::{NetConfig, Protocols, Scope};
use crate::dht::Dht;
use crate::error::NetError;
use crate::event::NetEvent;
use crate::local::Local;
use crate::task_event::WorkerId;
use crate::transport::{self, Encryption};

/// Sets the network up: listens, and returns the client, the events and the event loop,
/// which does nothing until [`EventLoop::run`] runs in a task. Needs a tokio runtime.
pub async fn start(
    config: NetConfig,
) -> Result<(Client, mpsc::Receiver<NetEvent>, EventLoop), NetError> {
    start_with(config, Encryption::Both).await
}

pub(crate) async fn start_with(
    config: NetConfig,
    encryption: Encryption,
) -> Result<(Client, mpsc::Receiver<NetEvent>, EventLoop), NetError> {
    let protocols = Protocols::of(&config.network)?;
    let device = DeviceId(config.device.public());
    let swarm = swarm_of(&config, &protocols, encryption)?;
    let (client, commands) = Client::new(config.policy.request_timeout);
    let (events, event_receiver) = mpsc::channel(limits::NET_QUEUE_MAX);
    let (task_event_sender, task_events) = mpsc::channel(limits::NET_QUEUE_MAX);
    let dht = Dht::new(
        config.network.clone(),
        config.scope,
        config.policy.record_lifetime,
    );
    let local = Local {
        key: config.device,
        device,
        network: config.network,
        certificate: config.certificate,
        policy: config.policy,
        buffers: Arc::default(),
    };
    let mut event_loop = EventLoop {
        me: *swarm.local_peer_id(),
        swarm,
        scope: config.scope,
        kad_protocol: protocols.kad,
        kad_server: config.kad_server,
        local: Arc::new(local),
        commands,
        task_events,
        task_event_sender,
        events,
        outbox: VecDeque::new(),
        peers: BTreeMap::new(),
        dials: HashMap::new(),
        lookups: BTreeMap::new(),
        dht,
        next_worker: WorkerId(0),
        tasks: JoinSet::new(),
    };
    event_loop.confirm(&config.external)?;
    event_loop.listen(&config.listen).await?;
    Ok((client, event_receiver, event_loop))
}

fn swarm_of(
    config: &NetConfig,
    protocols: &Protocols,
    encryption: Encryption,
) -> Result<Swarm<Behaviour>, NetError> {
    let NetConfig { scope, policy, .. } = config;
    let setup = |error: libp2p::identity::DecodingError| NetError::Setup {
        reason: error.to_string(),
    };
    let keypair = Keypair::ed25519_from_bytes(*config.device.seed()).map_err(setup)?;
    let transport = transport::build(&keypair, *scope, encryption, policy.request_timeout)?;
    let behaviour = Behaviour::new(&keypair, protocols, *scope, policy);
    let idle = policy.stall_timeout.saturating_mul(2);
    let settings = swarm::Config::with_tokio_executor().with_idle_connection_timeout(idle);
    Ok(Swarm::new(
        transport,
        behaviour,
        keypair.public().to_peer_id(),
        settings,
    ))
}

impl EventLoop {
    async fn listen(&mut self, addresses: &[String]) -> Result<(), NetError> {
        let chosen = !addresses.is_empty();
        let defaults = default_listen(self.scope).map(str::to_owned);
        let mut silent = Vec::new();
        for text in if chosen { addresses } else { &defaults } {
            let (address, _) = address::parse(text)?;
            if !address::admits(self.scope, &address) {
                return Err(NetError::OutOfScope {
                    address: text.clone(),
                });
            }
            match self.swarm.listen_on(address) {
                Ok(listener) => silent.push(listener),
                Err(error) if chosen => {
                    return Err(NetError::Listen {
                        address: text.clone(),
                        reason: error.to_string(),
                    });
                }
                Err(error) => debug!(address = text, %error, "Not listening on a default address"),
            }
        }
        if silent.is_empty() {
            return Err(NetError::Listen {
                address: defaults.join(" "),
                reason: "none of the default addresses can be used".to_owned(),
            });
        }
        // A listener on all addresses of a family that this machine lacks stays silent.
        let heard = async {
            while !silent.is_empty() {
                let event = self.swarm.select_next_some().await;
                if let swarm::SwarmEvent::NewListenAddr { listener_id, .. } = &event {
                    silent.retain(|listener| listener != listener_id);
                }
                self.on_swarm_event(event);
            }
        };
        if timeout(LISTEN_PATIENCE, heard).await.is_err() && self.swarm.listeners().next().is_none()
        {
            return Err(NetError::Listen {
                address: addresses.join(" "),
                reason: "the system reports no address".to_owned(),
            });
        }
        Ok(())
    }

    /// Addresses that a person has confirmed.
    fn confirm(&mut self, addresses: &[String]) -> Result<(), NetError> {
        for text in addresses {
            let (address, _) = address::parse(text)?;
            if !address::admits(self.scope, &address) {
                return Err(NetError::OutOfScope {
                    address: text.clone(),
                });
            }
            self.swarm.add_external_address(address);
        }
        self.update_kad_mode();
        Ok(())
    }
}

const fn default_listen(scope: Scope) -> [&'static str; 4] {
    match scope {
        Scope::Loopback => [
            "/ip4/127.0.0.1/tcp/0",
            "/ip4/127.0.0.1/udp/0/quic-v1",
            "/ip6/::1/tcp/0",
            "/ip6/::1/udp/0/quic-v1",
        ],
        Scope::Lan | Scope::Internet => [
            "/ip4/0.0.0.0/tcp/0",
            "/ip4/0.0.0.0/udp/0/quic-v1",
            "/ip6/::/tcp/0",
            "/ip6/::/udp/0/quic-v1",
        ],
    }
}
