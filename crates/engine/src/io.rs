//! The engine's whole vocabulary: what it is told and what it asks for.
//!
//! Inputs are facts that happened; outputs are deeds that the node must do and answer. The
//! engine moves ids, sizes and decisions, never bytes. All of it can be recorded and played
//! back, so nothing here holds a secret or a file name.

mod completion;
mod facts;

use serde::{Deserialize, Serialize};

use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, IdentityId, PackId, Position, Sequence,
};

pub use facts::{
    CustomerFact, Facts, FolderFact, OfferFact, PackFact, PlaceFact, Plan, ReceiptFact, SetFact,
    SupplierFact, VersionFact,
};

/// A job that a person or a schedule asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(pub u64);

/// A question of a peer that waits for the engine's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AskId(pub u64);

/// One pack, or some ranges of it, that a restore, a recovery or a look-up wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FetchId(pub u64);

/// What happened.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumDiscriminants,
)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(name(InputKind), derive(PartialOrd, Ord, Hash, strum::EnumIter))]
#[strum_discriminants(doc = "What kind of thing happened: an [`Input`] without its data.")]
pub enum Input {
    /// Nothing but time: a wake-up that was asked for.
    Wake,
    /// The engine begins. The first input, once. `seed` is all its randomness.
    Started {
        /// What is known.
        facts: Box<Facts>,
        /// Fresh random bytes.
        seed: [u8; 32],
    },

    // --- network and set-up -------------------------------------------------------------
    /// The node listens.
    Listening,
    /// The own records (root, lane, addresses, offer, nickname) were put, at least one copy.
    RecordsPublished,
    /// They could not be put.
    PublishFailed {
        /// Why.
        code: ErrorCode,
    },
    /// A peer said hello.
    PeerUp {
        /// The machine.
        device: DeviceId,
        /// The person.
        identity: IdentityId,
    },
    /// The last connection with a peer ended.
    PeerDown {
        /// The machine.
        device: DeviceId,
    },
    /// A dial that the engine asked for ended in a connection; `PeerUp` came before.
    Dialed {
        /// The machine.
        device: DeviceId,
    },
    /// A dial that the engine asked for failed.
    DialFailed {
        /// The machine.
        device: DeviceId,
    },

    // --- suppliers ----------------------------------------------------------------------
    /// A person wants this many suppliers in all.
    SuppliersWanted {
        /// The number.
        count: u8,
    },
    /// A person chose a code for new sets, or none.
    CodeWanted {
        /// The code.
        code: Option<Code>,
    },
    /// An invitation was accepted, or somebody accepted ours: a friend who may keep data.
    FriendMade {
        /// What is known of them.
        supplier: SupplierFact,
    },
    /// A search ended.
    OffersFound {
        /// What it found; may be empty.
        offers: Vec<OfferFact>,
    },
    /// The search could not be done.
    SearchFailed {
        /// Why.
        code: ErrorCode,
    },
    /// The stranger is remembered as a supplier.
    SupplierAdopted {
        /// The supplier.
        device: DeviceId,
    },
    /// The catalogue did not take it.
    AdoptFailed {
        /// The supplier.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// Both signed; recorded in the catalogue.
    ContractSigned {
        /// The supplier.
        device: DeviceId,
        /// Bytes agreed.
        bytes: ByteCount,
    },
    /// The supplier did not sign, or could not be asked.
    ContractRefused {
        /// The supplier.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// The set the engine asked for is recorded.
    SetRecorded {
        /// It.
        set: SetFact,
    },
    /// The catalogue did not take the set.
    SetNotRecorded {
        /// Why.
        code: ErrorCode,
    },
    /// A supplier proved that it keeps a random piece.
    CheckPassed {
        /// The supplier.
        device: DeviceId,
    },
    /// A supplier could not prove it. `Corrupt` and `NotFound` are proof of loss; transient
    /// codes are not.
    CheckFailed {
        /// The supplier.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// The supplier holds nothing yet that could be checked.
    CheckEmpty {
        /// The supplier.
        device: DeviceId,
    },
    /// The catalogue knows that a supplier failed a proof, and counts nothing that it confirmed.
    DoubtRecorded {
        /// The supplier.
        device: DeviceId,
    },
    /// The catalogue was not told.
    DoubtNotRecorded {
        /// The supplier.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },

    // --- folders ------------------------------------------------------------------------
    /// A folder came under protection, or its plan changed.
    FolderPlanned {
        /// It.
        fact: FolderFact,
    },
    /// A folder is under protection no longer.
    FolderForgotten {
        /// The folder.
        folder: FolderId,
    },
    /// The system watches the folder. (Answer to `WatchFolder`.)
    FolderWatched {
        /// The folder.
        folder: FolderId,
    },
    /// It cannot, or the folder is not there. (Answer to `WatchFolder`.)
    FolderUnwatchable {
        /// The folder.
        folder: FolderId,
    },
    /// Something in the folder changed, or may have.
    FolderChanged {
        /// The folder.
        folder: FolderId,
    },
    /// The folder itself went away.
    FolderGone {
        /// The folder.
        folder: FolderId,
    },
    /// The machine slept for longer than a moment.
    Resumed,

    // --- backup -------------------------------------------------------------------------
    /// A backup was asked for, by a person or by the engine.
    BackupAsked {
        /// The job.
        job: JobId,
        /// What it reads.
        folders: Vec<FolderId>,
        /// Whether nobody asked for it but the engine: then nobody insists on a version that
        /// would be the same.
        by_itself: bool,
    },
    /// A backup that the engine asked for could not begin.
    BackupNotBegun {
        /// What it was to read.
        folders: Vec<FolderId>,
        /// Why.
        code: ErrorCode,
    },
    /// A person stopped a job.
    CancelAsked {
        /// The job.
        job: JobId,
    },
    /// A pack was sealed, its record written to the catalogue, its shards are at hand.
    PackSealed {
        /// The job.
        job: JobId,
        /// The pack.
        pack: PackId,
        /// What it carries.
        kind: PackKind,
        /// Bytes of one shard.
        shard_bytes: ByteCount,
    },
    /// The walk is over and all packs of contents and trees were announced.
    ScanFinished {
        /// The job.
        job: JobId,
        /// The versions that can be made, one of each folder that could be read.
        versions: Vec<VersionFact>,
    },
    /// The walk could not be done at all.
    ScanFailed {
        /// The job.
        job: JobId,
        /// Why.
        code: ErrorCode,
    },
    /// Receipts of suppliers were checked and recorded in the catalogue; at most
    /// `RECEIPTS_AT_ONCE_MAX`.
    ShardsStored {
        /// In the order in which they came.
        receipts: Vec<ReceiptFact>,
    },
    /// A shard could not be sent.
    SendFailed {
        /// The pack.
        pack: PackId,
        /// The position.
        position: Position,
        /// To whom.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// A shard lies durable in the spool; its memory is free.
    ShardSpooled {
        /// The pack.
        pack: PackId,
        /// The position.
        position: Position,
    },
    /// The spool is full or its disk failed; the shard stays in memory.
    SpoolFailed {
        /// The pack.
        pack: PackId,
        /// The position.
        position: Position,
        /// Why.
        code: ErrorCode,
    },
    /// A spooled shard was loaded and may be sent. (Answer to `LoadSpool`.)
    SpoolLoaded {
        /// The pack.
        pack: PackId,
        /// What it carries.
        kind: PackKind,
        /// The position.
        position: Position,
        /// To whom.
        device: DeviceId,
    },
    /// The spool holds nothing for this supplier (any more). (Answer to `LoadSpool`.)
    SpoolEmpty {
        /// The supplier.
        device: DeviceId,
    },
    /// The spool could not be read. (Answer to `LoadSpool`.)
    SpoolUnreadable {
        /// The supplier.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// The pack is committed in the catalogue: its chunks count as known.
    PackCommitted {
        /// The pack.
        pack: PackId,
    },
    /// The catalogue did not take the commit of the pack.
    PackNotCommitted {
        /// The pack.
        pack: PackId,
        /// Why.
        code: ErrorCode,
    },
    /// The commit pack was sealed and announced with `PackSealed`, the head is signed and
    /// recorded as a draft.
    MetadataSealed {
        /// The job.
        job: JobId,
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// Metadata could not be sealed.
    MetadataFailed {
        /// The job.
        job: JobId,
        /// Why.
        code: ErrorCode,
    },
    /// A supplier confirmed a head and took the sealed records with it.
    HeadKept {
        /// The supplier.
        device: DeviceId,
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// A supplier did not keep a head.
    HeadRefused {
        /// The supplier.
        device: DeviceId,
        /// The head's place in the lane.
        sequence: Sequence,
        /// Why.
        code: ErrorCode,
    },
    /// The catalogue says: this head is published; its packs and snapshots are in it.
    CommitRecorded {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// The catalogue was not told of the published head.
    CommitNotRecorded {
        /// The head's place in the lane.
        sequence: Sequence,
        /// Why.
        code: ErrorCode,
    },

    // --- restore and recovery -----------------------------------------------------------
    /// A restore was asked for; the node plans it and announces fetches.
    RestoreAsked {
        /// The job.
        job: JobId,
    },
    /// A piece is needed. `direct` are the data positions that hold the wanted ranges
    /// themselves; any `k` positions give them too.
    FetchWanted {
        /// The fetch.
        fetch: FetchId,
        /// The job it belongs to.
        job: JobId,
        /// The pack.
        pack: PackId,
        /// Shards that suffice.
        k: u8,
        /// Data positions that hold what is wanted.
        direct: Vec<Position>,
        /// Who holds which position.
        places: Vec<PlaceFact>,
    },
    /// The bytes of one position came and match their proof.
    RangeFetched {
        /// The fetch.
        fetch: FetchId,
        /// The position.
        position: Position,
    },
    /// They did not.
    RangeFailed {
        /// The fetch.
        fetch: FetchId,
        /// The position.
        position: Position,
        /// Who was asked.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// The pieces were put together and every chunk opened.
    FetchDecoded {
        /// The fetch.
        fetch: FetchId,
    },
    /// They could not be put together: at least one position gave wrong bytes that its proof
    /// did not betray (a shard id that was not the owner's).
    DecodeFailed {
        /// The fetch.
        fetch: FetchId,
    },
    /// The node needs nothing more from the network for this job and has written what it could.
    RestoreWritten {
        /// The job.
        job: JobId,
        /// Whether anything is missing.
        problems: u64,
    },
    /// It could not be done at all, or was stopped.
    RestoreFailed {
        /// The job.
        job: JobId,
        /// Why.
        code: ErrorCode,
    },
    /// Somebody looked something up in the network's data, under a number of its own, and needs
    /// nothing more.
    LookUpEnded {
        /// The number under which its fetches were announced.
        job: JobId,
    },
    /// A recovery was asked for.
    RecoverAsked {
        /// The job.
        job: JobId,
    },
    /// The root record was found, its lanes' records were looked up: these suppliers are
    /// named in them.
    LanesFound {
        /// The job.
        job: JobId,
        /// Suppliers of all lanes, addresses known to the node.
        suppliers: Vec<SupplierFact>,
        /// The largest k among the sets named: so many answers are waited for.
        k: u8,
    },
    /// No root record was found.
    LanesMissing {
        /// The job.
        job: JobId,
    },
    /// It could not be looked for.
    SeekFailed {
        /// The job.
        job: JobId,
        /// Why.
        code: ErrorCode,
    },
    /// A supplier told its heads of this identity; the node keeps them.
    HeadsHeard {
        /// The job.
        job: JobId,
        /// The supplier.
        device: DeviceId,
        /// Newest place of each lane.
        lanes: Vec<(DeviceId, Sequence)>,
    },
    /// A supplier could not be asked.
    HeadsFailed {
        /// The job.
        job: JobId,
        /// The supplier.
        device: DeviceId,
    },
    /// Manifest and index of the chosen heads are in the catalogue.
    CatalogueRebuilt {
        /// The job.
        job: JobId,
        /// Packs that could not be had; zero when all is there.
        missing: u64,
    },
    /// Nothing of the chosen heads could be read.
    RebuildFailed {
        /// The job.
        job: JobId,
        /// Why.
        code: ErrorCode,
    },

    // --- supplier's side ----------------------------------------------------------------
    /// The space offered to others changed.
    OfferChanged {
        /// Bytes offered.
        bytes: ByteCount,
    },
    /// Somebody proposes a contract; signatures and addressee were checked.
    ContractProposed {
        /// The question.
        ask: AskId,
        /// The person.
        identity: IdentityId,
        /// The device that writes.
        lane: DeviceId,
        /// Bytes asked for.
        bytes: ByteCount,
        /// Whether the person is a friend.
        friend: bool,
    },
    /// The contract is signed and recorded, the peer is told.
    ContractRecorded {
        /// The question.
        ask: AskId,
    },
    /// The contract was not recorded, the peer is refused.
    ContractNotRecorded {
        /// The question.
        ask: AskId,
        /// Why.
        code: ErrorCode,
    },
    /// A customer wants to store a shard; header checked: owner, lane and sender agree.
    StoreAsked {
        /// The question.
        ask: AskId,
        /// The person.
        identity: IdentityId,
        /// The device that writes.
        lane: DeviceId,
        /// Bytes of the shard; zero when it is here already.
        bytes: ByteCount,
    },
    /// The shard is durable; usage counts it now.
    ShardKept {
        /// The question it began with.
        ask: AskId,
    },
    /// The shard did not arrive whole.
    StoreAborted {
        /// The question it began with.
        ask: AskId,
    },
    /// A customer wants to read, list, delete, or leave a head or records here.
    AccessAsked {
        /// The question.
        ask: AskId,
        /// The person.
        identity: IdentityId,
        /// The asking device.
        device: DeviceId,
        /// What for.
        access: Access,
    },
    /// Bytes of a customer were deleted into the grace reserve.
    BytesReleased {
        /// The device whose packs they were.
        lane: DeviceId,
        /// How many.
        bytes: ByteCount,
    },
    /// The records kept for customers were published again.
    DepositsPublished,
    /// They were not, or not all.
    DepositsFailed {
        /// Why.
        code: ErrorCode,
    },
}

/// What a customer wants of its supplier besides storing.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::EnumIter,
)]
pub enum Access {
    /// Read shards or listings or heads: any device of the identity may.
    Read,
    /// Leave a head, records or a fence: the writing device of a contract may.
    Write,
    /// Delete packs of its own lane.
    Delete,
}

/// What the node must do.
///
/// Every deed is answered exactly once: `successes` and `failure` say with what. What only
/// tells or frees something has no answer.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumDiscriminants,
)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(name(OutputKind), derive(PartialOrd, Ord, Hash, strum::EnumIter))]
#[strum_discriminants(doc = "What kind of deed: an [`Output`] without its data.")]
pub enum Output {
    // --- network and set-up -------------------------------------------------------------
    /// Join the DHT and put the own records; answer `RecordsPublished` or `PublishFailed`.
    PublishRecords,
    /// Connect to a peer; answer `Dialed`, after `PeerUp`, or `DialFailed`.
    Dial {
        /// The machine.
        device: DeviceId,
    },

    // --- suppliers ----------------------------------------------------------------------
    /// Look for offers of space; `slot` picks the part of the key space. Answer `OffersFound`
    /// or `SearchFailed`.
    SearchOffers {
        /// Below `OFFER_SLOTS`.
        slot: u8,
    },
    /// Remember a stranger as a supplier and know its addresses; answer `SupplierAdopted` or
    /// `AdoptFailed`.
    AdoptSupplier {
        /// What is known.
        offer: OfferFact,
    },
    /// Propose a contract; answer `ContractSigned` or `ContractRefused`.
    Propose {
        /// The supplier.
        device: DeviceId,
        /// Bytes to ask for.
        bytes: ByteCount,
    },
    /// Record a new set of these holders durably; answer `SetRecorded` or `SetNotRecorded`.
    RecordSet {
        /// Its code for data packs.
        code: Code,
        /// Holders by position.
        holders: Vec<DeviceId>,
    },
    /// Fetch a random piece of what this supplier confirmed and check its proof; answer
    /// `CheckPassed`, `CheckFailed` or `CheckEmpty`.
    CheckSupplier {
        /// The supplier.
        device: DeviceId,
        /// Picks the piece.
        pick: u64,
    },
    /// The supplier failed a proof: record that its confirmations no longer count; answer
    /// `DoubtRecorded` or `DoubtNotRecorded`.
    DoubtSupplier {
        /// The supplier.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
        /// Whether the catalogue failed to take it before, and people were told.
        again: bool,
    },

    // --- folders ------------------------------------------------------------------------
    /// Watch a folder; answer `FolderWatched` or `FolderUnwatchable`.
    WatchFolder {
        /// The folder.
        folder: FolderId,
    },
    /// Watch it no longer.
    UnwatchFolder {
        /// The folder.
        folder: FolderId,
    },
    /// Begin a backup of these folders; answer `BackupAsked` or `BackupNotBegun`.
    BackUp {
        /// The folders.
        folders: Vec<FolderId>,
    },

    // --- backup -------------------------------------------------------------------------
    /// Walk the folders of the job; announce packs; at most `PACKS_IN_FLIGHT_MAX` unsettled.
    /// Answer `ScanFinished` or `ScanFailed`.
    StartScan {
        /// The job.
        job: JobId,
    },
    /// Send a shard from memory or spool; answer with a receipt in `ShardsStored`, or
    /// `SendFailed`.
    SendShard {
        /// The job that sealed the pack, for which its bytes count; `None`: one of an earlier run.
        job: Option<JobId>,
        /// The pack.
        pack: PackId,
        /// The position.
        position: Position,
        /// To whom.
        device: DeviceId,
    },
    /// Put a shard into the spool; answer `ShardSpooled` or `SpoolFailed`.
    SpoolShard {
        /// The pack.
        pack: PackId,
        /// The position.
        position: Position,
    },
    /// Load the next spooled shard for this supplier; answer `SpoolLoaded`, `SpoolEmpty` or
    /// `SpoolUnreadable`.
    LoadSpool {
        /// The supplier.
        device: DeviceId,
    },
    /// Enough suppliers confirmed the pack: make its chunks known. Answer `PackCommitted` or
    /// `PackNotCommitted`.
    CommitPack {
        /// The pack.
        pack: PackId,
    },
    /// Every shard of the pack is confirmed or spooled: forget its bytes, let the next be
    /// sealed.
    ReleasePack {
        /// The pack.
        pack: PackId,
    },
    /// Build index segment, manifest and head; answer `PackSealed` and `MetadataSealed`, or
    /// `MetadataFailed`.
    SealMetadata {
        /// The job.
        job: JobId,
        /// Folders of which it makes versions.
        folders: Vec<FolderId>,
    },
    /// Give the head with this number to a supplier; answer `HeadKept` or `HeadRefused`.
    PutHead {
        /// The supplier.
        device: DeviceId,
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// The head is published: tell the catalogue. Answer `CommitRecorded` or
    /// `CommitNotRecorded`.
    RecordCommit {
        /// The head's place in the lane.
        sequence: Sequence,
    },

    // --- restore and recovery -----------------------------------------------------------
    /// Plan the restore and announce what it needs, at most `FETCHES_IN_FLIGHT_MAX` at once;
    /// answer `RestoreWritten` or `RestoreFailed`.
    StartRestore {
        /// The job.
        job: JobId,
    },
    /// Fetch what a fetch wants of one position. With `whole`, the union of all wanted ranges
    /// is needed (for decoding), else only the position's own. Answer `RangeFetched` or
    /// `RangeFailed`.
    FetchRange {
        /// The fetch.
        fetch: FetchId,
        /// The position.
        position: Position,
        /// Whom to ask.
        device: DeviceId,
        /// Union of ranges, for decoding.
        whole: bool,
    },
    /// Put the pieces together; answer `FetchDecoded` or `DecodeFailed`.
    Decode {
        /// The fetch.
        fetch: FetchId,
        /// Positions to use.
        positions: Vec<Position>,
    },
    /// Too few suppliers have it: go on without, and say so.
    GiveUpFetch {
        /// The fetch.
        fetch: FetchId,
    },
    /// Look for root and lane records by the phrase's keys, in the DHT and at connected
    /// peers; answer `LanesFound`, `LanesMissing` or `SeekFailed`.
    SeekLanes {
        /// The job.
        job: JobId,
    },
    /// Ask a supplier for its heads; answer `HeadsHeard` or `HeadsFailed`.
    AskHeads {
        /// The job.
        job: JobId,
        /// The supplier.
        device: DeviceId,
    },
    /// Load manifests and indexes of the newest heads heard; announce fetches; answer
    /// `CatalogueRebuilt` or `RebuildFailed`.
    RebuildCatalogue {
        /// The job.
        job: JobId,
        /// Newest place of each lane.
        lanes: Vec<(DeviceId, Sequence)>,
        /// Suppliers that confirmed them.
        confirmed: u32,
        /// Suppliers asked.
        of: u32,
    },

    // --- supplier's side ----------------------------------------------------------------
    /// Sign the contract, record it, answer the peer; answer `ContractRecorded` or
    /// `ContractNotRecorded`.
    AcceptContract {
        /// The question.
        ask: AskId,
    },
    /// Let the bytes come; answer `ShardKept` or `StoreAborted`.
    AcceptStore {
        /// The question.
        ask: AskId,
    },
    /// Do what was asked.
    AllowAccess {
        /// The question.
        ask: AskId,
    },
    /// Refuse, with the reason.
    Refuse {
        /// The question.
        ask: AskId,
        /// Why.
        code: ErrorCode,
    },
    /// Publish the records kept for customers, reading before writing; answer
    /// `DepositsPublished` or `DepositsFailed`.
    PublishDeposits,

    // --- people -------------------------------------------------------------------------
    /// A job moved on.
    JobMoved {
        /// The job.
        job: JobId,
        /// What it does or waits for.
        phase: Phase,
    },
    /// A job ended.
    JobEnded {
        /// The job.
        job: JobId,
        /// `None`: done; else why not.
        failure: Option<ErrorCode>,
        /// It was done, and there was nothing to do: nobody needs to hear of it.
        unchanged: bool,
    },
}

/// What a job does or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// Too few suppliers have signed.
    WaitingForSuppliers {
        /// Signed and usable.
        have: u8,
        /// Needed to begin.
        need: u8,
    },
    /// Walking, reading, sealing and sending.
    Reading,
    /// Nothing is read: a shard of a supplier that is away has no room in the spool.
    WaitingForRoom {
        /// Why the spool does not take it.
        code: ErrorCode,
    },
    /// All is read; shards are on their way.
    Sending,
    /// Packs wait for suppliers that are away before they are safe.
    WaitingForConfirmations {
        /// Confirmations of the weakest pack.
        confirmed: u8,
        /// Confirmations it needs.
        need: u8,
    },
    /// Sealing and placing lists and indexes.
    WritingLists,
    /// Giving the new head to the suppliers.
    Publishing,
    /// Looking for the identity's records.
    Seeking,
    /// Asking suppliers for the newest head.
    AskingHeads,
    /// Loading lists and indexes.
    LoadingLists,
    /// Fetching and writing files.
    Fetching,
    /// Waiting for suppliers that have what is needed.
    WaitingForPieces,
}
