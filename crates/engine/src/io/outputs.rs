//! All that can be asked for: effects that the node must do, and what people are told.

use serde::{Deserialize, Serialize};

use bitdust_model::ledger::AtHand;
use bitdust_model::{ByteCount, Code, DeviceId, ErrorCode, FolderId, PackId, Position, Sequence};

use super::facts::{OfferFact, RecordScope};
use super::ids::{AskId, FetchId, JobId};
use super::recovery::{RecoveryFound, WantedHead};
use super::sets::DebtFact;

/// What the node must do.
///
/// Every effect is answered exactly once: `successes` and `failure` say with what. What only
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
#[strum_discriminants(doc = "What kind of effect: an [`Output`] without its data.")]
#[expect(
    missing_docs,
    reason = "a field whose name and type say all is not explained"
)]
pub enum Output {
    // --- network and set-up -------------------------------------------------------------
    /// Join the DHT and put own records; answer `RecordsPublished` or `PublishFailed`.
    PublishRecords {
        scope: RecordScope,
        /// The newest head that was settled: to be noted, and told in the lane's records.
        settled: Option<Sequence>,
    },
    /// A peer said hello: let the catalogue know that, and where it is reached, if it knows the
    /// peer at all; answer `ContactRemembered` or `ContactNotRemembered`.
    RememberContact { device: DeviceId },
    /// Connect to a peer; answer `Dialed`, after `PeerUp`, or `DialFailed`.
    Dial { device: DeviceId },

    // --- the own disk -------------------------------------------------------------------
    /// Let everything that waits for room on the disk be tried once more; answer `NoWriteWaits`
    /// or `WritesWait`.
    RetryWrites,

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
    /// `CheckPassed`, `ProofFailed`, `CheckFailed` or `CheckEmpty`. Which shard of all that it
    /// confirmed is `sample(pick, turn, count)`.
    CheckSupplier {
        /// The supplier.
        device: DeviceId,
        /// Picks the piece.
        pick: u64,
        /// As which of those that it is asked for in a row.
        #[serde(default)]
        turn: u8,
    },
    /// The supplier did not give these shards: record that it is suspect, if it had confirmed one of
    /// them, and take those confirmations back; answer `ShardsWithdrawn` or `NotWithdrawn`.
    WithdrawShards {
        /// The supplier.
        device: DeviceId,
        /// At most `LOSSES_WAITING_MAX`.
        shards: Vec<(PackId, Position)>,
        code: ErrorCode,
        /// Whether it is suspect whatever it had confirmed.
        is_suspect: bool,
    },
    /// The supplier proves nothing that it confirmed: take all of it back, heads too; answer
    /// `ShardsWithdrawn` or `NotWithdrawn`.
    WithdrawAll {
        /// The supplier.
        device: DeviceId,
        code: ErrorCode,
        /// Whether the catalogue failed to take it before, and people were told.
        again: bool,
    },
    /// The supplier proved again what it keeps: record that it is not suspect any more; answer
    /// `TrustRecorded` or `TrustNotRecorded`.
    TrustSupplier {
        /// The supplier.
        device: DeviceId,
    },
    /// Ask the supplier for the newest head of this lane that it keeps; answer `TipTold` or `TipNotTold`.
    AskTip {
        /// The supplier.
        device: DeviceId,
    },
    /// Take the newest head of this lane that these suppliers keep into the catalogue, with all that it lists,
    /// and go on from it as another writer; answer `CaughtUp`, `StillBehind` or
    /// `NotCaughtUp`.
    CatchUp {
        /// Who told a head that the catalogue does not have; at most `SUPPLIERS_MAX`.
        devices: Vec<DeviceId>,
        /// Whether a head was signed in this run: then nobody else may have written this one.
        has_written: bool,
    },
    /// Ask a supplier which shards of this lane it has, and for proofs of some of them: those confirm the
    /// rest. Answer `ShardsListed` or `ShardsNotListed`.
    ListShards {
        /// The supplier.
        device: DeviceId,
        /// Picks the shards that are to be proved, and their pieces.
        pick: u64,
    },

    // --- folders ------------------------------------------------------------------------
    /// Watch a folder; answer `FolderWatched` or `FolderUnwatchable`.
    WatchFolder { folder: FolderId },
    /// Watch it no longer.
    UnwatchFolder { folder: FolderId },
    /// Begin a backup of these folders; answer `BackupAsked` or `BackupNotBegun`.
    BackUp { folders: Vec<FolderId> },

    // --- backup -------------------------------------------------------------------------
    /// Walk the folders of the job; announce packs; at most `PACKS_IN_FLIGHT_MAX` unsettled.
    /// Answer `ScanFinished` or `ScanFailed`.
    StartScan {
        job: JobId,
        /// What is known of trees counts where one of these has it: others may never come back, and then
        /// nobody could read the new version.
        at_hand: AtHand,
    },
    /// Send a shard that is at hand; answer with a receipt in `ShardsStored`, or
    /// `SendFailed`.
    SendShard {
        /// The job that sealed the pack, for which its bytes count; `None`: one of an earlier run.
        job: Option<JobId>,
        pack: PackId,
        position: Position,
        /// To whom.
        device: DeviceId,
    },
    /// Put a shard into the spool; answer `ShardSpooled` or `SpoolFailed`.
    SpoolShard { pack: PackId, position: Position },
    /// Load the next spooled shard for this supplier, of a pack of any set; answer `SpoolLoaded`, `SpoolEmpty`,
    /// `SpooledDamaged` or `SpoolUnreadable`.
    LoadSpool {
        /// The supplier.
        device: DeviceId,
    },
    /// Make a shard anew that this supplier is owed and the spool has not, from what others keep of
    /// its pack; one at a time. Answer `ShardRemade`, `NothingOwed` or `RemakeFailed`.
    RemakeShard {
        /// The supplier.
        device: DeviceId,
        /// Where it may be owed one, a place in each set that it holds a position of; at most `SETS_MAX`.
        debts: Vec<DebtFact>,
    },
    /// A shard that was loaded or made anew was not sent: forget its bytes.
    ReleaseShard { pack: PackId, position: Position },
    /// Remove a damaged shard from the spool; answer `SpooledRemoved` or `SpooledNotRemoved`.
    RemoveSpooled {
        pack: PackId,
        position: Position,
        /// For whom it was.
        device: DeviceId,
    },
    /// Enough suppliers confirmed the pack: make its chunks known. Answer `PackCommitted` or
    /// `PackNotCommitted`.
    CommitPack { pack: PackId },
    /// Every shard of the pack is confirmed or spooled: forget its bytes, let the next be
    /// sealed.
    ReleasePack { pack: PackId },
    /// Build index segment, manifest and head; answer `PackSealed` and `MetadataSealed`, or
    /// `MetadataFailed`.
    SealMetadata {
        job: JobId,
        /// Folders of which it makes versions.
        folders: Vec<FolderId>,
        /// Parts of the index that none of these has are made anew.
        at_hand: AtHand,
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
    StartRestore { job: JobId },
    /// Fetch what a fetch wants of one position. With `whole`, the union of all wanted ranges
    /// is needed (for decoding), else only the position's own. Answer `RangeFetched` or
    /// `RangeFailed`.
    FetchRange {
        fetch: FetchId,
        position: Position,
        /// Whom to ask.
        device: DeviceId,
        /// Union of ranges, for decoding.
        whole: bool,
    },
    /// Put the pieces together; answer `FetchDecoded` or `DecodeFailed`.
    Decode {
        fetch: FetchId,
        /// Positions to use.
        positions: Vec<Position>,
    },
    /// It cannot be had: go on without, and say why.
    GiveUpFetch { fetch: FetchId, code: ErrorCode },
    /// Look for the root record by the phrase's keys, in the DHT and at connected peers; answer
    /// `RootFound`, `RootMissing` or `RootNotSought`.
    SeekRoot { job: JobId },
    /// Look in the same places for the lane records of these devices; answer `LanesSought` or
    /// `LanesNotSought`.
    SeekLanes {
        job: JobId,
        /// Devices that the root record names.
        devices: Vec<DeviceId>,
    },
    /// Ask a supplier for its heads; answer `HeadsHeard` or `HeadsFailed`.
    AskHeads {
        job: JobId,
        /// The supplier.
        device: DeviceId,
    },
    /// Load manifest and indexes of a head that was told into the catalogue; announce fetches;
    /// answer `CatalogueRebuilt` or `RebuildFailed`.
    RebuildCatalogue {
        job: JobId,
        /// Which.
        wanted: WantedHead,
    },
    /// Take over sets and suppliers, enter this device into the root record, tell network and
    /// suppliers; answer `DeviceEntered` or `DeviceNotEntered`.
    EnterDevice {
        job: JobId,
        /// What is taken over, and what people are told of it.
        found: RecoveryFound,
    },

    // --- supplier's side ----------------------------------------------------------------
    /// Sign the contract, record it, answer the peer; answer `ContractRecorded` or
    /// `ContractNotRecorded`.
    AcceptContract { ask: AskId },
    /// Let the bytes come; answer `ShardKept` or `StoreAborted`.
    AcceptStore { ask: AskId },
    /// Do what was asked; answer `AccessGiven` or `AccessFailed`.
    AllowAccess { ask: AskId },
    /// Refuse, with the reason.
    Refuse { ask: AskId, code: ErrorCode },
    /// Publish the records kept for customers, reading before writing; answer
    /// `DepositsPublished` or `DepositsFailed`.
    PublishDeposits,

    // --- people -------------------------------------------------------------------------
    /// A job moved on.
    JobMoved {
        job: JobId,
        /// What it does or waits for.
        phase: Phase,
    },
    /// A job ended.
    JobEnded {
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
    WaitingForSpool {
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
