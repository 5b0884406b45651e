//! Which machine hears of which input.
//!
//! `family` names every input, so a new one does not compile before it has a home; each
//! family's route then tells the machines.

mod backup;
mod customers;
mod network;
mod restore;
mod suppliers;

use super::Engine;
use crate::io::Input;

/// Inputs that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Network,
    Suppliers,
    Checks,
    Folders,
    Backup,
    Shards,
    Restore,
    Recovery,
    Customers,
}

#[rustfmt::skip] // a family a paragraph
const fn family(input: &Input) -> Family {
    match input {
        Input::Wake | Input::Started { .. } | Input::Listening | Input::RecordsPublished
        | Input::PublishFailed { .. } | Input::PeerUp { .. } | Input::PeerDown { .. }
        | Input::ContactRemembered { .. } | Input::ContactNotRemembered { .. }
        | Input::Dialed { .. } | Input::DialFailed { .. } | Input::DiskFull
        | Input::NoWriteWaits | Input::WritesWait => Family::Network,
        Input::SuppliersWanted { .. } | Input::CodeWanted { .. } | Input::FriendMade { .. }
        | Input::OffersFound { .. } | Input::SearchFailed { .. }
        | Input::SupplierAdopted { .. } | Input::AdoptFailed { .. }
        | Input::ContractSigned { .. } | Input::ContractRefused { .. }
        | Input::SetRecorded { .. } | Input::SetNotRecorded { .. } => Family::Suppliers,
        Input::CheckPassed { .. } | Input::CheckFailed { .. } | Input::CheckEmpty { .. }
        | Input::ProofFailed { .. } | Input::ShardsWithdrawn { .. } | Input::NotWithdrawn { .. }
        | Input::TrustRecorded { .. } | Input::TrustNotRecorded { .. }
        | Input::TipTold { .. } | Input::TipNotTold { .. } | Input::CaughtUp { .. }
        | Input::StillBehind { .. } | Input::NotCaughtUp { .. } | Input::ShardsListed { .. }
        | Input::ShardsNotListed { .. } => Family::Checks,
        Input::FolderScheduled { .. } | Input::FolderForgotten { .. }
        | Input::FolderWatched { .. } | Input::FolderUnwatchable { .. }
        | Input::FolderChanged { .. } | Input::FolderGone { .. } | Input::Resumed
        | Input::CatalogueDamaged | Input::LaneClosed => Family::Folders,
        Input::BackupAsked { .. } | Input::BackupNotBegun { .. } | Input::CancelAsked { .. }
        | Input::PackSealed { .. } | Input::ScanFinished { .. }
        | Input::ScanFailed { .. } | Input::PackCommitted { .. }
        | Input::PackNotCommitted { .. } | Input::MetadataSealed { .. }
        | Input::MetadataFailed { .. } | Input::HeadKept { .. } | Input::HeadRefused { .. }
        | Input::CommitRecorded { .. } | Input::CommitNotRecorded { .. } => Family::Backup,
        Input::ShardsStored { .. } | Input::SendFailed { .. } | Input::ShardSpooled { .. }
        | Input::SpoolFailed { .. } | Input::SpoolLoaded(_) | Input::SpoolEmpty { .. }
        | Input::ShardRemade(_) | Input::NothingOwed { .. } | Input::RemakeFailed { .. }
        | Input::SpoolUnreadable { .. } | Input::SpooledDamaged { .. }
        | Input::SpooledRemoved { .. } | Input::SpooledNotRemoved { .. } => Family::Shards,
        Input::RestoreAsked { .. } | Input::FetchWanted { .. } | Input::RangeFetched { .. }
        | Input::RangeFailed { .. } | Input::FetchDecoded { .. } | Input::DecodeFailed { .. }
        | Input::RestoreWritten { .. } | Input::RestoreFailed { .. }
        | Input::LookUpEnded { .. } => Family::Restore,
        Input::RecoverAsked { .. } | Input::RootFound { .. } | Input::RootMissing { .. }
        | Input::RootNotSought { .. } | Input::LanesSought { .. }
        | Input::LanesNotSought { .. } | Input::HeadsHeard { .. } | Input::HeadsFailed { .. }
        | Input::CatalogueRebuilt { .. } | Input::RebuildFailed { .. }
        | Input::DeviceEntered { .. } | Input::DeviceNotEntered { .. } => Family::Recovery,
        Input::OfferChanged { .. } | Input::ContractProposed { .. }
        | Input::ContractRecorded { .. } | Input::ContractNotRecorded { .. }
        | Input::StoreAsked { .. } | Input::ShardKept { .. } | Input::StoreAborted { .. }
        | Input::AccessAsked { .. } | Input::AccessGiven { .. }
        | Input::AccessFailed { .. } | Input::DepositsPublished
        | Input::DepositsFailed { .. } => Family::Customers,
    }
}

impl Engine {
    /// Gives an input to the machines it concerns.
    pub(super) fn route(&mut self, input: Input) {
        let left = match family(&input) {
            Family::Network => self.route_network(input),
            Family::Suppliers => self.route_suppliers(input),
            Family::Checks => self.route_checks(input),
            Family::Folders => self.route_folders(input),
            Family::Backup => self.route_backup(input),
            Family::Shards => self.route_shards(input),
            Family::Restore => self.route_restore(input),
            Family::Recovery => self.route_recovery(input),
            Family::Customers => self.route_customers(input),
        };
        debug_assert!(
            left.is_none(),
            "a family without a route for its input: {left:?}"
        );
    }
}
