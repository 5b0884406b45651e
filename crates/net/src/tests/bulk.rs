//! Shards over real connections: stored, resumed, refused, fetched.

use std::time::Duration;

use bitdust_model::manifest::PackKind;
use bitdust_model::message::{Body, Fetch, FetchTarget};
use bitdust_model::shard::{Receipt, ShardHeader, SignedHeader, StoreHeader};
use bitdust_model::{
    CodeVersion, Epoch, ErrorCode, IdentityId, PackId, Position, SetId, ShardId, Signed, UnixMillis,
};
use bytes::Bytes;
use futures::stream;

use super::support::{Node, config, pair, soon};
use crate::transport::Encryption;
use crate::{BulkRequest, BulkServer, IncomingStore, NetError, NetEvent, Path};

const SHARD_BYTES: usize = 20_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_of_20_mb_is_stored_from_an_offset_and_fetched_over_tcp() {
    store_and_fetch(Path::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_of_20_mb_is_stored_from_an_offset_and_fetched_over_quic() {
    store_and_fetch(Path::Quic).await;
}

async fn store_and_fetch(path: Path) {
    const RESUME_AT: usize = 7_000_003;
    let (mut alice, bob) = pair(path).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let shard = content(SHARD_BYTES);
    let header = header(&bob, SHARD_BYTES);

    let storing = tokio::spawn({
        let (client, header, shard) = (client.clone(), header.clone(), shard.clone());
        async move { client.store(header, POSITION, shard).await }
    });
    let Some(BulkRequest::Store {
        header: asked,
        mut incoming,
    }) = soon(server.next()).await
    else {
        panic!("a store should come");
    };
    assert_eq!(asked, header);
    soon(incoming.go(RESUME_AT as u64))
        .await
        .expect("it streams");
    let received = soon(collect(&mut incoming)).await.expect("all bytes come");
    assert_eq!(received, shard[RESUME_AT..], "exactly what was missing");
    let receipt = receipt(&alice, incoming.header());
    soon(incoming.done(receipt.clone()))
        .await
        .expect("it streams");
    assert_eq!(soon(storing).await.expect("no panic"), Ok(receipt));

    let fetch = Fetch {
        target: FetchTarget::Shard(SHARD),
        offset: 0,
        length: SHARD_BYTES as u64,
    };
    let fetching = tokio::spawn(async move {
        let mut encoded = Vec::new();
        let take = |piece: &[u8]| {
            encoded.extend_from_slice(piece);
            true
        };
        let range = client.fetch(fetch, take).await;
        range.map(|range| (range, encoded))
    });
    let Some(BulkRequest::Fetch { outgoing, .. }) = soon(server.next()).await else {
        panic!("a fetch should come");
    };
    let encoded = stream::iter(
        shard
            .chunks(300_000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect::<Vec<_>>(),
    );
    soon(outgoing.send(header.clone(), 0, SHARD_BYTES as u64, encoded))
        .await
        .expect("it streams");
    let (range, encoded) = soon(fetching)
        .await
        .expect("no panic")
        .expect("it is fetched");
    assert_eq!(
        (range.header, range.offset, range.length),
        (header, 0, SHARD_BYTES as u64)
    );
    assert!(encoded == shard, "the bytes are those that were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_stores_and_fetches_share_one_stream() {
    const BYTES: usize = 700_000;
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let supplier = alice.key.clone();
    let serving = tokio::spawn(async move {
        while let Some(request) = server.next().await {
            let supplier = supplier.clone();
            tokio::spawn(async move {
                match request {
                    BulkRequest::Store { mut incoming, .. } => {
                        incoming.go(0).await.expect("it streams");
                        let received = collect(&mut incoming).await.expect("all bytes come");
                        assert_eq!(received.len(), BYTES);
                        let receipt =
                            supplier.sign(&receipt_for(incoming.header(), supplier.public()));
                        incoming.done(receipt).await.expect("it streams");
                    }
                    BulkRequest::Fetch { outgoing, .. } => outgoing
                        .refuse(ErrorCode::NotFound)
                        .await
                        .expect("it streams"),
                }
            });
        }
    });
    let shard = content(BYTES);
    let stores = (0..50).map(|_| client.store(header(&bob, BYTES), POSITION, shard.clone()));
    let fetches = (0..50).map(|_| {
        let fetch = Fetch {
            target: FetchTarget::Shard(SHARD),
            offset: 0,
            length: 1,
        };
        client.fetch(fetch, |_| true)
    });
    let (stored, fetched) = soon(futures::future::join(
        futures::future::join_all(stores),
        futures::future::join_all(fetches),
    ))
    .await;
    assert!(
        stored.iter().all(Result::is_ok),
        "{:?}",
        stored.iter().find(|result| result.is_err())
    );
    assert!(
        fetched
            .iter()
            .all(|result| matches!(result, Err(error) if error.code() == ErrorCode::NotFound))
    );
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_there_already_needs_no_bytes() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let header = header(&bob, 1_000);
    let storing = tokio::spawn(async move { client.store(header, POSITION, content(1_000)).await });
    let Some(BulkRequest::Store { incoming, .. }) = soon(server.next()).await else {
        panic!("a store should come");
    };
    let receipt = receipt(&alice, incoming.header());
    soon(incoming.done(receipt.clone()))
        .await
        .expect("it streams");
    assert_eq!(soon(storing).await.expect("no panic"), Ok(receipt));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_for_something_else_is_not_believed() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let header = header(&bob, 1_000);
    let storing = tokio::spawn(async move { client.store(header, POSITION, content(1_000)).await });
    let Some(BulkRequest::Store { incoming, .. }) = soon(server.next()).await else {
        panic!("a store should come");
    };
    let mut other = receipt_for(incoming.header(), alice.key.public());
    other.position = Position(9);
    soon(incoming.done(alice.key.sign(&other)))
        .await
        .expect("it streams");
    let refused = soon(storing)
        .await
        .expect("no panic")
        .expect_err("another position");
    assert_eq!(refused.code(), ErrorCode::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supplier_may_refuse_in_the_middle() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let first = header(&bob, SHARD_BYTES);
    let storing = tokio::spawn({
        let client = client.clone();
        async move { client.store(first, POSITION, content(SHARD_BYTES)).await }
    });
    let Some(BulkRequest::Store { mut incoming, .. }) = soon(server.next()).await else {
        panic!("a store should come");
    };
    soon(incoming.go(0)).await.expect("it streams");
    soon(incoming.data())
        .await
        .expect("bytes come")
        .expect("bytes come");
    soon(incoming.refuse(ErrorCode::DiskFull))
        .await
        .expect("it streams");
    let refused = soon(storing)
        .await
        .expect("no panic")
        .expect_err("the disk is full");
    assert_eq!(refused.code(), ErrorCode::DiskFull);

    // The stream lives on.
    let second = header(&bob, 1_000);
    let storing = tokio::spawn(async move { client.store(second, POSITION, content(1_000)).await });
    let Some(BulkRequest::Store { incoming, .. }) = soon(server.next()).await else {
        panic!("a store should come");
    };
    let receipt = receipt(&alice, incoming.header());
    soon(incoming.done(receipt)).await.expect("it streams");
    assert!(soon(storing).await.expect("no panic").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_is_cancelled_at_the_supplier() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let header = header(&bob, SHARD_BYTES);
    let storing = tokio::spawn({
        let client = client.clone();
        async move { client.store(header, POSITION, content(SHARD_BYTES)).await }
    });
    let Some(BulkRequest::Store { mut incoming, .. }) = soon(server.next()).await else {
        panic!("a store should come");
    };
    storing.abort();
    soon(incoming.go(0)).await.expect("it streams");
    let ended = soon(collect(&mut incoming)).await;
    assert!(
        matches!(ended, Err(NetError::Interrupted { .. })),
        "{ended:?}"
    );
    assert!(!client.is_closed(), "the stream lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_makes_no_progress_is_given_up() {
    let mut alice = Node::start(1).await;
    let mut hasty = config(2);
    hasty.policy.stall_timeout = Duration::from_millis(500);
    let bob = Node::start_as(hasty, Encryption::Both).await;
    soon(bob.client.dial(alice.device, vec![alice.tcp.clone()]))
        .await
        .expect("alice answers");
    alice.peer_up().await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let _unserved = bulk_server(&mut alice).await;
    let refused = soon(client.store(header(&bob, 1_000), POSITION, content(1_000)))
        .await
        .expect_err("nobody answers");
    assert_eq!(refused.code(), ErrorCode::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_its_lane_did_not_sign_never_reaches_the_node() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let _server = bulk_server(&mut alice).await;
    let mut plain = plain_header(&bob, 1_000);
    plain.lane = alice.device;
    let refused = soon(client.store(bob.key.sign(&plain).into(), POSITION, content(1_000)))
        .await
        .expect_err("another lane");
    assert_eq!(
        refused.code(),
        ErrorCode::BadRequest,
        "refused on this side already"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_end_when_the_connection_does() {
    let (mut alice, bob) = pair(Path::Tcp).await;
    let client = soon(bob.client.bulk(alice.device))
        .await
        .expect("a bulk stream");
    let mut server = bulk_server(&mut alice).await;
    let header = header(&bob, 1_000);
    let storing = tokio::spawn(async move { client.store(header, POSITION, content(1_000)).await });
    let _held = soon(server.next()).await.expect("a store should come");
    soon(alice.client.disconnect(bob.device))
        .await
        .expect("it runs");
    let ended = soon(storing)
        .await
        .expect("no panic")
        .expect_err("the connection is gone");
    assert_eq!(ended.code(), ErrorCode::Interrupted);
    assert!(soon(server.next()).await.is_none());
}

pub(super) const SHARD: ShardId = ShardId([5; 32]);
pub(super) const POSITION: Position = Position(1);

/// A Store of the only shard that is used here.
pub(super) fn store(node: &Node, bytes: usize) -> Body {
    Body::Store {
        header: header(node, bytes),
        position: POSITION,
    }
}

pub(super) async fn bulk_server(node: &mut Node) -> BulkServer {
    let event = node.event().await;
    let NetEvent::Bulk { server, .. } = event else {
        panic!("a bulk stream should come, but: {event:?}");
    };
    server
}

pub(super) fn header(node: &Node, bytes: usize) -> SignedHeader {
    node.key.sign(&plain_header(node, bytes)).into()
}

fn plain_header(node: &Node, bytes: usize) -> StoreHeader {
    StoreHeader {
        owner: node.identity,
        lane: node.device,
        epoch: Epoch(0),
        set: SetId([1; 32]),
        pack: PackId([2; 32]),
        kind: PackKind::Data,
        k: 1,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: u32::try_from(bytes).expect("a small number"),
        shard_bytes: u32::try_from(bytes).expect("a small number"),
        shards: vec![ShardId([4; 32]), SHARD],
    }
}

pub(super) fn content(bytes: usize) -> Bytes {
    (0..bytes)
        .map(|place| u8::try_from(place * 31 % 251).expect("below 251"))
        .collect()
}

fn receipt(supplier: &Node, header: &ShardHeader) -> Signed<Receipt> {
    supplier
        .key
        .sign(&receipt_for(header, supplier.key.public()))
}

fn receipt_for(header: &ShardHeader, supplier: [u8; 32]) -> Receipt {
    Receipt {
        supplier: bitdust_model::DeviceId(supplier),
        owner: IdentityId(header.owner.0),
        lane: header.lane,
        pack: header.pack,
        position: header.position,
        shard: header.shard,
        shard_bytes: header.shard_bytes,
        stored_at: UnixMillis(1),
    }
}

pub(super) async fn collect(incoming: &mut IncomingStore) -> Result<Vec<u8>, NetError> {
    let mut all = Vec::new();
    while let Some(bytes) = incoming.data().await {
        all.extend_from_slice(&bytes?);
    }
    Ok(all)
}
