//! A supplier that lies: it signs contracts like any other and then does what it is told to.
//!
//! `evil_supplier HOME NETWORK MODE [BOOTSTRAP]` prints one JSON line when it is ready. Each
//! line on its standard input is a new mode, or `report`, and is answered with a JSON line of
//! its counts; it ends with its standard input. It stands on the real protocols and the real
//! store, so that all that is false about it is what it says.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use bitdust_crypto::{
    DeviceKeys, Phrase, RootSecrets, SigningKey, contract_id, head_hash, invitation, random,
    verify, verify_header,
};
use bitdust_model::contract::ContractAcceptance;
use bitdust_model::head::HeadReceipt;
use bitdust_model::locator::{Certificate, Contact, Invitation};
use bitdust_model::message::{Body, Fetch, FetchTarget};
use bitdust_model::shard::{Receipt, ShardHeader, SignedHeader};
use bitdust_model::{
    ByteCount, DeviceId, Epoch, ErrorCode, IdentityId, Policy, Sequence, Signed, UnixMillis,
};
use bitdust_net::{
    BulkRequest, BulkServer, Client, IncomingStore, NetConfig, NetEvent, OutgoingFetch, Peer,
    Reply, Scope,
};
use bitdust_store::supplier::{HeadChain, aligned_range};
use bitdust_store::{Begin, Home, ShardStore};
use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

/// Addresses in an invitation.
const ADDRESSES_MAX: usize = 4;
/// One piece of a stream that never ends.
const ENDLESS_PIECE: &[u8] = &[0x5a; 64 * 1024];

/// What it does to its customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing bad.
    Honest,
    /// Takes bytes, signs receipts, throws the bytes away.
    Forgets,
    /// Signs receipts for bytes that it never asked for.
    Claims,
    /// Gives wrong bytes.
    Falsifies,
    /// Gives bytes without an end.
    Floods,
    /// Never answers.
    Silent,
    /// Refuses whatever may be refused.
    Refuses,
    /// Says that there is no contract, although it signed one, to whoever sends it something or asks for that
    /// again; what it keeps of heads it tells, so that something is sent.
    Denies,
}

impl Mode {
    fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "honest" => Self::Honest,
            "forgets" => Self::Forgets,
            "claims" => Self::Claims,
            "falsifies" => Self::Falsifies,
            "floods" => Self::Floods,
            "silent" => Self::Silent,
            "refuses" => Self::Refuses,
            "denies" => Self::Denies,
            other => bail!("no such mode: {other}"),
        })
    }
}

/// How often it was asked for what.
#[derive(Debug, Default)]
struct Counts {
    proposals: AtomicU64,
    stores: AtomicU64,
    fetches: AtomicU64,
    heads: AtomicU64,
    /// Receipts it signed for what it does not have.
    false_receipts: AtomicU64,
    flooded_bytes: Arc<AtomicU64>,
}

/// The liar with all that its tasks need.
struct Evil {
    mode: watch::Receiver<Mode>,
    device: DeviceId,
    identity: IdentityId,
    key: SigningKey,
    shards: ShardStore,
    counts: Counts,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, network, mode, bootstrap @ ..] = arguments.as_slice() else {
        bail!("usage: evil_supplier HOME NETWORK MODE [BOOTSTRAP]");
    };
    let home = Home::open(PathBuf::from(home))?;
    let (shards, _) = ShardStore::open(home.paths(), UnixMillis(0))?;
    let root = RootSecrets::from_phrase(&Phrase::generate());
    let keys = DeviceKeys::generate();
    let certificate = root.certify(&keys, Epoch(0), "evil", UnixMillis(0));
    let (modes, mode) = watch::channel(Mode::parse(mode)?);
    let (client, mut events, event_loop) = bitdust_net::start(NetConfig {
        network: network.clone(),
        scope: Scope::Loopback,
        listen: vec![],
        external: vec![],
        device: SigningKey::from_seed(&keys.signing().seed()),
        certificate: certificate.clone(),
        policy: Policy::default(),
        kad_server: None,
    })
    .await?;
    tokio::spawn(event_loop.run());
    let evil = Arc::new(Evil {
        mode,
        device: keys.device(),
        identity: root.identity(),
        key: SigningKey::from_seed(&keys.signing().seed()),
        shards,
        counts: Counts::default(),
    });
    let serving = Arc::clone(&evil);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            serving.meet(event);
        }
    });
    for address in bootstrap {
        client.dial_address(address).await?;
        client.bootstrap().await?;
    }
    let code = evil.invite(&client, network, certificate).await?;
    say(&json!({
        "ready": true,
        "device": evil.device.to_hex(),
        "identity": evil.identity.to_hex(),
        "invitation": code,
    }))?;
    tokio::task::block_in_place(|| handle_command(&evil, &modes))
}

/// Takes orders until standard input ends.
fn handle_command(evil: &Evil, modes: &watch::Sender<Mode>) -> Result<()> {
    for line in std::io::stdin().lines() {
        let line = line?;
        if line != "report" {
            modes.send(Mode::parse(&line)?)?;
        }
        say(&evil.counts.report())?;
    }
    Ok(())
}

fn say(line: &serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

impl Counts {
    fn report(&self) -> serde_json::Value {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "proposals": number(&self.proposals),
            "stores": number(&self.stores),
            "fetches": number(&self.fetches),
            "heads": number(&self.heads),
            "false_receipts": number(&self.false_receipts),
            "flooded_bytes": number(&self.flooded_bytes),
        })
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Evil {
    async fn invite(
        &self,
        client: &Client,
        network: &str,
        certificate: Signed<Certificate>,
    ) -> Result<String> {
        let addresses = client
            .listening()
            .await?
            .into_iter()
            .take(ADDRESSES_MAX)
            .collect();
        let invitation = Invitation {
            network: network.to_owned(),
            contact: Contact {
                identity: self.identity,
                device: self.device,
                addresses,
            },
            nickname: "evil".to_owned(),
            certificate,
            token: random(),
        };
        Ok(invitation::to_text(&self.key.sign(&invitation)))
    }

    fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    fn meet(self: &Arc<Self>, event: NetEvent) {
        let evil = Arc::clone(self);
        match event {
            NetEvent::Listening { .. } | NetEvent::PeerUp(_) | NetEvent::PeerDown { .. } => {}
            NetEvent::Request { from, body, reply } => {
                tokio::spawn(async move { evil.answer(from, *body, reply).await });
            }
            NetEvent::Bulk { from, server } => {
                tokio::spawn(evil.serve(from, server));
            }
        }
    }

    async fn answer(&self, from: Peer, body: Body, reply: Reply) {
        match (self.mode(), &body) {
            // Without these it would not be a supplier at all, and nothing would be sent to it.
            (_, Body::Befriend { .. } | Body::Propose(_))
            | (Mode::Denies, Body::HeadsAsk { .. }) => {}
            (Mode::Silent, _) => {
                let _kept_open = reply;
                return std::future::pending().await;
            }
            (Mode::Refuses, _) => return reply.refuse(ErrorCode::NotAllowed),
            (Mode::Denies, _) => return reply.refuse(ErrorCode::NoContract),
            (Mode::Honest | Mode::Forgets | Mode::Claims | Mode::Falsifies | Mode::Floods, _) => {}
        }
        match self.body_for(from, body) {
            Ok(body) => reply.send(body),
            Err(_) => reply.refuse(ErrorCode::Malformed),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what it does not know it takes without a word"
    )]
    fn body_for(&self, from: Peer, body: Body) -> Result<Body> {
        Ok(match body {
            Body::Propose(signed) => {
                count(&self.counts.proposals);
                verify(&signed)?;
                Body::ContractSigned(self.key.sign(&ContractAcceptance {
                    contract: contract_id(&signed),
                    supplier: self.device,
                    accepted_at: UnixMillis(0),
                }))
            }
            Body::HeadPut {
                bundle, between, ..
            } => {
                count(&self.counts.heads);
                let head = verify(&bundle.head)?;
                let hash = head_hash(&bundle.head);
                if self.mode() != Mode::Forgets {
                    let between = between.into_iter().map(|head| {
                        let hash = head_hash(&head);
                        (head, hash)
                    });
                    let chain = HeadChain {
                        between: between.collect(),
                        vouchers: None,
                    };
                    self.shards.put_head(&bundle, hash, &chain, UnixMillis(0))?;
                }
                Body::HeadKept(self.key.sign(&HeadReceipt {
                    supplier: self.device,
                    lane: head.lane,
                    sequence: head.sequence,
                    head: hash,
                    set_version: Sequence(1),
                    are_lists_complete: true,
                    own_days: None,
                    received_at: UnixMillis(0),
                }))
            }
            Body::HeadsAsk { after } => Body::Heads {
                lanes: self.shards.heads(from.identity, after)?,
                more: false,
            },
            Body::SpaceAsk => Body::SpaceFree(ByteCount(u64::MAX)),
            Body::List { .. } => Body::Listing {
                headers: vec![],
                more: false,
            },
            Body::Locate(_) | Body::Deposit(_) => Body::Located(vec![]),
            Body::Delete { .. } => Body::Deleted {
                packs: vec![],
                bytes: ByteCount(0),
            },
            _ => Body::Done,
        })
    }

    async fn serve(self: Arc<Self>, from: Peer, mut server: BulkServer) {
        while let Some(request) = server.next().await {
            let evil = Arc::clone(&self);
            tokio::spawn(async move {
                // A customer that went away or was refused is the customer's business.
                let _ended = match request {
                    BulkRequest::Store { header, incoming } => evil.store(header, incoming).await,
                    BulkRequest::Fetch { fetch, outgoing } => {
                        evil.fetch(from, fetch, outgoing).await
                    }
                };
            });
        }
    }

    async fn store(&self, signed: SignedHeader, mut incoming: IncomingStore) -> Result<()> {
        count(&self.counts.stores);
        let header = incoming.header().clone();
        let mode = self.mode();
        match mode {
            Mode::Silent => {
                let _kept_open = incoming;
                return std::future::pending().await;
            }
            Mode::Refuses => return Ok(incoming.refuse(ErrorCode::NotAllowed).await?),
            Mode::Denies => return Ok(incoming.refuse(ErrorCode::NoContract).await?),
            Mode::Claims => count(&self.counts.false_receipts),
            Mode::Honest | Mode::Falsifies | Mode::Floods => {
                let bytes = taken(&mut incoming).await?;
                tokio::task::block_in_place(|| self.keep(&header, &signed, &bytes))?;
            }
            Mode::Forgets => {
                taken(&mut incoming).await?;
                count(&self.counts.false_receipts);
            }
        }
        let receipt = self.key.sign(&Receipt {
            supplier: self.device,
            owner: header.owner,
            lane: header.lane,
            pack: header.pack,
            position: header.position,
            shard: header.shard,
            shard_bytes: header.shard_bytes,
            stored_at: UnixMillis(0),
        });
        Ok(incoming.done(receipt).await?)
    }

    fn keep(&self, header: &ShardHeader, signed: &SignedHeader, bytes: &[u8]) -> Result<()> {
        let Begin::Write(mut writer) = self.shards.begin(header, signed)? else {
            return Ok(());
        };
        let from = usize::try_from(writer.offset())?;
        writer.fill([bytes.get(from..).context("more is here than comes")?])?;
        writer.finish(UnixMillis(0))?;
        Ok(())
    }

    async fn fetch(&self, from: Peer, fetch: Fetch, outgoing: OutgoingFetch) -> Result<()> {
        count(&self.counts.fetches);
        match self.mode() {
            Mode::Silent => {
                let _kept_open = outgoing;
                return std::future::pending().await;
            }
            Mode::Refuses => return Ok(outgoing.refuse(ErrorCode::NotAllowed).await?),
            Mode::Denies => return Ok(outgoing.refuse(ErrorCode::NoContract).await?),
            Mode::Honest | Mode::Forgets | Mode::Claims | Mode::Falsifies | Mode::Floods => {}
        }
        let found = tokio::task::block_in_place(|| self.range(from, &fetch))?;
        let Some((signed, offset, length, mut encoded)) = found else {
            return Ok(outgoing.refuse(ErrorCode::NotFound).await?);
        };
        if self.mode() == Mode::Floods {
            let counter = Arc::clone(&self.counts.flooded_bytes);
            let endless = futures::stream::repeat_with(move || {
                counter.fetch_add(ENDLESS_PIECE.len() as u64, Ordering::Relaxed);
                Ok(Bytes::from_static(ENDLESS_PIECE))
            });
            return Ok(outgoing.send(signed, offset, length, endless).await?);
        }
        if self.mode() == Mode::Falsifies {
            let at = usize::from_le_bytes(random()) % encoded.len();
            encoded[at] ^= 1;
        }
        let once = futures::stream::iter([Ok(Bytes::from(encoded))]);
        Ok(outgoing.send(signed, offset, length, once).await?)
    }

    #[expect(clippy::type_complexity, reason = "the parts of one answer, used once")]
    fn range(
        &self,
        from: Peer,
        fetch: &Fetch,
    ) -> Result<Option<(SignedHeader, u64, u64, Vec<u8>)>> {
        let found = match fetch.target {
            FetchTarget::Shard(shard) => self.shards.header(from.identity, shard)?,
            FetchTarget::Place {
                set,
                pack,
                position,
            } => self.shards.find(from.identity, set, pack, position)?,
        };
        let Some(signed) = found else {
            return Ok(None);
        };
        let pack = verify_header(&signed)?;
        let header = match fetch.target {
            FetchTarget::Shard(shard) => pack.of(shard),
            FetchTarget::Place { position, .. } => pack.at(position),
        };
        let header = header.context("another shard was found")?;
        let range =
            aligned_range(header.shard_bytes, fetch.offset, fetch.length).context("no range")?;
        let mut encoded = Vec::new();
        self.shards.read_range(
            from.identity,
            header.shard,
            range.offset,
            range.length,
            &mut encoded,
        )?;
        Ok(Some((signed, range.offset, range.length, encoded)))
    }
}

/// All bytes of a shard.
async fn taken(incoming: &mut IncomingStore) -> Result<Vec<u8>> {
    incoming.go(0).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = incoming.data().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}
