//! How each output is answered: with what when it was done, and with what when it could not be.
//!
//! An effect without an answer would leave its machine waiting until the next start. The node makes
//! the failure from the output itself, so that none can be forgotten on a way that ends early.

use bitdust_model::ErrorCode;

use super::inputs::{Input, InputKind};
use super::outputs::Output;

/// What only tells or frees something: nobody answers it.
macro_rules! unanswered {
    () => {
        Output::UnwatchFolder { .. }
            | Output::ReleasePack { .. }
            | Output::ReleaseShard { .. }
            | Output::GiveUpFetch { .. }
            | Output::Refuse { .. }
            | Output::JobMoved { .. }
            | Output::JobEnded { .. }
    };
}

impl Output {
    /// What the engine is told when the effect could not be done; `None` for what only tells or
    /// frees something and is never answered.
    #[must_use]
    #[rustfmt::skip] // an answer a row
    pub fn failure(&self, code: ErrorCode) -> Option<Input> {
        let input = match *self {
            Self::PublishRecords { .. } => Input::PublishFailed { code },
            Self::RememberContact { device } => Input::ContactNotRemembered { device, code },
            Self::Dial { device } => Input::DialFailed { device, code },
            Self::RetryWrites => Input::WritesWait,
            Self::SearchOffers { .. } => Input::SearchFailed { code },
            Self::AdoptSupplier { ref offer } =>
                Input::AdoptFailed { device: offer.device, code },
            Self::Propose { device, .. } => Input::ContractRefused { device, code },
            Self::RecordSet { .. } => Input::SetNotRecorded { code },
            Self::CheckSupplier { device, .. } => Input::CheckFailed { device, code },
            Self::WithdrawShards { device, .. } | Self::WithdrawAll { device, .. } =>
                Input::NotWithdrawn { device, code },
            Self::TrustSupplier { device } => Input::TrustNotRecorded { device, code },
            Self::AskTip { device } => Input::TipNotTold { device, code },
            Self::CatchUp { .. } => Input::NotCaughtUp { code },
            Self::ListShards { device, .. } => Input::ShardsNotListed { device, code },
            Self::WatchFolder { folder } => Input::FolderUnwatchable { folder, code },
            Self::BackUp { ref folders } =>
                Input::BackupNotBegun { folders: folders.clone(), code },
            Self::StartScan { job, .. } => Input::ScanFailed { job, code },
            Self::SendShard { pack, position, device, .. } =>
                Input::SendFailed { pack, position, device, code },
            Self::SpoolShard { pack, position } => Input::SpoolFailed { pack, position, code },
            Self::LoadSpool { device } => Input::SpoolUnreadable { device, code },
            Self::RemakeShard { device, .. } => Input::RemakeFailed { device, code },
            Self::RemoveSpooled { device, .. } => Input::SpooledNotRemoved { device, code },
            Self::CommitPack { pack } => Input::PackNotCommitted { pack, code },
            Self::SealMetadata { job, .. } => Input::MetadataFailed { job, code },
            Self::PutHead { device, sequence } => Input::HeadRefused { device, sequence, code },
            Self::RecordCommit { sequence } => Input::CommitNotRecorded { sequence, code },
            Self::StartRestore { job } => Input::RestoreFailed { job, code },
            Self::FetchRange { fetch, position, device, .. } =>
                Input::RangeFailed { fetch, position, device, code },
            Self::Decode { fetch, .. } => Input::DecodeFailed { fetch, code },
            Self::SeekRoot { job } => Input::RootNotSought { job, code },
            Self::SeekLanes { job, .. } => Input::LanesNotSought { job, code },
            Self::AskHeads { job, device } => Input::HeadsFailed { job, device, code },
            Self::RebuildCatalogue { job, .. } => Input::RebuildFailed { job, code },
            Self::EnterDevice { job, .. } => Input::DeviceNotEntered { job, code },
            Self::AcceptContract { ask } => Input::ContractNotRecorded { ask, code },
            Self::AcceptStore { ask } => Input::StoreAborted { ask, code },
            Self::AllowAccess { ask } => Input::AccessFailed { ask, code },
            Self::PublishDeposits => Input::DepositsFailed { code },
            unanswered!() => return None,
        };
        Some(input)
    }

    /// What the engine may be told when the effect was done; empty exactly where `failure` is
    /// `None`.
    #[must_use]
    pub const fn successes(&self) -> &'static [InputKind] {
        match self {
            Self::PublishRecords { .. } => &[InputKind::RecordsPublished],
            Self::RememberContact { .. } => &[InputKind::ContactRemembered],
            Self::Dial { .. } => &[InputKind::Dialed],
            Self::RetryWrites => &[InputKind::NoWriteWaits],
            Self::SearchOffers { .. } => &[InputKind::OffersFound],
            Self::AdoptSupplier { .. } => &[InputKind::SupplierAdopted],
            Self::Propose { .. } => &[InputKind::ContractSigned],
            Self::RecordSet { .. } => &[InputKind::SetRecorded],
            Self::CheckSupplier { .. } => &[
                InputKind::CheckPassed,
                InputKind::ProofFailed,
                InputKind::CheckEmpty,
            ],
            Self::WithdrawShards { .. } | Self::WithdrawAll { .. } => &[InputKind::ShardsWithdrawn],
            Self::TrustSupplier { .. } => &[InputKind::TrustRecorded],
            Self::AskTip { .. } => &[InputKind::TipTold],
            Self::CatchUp { .. } => &[InputKind::CaughtUp, InputKind::StillBehind],
            Self::ListShards { .. } => &[InputKind::ShardsListed],
            Self::WatchFolder { .. } => &[InputKind::FolderWatched],
            Self::BackUp { .. } => &[InputKind::BackupAsked],
            Self::StartScan { .. } => &[InputKind::ScanFinished],
            Self::SendShard { .. } => &[InputKind::ShardsStored],
            Self::SpoolShard { .. } => &[InputKind::ShardSpooled],
            Self::LoadSpool { .. } => &[
                InputKind::SpoolLoaded,
                InputKind::SpoolEmpty,
                InputKind::SpooledDamaged,
            ],
            Self::RemakeShard { .. } => &[InputKind::ShardRemade, InputKind::NothingOwed],
            Self::RemoveSpooled { .. } => &[InputKind::SpooledRemoved],
            Self::CommitPack { .. } => &[InputKind::PackCommitted],
            Self::SealMetadata { .. } => &[InputKind::MetadataSealed],
            Self::PutHead { .. } => &[InputKind::HeadKept],
            Self::RecordCommit { .. } => &[InputKind::CommitRecorded],
            Self::StartRestore { .. } => &[InputKind::RestoreWritten],
            Self::FetchRange { .. } => &[InputKind::RangeFetched],
            Self::Decode { .. } => &[InputKind::FetchDecoded],
            Self::SeekRoot { .. } => &[InputKind::RootFound, InputKind::RootMissing],
            Self::SeekLanes { .. } => &[InputKind::LanesSought],
            Self::AskHeads { .. } => &[InputKind::HeadsHeard],
            Self::RebuildCatalogue { .. } => &[InputKind::CatalogueRebuilt],
            Self::EnterDevice { .. } => &[InputKind::DeviceEntered],
            Self::AcceptContract { .. } => &[InputKind::ContractRecorded],
            Self::AcceptStore { .. } => &[InputKind::ShardKept],
            Self::AllowAccess { .. } => &[InputKind::AccessGiven],
            Self::PublishDeposits => &[InputKind::DepositsPublished],
            unanswered!() => &[],
        }
    }
}
