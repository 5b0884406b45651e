//! A DHT of real nodes: records, sequence numbers, forgeries, providers.

use std::time::{Duration, Instant};

use bitdust_crypto::{SigningKey, dht_key, offers_key};
use bitdust_model::locator::{Addresses, Contact, DhtRecord, KeyedRecord, RecordKind};
use bitdust_model::{DeviceId, DhtKey, IdentityId, Sequence, UnixMillis, encode, limits};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, RecordStore};
use libp2p::kad::{self, Mode, QueryResult, Record};
use libp2p::swarm::{self, Swarm, SwarmEvent};

use super::support::{NETWORK, Node, config, soon};
use crate::address;
use crate::behaviour::Behaviour;
use crate::config::{Protocols, Scope};
use crate::dht::{Dht, key_to_kad, value_of};
use crate::transport::{self, Encryption};
use crate::{NetError, NetEvent};

/// Copies of a record in a network that is whole.
const COPIES_ENOUGH: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn records_and_providers_are_found_across_the_network() {
    let nodes = network(8).await;
    let author = SigningKey::from_seed(&[77; 32]);
    let first = record(&author, 1);

    let copies = soon(nodes[1].client.put_record(first.clone()))
        .await
        .expect("others take it");
    assert!(copies >= COPIES_ENOUGH, "{copies} copies of 7");
    for node in &nodes {
        let found = soon(node.client.get_record(first.key)).await;
        assert_eq!(found, Ok(Some(first.record.clone())));
    }
    let second = record(&author, 2);
    soon(nodes[6].client.put_record(second.clone()))
        .await
        .expect("others take it");
    assert_eq!(
        soon(nodes[3].client.get_record(first.key)).await,
        Ok(Some(second.record)),
        "the newest wins"
    );
    assert_eq!(
        soon(nodes[6].client.put_record(first)).await,
        Err(NetError::Stale),
        "an older one is not published"
    );
    assert_eq!(
        soon(nodes[2].client.get_record(DhtKey([9; 32]))).await,
        Ok(None)
    );

    soon(nodes[4].client.start_providing(offers_key(0)))
        .await
        .expect("it is announced");
    soon(nodes[5].client.start_providing(offers_key(0)))
        .await
        .expect("it is announced");
    let mut expected = vec![nodes[4].device, nodes[5].device];
    expected.sort_unstable();
    assert_eq!(
        soon(nodes[7].client.providers(offers_key(0))).await,
        Ok(expected)
    );
    assert_eq!(
        soon(nodes[7].client.providers(offers_key(1))).await,
        Ok(Vec::new())
    );

    // A provider can be dialed with what the DHT knows of it.
    soon(nodes[7].client.dial(nodes[4].device, Vec::new()))
        .await
        .expect("the DHT knows its address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_node_says_that_nobody_took_its_record() {
    let node = Node::start(1).await;
    let author = SigningKey::from_seed(&[77; 32]);
    assert_eq!(
        soon(node.client.put_record(record(&author, 1))).await,
        Err(NetError::NoPeers)
    );
    assert_eq!(soon(node.client.bootstrap()).await, Err(NetError::NoPeers));
    assert_eq!(
        soon(node.client.get_record(record(&author, 1).key)).await,
        Ok(Some(record(&author, 1).record)),
        "it keeps its own copy"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_valid_is_not_published() {
    let node = Node::start(1).await;
    let author = SigningKey::from_seed(&[77; 32]);
    let mut elsewhere = record(&author, 1);
    elsewhere.key = DhtKey([1; 32]);
    let refused = soon(node.client.put_record(elsewhere)).await;
    assert!(
        matches!(refused, Err(NetError::BadRecord { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storing_node_refuses_forgeries_and_older_records() {
    let alice = Node::start(1).await;
    let author = SigningKey::from_seed(&[77; 32]);
    let good = record(&author, 5);
    let mut forged = record(&author, 6);
    forged.record.signature.0[0] ^= 1;

    let mut mallory = KadByHand::start(&alice);
    mallory.put(&forged).await;
    assert_eq!(
        soon(alice.client.get_record(good.key)).await,
        Ok(None),
        "the forgery was not stored"
    );
    mallory.put(&good).await;
    assert_eq!(
        soon(alice.client.get_record(good.key)).await,
        Ok(Some(good.record.clone())),
        "a good record was"
    );
    mallory.put(&record(&author, 4)).await;
    assert_eq!(
        soon(alice.client.get_record(good.key)).await,
        Ok(Some(good.record.clone())),
        "an older one does not replace it"
    );
    mallory
        .put(&record(&author, 5 + limits::SEQUENCE_JUMP_MAX + 1))
        .await;
    assert_eq!(
        soon(alice.client.get_record(good.key)).await,
        Ok(Some(good.record)),
        "nor does one from far in the future"
    );
    let next = record(&author, 7);
    mallory.put(&next).await;
    assert_eq!(
        soon(alice.client.get_record(next.key)).await,
        Ok(Some(next.record)),
        "a newer one does"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_who_a_node_is_by_the_dht_alone() {
    let mut nodes = network(3).await;
    let author = SigningKey::from_seed(&[77; 32]);
    soon(nodes[1].client.put_record(record(&author, 1)))
        .await
        .expect("others take it");
    let up = nodes[2].peer_up().await;
    assert_eq!(up.device, nodes[0].device, "the entry node was dialed");
    soon(nodes[2].client.shutdown()).await;
    while let Some(event) = soon(nodes[2].events.recv()).await {
        assert!(
            !matches!(event, NetEvent::PeerUp(_)),
            "node 1 came by the DHT alone: {event:?}"
        );
    }
}

#[test]
fn a_record_gives_way_to_a_newer_one_only() {
    let (dht, mut kad) = store();
    let author = SigningKey::from_seed(&[77; 32]);
    let known = record(&author, 5);
    let mut take = |record: &KeyedRecord| dht.store_record(&mut kad, kept(record));
    assert_eq!(take(&known), Ok(()), "the first");
    assert_eq!(take(&known), Ok(()), "the same again, to live longer");
    assert_eq!(
        take(&record(&author, 4)),
        Err(NetError::Stale),
        "an older one"
    );
    let jump = record(&author, 5 + limits::SEQUENCE_JUMP_MAX + 1);
    assert_eq!(take(&jump), Err(NetError::Stale), "an absurd jump");
    let mut same_number = record(&author, 5);
    same_number.record = author.sign(&plain(&author, 5, 999));
    assert_eq!(
        take(&same_number),
        Err(NetError::Stale),
        "another of the same number"
    );
    assert_eq!(take(&record(&author, 6)), Ok(()), "a newer one");
}

#[test]
fn what_is_not_valid_is_not_stored() {
    let (dht, mut kad) = store();
    let good = record(&SigningKey::from_seed(&[77; 32]), 5);
    let mut take = |record: Record| dht.store_record(&mut kad, record);
    let mut elsewhere = good.clone();
    elsewhere.key = DhtKey([1; 32]);
    let refused = take(kept(&elsewhere));
    assert!(
        matches!(refused, Err(NetError::BadRecord { .. })),
        "another key: {refused:?}"
    );
    let mut long_key = kept(&good);
    long_key.key = kad::RecordKey::from(vec![0; 33]);
    let refused = take(long_key);
    assert!(
        matches!(refused, Err(NetError::Malformed { .. })),
        "33 bytes: {refused:?}"
    );
    let mut garbage = kept(&good);
    garbage.value = vec![1, 2, 3];
    let refused = take(garbage);
    assert!(
        matches!(refused, Err(NetError::Malformed { .. })),
        "garbage: {refused:?}"
    );
}

#[test]
fn records_die_and_leave_their_place() {
    let (dht, mut kad) = store();
    let author = SigningKey::from_seed(&[77; 32]);
    let mut expired = kept(&record(&author, 7));
    let key = expired.key.clone();
    expired.expires = Some(Instant::now());
    assert_eq!(dht.store_record(&mut kad, expired), Ok(()));
    Dht::sweep(&mut kad);
    assert!(kad.store_mut().get(&key).is_none(), "it is gone");
    assert_eq!(
        dht.store_record(&mut kad, kept(&record(&author, 5))),
        Ok(()),
        "an older one may come again"
    );
}

fn store() -> (Dht, kad::Behaviour<MemoryStore>) {
    let keypair = Keypair::generate_ed25519();
    let protocols = Protocols::of(NETWORK).expect("a good name");
    let kad = Behaviour::new(&keypair, &protocols, Scope::Loopback, &config(1).policy).kad;
    (
        Dht::new(NETWORK.to_owned(), Scope::Loopback, Duration::from_secs(60)),
        kad,
    )
}

/// So many nodes that all know the first one and have filled their routing tables.
async fn network(count: u8) -> Vec<Node> {
    let mut nodes = vec![Node::start(1).await];
    for number in 2..=count {
        let node = Node::start(number).await;
        let entry = if number % 2 == 0 {
            nodes[0].tcp.clone()
        } else {
            nodes[0].quic.clone()
        };
        soon(node.client.dial_address(&entry))
            .await
            .expect("the entry node answers");
        nodes.push(node);
    }
    // The entry node enters each into its table once it has identified them, which it may not have done
    // when they ask it for others.
    let enough = COPIES_ENOUGH.min(usize::from(count) - 1);
    let throw_away = record(&SigningKey::from_seed(&[78; 32]), 1);
    soon(async {
        for node in &nodes {
            loop {
                let is_known = node.client.bootstrap().await.is_ok();
                // It counts those who have taken it.
                let taken = node.client.put_record(throw_away.clone()).await;
                if is_known && taken.is_ok_and(|copies| copies >= enough) {
                    break;
                }
            }
        }
    })
    .await;
    nodes
}

fn record(author: &SigningKey, sequence: u64) -> KeyedRecord {
    let record = author.sign(&plain(author, sequence, 0));
    KeyedRecord {
        key: dht_key(RecordKind::Addresses, &author.public()),
        record,
    }
}

fn plain(author: &SigningKey, sequence: u64, written_at: u64) -> DhtRecord {
    let contact = Contact {
        identity: IdentityId([0; 32]),
        device: DeviceId(author.public()),
        addresses: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
    };
    DhtRecord {
        kind: RecordKind::Addresses,
        network: NETWORK.to_owned(),
        sequence: Sequence(sequence),
        written_at: UnixMillis(written_at),
        body: encode(&Addresses { contact }),
    }
}

fn kept(record: &KeyedRecord) -> Record {
    let mut kept = Record::new(
        key_to_kad(&record.key),
        value_of(&record.record).expect("a short record"),
    );
    kept.expires = Some(Instant::now() + Duration::from_secs(60));
    kept
}

/// A DHT client that publishes whatever it is given.
struct KadByHand {
    swarm: Swarm<kad::Behaviour<MemoryStore>>,
}

impl KadByHand {
    fn start(node: &Node) -> Self {
        let keypair = Keypair::generate_ed25519();
        let me = keypair.public().to_peer_id();
        let protocols = Protocols::of(NETWORK).expect("a good name");
        let transport = transport::build(
            &keypair,
            Scope::Loopback,
            Encryption::Both,
            Duration::from_secs(10),
        )
        .expect("transports");
        let mut kad =
            kad::Behaviour::with_config(me, MemoryStore::new(me), kad::Config::new(protocols.kad));
        kad.set_mode(Some(Mode::Client));
        let (address, peer) = address::parse(&node.tcp).expect("an address");
        kad.add_address(&peer.expect("it names the node"), address);
        Self {
            swarm: Swarm::new(transport, kad, me, swarm::Config::with_tokio_executor()),
        }
    }

    /// Returns once the node has acknowledged the record, whatever it did with it.
    async fn put(&mut self, record: &KeyedRecord) {
        let id = self
            .swarm
            .behaviour_mut()
            .put_record(kept(record), kad::Quorum::One)
            .expect("a short record");
        loop {
            if let SwarmEvent::Behaviour(kad::Event::OutboundQueryProgressed {
                id: ended,
                result: QueryResult::PutRecord(result),
                ..
            }) = soon(self.swarm.select_next_some()).await
                && ended == id
            {
                assert!(result.is_ok(), "the node answers: {result:?}");
                return;
            }
        }
    }
}
