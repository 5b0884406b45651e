//! Serving calls: the engine decides, the disk keeps or fails.

use std::time::Duration;

use bitdust_engine::{Access, AskId, CustomerFact, Input, Output};
use bitdust_model::{ByteCount, ErrorCode};

use crate::call::{Call, Request};
use crate::id::NodeId;
use crate::node::Lie;
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// A call arrived: the engine is asked whether it may be served.
    pub(crate) fn serve(&mut self, call: Call) {
        let ask = AskId(self.random.next_word());
        let asker = &self.nodes[call.from.0];
        let (identity, lane) = (asker.identity, asker.device);
        let input = match &call.request {
            Request::Propose { bytes } => Input::ContractProposed {
                ask,
                identity,
                lane,
                bytes: *bytes,
                friend: true,
            },
            Request::Store {
                pack,
                position,
                bytes,
            } => {
                let supplier = &self.nodes[call.to.0];
                let is_here = supplier.disk.kept.contains_key(&(lane, *pack, *position));
                let bytes = if is_here { ByteCount(0) } else { *bytes };
                Input::StoreAsked {
                    ask,
                    identity,
                    lane,
                    bytes,
                }
            }
            Request::PutHead { .. } => Input::AccessAsked {
                ask,
                identity,
                device: lane,
                access: Access::Write,
            },
            Request::Check { .. }
            | Request::Fetch { .. }
            | Request::Heads { .. }
            | Request::Tip
            | Request::List { .. } => Input::AccessAsked {
                ask,
                identity,
                device: lane,
                access: Access::Read,
            },
        };
        let to = call.to;
        self.nodes[to.0].memory.asks.insert(ask, call);
        self.feed(to, input);
    }

    /// Carries out an engine's decision.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`do_output` is the exhaustive match"
    )]
    pub(crate) fn do_supply(&mut self, node: NodeId, output: Output) {
        let (Output::AcceptContract { ask }
        | Output::AcceptStore { ask }
        | Output::AllowAccess { ask }
        | Output::Refuse { ask, .. }) = output
        else {
            self.publish_deposits(node);
            return;
        };
        let Some(call) = self.nodes[node.0].memory.asks.remove(&ask) else {
            self.break_promise("a question is answered that nobody asked, or twice".to_owned());
            return;
        };
        match output {
            Output::AcceptContract { .. } => self.sign(node, ask, call),
            Output::AcceptStore { .. } => self.keep(node, ask, call),
            Output::Refuse { code, .. } => self.answer(call, Err(code)),
            _ => self.give(node, ask, call),
        }
    }

    fn sign(&mut self, node: NodeId, ask: AskId, call: Call) {
        let Request::Propose { bytes } = call.request else {
            return;
        };
        let customer = &self.nodes[call.from.0];
        let (identity, lane) = (customer.identity, customer.device);
        let row = self.nodes[node.0]
            .disk
            .customers
            .entry(lane)
            .or_insert(CustomerFact {
                identity,
                lane,
                contract: bytes,
                used: ByteCount(0),
            });
        row.contract = bytes;
        // The engine hears of it before the customer can store anything.
        self.deliver(node, Duration::ZERO, Input::ContractRecorded { ask });
        self.answer(call, Ok(()));
    }

    fn keep(&mut self, node: NodeId, ask: AskId, call: Call) {
        let Request::Store {
            pack,
            position,
            bytes,
        } = call.request
        else {
            return;
        };
        let lane = self.nodes[call.from.0].device;
        let wait = self.disk_time();
        let supplier = &mut self.nodes[node.0];
        if supplier.disk_full {
            let code = ErrorCode::DiskFull;
            self.deliver(node, wait, Input::StoreAborted { ask, code });
            self.answer(call, Err(code));
            return;
        }
        let key = (lane, pack, position);
        let is_new = !supplier.disk.kept.contains_key(&key);
        // What is sent again is looked at, and written again where it is damaged.
        if supplier.sabotage != Sabotage::TrustsWhatItHas {
            supplier.disk.rotten.remove(&key);
        }
        let keeps = supplier.lie != Lie::KeepsNothing;
        if is_new && keeps {
            supplier.disk.kept.insert(key, bytes);
        }
        if is_new && let Some(row) = supplier.disk.customers.get_mut(&lane) {
            row.used += bytes;
        }
        self.deliver(node, wait, Input::ShardKept { ask });
        self.answer(call, Ok(()));
    }

    /// Gives what the engine allowed to be given.
    fn give(&mut self, node: NodeId, ask: AskId, call: Call) {
        let supplier = &self.nodes[node.0];
        let asker = self.nodes[call.from.0].device;
        let result = match &call.request {
            Request::PutHead { sequence } => {
                let known = supplier.disk.heads.get(&asker).copied();
                if known > Some(*sequence) {
                    Err(ErrorCode::Stale)
                } else {
                    self.nodes[node.0].disk.heads.insert(asker, *sequence);
                    Ok(())
                }
            }
            Request::Check { pack, position } => {
                let key = (asker, *pack, *position);
                if !supplier.disk.kept.contains_key(&key) {
                    Err(ErrorCode::NotFound)
                } else if self.has_right_bytes(node, &key) {
                    Ok(())
                } else {
                    Err(ErrorCode::Corrupt)
                }
            }
            Request::Fetch {
                lane,
                pack,
                position,
                ..
            } => {
                if !supplier.disk.kept.contains_key(&(*lane, *pack, *position)) {
                    Err(ErrorCode::NotFound)
                } else if supplier.lie == Lie::WrongBytes
                    || supplier.disk.rotten.contains(&(*lane, *pack, *position))
                {
                    Err(ErrorCode::Corrupt)
                } else {
                    Ok(())
                }
            }
            Request::Propose { .. }
            | Request::Store { .. }
            | Request::Heads { .. }
            | Request::Tip
            | Request::List { .. } => Ok(()),
        };
        let given = match result {
            Ok(()) => Input::AccessGiven {
                ask,
                released: ByteCount(0),
            },
            Err(code) => Input::AccessFailed { ask, code },
        };
        self.deliver(node, Duration::ZERO, given);
        self.answer(call, result);
    }

    /// Records of customers are put again, as long as a supplier of theirs is up.
    fn publish_deposits(&mut self, node: NodeId) {
        let customers: Vec<_> = self.nodes[node.0]
            .disk
            .customers
            .values()
            .cloned()
            .collect();
        for customer in customers {
            if let Some(entry) = self
                .books
                .lanes
                .get_mut(&(customer.identity, customer.lane))
            {
                entry.published_at = self.now;
            }
        }
        let wait = self.latency();
        self.deliver(node, wait, Input::DepositsPublished);
    }
}
