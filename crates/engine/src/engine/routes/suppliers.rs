//! What concerns the suppliers: who they are, what they signed, what they prove.

use bitdust_model::ErrorCode;

use crate::engine::{Engine, Task};
use crate::fsm::{check, holder_set, supplier_link, supplier_search, tip};
use crate::io::Input;

impl Engine {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_suppliers(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::SuppliersWanted { count } => {
                self.suppliers_wanted = count;
                self.census_due = true;
                self.jobs_due = true;
            }
            Input::CodeWanted { code } => {
                self.code_wanted = code;
                self.census_due = true;
                self.jobs_due = true;
            }
            Input::FriendMade { supplier } => self.add_supplier(&supplier),
            Input::OffersFound { offers } => {
                let event = supplier_search::Event::OffersFound { offers };
                self.tasks.push_back(Task::Search(event));
            }
            Input::SearchFailed { .. } => {
                self.tasks
                    .push_back(Task::Search(supplier_search::Event::Failed));
            }
            // One whom the catalogue did not take is entered with its contract.
            Input::SupplierAdopted { device } | Input::AdoptFailed { device, .. } => {
                self.adopted(device);
            }
            Input::ContractSigned { device, bytes } => {
                if let Some(supplier) = self.suppliers.get_mut(&device) {
                    supplier.contract = Some(bytes);
                }
                self.tasks
                    .push_back(Task::Link(device, supplier_link::Event::Signed));
            }
            Input::ContractRefused { device, code } => {
                self.tasks
                    .push_back(Task::Link(device, supplier_link::Event::Refused { code }));
            }
            Input::SetRecorded { set } => self.adopt_set(set),
            Input::SetNotRecorded { .. } => {
                self.tasks
                    .push_back(Task::HolderSet(holder_set::Event::NotRecorded));
            }
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_checks(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::CheckPassed { device } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Passed));
            }
            Input::ProofFailed {
                device,
                pack,
                position,
                code,
            } => self.not_proved(device, (pack, position), code),
            Input::CheckFailed { device, .. } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Failed));
            }
            Input::CheckEmpty { device } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Empty));
            }
            Input::ShardsWithdrawn {
                device,
                shards,
                all,
                moved,
            } => {
                moved.iter().for_each(|change| self.ledger.apply(change));
                self.note_lost(&moved);
                self.withdrawn(device, &shards, all);
            }
            Input::NotWithdrawn { device, .. } => self.not_withdrawn(device),
            Input::TrustRecorded { device } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Cleared));
            }
            Input::TrustNotRecorded { device, .. } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::NotCleared));
            }
            other => return self.route_lane(other),
        }
        None
    }

    /// What suppliers tell of the own lane.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_lane(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::TipTold { device, tip } => self.tip_told(device, tip),
            Input::TipNotTold { device, code } => {
                self.note_failure(device, code);
                if code == ErrorCode::NoContract {
                    self.tell_link(device, code);
                }
                self.tasks.push_back(Task::Tip(device, tip::Event::NotTold));
            }
            Input::CaughtUp {
                sequence,
                moved,
                unlisted,
            } => self.caught_up(sequence, &moved, unlisted),
            Input::StillBehind { code, moved } => self.still_behind(code, &moved),
            Input::NotCaughtUp { code } => self.still_behind(code, &[]),
            Input::ShardsListed {
                device,
                is_proved,
                moved,
            } => self.shards_listed(device, is_proved, &moved),
            Input::ShardsNotListed { device, code } => {
                self.note_failure(device, code);
                self.tasks.push_back(Task::Tip(device, tip::Event::Listed));
            }
            other => return Some(other),
        }
        None
    }
}
