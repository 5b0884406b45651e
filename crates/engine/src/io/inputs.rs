//! All that can happen: facts that the engine is told, one at a time.

use serde::{Deserialize, Serialize};

use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, IdentityId, PackId, Position, Sequence, SetId,
};

use super::facts::{
    Access, Facts, FolderFact, OfferFact, OwedFact, PlaceFact, ReceiptFact, SupplierFact, TipFact,
    VersionFact,
};
use super::ids::{AskId, FetchId, JobId};
use super::recovery::{HeadFact, LaneFact, ListsRead};
use super::sets::SetFact;

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
#[expect(
    missing_docs,
    reason = "a field whose name and type say all is not explained"
)]
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
    PublishFailed { code: ErrorCode },
    /// A peer said hello.
    PeerUp {
        device: DeviceId,
        identity: IdentityId,
    },
    /// The last connection with a peer ended.
    PeerDown { device: DeviceId },
    /// The catalogue knows where a peer is reached.
    ContactRemembered { device: DeviceId },
    /// The catalogue was not told.
    ContactNotRemembered { device: DeviceId, code: ErrorCode },
    /// A dial that the engine asked for ended in a connection; `PeerUp` came before.
    Dialed { device: DeviceId },
    /// A dial that the engine asked for failed.
    DialFailed { device: DeviceId, code: ErrorCode },

    // --- the own disk -------------------------------------------------------------------
    /// Something that has to be written found no room on the disk, and waits.
    DiskFull,
    /// Nothing waits for room any more. (Answer to `RetryWrites`.)
    NoWriteWaits,
    /// Something waits, and is being tried. (Answer to `RetryWrites`.)
    WritesWait,

    // --- suppliers ----------------------------------------------------------------------
    /// A person wants this many suppliers in all.
    SuppliersWanted {
        /// The number.
        count: u8,
    },
    /// A person chose a code for new sets, or none.
    CodeWanted { code: Option<Code> },
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
    SearchFailed { code: ErrorCode },
    /// The stranger is remembered as a supplier.
    SupplierAdopted { device: DeviceId },
    /// The catalogue did not take it.
    AdoptFailed { device: DeviceId, code: ErrorCode },
    /// Both signed; recorded in the catalogue.
    ContractSigned {
        device: DeviceId,
        /// Bytes agreed.
        bytes: ByteCount,
    },
    /// The supplier did not sign, or could not be asked.
    ContractRefused { device: DeviceId, code: ErrorCode },
    /// The set the engine asked for is recorded.
    SetRecorded {
        /// It.
        set: SetFact,
    },
    /// The catalogue did not take the set.
    SetNotRecorded { code: ErrorCode },
    /// A supplier proved that it keeps a random piece.
    CheckPassed { device: DeviceId },
    /// A supplier gave no proof of a shard that it confirmed. `Corrupt` and `NotFound` are proof of
    /// loss; transient codes are not. (Answer to `CheckSupplier`.)
    ProofFailed {
        device: DeviceId,
        pack: PackId,
        position: Position,
        code: ErrorCode,
    },
    /// No supplier was asked, for want of what the catalogue has.
    CheckFailed { device: DeviceId, code: ErrorCode },
    /// The supplier holds nothing yet that could be checked.
    CheckEmpty { device: DeviceId },
    /// The catalogue took back what a supplier had confirmed. (Answer to `WithdrawShards` and
    /// `WithdrawAll`.)
    ShardsWithdrawn {
        device: DeviceId,
        /// Which of the shards that were named it had confirmed; empty where all was taken back.
        shards: Vec<(PackId, Position)>,
        /// Everything was taken back.
        all: bool,
        /// How that moves packs.
        moved: Vec<GroupChange>,
    },
    /// The catalogue was not told. (Answer to `WithdrawShards` and `WithdrawAll`.)
    NotWithdrawn { device: DeviceId, code: ErrorCode },
    /// The catalogue knows that a supplier counts again. (Answer to `TrustSupplier`.)
    TrustRecorded { device: DeviceId },
    /// The catalogue was not told. (Answer to `TrustSupplier`.)
    TrustNotRecorded { device: DeviceId, code: ErrorCode },
    /// A supplier told the newest head of this lane that it keeps. (Answer to `AskTip`.)
    TipTold { device: DeviceId, tip: TipFact },
    /// It did not tell. (Answer to `AskTip`.)
    TipNotTold { device: DeviceId, code: ErrorCode },
    /// The root key closed the own lane: a recovery took the place of this machine.
    LaneClosed,
    /// What suppliers keep of the own lane is in the catalogue, which goes on from there as another
    /// writer. (Answer to `CatchUp`.)
    CaughtUp {
        /// The newest head that it knows now.
        sequence: Sequence,
        /// How packs moved, also those of earlier tries.
        moved: Vec<GroupChange>,
        /// Suppliers of whom it is to be asked which shards they have.
        unlisted: Vec<DeviceId>,
    },
    /// It is not, or not as a whole. (Answer to `CatchUp`.)
    StillBehind {
        /// Why not; `Forked`: another machine writes the lane too.
        code: ErrorCode,
        /// How packs moved.
        moved: Vec<GroupChange>,
    },
    /// Nothing was taken in. (Answer to `CatchUp`.)
    NotCaughtUp { code: ErrorCode },
    /// The catalogue knows which shards a supplier has, as far as it proved that. (Answer to `ListShards`.)
    ShardsListed {
        device: DeviceId,
        /// Whether it proved what it told, so that this counts.
        is_proved: bool,
        /// How packs moved.
        moved: Vec<GroupChange>,
    },
    /// It was not asked, or did not tell. (Answer to `ListShards`.)
    ShardsNotListed { device: DeviceId, code: ErrorCode },

    // --- folders ------------------------------------------------------------------------
    /// A folder came under protection, or its schedule changed.
    FolderScheduled {
        /// It.
        fact: FolderFact,
    },
    /// A folder is under protection no longer.
    FolderForgotten { folder: FolderId },
    /// The system watches the folder. (Answer to `WatchFolder`.)
    FolderWatched { folder: FolderId },
    /// It cannot, or the folder is not there. (Answer to `WatchFolder`.)
    FolderUnwatchable { folder: FolderId, code: ErrorCode },
    /// Something in the folder changed, or may have.
    FolderChanged { folder: FolderId },
    /// The folder itself went away.
    FolderGone { folder: FolderId },
    /// The catalogue was found damaged. The engine is told once.
    CatalogueDamaged,
    /// The machine slept for longer than a moment.
    Resumed,

    // --- backup -------------------------------------------------------------------------
    /// A backup was asked for, by a person or by the engine.
    BackupAsked {
        job: JobId,
        /// What it reads.
        folders: Vec<FolderId>,
        /// Whether nobody asked for it but the engine: then nobody insists on a version that
        /// would be the same.
        is_scheduled: bool,
    },
    /// A backup that the engine asked for could not begin.
    BackupNotBegun {
        /// What it was to read.
        folders: Vec<FolderId>,
        code: ErrorCode,
    },
    /// A person stopped a job.
    CancelAsked { job: JobId },
    /// A pack was sealed, its record written to the catalogue, its shards are at hand.
    PackSealed {
        job: JobId,
        pack: PackId,
        /// The set that it is coded for.
        set: SetId,
        /// What it carries.
        kind: PackKind,
        /// Bytes of one shard.
        shard_bytes: ByteCount,
    },
    /// The walk is over and all packs of contents and trees were announced.
    ScanFinished {
        job: JobId,
        /// The versions that can be made, one of each folder that could be read.
        versions: Vec<VersionFact>,
    },
    /// The walk could not be done at all.
    ScanFailed { job: JobId, code: ErrorCode },
    /// Receipts of suppliers were checked and recorded in the catalogue; at most
    /// `RECEIPTS_AT_ONCE_MAX`.
    ShardsStored {
        /// In the order in which they came.
        receipts: Vec<ReceiptFact>,
    },
    /// A shard could not be sent.
    SendFailed {
        pack: PackId,
        position: Position,
        /// To whom.
        device: DeviceId,
        code: ErrorCode,
    },
    /// A shard lies durable in the spool; its memory is free.
    ShardSpooled { pack: PackId, position: Position },
    /// The spool is full or its disk failed; the shard stays in memory.
    SpoolFailed {
        pack: PackId,
        position: Position,
        code: ErrorCode,
    },
    /// A spooled shard was loaded and may be sent. (Answer to `LoadSpool`.)
    SpoolLoaded(OwedFact),
    /// A shard that was owed was made anew and may be sent. (Answer to `RemakeShard`.)
    ShardRemade(OwedFact),
    /// No shard is owed to this supplier but those that are at hand. (Answer to `RemakeShard`.)
    NothingOwed { device: DeviceId },
    /// No owed shard could be made anew. (Answer to `RemakeShard`.)
    RemakeFailed { device: DeviceId, code: ErrorCode },
    /// The spool holds nothing for this supplier (any more). (Answer to `LoadSpool`.)
    SpoolEmpty { device: DeviceId },
    /// The next one is damaged and can never be sent. (Answer to `LoadSpool`.)
    SpooledDamaged {
        pack: PackId,
        position: Position,
        /// For whom it was.
        device: DeviceId,
    },
    /// The damaged shard is gone, and no longer before others. (Answer to `RemoveSpooled`.)
    SpooledRemoved {
        /// For whom it was.
        device: DeviceId,
    },
    /// It is still there.
    SpooledNotRemoved {
        /// For whom it was.
        device: DeviceId,
        code: ErrorCode,
    },
    /// The spool could not be read. (Answer to `LoadSpool`.)
    SpoolUnreadable { device: DeviceId, code: ErrorCode },
    /// The pack is committed in the catalogue: its chunks count as known.
    PackCommitted {
        pack: PackId,
        /// What it is counted with from now on; `None`: it was committed before.
        moved: Option<GroupChange>,
    },
    /// The catalogue did not take the commit of the pack.
    PackNotCommitted { pack: PackId, code: ErrorCode },
    /// The commit pack was sealed and announced with `PackSealed`, the head is signed and
    /// recorded as a draft.
    MetadataSealed {
        job: JobId,
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// Metadata could not be sealed.
    MetadataFailed { job: JobId, code: ErrorCode },
    /// A supplier confirmed a head and took the sealed records with it.
    HeadKept {
        device: DeviceId,
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// A supplier did not keep a head.
    HeadRefused {
        device: DeviceId,
        /// The head's place in the lane.
        sequence: Sequence,
        code: ErrorCode,
    },
    /// The catalogue says: this head is published; its packs and snapshots are in it.
    CommitRecorded {
        /// The head's place in the lane.
        sequence: Sequence,
        /// How packs moved: those to which it leads are published.
        moved: Vec<GroupChange>,
    },
    /// The catalogue was not told of the published head.
    CommitNotRecorded {
        /// The head's place in the lane.
        sequence: Sequence,
        code: ErrorCode,
    },

    // --- restore and recovery -----------------------------------------------------------
    /// A restore was asked for; the node plans it and announces fetches.
    RestoreAsked { job: JobId },
    /// A piece is needed. `direct` are the data positions that hold the wanted ranges
    /// themselves; any `k` positions give them too.
    FetchWanted {
        fetch: FetchId,
        /// The job it belongs to.
        job: JobId,
        pack: PackId,
        /// Shards that suffice.
        k: u8,
        /// Data positions that hold what is wanted.
        direct: Vec<Position>,
        /// Who holds which position, in the order in which they are asked.
        places: Vec<PlaceFact>,
    },
    /// The bytes of one position came and match their proof.
    RangeFetched { fetch: FetchId, position: Position },
    /// They did not.
    RangeFailed {
        fetch: FetchId,
        position: Position,
        /// Who was asked.
        device: DeviceId,
        code: ErrorCode,
    },
    /// The pieces were put together and every chunk opened.
    FetchDecoded { fetch: FetchId },
    /// They could not be put together. `Corrupt`: at least one position gave wrong bytes that its
    /// proof did not betray (a shard id that was not the owner's). Any other code is a fault of
    /// this machine, and no piece is suspected.
    DecodeFailed { fetch: FetchId, code: ErrorCode },
    /// The node needs nothing more from the network for this job and has written what it could.
    RestoreWritten {
        job: JobId,
        /// Whether anything is missing.
        problems: u64,
    },
    /// It could not be done at all, or was stopped.
    RestoreFailed { job: JobId, code: ErrorCode },
    /// Somebody looked something up in the network's data, under a number of its own, and needs
    /// nothing more.
    LookUpEnded {
        /// The number under which its fetches were announced.
        job: JobId,
    },
    /// A recovery was asked for.
    RecoverAsked { job: JobId },
    /// The root record was found. (Answer to `SeekRoot`.)
    RootFound {
        job: JobId,
        /// Devices that it names.
        devices: Vec<DeviceId>,
    },
    /// There is none where it was looked for. (Answer to `SeekRoot`.)
    RootMissing { job: JobId },
    /// It could not be looked for.
    RootNotSought { job: JobId, code: ErrorCode },
    /// Lane records were looked for. (Answer to `SeekLanes`.)
    LanesSought {
        job: JobId,
        /// Devices without one.
        missing: Vec<DeviceId>,
        /// What those say that were found; the node knows the addresses of whom they name.
        lanes: Vec<LaneFact>,
    },
    /// They could not be looked for.
    LanesNotSought { job: JobId, code: ErrorCode },
    /// A supplier told its heads of this identity; the node keeps them.
    HeadsHeard {
        job: JobId,
        device: DeviceId,
        /// Of each lane the newest, or one for each branch; empty: it has none.
        heads: Vec<HeadFact>,
    },
    /// A supplier could not be asked.
    HeadsFailed {
        job: JobId,
        device: DeviceId,
        code: ErrorCode,
    },
    /// What could be had of a head is in the catalogue.
    CatalogueRebuilt {
        job: JobId,
        /// How much that is.
        lists: ListsRead,
    },
    /// The catalogue could not be rebuilt.
    RebuildFailed { job: JobId, code: ErrorCode },
    /// The identity knows this device. (Answer to `EnterDevice`.)
    DeviceEntered { job: JobId },
    /// It does not.
    DeviceNotEntered { job: JobId, code: ErrorCode },

    // --- supplier's side ----------------------------------------------------------------
    /// The space offered to others changed.
    OfferChanged {
        /// Bytes offered.
        bytes: ByteCount,
    },
    /// Somebody proposes a contract; signatures and addressee were checked.
    ContractProposed {
        ask: AskId,
        identity: IdentityId,
        /// The device that writes.
        lane: DeviceId,
        /// Bytes asked for.
        bytes: ByteCount,
        /// Whether the person is a friend.
        friend: bool,
    },
    /// The contract is signed and recorded; the peer is told next.
    ContractRecorded { ask: AskId },
    /// The contract was not recorded, the peer is refused.
    ContractNotRecorded { ask: AskId, code: ErrorCode },
    /// A customer wants to store a shard; header checked: owner, lane and sender agree.
    StoreAsked {
        ask: AskId,
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
        code: ErrorCode,
    },
    /// A customer wants to read, list, delete, or leave a head or records here.
    AccessAsked {
        ask: AskId,
        identity: IdentityId,
        /// The asking device.
        device: DeviceId,
        /// What for.
        access: Access,
    },
    /// It is done; the customer is told next. (Answer to `AllowAccess`.)
    AccessGiven {
        ask: AskId,
        /// Bytes of the asking device that were deleted into the grace reserve.
        released: ByteCount,
    },
    /// What was allowed could not be done, or not be given. (Answer to `AllowAccess`.)
    AccessFailed { ask: AskId, code: ErrorCode },
    /// The records kept for customers were published again.
    DepositsPublished,
    /// They were not, or not all.
    DepositsFailed { code: ErrorCode },
}
