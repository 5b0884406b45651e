//! Nodes for tests, and a peer that speaks the protocols by hand.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bitdust_crypto::SigningKey;
use bitdust_model::locator::Certificate;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, Epoch, IdentityId, Policy, Signed, UnixMillis};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::address::peer_of;
use crate::config::Protocols;
use crate::event_loop::start_with;
use crate::local::Local;
use crate::streams::{self, DirectStream, InboundStream, StreamKind, StreamReply};
use crate::transport::{self, Encryption};
use crate::{Client, NetConfig, NetError, NetEvent, Path, PeerUp, Scope};

pub(super) const NETWORK: &str = "test-network";

/// A node of the network under test.
pub(super) struct Node {
    pub(super) client: Client,
    pub(super) events: mpsc::Receiver<NetEvent>,
    pub(super) device: DeviceId,
    pub(super) identity: IdentityId,
    pub(super) key: SigningKey,
    pub(super) tcp: String,
    pub(super) quic: String,
    task: JoinHandle<()>,
}

impl Node {
    /// A node with keys made of the number.
    pub(super) async fn start(number: u8) -> Self {
        Self::start_as(config(number), Encryption::Both).await
    }

    pub(super) async fn start_as(config: NetConfig, encryption: Encryption) -> Self {
        let key = config.device.clone();
        let identity = IdentityId(config.certificate.signer);
        let (client, mut events, event_loop) = start_with(config, encryption)
            .await
            .expect("loopback can be listened on");
        let task = tokio::spawn(event_loop.run());
        let (tcp, quic) = loop {
            let listening = soon(client.listening()).await.expect("the event loop runs");
            let find = |path| {
                let mut of_path = listening.iter().filter(|address| path_of(address) == path);
                of_path.next().cloned()
            };
            if let (Some(tcp), Some(quic)) = (find(Path::Tcp), find(Path::Quic)) {
                break (tcp, quic);
            }
            // A node starts with one listener where the other takes too long; that is told later.
            let event = soon(events.recv()).await.expect("the event loop runs");
            assert!(matches!(event, NetEvent::Listening { .. }), "{event:?}");
        };
        Self {
            client,
            events,
            device: DeviceId(key.public()),
            identity,
            key,
            tcp,
            quic,
            task,
        }
    }

    /// The next event but news about listening.
    pub(super) async fn event(&mut self) -> NetEvent {
        loop {
            let event = soon(self.events.recv()).await.expect("the event loop runs");
            if !matches!(event, NetEvent::Listening { .. }) {
                return event;
            }
        }
    }

    /// The next event, which must be a peer that is up.
    pub(super) async fn peer_up(&mut self) -> PeerUp {
        let event = self.event().await;
        let NetEvent::PeerUp(up) = event else {
            panic!("a peer should be up, but: {event:?}");
        };
        *up
    }

    /// Answers every request in the same way from now on.
    pub(super) fn answer_always(mut self, answer: Body) -> JoinHandle<()> {
        tokio::spawn(async move {
            while let Some(event) = self.events.recv().await {
                if let NetEvent::Request { reply, .. } = event {
                    reply.send(answer.clone());
                }
            }
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Two connected nodes that have told each other's arrival, over TCP or QUIC.
pub(super) async fn pair(path: Path) -> (Node, Node) {
    let mut alice = Node::start(1).await;
    let mut bob = Node::start(2).await;
    let address = match path {
        Path::Tcp => &alice.tcp,
        Path::Quic => &alice.quic,
    };
    soon(bob.client.dial(alice.device, vec![address.clone()]))
        .await
        .expect("alice answers");
    alice.peer_up().await;
    bob.peer_up().await;
    (alice, bob)
}

pub(super) fn config(number: u8) -> NetConfig {
    let device = SigningKey::from_seed(&[number; 32]);
    let root = SigningKey::from_seed(&[number ^ 0x80; 32]);
    NetConfig {
        network: NETWORK.to_owned(),
        scope: Scope::Loopback,
        listen: Vec::new(),
        external: Vec::new(),
        certificate: certify(&root, DeviceId(device.public())),
        device,
        policy: Policy::default(),
        kad_server: None,
    }
}

pub(crate) fn certify(root: &SigningKey, device: DeviceId) -> Signed<Certificate> {
    root.sign(&Certificate {
        identity: IdentityId(root.public()),
        device,
        exchange: [0; 32],
        epoch: Epoch(0),
        issued_at: UnixMillis(0),
        nickname: "tester".to_owned(),
    })
}

/// Waits, but not for ever.
pub(super) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("it happens within a minute")
}

fn path_of(address: &str) -> Path {
    if address.contains("quic") {
        Path::Quic
    } else {
        Path::Tcp
    }
}

/// A peer that opens and serves streams by hand, as honestly as the test wants.
pub(super) struct ByHand {
    pub(super) local: Arc<Local>,
    pub(super) device: DeviceId,
    pub(super) address: String,
    orders: mpsc::Sender<Order>,
    pub(super) inbound: mpsc::Receiver<InboundStream>,
    pub(super) closed: mpsc::Receiver<PeerId>,
    task: JoinHandle<()>,
}

enum Order {
    Dial(Multiaddr, oneshot::Sender<()>),
    Open(PeerId, StreamKind, StreamReply),
}

impl ByHand {
    pub(super) async fn start(number: u8) -> Self {
        let NetConfig {
            device: key,
            certificate,
            policy,
            ..
        } = config(number);
        let keypair = Keypair::ed25519_from_bytes(*key.seed()).expect("a seed");
        let me = keypair.public().to_peer_id();
        let protocols = Protocols::of(NETWORK).expect("a good name");
        let transport = transport::build(
            &keypair,
            Scope::Loopback,
            Encryption::Both,
            Duration::from_secs(10),
        )
        .expect("transports");
        let behaviour = streams::Behaviour::new(&protocols, Scope::Loopback);
        let patient = swarm::Config::with_tokio_executor()
            .with_idle_connection_timeout(Duration::from_secs(60));
        let mut swarm = Swarm::new(transport, behaviour, me, patient);
        swarm
            .listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address"))
            .expect("loopback can be listened on");
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = soon(swarm.select_next_some()).await
            {
                break crate::address::with_peer(&address, me);
            }
        };
        let device = DeviceId(key.public());
        let local = Local {
            key,
            device,
            network: NETWORK.to_owned(),
            certificate,
            policy,
            buffers: Arc::default(),
        };
        let (orders, received) = mpsc::channel(8);
        let (inbound_sender, inbound) = mpsc::channel(8);
        let (closed_sender, closed) = mpsc::channel(8);
        let task = tokio::spawn(drive(swarm, received, inbound_sender, closed_sender));
        Self {
            local: Arc::new(local),
            device,
            address,
            orders,
            inbound,
            closed,
            task,
        }
    }

    pub(super) async fn dial(&self, address: &str) {
        let (done, wait) = oneshot::channel();
        let address = address.parse().expect("an address");
        assert!(self.orders.send(Order::Dial(address, done)).await.is_ok());
        soon(wait).await.expect("the node answers");
    }

    /// Dials a node, which then counts it among its peers but does not know who it is.
    pub(super) async fn connect(&self, node: &Node) {
        self.dial(&node.tcp).await;
        let mut stream = self.open(node.device, StreamKind::Control).await;
        let challenge = crate::wire::exchange_challenges(&mut stream, &[1; 16]);
        soon(challenge).await.expect("the node says its challenge");
    }

    pub(super) async fn open(&self, device: DeviceId, kind: StreamKind) -> DirectStream {
        let (reply, stream) = oneshot::channel();
        let peer = peer_of(&device).expect("a key");
        assert!(
            self.orders
                .send(Order::Open(peer, kind, reply))
                .await
                .is_ok()
        );
        soon(stream).await.expect("an answer").expect("a stream")
    }

    /// The next stream that the other side opens, after an honest Hello.
    pub(super) async fn welcome(
        &mut self,
        from: DeviceId,
    ) -> Result<(InboundStream, crate::session::Session), NetError> {
        let mut inbound = soon(self.inbound.recv()).await.expect("a stream is opened");
        let (session, _) = soon(
            self.local
                .answer_hello(&mut inbound.stream, from, Vec::new()),
        )
        .await?;
        Ok((inbound, session))
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the swarm's many events three matter here"
)]
async fn drive(
    mut swarm: Swarm<streams::Behaviour>,
    mut orders: mpsc::Receiver<Order>,
    inbound: mpsc::Sender<InboundStream>,
    closed: mpsc::Sender<PeerId>,
) {
    let mut dialing = None;
    loop {
        tokio::select! {
            event = swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(stream) => drop(inbound.send(stream).await),
                SwarmEvent::ConnectionEstablished { .. } => drop(dialing.take().map(|done: oneshot::Sender<()>| done.send(()))),
                SwarmEvent::ConnectionClosed { peer_id, .. } => drop(closed.send(peer_id).await),
                _ => {}
            },
            order = orders.recv() => match order {
                Some(Order::Dial(address, done)) => {
                    swarm.dial(address).expect("a good address");
                    dialing = Some(done);
                }
                Some(Order::Open(peer, kind, reply)) => swarm.behaviour_mut().open(peer, kind, reply),
                None => return,
            },
        }
    }
}
