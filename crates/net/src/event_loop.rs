//! The event loop: owns the swarm and the tasks of all streams.
//!
//! It waits in one place and acts elsewhere; nothing in it waits for the node. While the
//! node does not take events, no further ones are made.

mod heed;
mod obey;
mod observe;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitdust_model::{DeviceId, limits};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, ConnectionId, Swarm};
use libp2p::{Multiaddr, PeerId, kad};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, warn};

use crate::address;
use crate::behaviour::Behaviour;
use crate::client::{Client, Command};
use crate::config::{NetConfig, Protocols, Scope};
use crate::dht::Dht;
use crate::error::NetError;
use crate::event::NetEvent;
use crate::local::Local;
use crate::notice::{Notice, WorkerId};
use crate::peers::{PeerState, Waiter};
use crate::transport::{self, Encryption};

use heed::peer_that_is_up;

/// How long connections may take to end in order.
const PARTING_PATIENCE: Duration = Duration::from_secs(1);

/// Owns the swarm; nothing happens on the network unless it runs.
pub struct EventLoop {
    swarm: Swarm<Behaviour>,
    me: PeerId,
    scope: Scope,
    kad_protocol: libp2p::StreamProtocol,
    kad_server: Option<bool>,
    local: Arc<Local>,
    commands: mpsc::Receiver<Command>,
    notices: mpsc::Receiver<Notice>,
    /// Cloned into the tasks of the streams.
    notice_sender: mpsc::Sender<Notice>,
    events: mpsc::Sender<NetEvent>,
    outbox: VecDeque<News>,
    peers: BTreeMap<PeerId, PeerState>,
    dials: HashMap<ConnectionId, Dial>,
    /// Dials that wait for addresses from the DHT.
    lookups: BTreeMap<PeerId, Vec<Waiter>>,
    dht: Dht,
    next_worker: WorkerId,
    tasks: JoinSet<()>,
}

/// A dial that is under way.
struct Dial {
    peer: Option<PeerId>,
    waiter: Waiter,
}

/// An event on its way to the node, with those who wait until it is told.
struct News {
    event: NetEvent,
    told: Vec<oneshot::Sender<()>>,
}

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
    let (notice_sender, notices) = mpsc::channel(limits::NET_QUEUE_MAX);
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
        notices,
        notice_sender,
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

/// How long the start waits for the addresses of its listeners.
const LISTEN_WAIT: Duration = Duration::from_secs(2);

impl EventLoop {
    /// Runs until the last client is gone, [`Client::shutdown`] is called, or nobody takes
    /// the events any more. All connections and streams end with it.
    pub async fn run(mut self) {
        let mut sweep = interval(
            self.local
                .policy
                .request_timeout
                .max(Duration::from_millis(1)),
        );
        let events = self.events.clone();
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_news = !self.outbox.is_empty();
            let may_go_on = self.outbox.len() < limits::NET_QUEUE_MAX;
            tokio::select! {
                permit = events.reserve(), if has_news => {
                    let Ok(permit) = permit else {
                        break;
                    };
                    if let Some(News { event, told }) = self.outbox.pop_front() {
                        let peer = peer_that_is_up(&event);
                        permit.send(event);
                        told.into_iter().for_each(acknowledge);
                        if let Some(peer) = peer {
                            self.settle(peer);
                        }
                    }
                }
                command = self.commands.recv() => match command {
                    Some(Command::Shutdown) | None => break,
                    Some(command) => self.obey(command),
                },
                Some(notice) = self.notices.recv(), if may_go_on => self.heed(notice),
                event = self.swarm.select_next_some(), if may_go_on => self.observe(event),
                Some(ended) = self.tasks.join_next() => log_panic(ended),
                _ = sweep.tick() => self.sweep(),
            }
        }
        self.tasks.shutdown().await;
        self.part().await;
    }

    /// Ends all connections in order, so that no peer counts this node among its connections
    /// until a time-out.
    async fn part(&mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // One that has gone meanwhile is what is wanted.
            let _gone = self.swarm.disconnect_peer_id(peer);
        }
        let parting = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(PARTING_PATIENCE, parting).await.is_err() {
            debug!("Some connections were left to their time-outs");
        }
    }

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
                self.observe(event);
            }
        };
        if timeout(LISTEN_WAIT, heard).await.is_err() && self.swarm.listeners().next().is_none() {
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

    /// A node serves the DHT while others can reach it; a relayed address does not count.
    fn update_kad_mode(&mut self) {
        let is_reachable = self
            .swarm
            .external_addresses()
            .any(|address| !address::is_relayed(address));
        let serves = self.kad_server.unwrap_or(is_reachable);
        let mode = if serves {
            kad::Mode::Server
        } else {
            kad::Mode::Client
        };
        self.swarm.behaviour_mut().kad.set_mode(Some(mode));
    }

    /// All addresses of this node, for its own eyes.
    fn all_addresses(&self) -> Vec<String> {
        let listeners = self
            .swarm
            .listeners()
            .chain(self.swarm.external_addresses());
        distinct(listeners.map(|address| address::with_peer(address, self.me)))
    }

    /// The addresses that a peer is told. Those of the local network are nobody's business
    /// who is not in it.
    fn addresses_for(&self, peer: &PeerId) -> Vec<String> {
        let is_near = self.peers.get(peer).is_some_and(|state| {
            state
                .connections
                .values()
                .any(|connection| address::is_local(&connection.remote))
        });
        let told = |address: &&Multiaddr| address::may_be_told(self.scope, is_near, address);
        let listeners = self.swarm.listeners().filter(told);
        let all = self.swarm.external_addresses().chain(listeners);
        let mut addresses = distinct(all.map(|address| address::with_peer(address, self.me)));
        addresses.truncate(limits::ADDRESSES_MAX);
        addresses
    }

    fn tell(&mut self, event: NetEvent) {
        self.outbox.push_back(News {
            event,
            told: Vec::new(),
        });
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        let idle_max = self.local.policy.request_timeout;
        for state in self.peers.values_mut() {
            state.pool.sweep(now, idle_max, state.pinned);
        }
        Dht::sweep(&mut self.swarm.behaviour_mut().kad);
    }
}

fn acknowledge(told: oneshot::Sender<()>) {
    // A task that has ended meanwhile does not need to know.
    let _was_heard = told.send(());
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        warn!(%error, "The task of a stream panicked");
    }
}

fn distinct(addresses: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for address in addresses {
        if !seen.contains(&address) {
            seen.push(address);
        }
    }
    seen
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
