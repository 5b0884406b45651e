//! What concerns the customers: what is offered to them, and what they ask for.

use crate::engine::{Engine, Task};
use crate::fsm::{customer_link, deposits, set_up};
use crate::io::Input;

impl Engine {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_customers(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::OfferChanged { bytes } => {
                self.offered = bytes;
                self.tasks
                    .push_back(Task::SetUp(set_up::Event::OfferChanged));
            }
            Input::ContractProposed {
                ask,
                identity,
                lane,
                bytes,
                ..
            } => {
                self.propose(ask, identity, lane, bytes);
            }
            Input::StoreAsked {
                ask,
                identity,
                lane,
                bytes,
            } => {
                self.ask_store(ask, identity, lane, bytes);
            }
            Input::AccessAsked {
                ask,
                identity,
                device,
                access,
            } => {
                self.ask_access(ask, identity, device, access);
            }
            Input::DepositsPublished => {
                self.tasks
                    .push_back(Task::Deposits(deposits::Event::Published));
            }
            Input::DepositsFailed { .. } => {
                self.tasks
                    .push_back(Task::Deposits(deposits::Event::Failed));
            }
            other => return self.end_question(other),
        }
        None
    }

    /// What began with a question of a customer is done, or not.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn end_question(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::ContractRecorded { ask } => {
                self.end_ask(ask, customer_link::Event::Recorded { ask });
            }
            Input::ContractNotRecorded { ask, .. } => {
                self.end_ask(ask, customer_link::Event::NotRecorded { ask });
            }
            Input::ShardKept { ask } => {
                self.end_ask(ask, customer_link::Event::ShardKept { ask });
            }
            Input::StoreAborted { ask, .. } => {
                self.end_ask(ask, customer_link::Event::StoreAborted { ask });
            }
            Input::AccessGiven { ask, released } => {
                self.end_ask(ask, customer_link::Event::AccessGiven { released });
            }
            Input::AccessFailed { ask, .. } => {
                self.end_ask(ask, customer_link::Event::AccessFailed);
            }
            other => return Some(other),
        }
        None
    }
}
