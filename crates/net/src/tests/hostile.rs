//! Peers that cheat: replayed packets, bytes that nobody admitted, streams without an end.

use std::time::Duration;

use bitdust_model::message::{Body, Fetch, FetchTarget};
use bitdust_model::{ByteCount, DeviceId, ErrorCode, UnixMillis};
use bytes::Bytes;
use futures::AsyncWriteExt;

use super::bulk::{POSITION, SHARD, bulk_server, collect, content, header, store};
use super::support::{ByHand, Node, config, soon};
use crate::bulk::{Frame, Frames, RequestId};
use crate::session::Session;
use crate::streams::{DirectStream, InboundStream, StreamKind};
use crate::transport::Encryption;
use crate::{BulkClient, BulkRequest, NetError, NetEvent, wire};

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_sent_twice_is_served_once_and_the_connection_closed() {
    let mut alice = Node::start(1).await;
    let mut mallory = ByHand::start(9).await;
    mallory.dial(&alice.tcp).await;
    let (mut stream, mut session) = greet(&mallory, alice.device, StreamKind::Control).await;
    alice.peer_up().await;

    let packet = session
        .outgoing
        .seal(&mallory.local.key, Body::SpaceAsk, UnixMillis(0))
        .expect("a short packet");
    soon(wire::write_packet(&mut stream, &packet))
        .await
        .expect("it streams");
    let NetEvent::Request { reply, .. } = alice.event().await else {
        panic!("the first is served");
    };
    reply.send(Body::SpaceFree(ByteCount(1)));
    let answer = soon(wire::read_packet(&mut stream))
        .await
        .expect("an answer");
    assert_eq!(
        session.incoming.open(&answer),
        Ok(Body::SpaceFree(ByteCount(1)))
    );

    // The connection is closed at once, which may overtake the refusal.
    drop(soon(wire::write_packet(&mut stream, &packet)).await);
    if let Ok(answer) = soon(wire::read_packet(&mut stream)).await {
        let Ok(Body::Refused(refusal)) = session.incoming.open(&answer) else {
            panic!("the second is refused");
        };
        assert_eq!(refusal.code, ErrorCode::Replayed);
    }
    soon(mallory.closed.recv())
        .await
        .expect("the connection is closed");
    assert!(
        matches!(alice.event().await, NetEvent::PeerDown { .. }),
        "no second request came before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_stolen_from_another_stream_is_refused() {
    let alice = Node::start(1).await;
    let mut victim = ByHand::start(8).await;
    victim.dial(&alice.tcp).await;
    let mut first = victim.open(alice.device, StreamKind::Control).await;
    let mine = [7; 16];
    let theirs = soon(wire::exchange_challenges(&mut first, &mine))
        .await
        .expect("it streams");
    let mut session = Session::new(victim.device, alice.device, mine, theirs);
    let hello = Body::Hello(bitdust_model::message::Hello {
        certificate: Some(victim.local.certificate.clone()),
        network: victim.local.network.clone(),
        addresses: Vec::new(),
    });
    let stolen = session
        .outgoing
        .seal(&victim.local.key, hello, UnixMillis(0))
        .expect("a short packet");

    let mut second = victim.open(alice.device, StreamKind::Control).await;
    let theirs_too = soon(wire::exchange_challenges(&mut second, &mine))
        .await
        .expect("it streams");
    // The connection is closed at once, which may overtake the refusal.
    drop(soon(wire::write_packet(&mut second, &stolen)).await);
    if let Ok(answer) = soon(wire::read_packet(&mut second)).await {
        let session = Session::new(victim.device, alice.device, mine, theirs_too);
        let refusal = session.incoming.refusal_instead_of_hello(&answer);
        assert_eq!(
            refusal.map(|refusal| refusal.code),
            Some(ErrorCode::Replayed)
        );
    }
    soon(victim.closed.recv())
        .await
        .expect("the connection is closed");
    assert!(
        soon(alice.client.peers())
            .await
            .expect("it runs")
            .is_empty(),
        "nobody is up"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_beyond_the_bound_are_not_served() {
    let alice = Node::start(1).await;
    let mallory = ByHand::start(9).await;
    mallory.dial(&alice.tcp).await;
    let mut served = Vec::new();
    for _ in 0..bitdust_model::limits::STREAMS_PER_PEER_MAX {
        served.push(greet(&mallory, alice.device, StreamKind::Control).await);
    }
    let mut beyond = mallory.open(alice.device, StreamKind::Control).await;
    let refused = soon(
        mallory
            .local
            .say_hello(&mut beyond, alice.device, Vec::new()),
    )
    .await
    .map(drop);
    assert!(
        matches!(refused, Err(NetError::Interrupted { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_a_control_stream_closes_the_connection() {
    let mut alice = Node::start(1).await;
    let mut mallory = ByHand::start(9).await;
    mallory.dial(&alice.tcp).await;
    let mut stream = mallory.open(alice.device, StreamKind::Control).await;
    // The connection is closed at once, which may overtake the end of the writing.
    drop(soon(stream.write_all(&[0xff; 64])).await);
    drop(soon(stream.flush()).await);
    soon(mallory.closed.recv())
        .await
        .expect("the connection is closed");
    soon(alice.client.shutdown()).await;
    while let Some(event) = soon(alice.events.recv()).await {
        assert!(
            matches!(event, NetEvent::Listening { .. }),
            "alice was told of nobody: {event:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_refused_sends_no_byte() {
    let bob = Node::start(2).await;
    let mut supplier = ByHand::start(9).await;
    let (client, mut bulk) = bulk_from(&bob, &mut supplier).await;
    let asked = header(&bob, 5_000_000);
    let storing =
        tokio::spawn(async move { client.store(asked, POSITION, content(5_000_000)).await });
    let (id, frame) = bulk.next().await.expect("an ask comes");
    assert!(matches!(frame, Frame::Ask(_)));
    let refusal = crate::reply::refused(ErrorCode::QuotaExceeded);
    bulk.answer(id, refusal).await;
    let refused = soon(storing)
        .await
        .expect("no panic")
        .expect_err("refused at once");
    assert_eq!(refused.code(), ErrorCode::QuotaExceeded);
    // The client is gone with its last call, so the stream ends without a further frame.
    assert_eq!(bulk.next().await, None, "neither bytes nor anything else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_without_an_end_is_cut_off() {
    let bob = Node::start(2).await;
    let mut supplier = ByHand::start(9).await;
    let (client, mut bulk) = bulk_from(&bob, &mut supplier).await;
    let shard = header(&bob, 1_000_000);
    let fetching = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .fetch(
                    Fetch {
                        target: FetchTarget::Shard(SHARD),
                        offset: 0,
                        length: 65_536,
                    },
                    |_| true,
                )
                .await
        }
    });
    let (id, _) = bulk.next().await.expect("an ask comes");
    bulk.answer(
        id,
        Body::Fetched {
            header: shard,
            offset: 0,
            length: 65_536,
        },
    )
    .await;
    let mut sent = 0;
    while !fetching.is_finished() && bulk.try_say(id, Frame::Data(content(60_000))).await {
        sent += 60_000;
        assert!(sent < 100_000_000, "it should have been cut off long ago");
    }
    let refused = soon(fetching)
        .await
        .expect("no panic")
        .expect_err("too many bytes");
    assert_eq!(refused.code(), ErrorCode::Malformed);
    // Whoever goes on loses the stream.
    while bulk.try_say(id, Frame::Data(content(60_000))).await {
        sent += 60_000;
        assert!(sent < 200_000_000, "the stream should have been closed");
    }
    soon(async {
        while !client.is_closed() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_range_or_shard_than_asked_is_refused() {
    let bob = Node::start(2).await;
    let mut supplier = ByHand::start(9).await;
    let (client, mut bulk) = bulk_from(&bob, &mut supplier).await;
    let shard = header(&bob, 1_000_000);
    for (target, offset, length) in [
        (SHARD, 0, 1_000_000),
        (SHARD, 65_536, 65_536),
        (bitdust_model::ShardId([6; 32]), 0, 65_536),
    ] {
        let fetching = tokio::spawn({
            let client = client.clone();
            async move {
                client
                    .fetch(
                        Fetch {
                            target: FetchTarget::Shard(target),
                            offset: 10,
                            length: 100,
                        },
                        |_| true,
                    )
                    .await
            }
        });
        let id = bulk.next_ask().await;
        bulk.answer(
            id,
            Body::Fetched {
                header: shard.clone(),
                offset,
                length,
            },
        )
        .await;
        let refused = soon(fetching)
            .await
            .expect("no panic")
            .expect_err("not what was asked");
        assert_eq!(refused.code(), ErrorCode::Malformed, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_supplier_times_out() {
    let mut hasty = config(2);
    hasty.policy.stall_timeout = Duration::from_millis(500);
    let bob = Node::start_as(hasty, Encryption::Both).await;
    let mut supplier = ByHand::start(9).await;
    let (client, mut bulk) = bulk_from(&bob, &mut supplier).await;
    // With its last client the stream would be closed, and the supplier could be too late to say anything.
    let fetching = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .fetch(
                    Fetch {
                        target: FetchTarget::Shard(SHARD),
                        offset: 0,
                        length: 1,
                    },
                    |_| true,
                )
                .await
        }
    });
    let id = bulk.next_ask().await;
    let shard = header(&bob, 1_000_000);
    bulk.answer(
        id,
        Body::Fetched {
            header: shard,
            offset: 0,
            length: 65_536,
        },
    )
    .await;
    bulk.say(id, Frame::Data(content(1_000))).await;
    let refused = soon(fetching)
        .await
        .expect("no panic")
        .expect_err("the rest never comes");
    assert_eq!(refused.code(), ErrorCode::TimedOut);
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_not_admitted_or_are_too_many_are_an_error() {
    let mut alice = Node::start(1).await;
    let bob = Node::start(2).await;
    let customer = ByHand::start(9).await;
    customer.dial(&alice.tcp).await;
    let mut bulk = BulkByHand::open(&customer, alice.device).await;
    alice.peer_up().await;
    let mut server = bulk_server(&mut alice).await;

    bulk.ask(1, store(&bob, 100)).await;
    bulk.say(RequestId(1), Frame::Data(content(100))).await;
    let mut early = next_store(&mut server).await;
    let refused = soon(early.data()).await.expect("an error");
    assert!(
        matches!(refused, Err(NetError::Malformed { .. })),
        "before Go: {refused:?}"
    );

    for (bytes, what) in [(101, "too many"), (99, "too few")] {
        bulk.ask(bytes, store(&bob, 100)).await;
        let mut incoming = next_store(&mut server).await;
        soon(incoming.go(0)).await.expect("it streams");
        bulk.say(
            RequestId(bytes),
            Frame::Data(content(usize::try_from(bytes).expect("a small number"))),
        )
        .await;
        bulk.say(RequestId(bytes), Frame::End).await;
        let refused = soon(collect(&mut incoming)).await;
        assert!(
            matches!(refused, Err(NetError::Malformed { .. })),
            "{what}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_ask_ends_the_bulk_stream() {
    let mut alice = Node::start(1).await;
    let bob = Node::start(2).await;
    let mut customer = ByHand::start(9).await;
    customer.dial(&alice.tcp).await;
    let mut bulk = BulkByHand::open(&customer, alice.device).await;
    alice.peer_up().await;
    let mut server = bulk_server(&mut alice).await;
    let packet = bulk.ask(1, store(&bob, 100)).await;
    let _first = next_store(&mut server).await;
    // The connection is closed at once, which may overtake the end of the frame.
    bulk.try_say(RequestId(2), Frame::Ask(packet)).await;
    assert!(
        soon(server.next()).await.is_none(),
        "the replay is not served"
    );
    soon(customer.closed.recv())
        .await
        .expect("the connection is closed");
}

/// Says an honest Hello on a new stream.
async fn greet(by_hand: &ByHand, device: DeviceId, kind: StreamKind) -> (DirectStream, Session) {
    let mut stream = by_hand.open(device, kind).await;
    let (session, _) = soon(by_hand.local.say_hello(&mut stream, device, Vec::new()))
        .await
        .expect("a good hello");
    (stream, session)
}

/// A bulk stream from a node to a supplier by hand.
async fn bulk_from(node: &Node, supplier: &mut ByHand) -> (BulkClient, BulkByHand) {
    let dialing = tokio::spawn({
        let (client, device, address) = (
            node.client.clone(),
            supplier.device,
            supplier.address.clone(),
        );
        async move { client.dial(device, vec![address]).await }
    });
    // The control stream stays open for as long as the test holds it.
    let (control, _) = supplier.welcome(node.device).await.expect("a good hello");
    soon(dialing)
        .await
        .expect("no panic")
        .expect("the supplier answers");
    let opening = tokio::spawn({
        let (client, device) = (node.client.clone(), supplier.device);
        async move { client.bulk(device).await }
    });
    let (inbound, session) = supplier.welcome(node.device).await.expect("a good hello");
    let client = soon(opening)
        .await
        .expect("no panic")
        .expect("a bulk stream");
    let InboundStream { stream, .. } = inbound;
    (
        client,
        BulkByHand::new(stream, session, supplier, Some(control)),
    )
}

async fn next_store(server: &mut crate::BulkServer) -> crate::IncomingStore {
    match soon(server.next()).await {
        Some(BulkRequest::Store { incoming, .. }) => incoming,
        other => panic!("a store should come, but: {other:?}"),
    }
}

/// A bulk stream whose frames are written and read by hand.
struct BulkByHand {
    frames: Frames<futures::io::ReadHalf<DirectStream>>,
    writer: futures::io::WriteHalf<DirectStream>,
    session: Session,
    local: std::sync::Arc<crate::local::Local>,
    _control: Option<InboundStream>,
}

impl BulkByHand {
    fn new(
        stream: DirectStream,
        session: Session,
        by_hand: &ByHand,
        control: Option<InboundStream>,
    ) -> Self {
        let (read, writer) = futures::AsyncReadExt::split(stream);
        Self {
            frames: Frames::new(read, by_hand.local.buffers.clone()),
            writer,
            session,
            local: by_hand.local.clone(),
            _control: control,
        }
    }

    async fn open(by_hand: &ByHand, device: DeviceId) -> Self {
        let (stream, session) = greet(by_hand, device, StreamKind::Bulk).await;
        Self::new(stream, session, by_hand, None)
    }

    async fn next(&mut self) -> Option<(RequestId, Frame)> {
        soon(self.frames.next()).await.expect("good frames")
    }

    /// The next ask; cancellations of earlier ones are passed over.
    async fn next_ask(&mut self) -> RequestId {
        loop {
            match self.next().await.expect("an ask comes") {
                (id, Frame::Ask(_)) => return id,
                (_, frame) => assert_eq!(frame, Frame::Cancel),
            }
        }
    }

    async fn say(&mut self, id: RequestId, frame: Frame) {
        assert!(self.try_say(id, frame).await, "it streams");
    }

    async fn try_say(&mut self, id: RequestId, frame: Frame) -> bool {
        let (header, payload) = frame.to_parts(id);
        let writing = async {
            self.writer.write_all(&header).await?;
            self.writer.write_all(&payload).await?;
            self.writer.flush().await
        };
        soon(writing).await.is_ok()
    }

    async fn answer(&mut self, id: RequestId, body: Body) {
        let bytes = self.seal(body);
        self.say(id, Frame::Answer(bytes)).await;
    }

    async fn ask(&mut self, id: u32, body: Body) -> Bytes {
        let bytes = self.seal(body);
        self.say(RequestId(id), Frame::Ask(bytes.clone())).await;
        bytes
    }

    fn seal(&mut self, body: Body) -> Bytes {
        let packet = self
            .session
            .outgoing
            .seal(&self.local.key, body, UnixMillis(0))
            .expect("a short packet");
        wire::packet_to_bytes(&packet).into()
    }
}
