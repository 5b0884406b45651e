//! The supplier's side: questions of peers, decided by the engine, served from the store.
//!
//! Order of a store: admitted by the engine → bytes written, hashed, synced, renamed,
//! entered → receipt signed → engine told. A stranger's signature, another's lane or a wrong
//! owner is refused before the engine hears of it.

use bitdust_crypto::{contract_id, head_hash, validate_record, verify, verify_by};
use bitdust_engine::{Access, AskId, Input};
use bitdust_model::locator::{Fence, KeyedRecord, RecordKind};
use bitdust_model::manifest::{HeadBundle, HeadReceipt, Receipt, StoreHeader};
use bitdust_model::message::{Body, Contract, ContractAcceptance, Fetch, FetchTarget, Refusal};
use bitdust_model::{ByteCount, DeviceId, ErrorCode, Signed, limits};
use bitdust_net::{BulkRequest, BulkServer, IncomingStore, OutgoingFetch, Peer, Reply};
use bitdust_store::supplier::{ServedRange, StoredContract, aligned_range};
use bitdust_store::{Begin, ShardError, ShardWriter};
use bytes::Bytes;
use tokio::sync::mpsc;
use tracing::debug;

use crate::runtime::Node;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::task::blocking;
use crate::shared::task_event::Back;

/// Pieces of a shard between the network and the disk.
const PIECES_IN_FLIGHT_MAX: usize = 16;

/// Something a peer asked that waits for the engine.
pub(crate) enum Question {
    /// A contract.
    Propose {
        /// Who asks.
        from: Peer,
        /// What they signed.
        signed: Box<Signed<Contract>>,
        /// The same, read.
        contract: Box<Contract>,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A shard wants to come.
    Store {
        /// Who asks.
        from: Peer,
        /// What they signed.
        signed: Box<Signed<StoreHeader>>,
        /// The same, read.
        header: Box<StoreHeader>,
        /// Where its bytes come from.
        incoming: Box<IncomingStore>,
    },
    /// A range is wanted.
    Fetch {
        /// Who asks.
        from: Peer,
        /// Which.
        fetch: Fetch,
        /// Where its bytes go.
        outgoing: OutgoingFetch,
    },
    /// Anything else a customer may want.
    Control {
        /// Who asks.
        from: Peer,
        /// What.
        body: Box<Body>,
        /// What it needs.
        access: Access,
        /// Where the answer goes.
        reply: Reply,
    },
}

/// Takes the requests of one bulk stream; each is checked and handed to the loop.
pub(crate) async fn listen(context: Context, from: Peer, mut server: BulkServer) {
    while let Some(request) = server.next().await {
        let question = match request {
            BulkRequest::Store { header, incoming } => match check_header(&header, from) {
                Ok(read) => Question::Store {
                    from,
                    signed: Box::new(header),
                    header: Box::new(read),
                    incoming: Box::new(incoming),
                },
                Err(code) => {
                    drop(incoming.refuse(code).await);
                    continue;
                }
            },
            BulkRequest::Fetch { fetch, outgoing } => Question::Fetch {
                from,
                fetch,
                outgoing,
            },
        };
        if context
            .back
            .send(Back::Asked(Box::new(question)))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Only the device of a lane stores in it, and only for its own identity.
fn check_header(signed: &Signed<StoreHeader>, from: Peer) -> Result<StoreHeader, ErrorCode> {
    let header = verify_by(signed, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if header.owner != from.identity || header.lane != from.device {
        return Err(ErrorCode::NotAllowed);
    }
    Ok(header)
}

impl Node {
    /// A peer asks something on a control stream.
    pub(crate) fn requested(&mut self, from: Peer, body: Body, reply: Reply) {
        let access = match &body {
            Body::SpaceAsk => {
                let free = self.own_offer().free.unwrap_or_default();
                return reply.send(Body::SpaceFree(free));
            }
            Body::Befriend { .. } => return self.befriended(from, body, reply),
            Body::Locate(keys) => return self.locate(keys.clone(), reply),
            Body::Propose(signed) => return self.proposed(from, signed.clone(), reply),
            Body::List { .. } | Body::HeadsAsk | Body::Deposit(_) | Body::FencePut(_) => {
                Access::Read
            }
            Body::HeadPut(_) => Access::Write,
            Body::Delete { .. } => Access::Delete,
            Body::Hello(_)
            | Body::Refused(_)
            | Body::Done
            | Body::SpaceFree(_)
            | Body::ContractSigned(_)
            | Body::Store(_)
            | Body::Stored(_)
            | Body::Fetch(_)
            | Body::Fetched { .. }
            | Body::Listing { .. }
            | Body::Deleted { .. }
            | Body::HeadKept(_)
            | Body::Heads(_)
            | Body::Located(_) => return reply.refuse(ErrorCode::Malformed),
        };
        self.asked(Question::Control {
            from,
            body: Box::new(body),
            access,
            reply,
        });
    }

    fn proposed(&mut self, from: Peer, signed: Signed<Contract>, reply: Reply) {
        let Ok(contract) = verify_by(&signed, &from.device.0) else {
            return reply.refuse(ErrorCode::NotAuthentic);
        };
        let is_for_us = contract.customer == from.identity
            && contract.lane == from.device
            && contract.supplier == self.context.device
            && contract.supplier_identity == self.context.identity;
        if !is_for_us {
            return reply.refuse(ErrorCode::NotAllowed);
        }
        self.asked(Question::Propose {
            from,
            signed: Box::new(signed),
            contract: Box::new(contract),
            reply,
        });
    }

    /// Numbers a question and lays it before the engine.
    pub(crate) fn asked(&mut self, question: Question) {
        if self.questions.len() >= limits::QUESTIONS_MAX {
            return self.refuse_question(question, ErrorCode::Busy);
        }
        let ask = AskId(self.number());
        let input = match &question {
            Question::Propose { from, contract, .. } => Input::ContractProposed {
                ask,
                identity: from.identity,
                lane: from.device,
                bytes: contract.bytes,
                friend: self.friends.contains(&from.identity),
            },
            Question::Store { from, header, .. } => {
                let is_here = matches!(
                    self.context.shards.stored_at(from.identity, header.shard),
                    Ok(Some(_))
                );
                let bytes = if is_here {
                    ByteCount(0)
                } else {
                    ByteCount(u64::from(header.shard_bytes))
                };
                Input::StoreAsked {
                    ask,
                    identity: from.identity,
                    lane: from.device,
                    bytes,
                }
            }
            Question::Fetch { from, .. } => Input::AccessAsked {
                ask,
                identity: from.identity,
                device: from.device,
                access: Access::Read,
            },
            Question::Control { from, access, .. } => Input::AccessAsked {
                ask,
                identity: from.identity,
                device: from.device,
                access: *access,
            },
        };
        self.questions.insert(ask, question);
        self.tell(input);
    }

    /// The engine said no.
    pub(crate) fn refuse(&mut self, ask: AskId, code: ErrorCode) {
        if let Some(question) = self.questions.remove(&ask) {
            self.refuse_question(question, code);
        }
    }

    fn refuse_question(&mut self, question: Question, code: ErrorCode) {
        debug!(code = code.name(), "Refused a peer");
        match question {
            Question::Propose { reply, .. } | Question::Control { reply, .. } => reply.refuse(code),
            Question::Store { incoming, .. } => {
                self.tasks
                    .spawn(async move { drop(incoming.refuse(code).await) });
            }
            Question::Fetch { outgoing, .. } => {
                self.tasks
                    .spawn(async move { drop(outgoing.refuse(code).await) });
            }
        }
    }

    /// Signs a contract, records it, answers.
    pub(crate) fn accept_contract(&mut self, completion: Completion, ask: AskId) {
        let Some(Question::Propose {
            from,
            signed,
            contract,
            reply,
        }) = self.questions.remove(&ask)
        else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let (lane, bytes) = (from.device, contract.bytes);
        let acceptance = ContractAcceptance {
            contract: contract_id(&signed),
            supplier: self.context.device,
            accepted_at: wall_clock(),
        };
        let acceptance = self.context.secrets.device.signing().sign(&acceptance);
        let stored = StoredContract {
            identity: from.identity,
            lane,
            bytes,
            contract: *signed,
            acceptance: acceptance.clone(),
        };
        let shards = self.context.shards.clone();
        self.tasks.spawn(async move {
            let kept = blocking(move || shards.put_contract(stored)).await;
            match kept.and_then(|kept| kept.map_err(|error| error.code())) {
                Ok(()) => {
                    // The engine is told first: the customer may store at once.
                    let kept = |completion| Back::ContractKept {
                        completion,
                        ask,
                        lane,
                        bytes,
                    };
                    completion.bring(kept).await;
                    reply.send(Body::ContractSigned(acceptance));
                }
                Err(code) => {
                    completion.tell(Err(code)).await;
                    reply.refuse(code);
                }
            }
        });
    }

    /// A contract is recorded: what it takes is not offered to others any more.
    pub(crate) fn contract_kept(
        &mut self,
        completion: Completion,
        ask: AskId,
        lane: DeviceId,
        bytes: ByteCount,
    ) {
        self.customers.insert(lane, bytes);
        self.tell(completion.done(Input::ContractRecorded { ask }));
    }

    /// Lets a shard come.
    pub(crate) fn accept_store(&mut self, completion: Completion, ask: AskId) {
        let Some(Question::Store {
            signed,
            header,
            incoming,
            ..
        }) = self.questions.remove(&ask)
        else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let context = self.context.clone();
        self.start(completion, async move {
            let taken = take_shard(&context, *signed, &header, *incoming).await;
            taken
                .inspect_err(|code| debug!(code = code.name(), "A shard did not arrive whole"))
                .map(|()| Input::ShardKept { ask })
        });
    }

    /// Does what a customer asked.
    pub(crate) fn allow_access(&mut self, ask: AskId) {
        let context = self.context.clone();
        match self.questions.remove(&ask) {
            Some(Question::Fetch {
                from,
                fetch,
                outgoing,
            }) => {
                self.tasks
                    .spawn(async move { give_range(&context, from, fetch, outgoing).await });
            }
            Some(Question::Control {
                from, body, reply, ..
            }) => {
                self.tasks.spawn(async move {
                    let answer = serve(&context, from, *body).await.unwrap_or_else(refused);
                    reply.send(answer);
                });
            }
            Some(Question::Propose { reply, .. }) => reply.refuse(ErrorCode::Internal),
            Some(question @ Question::Store { .. }) => {
                self.refuse_question(question, ErrorCode::Internal)
            }
            None => {}
        }
    }

    /// Any node tells what it keeps for its customers to whoever knows the keys.
    fn locate(&mut self, keys: Vec<bitdust_model::DhtKey>, reply: Reply) {
        if keys.len() > limits::LOCATE_KEYS_MAX {
            return reply.refuse(ErrorCode::Malformed);
        }
        let context = self.context.clone();
        self.tasks.spawn(async move {
            let shards = context.shards.clone();
            let found = blocking(move || {
                let mut records = Vec::new();
                for key in keys {
                    if let Some(record) = shards.deposit(key)? {
                        records.push(record);
                    }
                }
                Ok::<_, ShardError>(records)
            });
            match found.await {
                Ok(Ok(records)) => reply.send(Body::Located(records)),
                Ok(Err(error)) => reply.refuse(error.code()),
                Err(code) => reply.refuse(code),
            }
        });
    }

    /// Publishes the records kept for customers, the newer of two each.
    pub(crate) fn publish_deposits(&mut self, completion: Completion) {
        let context = self.context.clone();
        self.start(completion, async move {
            let published = publish_deposits(&context).await;
            published.map(|()| Input::DepositsPublished)
        });
    }
}

const fn refused(code: ErrorCode) -> Body {
    Body::Refused(Refusal {
        code,
        retry_after_ms: None,
    })
}

/// Receives a shard and answers with a receipt once it is durable.
async fn take_shard(
    context: &Context,
    signed: Signed<StoreHeader>,
    header: &StoreHeader,
    mut incoming: IncomingStore,
) -> Result<(), ErrorCode> {
    let shards = context.shards.clone();
    let read = header.clone();
    let begun = blocking(move || shards.begin(&read, &signed)).await?;
    let stored_at = match begun {
        Ok(Begin::Have { stored_at }) => stored_at,
        Ok(Begin::Write(writer)) => match write_shard(*writer, &mut incoming).await {
            Ok(stored_at) => stored_at,
            Err(code) => {
                drop(incoming.refuse(code).await);
                return Err(code);
            }
        },
        Err(error) => {
            let code = error.code();
            drop(incoming.refuse(code).await);
            return Err(code);
        }
    };
    let receipt = Receipt {
        supplier: context.device,
        owner: header.owner,
        lane: header.lane,
        pack: header.pack,
        position: header.position,
        shard: header.shard,
        shard_bytes: header.shard_bytes,
        stored_at,
    };
    let receipt = context.secrets.device.signing().sign(&receipt);
    // The shard is kept whether or not the customer still listens; it will ask again.
    drop(incoming.done(receipt).await);
    Ok(())
}

async fn write_shard(
    mut writer: ShardWriter,
    incoming: &mut IncomingStore,
) -> Result<bitdust_model::UnixMillis, ErrorCode> {
    incoming
        .go(writer.offset())
        .await
        .map_err(|error| error.code())?;
    let (pieces, mut arriving) = mpsc::channel::<Bytes>(PIECES_IN_FLIGHT_MAX);
    let disk = tokio::task::spawn_blocking(move || {
        let pieces = std::iter::from_fn(|| arriving.blocking_recv());
        writer.fill(pieces).map_err(|error| error.code())?;
        writer
            .finish(wall_clock())
            .map(|stored| stored.stored_at)
            .map_err(|error| error.code())
    });
    let mut failure = None;
    while let Some(piece) = incoming.data().await {
        match piece {
            Ok(piece) => {
                if pieces.send(piece).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                failure = Some(error.code());
                break;
            }
        }
    }
    drop(pieces);
    let written = disk.await.map_err(|_| ErrorCode::Internal)?;
    match failure {
        Some(code) => Err(code),
        None => written,
    }
}

/// Sends a range of a shard with its proof.
async fn give_range(context: &Context, from: Peer, fetch: Fetch, outgoing: OutgoingFetch) {
    let shards = context.shards.clone();
    let found = blocking(move || {
        let header = match fetch.target {
            FetchTarget::Shard(shard) => shards.header(from.identity, shard),
            FetchTarget::Place {
                set,
                pack,
                position,
            } => shards.find(from.identity, set, pack, position),
        };
        let signed = header
            .map_err(|error| error.code())?
            .ok_or(ErrorCode::NotFound)?;
        let header = verify(&signed).map_err(|_| ErrorCode::Corrupt)?;
        let range = aligned_range(header.shard_bytes, fetch.offset, fetch.length)
            .ok_or(ErrorCode::BadRequest)?;
        Ok((signed, header, range))
    });
    let (signed, header, range) = match found.await.and_then(|found| found) {
        Ok(found) => found,
        Err(code) => return drop(outgoing.refuse(code).await),
    };
    let (sender, receiver) = mpsc::channel::<Result<Bytes, ErrorCode>>(PIECES_IN_FLIGHT_MAX);
    let shards = context.shards.clone();
    let reading =
        tokio::task::spawn_blocking(move || read_into(&shards, from, &header, range, &sender));
    let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    if let Err(error) = outgoing
        .send(signed, range.offset, range.length, Box::pin(pieces))
        .await
    {
        debug!(%error, "A range was not taken");
    }
    drop(reading.await);
}

fn read_into(
    shards: &bitdust_store::ShardStore,
    from: Peer,
    header: &StoreHeader,
    range: ServedRange,
    sender: &mpsc::Sender<Result<Bytes, ErrorCode>>,
) {
    let mut output = std::io::BufWriter::with_capacity(
        limits::SHARD_ALIGN,
        ChannelWriter {
            sender: sender.clone(),
        },
    );
    let result = shards.read_range(
        from.identity,
        header.shard,
        range.offset,
        range.length,
        &mut output,
    );
    let result =
        result.and_then(|_| std::io::Write::flush(&mut output).map_err(ShardError::Output));
    if let Err(error) = result {
        debug!(%error, "A range could not be read");
        drop(output.into_parts());
        drop(sender.blocking_send(Err(error.code())));
    }
}

/// Writes into a channel; waits while it is full.
struct ChannelWriter {
    sender: mpsc::Sender<Result<Bytes, ErrorCode>>,
}

impl std::io::Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| std::io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Answers a control request that the engine allowed.
async fn serve(context: &Context, from: Peer, body: Body) -> Result<Body, ErrorCode> {
    match body {
        Body::List { lane, after } => {
            let shards = context.shards.clone();
            let listing =
                blocking(move || shards.list(from.identity, lane, after, limits::LIST_ENTRIES_MAX))
                    .await?;
            let listing = listing.map_err(|error| error.code())?;
            Ok(Body::Listing {
                headers: listing.headers,
                more: listing.more,
            })
        }
        Body::Delete { packs } => {
            let shards = context.shards.clone();
            let deleted =
                blocking(move || shards.delete(from.identity, from.device, &packs, wall_clock()))
                    .await?;
            let bytes = deleted.map_err(|error| error.code())?;
            context
                .tell(Input::BytesReleased {
                    lane: from.device,
                    bytes,
                })
                .await;
            Ok(Body::Deleted { bytes })
        }
        Body::HeadPut(bundle) => keep_head(context, from, bundle).await,
        Body::HeadsAsk => {
            let shards = context.shards.clone();
            let heads = blocking(move || shards.heads(from.identity))
                .await?
                .map_err(|error| error.code())?;
            Ok(Body::Heads(heads))
        }
        Body::Deposit(records) => keep_records(context, from, records).await,
        Body::FencePut(fence) => keep_fence(context, from, fence).await,
        Body::Hello(_)
        | Body::Refused(_)
        | Body::Done
        | Body::SpaceAsk
        | Body::SpaceFree(_)
        | Body::Befriend { .. }
        | Body::Propose(_)
        | Body::ContractSigned(_)
        | Body::Store(_)
        | Body::Stored(_)
        | Body::Fetch(_)
        | Body::Fetched { .. }
        | Body::Listing { .. }
        | Body::Deleted { .. }
        | Body::HeadKept(_)
        | Body::Heads(_)
        | Body::Locate(_)
        | Body::Located(_) => Err(ErrorCode::Malformed),
    }
}

async fn keep_head(context: &Context, from: Peer, bundle: HeadBundle) -> Result<Body, ErrorCode> {
    let head = verify_by(&bundle.head, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if head.owner != from.identity || head.lane != from.device {
        return Err(ErrorCode::NotAllowed);
    }
    for signed in &bundle.sets {
        let set = verify_by(signed, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
        if set.owner != from.identity || set.lane != from.device {
            return Err(ErrorCode::NotAllowed);
        }
    }
    let receipt = HeadReceipt {
        supplier: context.device,
        lane: head.lane,
        sequence: head.sequence,
        head: head_hash(&bundle.head),
        received_at: wall_clock(),
    };
    let shards = context.shards.clone();
    let hash = receipt.head;
    blocking(move || shards.put_head(&bundle, hash, wall_clock()))
        .await?
        .map_err(|error| error.code())?;
    Ok(Body::HeadKept(
        context.secrets.device.signing().sign(&receipt),
    ))
}

async fn keep_records(
    context: &Context,
    from: Peer,
    records: Vec<KeyedRecord>,
) -> Result<Body, ErrorCode> {
    if records.len() > limits::DEPOSITS_PER_CUSTOMER_MAX {
        return Err(ErrorCode::Malformed);
    }
    for record in &records {
        let read =
            validate_record(record, &context.network).map_err(|_| ErrorCode::NotAuthentic)?;
        if read.kind != RecordKind::Locator {
            return Err(ErrorCode::NotAllowed);
        }
    }
    let shards = context.shards.clone();
    blocking(move || {
        for record in records {
            shards.put_deposit(from.identity, &record)?;
        }
        Ok::<_, ShardError>(())
    })
    .await?
    .map_err(|error| error.code())?;
    Ok(Body::Done)
}

async fn keep_fence(
    context: &Context,
    from: Peer,
    signed: Signed<Fence>,
) -> Result<Body, ErrorCode> {
    let fence = verify_by(&signed, &from.identity.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if fence.identity != from.identity {
        return Err(ErrorCode::NotAllowed);
    }
    let shards = context.shards.clone();
    blocking(move || shards.put_fence(&fence, &signed))
        .await?
        .map_err(|error| error.code())?;
    Ok(Body::Done)
}

/// Reads before it writes: where the DHT has a newer record than this node keeps, the newer
/// one is published again.
async fn publish_deposits(context: &Context) -> Result<(), ErrorCode> {
    let mut after = None;
    loop {
        let shards = context.shards.clone();
        let page = blocking(move || shards.deposits(after, limits::LIST_ENTRIES_MAX)).await?;
        let page = page.map_err(|error| error.code())?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.key);
        for kept in page {
            let record = newer_of(context, kept).await;
            if let Err(error) = context.net.put_record(record).await {
                debug!(%error, "A record kept for a customer was not put");
            }
        }
    }
}

async fn newer_of(context: &Context, kept: KeyedRecord) -> KeyedRecord {
    let key = kept.key;
    let number = |record: &KeyedRecord| {
        validate_record(record, &context.network)
            .ok()
            .map(|read| read.sequence)
    };
    let found = context
        .net
        .get_record(key)
        .await
        .ok()
        .flatten()
        .map(|record| KeyedRecord { key, record });
    match found {
        Some(found) if number(&found) > number(&kept) => found,
        Some(_) | None => kept,
    }
}
