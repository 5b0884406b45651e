//! Hello, requests, timeouts, encryptions, networks and scopes.

use std::time::Duration;

use bitdust_model::message::Body;
use bitdust_model::{ByteCount, DeviceId, ErrorCode};
use tokio::sync::mpsc::error::TryRecvError;

use super::support::{ByHand, Node, config, pair, soon};
use crate::streams::StreamKind;
use crate::transport::Encryption;
use crate::{NetError, NetEvent, Path, Peer, Scope, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_and_a_request_over_tcp() {
    hello_and_request(Path::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_and_a_request_over_quic() {
    hello_and_request(Path::Quic).await;
}

async fn hello_and_request(path: Path) {
    let mut alice = Node::start(1).await;
    let mut bob = Node::start(2).await;
    let address = if path == Path::Tcp {
        alice.tcp.clone()
    } else {
        alice.quic.clone()
    };
    let found = soon(bob.client.dial_address(&address)).await;
    assert_eq!(found, Ok(alice.device));

    let seen_by_bob = bob.peer_up().await;
    assert_eq!(
        (seen_by_bob.device, seen_by_bob.identity, seen_by_bob.path),
        (alice.device, alice.identity, path)
    );
    assert_eq!(seen_by_bob.certificate.nickname, "tester");
    assert_eq!(
        seen_by_bob.addresses.first(),
        Some(&address),
        "the address that was dialed comes first"
    );
    assert!(
        seen_by_bob.addresses.contains(&alice.quic),
        "alice also says where else she listens"
    );
    let seen_by_alice = alice.peer_up().await;
    assert_eq!(
        (
            seen_by_alice.device,
            seen_by_alice.identity,
            seen_by_alice.path
        ),
        (bob.device, bob.identity, path)
    );
    assert!(
        seen_by_alice.addresses.contains(&bob.tcp),
        "bob says where he listens"
    );

    let client = bob.client.clone();
    let device = alice.device;
    let asking = tokio::spawn(async move { client.request(device, Body::SpaceAsk).await });
    let NetEvent::Request { from, body, reply } = alice.event().await else {
        panic!("a request should come");
    };
    assert_eq!(
        from,
        Peer {
            device: bob.device,
            identity: bob.identity
        }
    );
    assert_eq!(*body, Body::SpaceAsk);
    reply.send(Body::SpaceFree(ByteCount(7)));
    assert_eq!(
        soon(asking).await.expect("no panic"),
        Ok(Body::SpaceFree(ByteCount(7)))
    );

    refused_the_other_way(&alice, &mut bob).await;
}

/// The other direction needs no further dial.
async fn refused_the_other_way(alice: &Node, bob: &mut Node) {
    let client = alice.client.clone();
    let device = bob.device;
    let asking =
        tokio::spawn(async move { client.request(device, Body::HeadsAsk { after: None }).await });
    let NetEvent::Request { reply, .. } = bob.event().await else {
        panic!("a request should come");
    };
    reply.refuse(ErrorCode::NoContract);
    let refused = soon(asking)
        .await
        .expect("no panic")
        .expect_err("bob refused");
    assert_eq!(refused.code(), ErrorCode::NoContract);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_an_id_tells_who_answers_there() {
    let alice = Node::start(1).await;
    let bob = Node::start(2).await;
    let (place, _) = alice.tcp.split_once("/p2p/").expect("it ends with the id");
    assert_eq!(soon(bob.client.dial_address(place)).await, Ok(alice.device));
    assert_eq!(soon(bob.client.peers()).await.expect("it runs").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_run_side_by_side_and_answers_find_their_way() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let mut asking = Vec::new();
    for _ in 0..3 {
        let client = bob.client.clone();
        let device = alice.device;
        asking.push(tokio::spawn(async move {
            client.request(device, Body::SpaceAsk).await
        }));
    }
    let mut replies = Vec::new();
    for _ in 0..3 {
        let NetEvent::Request { reply, .. } = alice.event().await else {
            panic!("a request should come before any is answered");
        };
        replies.push(reply);
    }
    for (number, reply) in (0..).zip(replies) {
        reply.send(Body::SpaceFree(ByteCount(number)));
    }
    let mut answers = Vec::new();
    for asking in asking {
        match soon(asking).await.expect("no panic") {
            Ok(Body::SpaceFree(bytes)) => answers.push(bytes.0),
            other => panic!("not an answer: {other:?}"),
        }
    }
    answers.sort_unstable();
    assert_eq!(answers, [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_wait_for_their_turn() {
    let (alice, bob) = pair(Path::Quic).await;
    let device = alice.device;
    let _answering = alice.answer_always(Body::Done);
    let asking = (0..40).map(|_| bob.client.request(device, Body::SpaceAsk));
    let answers = soon(futures::future::join_all(asking)).await;
    assert_eq!(answers, vec![Ok(Body::Done); 40]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_node_times_out_and_the_next_request_works() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let device = alice.device;
    let limit = Duration::from_millis(100);
    // On a busy machine the time may be over before the request has left: it is made until
    // alice has heard one.
    let _unanswered = loop {
        let asked = soon(bob.client.hurried(limit).request(device, Body::SpaceAsk)).await;
        assert_eq!(asked, Err(NetError::timed_out(limit)), "alice is silent");
        match alice.events.try_recv() {
            Ok(NetEvent::Request { reply, .. }) => break reply,
            Ok(NetEvent::Listening { .. }) | Err(TryRecvError::Empty) => {}
            other => panic!("not a request: {other:?}"),
        }
    };
    let answering = alice.answer_always(Body::Done);
    assert_eq!(
        soon(bob.client.request(device, Body::SpaceAsk)).await,
        Ok(Body::Done)
    );
    answering.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_dropped_is_refused() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = bob.client.clone();
    let device = alice.device;
    let asking = tokio::spawn(async move { client.request(device, Body::SpaceAsk).await });
    drop(alice.event().await);
    let refused = soon(asking)
        .await
        .expect("no panic")
        .expect_err("nobody answered");
    assert_eq!(refused.code(), ErrorCode::Internal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_leaves_is_told_and_cannot_be_asked() {
    let (alice, mut bob) = pair(Path::Tcp).await;
    let device = alice.device;
    soon(alice.client.disconnect(bob.device))
        .await
        .expect("it runs");
    let NetEvent::PeerDown { device: gone } = bob.event().await else {
        panic!("alice has left");
    };
    assert_eq!(gone, device);
    let refused = soon(bob.client.request(device, Body::SpaceAsk))
        .await
        .expect_err("alice has left");
    assert_eq!(refused.code(), ErrorCode::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_not_sent() {
    let (alice, bob) = pair(Path::Tcp).await;
    let refused = soon(bob.client.request(alice.device, Body::Done))
        .await
        .expect_err("that is an answer");
    assert_eq!(refused.code(), ErrorCode::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_noise_are_both_spoken() {
    let both = Node::start(1).await;
    let tls = Node::start_as(config(2), Encryption::TlsOnly).await;
    let noise = Node::start_as(config(3), Encryption::NoiseOnly).await;
    soon(tls.client.dial(both.device, vec![both.tcp.clone()]))
        .await
        .expect("TLS is accepted");
    soon(noise.client.dial(both.device, vec![both.tcp.clone()]))
        .await
        .expect("Noise is accepted");
    let strangers = soon(noise.client.dial(tls.device, vec![tls.tcp.clone()])).await;
    assert!(
        matches!(strangers, Err(NetError::Unreachable { .. })),
        "the two offer nothing in common: {strangers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_of_different_names_do_not_talk() {
    let mut other = config(1);
    other.network = "another-network".to_owned();
    let mut alice = Node::start_as(other, Encryption::Both).await;
    let bob = Node::start(2).await;
    let refused = soon(bob.client.dial(alice.device, vec![alice.tcp.clone()]))
        .await
        .expect_err("another network");
    assert_eq!(refused.code(), ErrorCode::Incompatible, "{refused}");
    assert!(soon(bob.client.peers()).await.expect("it runs").is_empty());
    assert_eq!(
        soon(bob.client.bootstrap()).await,
        Err(NetError::NoPeers),
        "nor do their DHTs meet"
    );
    soon(alice.client.shutdown()).await;
    while let Some(event) = soon(alice.events.recv()).await {
        assert!(
            matches!(event, NetEvent::Listening { .. }),
            "alice was told of nobody: {event:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scope_loopback_neither_listens_nor_dials_outside() {
    let mut wide = config(1);
    wide.listen = vec!["/ip4/0.0.0.0/tcp/0".to_owned()];
    let refused = start(wide).await.map(drop);
    assert!(
        matches!(refused, Err(NetError::OutOfScope { .. })),
        "{refused:?}"
    );
    let bob = Node::start(2).await;
    for address in [
        "/ip4/8.8.8.8/tcp/4001",
        "/dns4/localhost/tcp/4001",
        "/ip4/192.168.0.1/udp/4001/quic-v1",
    ] {
        let refused = soon(bob.client.dial_address(address)).await;
        assert!(
            matches!(refused, Err(NetError::OutOfScope { .. })),
            "{refused:?}"
        );
        let refused = soon(bob.client.dial(
            DeviceId(config(1).device.public()),
            vec![address.to_owned()],
        ))
        .await;
        assert!(
            matches!(refused, Err(NetError::OutOfScope { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn the_gate_of_the_transport_holds_by_itself() {
    use libp2p::core::transport::{DialOpts, ListenerId, PortUse, TransportError};
    use libp2p::{Transport, core::Endpoint};

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let keypair = libp2p::identity::Keypair::generate_ed25519();
    let mut transport = crate::transport::build(
        &keypair,
        Scope::Loopback,
        Encryption::Both,
        Duration::from_secs(10),
    )
    .expect("transports");
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    for address in [
        "/ip4/8.8.8.8/tcp/1",
        "/ip4/0.0.0.0/tcp/1",
        "/ip4/8.8.8.8/udp/1/quic-v1",
        "/dns4/localhost/tcp/1",
    ] {
        let dialed = transport
            .dial(address.parse().expect("an address"), options)
            .map(drop);
        assert!(
            matches!(dialed, Err(TransportError::MultiaddrNotSupported(_))),
            "{address}"
        );
    }
    let listened = transport.listen_on(
        ListenerId::next(),
        "/ip4/0.0.0.0/tcp/0".parse().expect("an address"),
    );
    assert!(matches!(
        listened,
        Err(TransportError::MultiaddrNotSupported(_))
    ));
    assert!(
        transport
            .dial("/ip4/127.0.0.1/tcp/1".parse().expect("an address"), options)
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_network_name_is_refused() {
    let mut bad = config(1);
    bad.network = "Main/x".to_owned();
    assert!(matches!(
        start(bad).await.map(drop),
        Err(NetError::BadNetworkName { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_addresses_among_good_ones_are_passed_over() {
    let alice = Node::start(1).await;
    let bob = Node::start(2).await;
    let addresses = vec![
        "no address".to_owned(),
        "/ip4/8.8.8.8/tcp/1".to_owned(),
        alice.tcp.clone(),
    ];
    assert_eq!(soon(bob.client.dial(alice.device, addresses)).await, Ok(()));
    let refused = soon(
        bob.client
            .dial(DeviceId(config(3).device.public()), vec![alice.tcp.clone()]),
    )
    .await;
    assert!(
        matches!(refused, Err(NetError::BadRequest { .. })),
        "the address names another device: {refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_cut_off() {
    use tokio::io::AsyncReadExt;

    let mut hasty = config(1);
    hasty.policy.request_timeout = Duration::from_millis(500);
    let alice = Node::start_as(hasty, Encryption::Both).await;
    let (host, port) = alice.tcp.split_once("/tcp/").expect("a TCP address");
    let host = host.rsplit('/').next().expect("an IP address");
    let port = port
        .split('/')
        .next()
        .expect("a port")
        .parse::<u16>()
        .expect("a number");
    let mut socket = soon(tokio::net::TcpStream::connect((host, port)))
        .await
        .expect("alice listens");
    let mut heard = Vec::new();
    let ended = soon(socket.read_to_end(&mut heard)).await;
    assert!(
        heard.len() < 100,
        "alice said no more than a greeting before she closed: {ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_an_address_is_an_error_not_a_wait() {
    let bob = Node::start(2).await;
    let refused = soon(bob.client.dial_address("/ip4/127.0.0.1/tcp/1"))
        .await
        .expect_err("nobody is there");
    assert_eq!(refused.code(), ErrorCode::Unreachable);
}

/// Whoever dials tries several addresses at once and drops all connections but one.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_peer_drops_does_not_stand_in_for_a_dial() {
    let mut patient = config(1);
    patient.policy.request_timeout = Duration::from_secs(600);
    let alice = Node::start_as(patient, Encryption::Both).await;
    let (bob, dropped) = (Node::start(2).await, ByHand::start(2).await);
    dropped.connect(&alice).await;
    let dial = alice.client.dial(bob.device, vec![bob.quic.clone()]);
    soon(dial).await.expect("bob answers where he listens");
    drop(dropped);
    let answering = bob.answer_always(Body::Done);
    let answer = soon(alice.client.request(bob_device(), Body::SpaceAsk)).await;
    assert_eq!(answer, Ok(Body::Done));
    answering.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_cannot_be_dialed_but_has_dialed_is_waited_for() {
    let alice = Node::start(1).await;
    let mut bob = ByHand::start(2).await;
    bob.connect(&alice).await;
    let nowhere = "/ip4/127.0.0.1/tcp/1".to_owned();
    let client = alice.client.clone();
    let dial = tokio::spawn(async move { client.dial(bob_device(), vec![nowhere]).await });
    let welcomed = bob.welcome(alice.device).await;
    assert!(welcomed.is_ok(), "{:?}", welcomed.err());
    assert_eq!(soon(dial).await.expect("no panic"), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_up_ends_the_wait_for_a_dial() {
    let mut patient = config(1);
    patient.policy.request_timeout = Duration::from_secs(600);
    let alice = Node::start_as(patient, Encryption::Both).await;
    let bob = ByHand::start(2).await;
    // Accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let client = alice.client.clone();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let dial = tokio::spawn(async move { client.dial(bob_device(), vec![address]).await });
    let _dialed = tokio::task::spawn_blocking(move || silent.accept().expect("a connection"))
        .await
        .expect("no panic");
    assert!(!dial.is_finished());
    bob.dial(&alice.tcp).await;
    let mut stream = bob.open(alice.device, StreamKind::Control).await;
    let greeting = bob.local.say_hello(&mut stream, alice.device, Vec::new());
    assert!(soon(greeting).await.is_ok());
    assert_eq!(soon(dial).await.expect("no panic"), Ok(()));
}

fn bob_device() -> DeviceId {
    DeviceId(config(2).device.public())
}

/// Whoever dialed may look for the peer among those that are up at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_dial_is_answered_when_the_news_of_the_peer_is_in_the_queue() {
    let alice = Node::start(1).await;
    let mut bob = Node::start(2).await;
    for _ in 0..10 {
        let dialed = soon(bob.client.dial_address(&alice.tcp)).await;
        assert_eq!(dialed, Ok(alice.device));
        let mut waiting = std::iter::from_fn(|| bob.events.try_recv().ok());
        let is_up = waiting.any(|event| matches!(event, NetEvent::PeerUp(_)));
        assert!(is_up, "its news is late");
        soon(bob.client.disconnect(alice.device))
            .await
            .expect("it goes");
        while !matches!(bob.event().await, NetEvent::PeerDown { .. }) {}
    }
}
