//! Shards of customers: bulk requests as they come, bytes to the disk and back.

use bitdust_crypto::verify_header;
use bitdust_model::message::{Fetch, FetchTarget};
use bitdust_model::shard::{Receipt, ShardHeader, SignedHeader};
use bitdust_model::{ErrorCode, Position, UnixMillis, limits};
use bitdust_net::{BulkRequest, BulkServer, IncomingStore, OutgoingFetch, Peer};
use bitdust_store::supplier::{ServedRange, aligned_range};
use bitdust_store::{Begin, ShardError, ShardWriter};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::arrivals::Turn;
use crate::shared::context::{Context, wall_clock};
use crate::shared::question::Question;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

/// Takes the requests of one bulk stream; each is checked and handed to the loop.
pub(crate) async fn listen(context: Context, from: Peer, mut server: BulkServer) {
    while let Some(request) = server.next().await {
        let question = match request {
            BulkRequest::Store { header, incoming } => {
                let position = incoming.header().position;
                match check_header(&header, position, from) {
                    Ok(read) => {
                        let (shards, shard) = (context.shards.clone(), read.shard);
                        let stored = blocking(move || shards.stored_at(from.identity, shard)).await;
                        Question::Store {
                            from,
                            signed: Box::new(header),
                            header: Box::new(read),
                            is_here: matches!(stored, Ok(Ok(Some(_)))),
                            incoming: Box::new(incoming),
                        }
                    }
                    Err(code) => {
                        drop(incoming.refuse(code).await);
                        continue;
                    }
                }
            }
            BulkRequest::Fetch { fetch, outgoing } => Question::Fetch {
                from,
                fetch,
                outgoing,
            },
        };
        if context
            .task_events
            .send(TaskEvent::Asked(Box::new(question)))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Only the device of a lane stores in it, and only for its own identity.
fn check_header(
    signed: &SignedHeader,
    position: Position,
    from: Peer,
) -> Result<ShardHeader, ErrorCode> {
    if signed.header.signer != from.device.0 {
        return Err(ErrorCode::NotAuthentic);
    }
    let header = verify_header(signed).map_err(|_| ErrorCode::NotAuthentic)?;
    let header = header.at(position).ok_or(ErrorCode::Malformed)?;
    if header.owner != from.identity || header.lane != from.device {
        return Err(ErrorCode::NotAllowed);
    }
    Ok(header)
}

/// Receives a shard and answers with a receipt once it is durable.
pub(crate) async fn take_shard(
    context: &Context,
    signed: SignedHeader,
    header: &ShardHeader,
    mut incoming: IncomingStore,
    mut turn: Turn,
) -> Result<(), ErrorCode> {
    turn.come().await;
    let shards = context.shards.clone();
    let read = header.clone();
    let begun = blocking(move || shards.begin(&read, &signed)).await?;
    let stored_at = match begun {
        Ok(Begin::Have { stored_at }) => {
            drop(turn);
            stored_at
        }
        Ok(Begin::Write(writer)) => {
            let written = write_shard(*writer, &mut incoming, &mut turn).await;
            // The peer may hang; another try need not wait for it.
            drop(turn);
            match written {
                Ok(stored_at) => stored_at,
                // Nobody is there to be told.
                Err(code @ ErrorCode::Interrupted) => return Err(code),
                Err(code) => {
                    drop(incoming.refuse(code).await);
                    return Err(code);
                }
            }
        }
        Err(error) => {
            drop(turn);
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
    turn: &mut Turn,
) -> Result<UnixMillis, ErrorCode> {
    tokio::select! {
        biased;
        () = turn.stopped() => return Err(ErrorCode::Interrupted),
        went = incoming.go(writer.offset()) => went.map_err(|error| error.code())?,
    }
    let (pieces, mut arriving) = mpsc::channel::<Bytes>(limits::PIECES_IN_FLIGHT_MAX);
    let disk = tokio::task::spawn_blocking(move || {
        let pieces = std::iter::from_fn(|| arriving.blocking_recv());
        writer.fill(pieces).map_err(|error| error.code())?;
        writer
            .finish(wall_clock())
            .map(|stored| stored.stored_at)
            .map_err(|error| error.code())
    });
    let mut failure = None;
    loop {
        let piece = tokio::select! {
            biased;
            () = turn.stopped() => Some(Err(ErrorCode::Interrupted)),
            piece = incoming.data() => piece.map(|piece| piece.map_err(|error| error.code())),
        };
        let Some(piece) = piece else {
            break;
        };
        match piece {
            Ok(piece) => {
                if pieces.send(piece).await.is_err() {
                    break;
                }
            }
            Err(code) => {
                failure = Some(code);
                break;
            }
        }
    }
    drop(pieces);
    let written = disk.await.map_err(|_| ErrorCode::Internal)?;
    match (failure, written) {
        // It was whole before it was stopped.
        (_, Ok(stored_at)) => Ok(stored_at),
        (Some(code), Err(_)) | (None, Err(code)) => Err(code),
    }
}

/// Sends a range of a shard with its proof.
pub(crate) async fn give_range(
    context: &Context,
    from: Peer,
    fetch: Fetch,
    outgoing: OutgoingFetch,
) -> Result<(), ErrorCode> {
    let shards = context.shards.clone();
    let found = blocking(move || {
        let found = match fetch.target {
            FetchTarget::Shard(shard) => shards.header(from.identity, shard),
            FetchTarget::Place {
                set,
                pack,
                position,
            } => shards.find(from.identity, set, pack, position),
        };
        let signed = found
            .map_err(|error| error.code())?
            .ok_or(ErrorCode::NotFound)?;
        let header = verify_header(&signed).map_err(|_| ErrorCode::Corrupt)?;
        let header = match fetch.target {
            FetchTarget::Shard(shard) => header.of(shard),
            FetchTarget::Place { position, .. } => header.at(position),
        };
        let header = header.ok_or(ErrorCode::Corrupt)?;
        let range = aligned_range(header.shard_bytes, fetch.offset, fetch.length)
            .ok_or(ErrorCode::BadRequest)?;
        Ok((signed, header, range))
    });
    let (signed, header, range) = match found.await.and_then(|found| found) {
        Ok(found) => found,
        Err(code) => {
            drop(outgoing.refuse(code).await);
            return Err(code);
        }
    };
    let (sender, receiver) =
        mpsc::channel::<Result<Bytes, ErrorCode>>(limits::PIECES_IN_FLIGHT_MAX);
    let shards = context.shards.clone();
    let reading =
        tokio::task::spawn_blocking(move || read_into(&shards, from, &header, range, &sender));
    let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let sent = outgoing
        .send(signed, range.offset, range.length, Box::pin(pieces))
        .await
        .map_err(|error| error.code());
    // Whoever no longer listens ends the reading too.
    let read = reading.await.map_err(|_| ErrorCode::Internal)?;
    sent.and(read)
}

fn read_into(
    shards: &bitdust_store::ShardStore,
    from: Peer,
    header: &ShardHeader,
    range: ServedRange,
    sender: &mpsc::Sender<Result<Bytes, ErrorCode>>,
) -> Result<(), ErrorCode> {
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
    let Err(error) = result else {
        return Ok(());
    };
    drop(output.into_parts());
    drop(sender.blocking_send(Err(error.code())));
    Err(error.code())
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

#[cfg(test)]
mod tests {
    use bitdust_crypto::DeviceKeys;
    use bitdust_model::{DeviceId, IdentityId};
    use bitdust_pipeline::RangeVerifier;

    use super::*;
    use crate::shared::testing::{TestHome, forged, only_shard, store_header};

    const ALICE: IdentityId = IdentityId([1; 32]);
    const BOB: IdentityId = IdentityId([2; 32]);

    fn alice(device: &DeviceKeys) -> Peer {
        Peer {
            device: device.device(),
            identity: ALICE,
        }
    }

    /// What is sent of a range of a shard.
    async fn sent(
        home: &TestHome,
        from: Peer,
        header: &ShardHeader,
        range: ServedRange,
    ) -> Vec<Result<Bytes, ErrorCode>> {
        let (sender, mut receiver) = mpsc::channel(limits::PIECES_IN_FLIGHT_MAX);
        let (shards, header) = (home.context.shards.clone(), header.clone());
        let reading = blocking(move || read_into(&shards, from, &header, range, &sender));
        let receiving = async {
            let mut pieces = Vec::new();
            while let Some(piece) = receiver.recv().await {
                pieces.push(piece);
            }
            pieces
        };
        let (read, pieces) = futures::join!(reading, receiving);
        let is_whole = pieces.iter().all(Result::is_ok);
        let read = read.expect("no defect");
        assert_eq!(read.is_ok(), is_whole, "the engine is told the same");
        pieces
    }

    #[test]
    fn a_shard_is_taken_of_the_device_of_its_lane_only() {
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let header = |owner: IdentityId, lane: DeviceId| store_header(owner, lane, 1, b"a shard");
        let own = header(ALICE, laptop.device());
        let signed = laptop.signing().sign(&own);
        let of_bob = header(BOB, laptop.device());
        let of_desktop = header(ALICE, desktop.device());
        let (not_authentic, not_allowed) = (ErrorCode::NotAuthentic, ErrorCode::NotAllowed);
        for (signed, checked, what) in [
            (signed.clone(), Ok(only_shard(&own)), "its own"),
            (forged(signed), Err(not_authentic), "nobody's word"),
            (
                desktop.signing().sign(&own),
                Err(not_authentic),
                "another's word",
            ),
            (
                laptop.signing().sign(&of_bob),
                Err(not_allowed),
                "another person's",
            ),
            (
                laptop.signing().sign(&of_desktop),
                Err(not_authentic),
                "another lane",
            ),
        ] {
            let checked_now = check_header(&signed.into(), Position(0), alice(&laptop));
            assert_eq!(checked_now, checked, "{what}");
        }
        let signed = laptop.signing().sign(&own).into();
        let beyond = check_header(&signed, Position(1), alice(&laptop));
        assert_eq!(beyond, Err(ErrorCode::Malformed), "it has no such shard");
    }

    #[tokio::test]
    async fn a_range_is_sent_in_pieces_that_prove_it() {
        let home = TestHome::new().await;
        let device = DeviceKeys::generate();
        let bytes: Vec<u8> = (0..=250).cycle().take(4 * limits::SHARD_ALIGN).collect();
        home.keep_shard(ALICE, &device, 1, &bytes);
        let header = only_shard(&store_header(ALICE, device.device(), 1, &bytes));
        let wanted = limits::SHARD_ALIGN..3 * limits::SHARD_ALIGN;
        let (offset, length) = (wanted.start as u64, wanted.len() as u64);
        let range = ServedRange { offset, length };
        let pieces = sent(&home, alice(&device), &header, range).await;
        assert!(pieces.len() > 1, "no reader waits for the whole");
        let shard_bytes = header.shard_bytes.into();
        let verifier = RangeVerifier::new(header.shard, shard_bytes, offset, length);
        let mut verifier = verifier.expect("a range of it");
        let mut proved = Vec::new();
        for piece in pieces {
            let piece = piece.expect("it can be read");
            verifier.push(&piece, &mut proved).expect("it is proved");
        }
        assert_eq!(verifier.finish(), Ok(()));
        assert!(proved == bytes[wanted], "what was asked for");
    }

    #[tokio::test]
    async fn a_reader_is_told_why_nothing_more_comes() {
        let home = TestHome::new().await;
        let device = DeviceKeys::generate();
        home.keep_shard(ALICE, &device, 1, b"a shard");
        let header = only_shard(&store_header(ALICE, device.device(), 1, b"a shard"));
        let whole = aligned_range(header.shard_bytes, 0, 1).expect("a range of it");
        let bob = Peer {
            identity: BOB,
            ..alice(&device)
        };
        let pieces = sent(&home, bob, &header, whole).await;
        assert_eq!(pieces, [Err(ErrorCode::NotFound)], "he keeps nothing here");
        let beyond = ServedRange {
            offset: limits::SHARD_ALIGN as u64,
            length: 1,
        };
        let pieces = sent(&home, alice(&device), &header, beyond).await;
        assert_eq!(pieces, [Err(ErrorCode::BadRequest)]);
    }
}
