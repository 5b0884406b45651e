//! The customer's end of a bulk stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bitdust_crypto::verify_by;
use bitdust_model::manifest::{Receipt, StoreHeader};
use bitdust_model::message::{Body, Fetch, FetchTarget};
use bitdust_model::{DeviceId, Signed, limits};
use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::check_header;
use super::frame::{Frame, RequestId};
use super::frames::Frames;
use super::writer::{Progress, Say, What, Writer, say};
use crate::error::NetError;
use crate::local::Local;
use crate::session::{Incoming, Session, name_of};
use crate::wire;

/// The customer's end of one bulk stream. Clones share the stream; it closes when the last
/// one is dropped. Up to `BULK_OUTSTANDING_MAX` calls run at once, further ones wait.
///
/// A call may be dropped: the supplier is told that it is no longer wanted.
#[derive(Debug, Clone)]
pub struct BulkClient {
    device: DeviceId,
    registrations: mpsc::Sender<Registration>,
    says: mpsc::Sender<Say>,
    outstanding: Arc<Semaphore>,
    flowing: Arc<Semaphore>,
    next: Arc<AtomicU32>,
    progress: Progress,
    ended: watch::Receiver<Option<NetError>>,
    stall: Duration,
}

/// Which range of a shard came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRange {
    /// What the shard is; signed by the device of its lane, whoever that is.
    pub header: Signed<StoreHeader>,
    /// First byte of the range, a multiple of 64 KiB.
    pub offset: u64,
    /// Bytes of the range.
    pub length: u64,
}

impl BulkClient {
    /// The supplier at the other end.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// Whether the stream has ended; a new one must be opened then.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.says.is_closed()
    }

    /// Stores a shard: asks, sends from where the supplier wants it, and returns its receipt
    /// once the shard is durable. The receipt is checked against the header.
    pub async fn store(
        &self,
        header: Signed<StoreHeader>,
        shard: Bytes,
    ) -> Result<Signed<Receipt>, NetError> {
        let plain = check_header(&header).map_err(|reason| NetError::BadRequest { reason })?;
        if usize::try_from(plain.shard_bytes) != Ok(shard.len()) {
            let reason = format!(
                "the header says {} bytes, the shard has {}",
                plain.shard_bytes,
                shard.len()
            );
            return Err(NetError::BadRequest { reason });
        }
        let mut call = self.call(Body::Store(header)).await?;
        let answer = match call.next().await? {
            Heard::Go(offset) => call.send_shard(offset, &shard).await?,
            Heard::Answer(body) => *body,
            Heard::Data(_) | Heard::End => {
                return Err(call.broken("bytes came in answer to a Store"));
            }
        };
        let receipt = call.receipt_of(answer)?;
        check_receipt(&receipt, &plain, self.device).map_err(|reason| call.broken(reason))?;
        call.over = true;
        Ok(receipt)
    }

    /// Fetches a range of a shard with its proof. The range is the one that was asked for,
    /// widened to 64 KiB, and the header matches what was asked for. `take` gets proof and bytes,
    /// interleaved, as they come; they are not checked here beyond their length. Where it says no
    /// the supplier is told to stop.
    pub async fn fetch(
        &self,
        fetch: Fetch,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<FetchedRange, NetError> {
        if fetch.length == 0 {
            return Err(NetError::BadRequest {
                reason: "a range without bytes".to_owned(),
            });
        }
        let mut call = self.call(Body::Fetch(fetch.clone())).await?;
        let (header, offset, length) = match call.next().await? {
            Heard::Answer(body) => call.range_of(*body, &fetch)?,
            Heard::Go(_) | Heard::Data(_) | Heard::End => {
                return Err(call.broken("a range came without its header"));
            }
        };
        let bytes_max = range_bytes_max(length);
        let mut came = 0;
        loop {
            match call.next().await? {
                Heard::Data(bytes) if came + bytes.len() > bytes_max => {
                    return Err(call.broken("a range came with more bytes than its proof can have"));
                }
                Heard::Data(bytes) => {
                    came += bytes.len();
                    if !take(&bytes) {
                        return Err(call.broken("a range came that its shard does not have"));
                    }
                }
                Heard::End => break,
                Heard::Answer(body) => return Err(call.refusal_of(*body)),
                Heard::Go(_) => return Err(call.broken("a Go came in answer to a Fetch")),
            }
        }
        call.over = true;
        Ok(FetchedRange {
            header,
            offset,
            length,
        })
    }

    /// Registers a request with the reader first, then hands it to the writer.
    async fn call(&self, body: Body) -> Result<Call, NetError> {
        let permit = Arc::clone(&self.outstanding)
            .acquire_owned()
            .await
            .map_err(|_| self.why_ended())?;
        let id = RequestId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, heard) = mpsc::channel(limits::BULK_FRAMES_WAITING_MAX);
        let registration = Registration { id, sender };
        self.registrations
            .send(registration)
            .await
            .map_err(|_| self.why_ended())?;
        say(&self.says, id, What::Ask(Box::new(body)))
            .await
            .map_err(|_| self.why_ended())?;
        Ok(Call {
            id,
            heard,
            client: self.clone(),
            over: false,
            _permit: permit,
        })
    }

    fn why_ended(&self) -> NetError {
        self.ended
            .borrow()
            .clone()
            .unwrap_or_else(|| NetError::interrupted("the bulk stream has ended"))
    }
}

/// The most bytes that a range of `length` bytes may have with its proof: 64 bytes for each
/// inner node of the hash tree over groups of 16 KiB, and those on the way to its root.
fn range_bytes_max(length: u64) -> usize {
    let groups = length.div_ceil(16 * 1024);
    let bytes = length.saturating_add(64 * (2 * groups + 64));
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// One outstanding request.
struct Call {
    id: RequestId,
    heard: mpsc::Receiver<Heard>,
    client: BulkClient,
    /// Whether both sides know that it is over.
    over: bool,
    /// Another request may begin only when this one has ended.
    _permit: OwnedSemaphorePermit,
}

impl Call {
    async fn next(&mut self) -> Result<Heard, NetError> {
        let heard = self
            .client
            .progress
            .next(&mut self.heard, self.client.stall)
            .await?;
        heard.ok_or_else(|| self.client.why_ended())
    }

    /// Sends the shard when it is its turn, and returns the answer to it.
    async fn send_shard(&mut self, offset: u64, shard: &Bytes) -> Result<Body, NetError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        if start > shard.len() {
            return Err(self.broken("a Go came from beyond the end of the shard"));
        }
        let mut rest = shard.slice(start..);
        let flowing = Arc::clone(&self.client.flowing);
        let turn = flowing
            .acquire()
            .await
            .map_err(|_| self.client.why_ended())?;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(limits::DATA_FRAME_BYTES));
            tokio::select! {
                biased;
                early = self.heard.recv() => return Err(self.early_end(early)),
                said = say(&self.client.says, self.id, What::Data(piece)) => said.map_err(|_| self.client.why_ended())?,
            }
        }
        say(&self.client.says, self.id, What::End)
            .await
            .map_err(|_| self.client.why_ended())?;
        drop(turn);
        match self.next().await? {
            Heard::Answer(body) => Ok(*body),
            Heard::Go(_) | Heard::Data(_) | Heard::End => {
                Err(self.broken("a Store was not answered"))
            }
        }
    }

    fn early_end(&mut self, heard: Option<Heard>) -> NetError {
        let Some(heard) = heard else {
            return self.client.why_ended();
        };
        if let Heard::Answer(body) = heard
            && let Body::Refused(refusal) = *body
        {
            return NetError::Refused { refusal };
        }
        self.broken("a Store was answered before all bytes were sent")
    }

    fn receipt_of(&mut self, answer: Body) -> Result<Signed<Receipt>, NetError> {
        if let Body::Stored(receipt) = answer {
            return Ok(receipt);
        }
        Err(self.refusal_of(answer))
    }

    fn range_of(
        &mut self,
        answer: Body,
        fetch: &Fetch,
    ) -> Result<(Signed<StoreHeader>, u64, u64), NetError> {
        let Body::Fetched {
            header,
            offset,
            length,
        } = answer
        else {
            return Err(self.refusal_of(answer));
        };
        match check_range(&header, offset, length, fetch) {
            Ok(()) => Ok((header, offset, length)),
            Err(reason) => Err(self.broken(reason)),
        }
    }

    /// What an answer that is no success means.
    fn refusal_of(&mut self, answer: Body) -> NetError {
        if let Body::Refused(refusal) = answer {
            self.over = true;
            return NetError::Refused { refusal };
        }
        self.broken(name_of(&answer))
    }

    #[expect(
        clippy::unused_self,
        reason = "only a request that is under way can be broken"
    )]
    fn broken(&self, reason: impl Into<String>) -> NetError {
        NetError::Malformed {
            reason: reason.into(),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.over {
            // If the queue is full the supplier learns it from the reader's silence: what
            // still comes is counted as stray.
            drop(self.client.says.try_send(Say {
                id: self.id,
                what: What::Cancel,
            }));
        }
    }
}

fn check_receipt(
    receipt: &Signed<Receipt>,
    header: &StoreHeader,
    supplier: DeviceId,
) -> Result<(), String> {
    let receipt = verify_by(receipt, supplier.as_bytes()).map_err(|error| error.to_string())?;
    let same_shard = receipt.shard == header.shard && receipt.shard_bytes == header.shard_bytes;
    let same_place = receipt.pack == header.pack && receipt.position == header.position;
    let same_people = receipt.supplier == supplier
        && receipt.owner == header.owner
        && receipt.lane == header.lane;
    if same_shard && same_place && same_people {
        return Ok(());
    }
    Err("the receipt is for something else".to_owned())
}

fn check_range(
    header: &Signed<StoreHeader>,
    offset: u64,
    length: u64,
    fetch: &Fetch,
) -> Result<(), String> {
    let header = check_header(header)?;
    let is_asked = match fetch.target {
        FetchTarget::Shard(shard) => header.shard == shard,
        FetchTarget::Place {
            set,
            pack,
            position,
        } => header.set == set && header.pack == pack && header.position == position,
    };
    if !is_asked {
        return Err("another shard came than was asked for".to_owned());
    }
    let align = limits::SHARD_ALIGN as u64;
    let start = fetch.offset - fetch.offset % align;
    let wanted_end = fetch.offset.saturating_add(fetch.length);
    let end = wanted_end
        .checked_next_multiple_of(align)
        .unwrap_or(u64::MAX)
        .min(u64::from(header.shard_bytes));
    if offset != start || offset.checked_add(length) != Some(end) || length == 0 {
        return Err("another range came than was asked for".to_owned());
    }
    Ok(())
}

/// A request becomes known to the reader.
#[derive(Debug)]
struct Registration {
    id: RequestId,
    sender: mpsc::Sender<Heard>,
}

/// What a request hears from the supplier.
#[derive(Debug)]
enum Heard {
    Go(u64),
    Data(Bytes),
    End,
    Answer(Box<Body>),
}

/// What drives the stream of a [`BulkClient`].
pub(crate) struct CustomerEnd {
    local: Arc<Local>,
    device: DeviceId,
    registrations: mpsc::Receiver<Registration>,
    says: mpsc::Receiver<Say>,
    progress: Progress,
    ended: watch::Sender<Option<NetError>>,
}

/// A client and what drives its stream.
pub(crate) fn open(local: Arc<Local>, device: DeviceId) -> (BulkClient, CustomerEnd) {
    let (registrations, registered) = mpsc::channel(limits::BULK_OUTSTANDING_MAX);
    let (says, said) = mpsc::channel(limits::BULK_FRAMES_QUEUED_MAX);
    let (ended, why) = watch::channel(None);
    let progress = Progress::default();
    let client = BulkClient {
        device,
        registrations,
        says,
        outstanding: Arc::new(Semaphore::new(limits::BULK_OUTSTANDING_MAX)),
        flowing: Arc::new(Semaphore::new(limits::BULK_STORES_FLOWING_MAX)),
        next: Arc::new(AtomicU32::new(1)),
        progress: progress.clone(),
        ended: why,
        stall: local.policy.stall_timeout,
    };
    let end = CustomerEnd {
        local,
        device,
        registrations: registered,
        says: said,
        progress,
        ended,
    };
    (client, end)
}

impl CustomerEnd {
    /// Drives the stream until the client is gone, the stream ends, or the supplier breaks
    /// the protocol. Errors that the supplier is to blame for are returned.
    pub(crate) async fn drive<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        stream: S,
        session: Session,
    ) -> Result<(), NetError> {
        let Self {
            local,
            device,
            registrations,
            says,
            progress,
            ended,
        } = self;
        let (read, write) = stream.split();
        let frames = Frames::new(read, Arc::clone(&local.buffers));
        let writer = Writer {
            socket: write,
            session: session.outgoing,
            local,
            says,
            progress: progress.clone(),
        };
        let mut reader = Reader {
            device,
            session: session.incoming,
            table: BTreeMap::new(),
            registrations,
            progress,
            stray_bytes: 0,
        };
        let result = tokio::select! {
            result = reader.run(frames) => result,
            result = writer.run() => result,
        };
        // The reason must be there before the calls see their channels close.
        ended.send_replace(result.as_ref().err().cloned());
        drop(reader);
        result
    }
}

struct Reader {
    device: DeviceId,
    session: Incoming,
    table: BTreeMap<RequestId, mpsc::Sender<Heard>>,
    registrations: mpsc::Receiver<Registration>,
    progress: Progress,
    stray_bytes: u64,
}

impl Reader {
    async fn run<R: AsyncRead + Unpin>(&mut self, mut frames: Frames<R>) -> Result<(), NetError> {
        loop {
            tokio::select! {
                biased;
                registration = self.registrations.recv() => match registration {
                    Some(registration) => self.register(registration),
                    // The writer ends by itself once it has written what is queued.
                    None => return std::future::pending().await,
                },
                frame = frames.next() => match frame? {
                    Some((id, frame)) => {
                        self.progress.note();
                        self.hear(id, frame).await?;
                    }
                    None => return Err(NetError::interrupted("the supplier closed the bulk stream")),
                },
            }
        }
    }

    fn register(&mut self, registration: Registration) {
        self.table.retain(|_, sender| !sender.is_closed());
        self.stray_bytes = 0;
        self.table.insert(registration.id, registration.sender);
    }

    async fn hear(&mut self, id: RequestId, frame: Frame) -> Result<(), NetError> {
        let heard = match frame {
            Frame::Go(offset) => Heard::Go(offset),
            Frame::Data(bytes) => Heard::Data(bytes),
            Frame::End => Heard::End,
            Frame::Answer(bytes) => Heard::Answer(Box::new(self.believe(&bytes)?)),
            Frame::Ask(_) | Frame::Cancel => {
                return Err(NetError::malformed("a supplier sent what customers send"));
            }
        };
        let bytes = match &heard {
            Heard::Data(bytes) => bytes.len() as u64,
            Heard::Go(_) | Heard::End | Heard::Answer(_) => 1,
        };
        if let Some(sender) = self.table.get(&id)
            && sender.send(heard).await.is_ok()
        {
            return Ok(());
        }
        // Nobody waits for it: the call was dropped, and what was under way still comes.
        self.stray_bytes += bytes;
        if self.stray_bytes > limits::BULK_STRAY_BYTES_MAX {
            return Err(NetError::malformed(
                "bytes keep coming that nobody asked for",
            ));
        }
        Ok(())
    }

    fn believe(&mut self, bytes: &[u8]) -> Result<Body, NetError> {
        let packet = wire::packet_from_bytes(bytes)?;
        self.session
            .open(&packet)
            .map_err(|reason| NetError::NotBelieved {
                device: self.device,
                reason,
            })
    }
}
