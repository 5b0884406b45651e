//! What this node does for others as their supplier: questions of peers, decided by the
//! engine, served from the store.
//!
//! Order of a store: admitted by the engine → bytes written, hashed, synced, renamed,
//! entered → receipt signed → engine told. A stranger's signature, another's lane or a wrong
//! owner is refused before the engine hears of it.

mod arrivals;
mod control;
pub(crate) mod findings;
mod shards;

use std::collections::BTreeMap;

use bitdust_crypto::{contract_id, verify_by};
use bitdust_engine::{Access, AskId, CustomerFact, Input};
use bitdust_model::contract::{Contract, ContractAcceptance};
use bitdust_model::message::{Body, Refusal};
use bitdust_model::{ByteCount, DeviceId, ErrorCode, Signed, limits};
use bitdust_net::{BulkServer, Peer, Reply};
use bitdust_store::supplier::StoredContract;
use tracing::debug;

use crate::service::arrivals::Arrivals;
use crate::shared::completion::Completion;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::question::Question;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

/// The supplier's side of a node.
pub(crate) struct Service {
    context: Context,
    /// What waits for the engine.
    questions: BTreeMap<AskId, Question>,
    /// Bytes promised by lane.
    promised: BTreeMap<DeviceId, ByteCount>,
    /// Bytes offered in all.
    offered: ByteCount,
    arrivals: Arrivals,
}

impl Service {
    /// The service of a home, with the customers it has.
    pub(crate) fn new(context: Context, config: &Config, customers: &[CustomerFact]) -> Self {
        let promised = customers.iter();
        Self {
            context,
            questions: BTreeMap::new(),
            promised: promised
                .map(|customer| (customer.lane, customer.contract))
                .collect(),
            offered: config.offer,
            arrivals: Arrivals::default(),
        }
    }

    /// Settings changed.
    pub(crate) fn configure(&mut self, config: &Config) {
        self.offered = config.offer;
    }

    /// Bytes that strangers may still ask for; none where nothing is offered.
    pub(crate) fn free_space(&self) -> Option<ByteCount> {
        if self.context.shards.is_shut() {
            return None;
        }
        let promised = self.promised.values();
        let promised = promised.fold(ByteCount(0), |sum, bytes| sum + *bytes);
        (self.offered.0 > 0).then(|| self.offered.saturating_sub(promised))
    }

    /// A peer opened a bulk stream.
    pub(crate) fn listen(&self, driver: &mut Driver, from: Peer, server: BulkServer) {
        driver.spawn(shards::listen(self.context.clone(), from, server));
    }

    /// A peer asks something on a control stream.
    pub(crate) fn requested(
        &mut self,
        driver: &mut Driver,
        from: Peer,
        is_friend: bool,
        body: Body,
        reply: Reply,
    ) {
        let access = match &body {
            Body::SpaceAsk => {
                let free = self.free_space().unwrap_or_default();
                return reply.send(Body::SpaceFree(free));
            }
            Body::Locate(keys) => return self.locate(driver, keys.clone(), reply),
            Body::Propose(signed) => {
                return self.proposed(driver, from, is_friend, signed.clone(), reply);
            }
            Body::List { .. } | Body::HeadsAsk { .. } | Body::Deposit(_) | Body::FencePut(_) => {
                Access::Read
            }
            Body::HeadPut { .. } => Access::Write,
            Body::Delete { .. } => Access::Delete,
            Body::Hello(_)
            | Body::Refused(_)
            | Body::Done
            | Body::Befriend { .. }
            | Body::SpaceFree(_)
            | Body::ContractSigned(_)
            | Body::Store { .. }
            | Body::Stored(_)
            | Body::Fetch(_)
            | Body::Fetched { .. }
            | Body::Listing { .. }
            | Body::Deleted { .. }
            | Body::HeadKept(_)
            | Body::Heads { .. }
            | Body::Located(_)
            | Body::Identify(_) => return reply.refuse(ErrorCode::Malformed),
        };
        let body = Box::new(body);
        let question = Question::Control {
            from,
            body,
            access,
            reply,
        };
        self.asked(driver, question);
    }

    fn proposed(
        &mut self,
        driver: &mut Driver,
        from: Peer,
        is_friend: bool,
        signed: Signed<Contract>,
        reply: Reply,
    ) {
        let Ok(contract) = verify_by(&signed, &from.device.0) else {
            return reply.refuse(ErrorCode::NotAuthentic);
        };
        let is_for_us = contract.customer == from.identity
            && contract.lane == from.device
            && contract.supplier == self.context.device
            && contract.supplier_identity == self.context.identity;
        if !is_for_us {
            return reply.refuse(ErrorCode::NotAllowed);
        }
        let question = Question::Propose {
            from,
            is_friend,
            signed: Box::new(signed),
            contract: Box::new(contract),
            reply,
        };
        self.asked(driver, question);
    }

    /// Numbers a question and lays it before the engine.
    pub(crate) fn asked(&mut self, driver: &mut Driver, question: Question) {
        // Anything else would say of what is kept that it is not.
        if self.context.shards.is_shut() || self.questions.len() >= limits::QUESTIONS_MAX {
            return refuse_question(driver, question, ErrorCode::Busy);
        }
        if let Question::Store { header, .. } = &question
            && let Some(over) = self.arrivals.stop(header.lane, header.shard)
        {
            // What the former try takes is not to count against what comes in its place.
            let events = self.context.task_events.clone();
            return driver.spawn(async move {
                // Nothing is ever sent: it ends by being dropped.
                drop(over.await);
                // A loop that has ended asks nobody any more.
                drop(events.send(TaskEvent::Asked(Box::new(question))).await);
            });
        }
        let ask = AskId(driver.number());
        driver.tell(input_of(ask, &question));
        self.questions.insert(ask, question);
    }

    /// The engine said no.
    pub(crate) fn refuse(&mut self, driver: &mut Driver, ask: AskId, code: ErrorCode) {
        if let Some(question) = self.questions.remove(&ask) {
            refuse_question(driver, question, code);
        }
    }

    /// Signs a contract, records it, answers.
    pub(crate) fn accept_contract(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        ask: AskId,
    ) {
        let Some(Question::Propose {
            from,
            signed,
            contract,
            reply,
            ..
        }) = self.questions.remove(&ask)
        else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let (lane, bytes) = (from.device, contract.bytes);
        let acceptance = ContractAcceptance {
            contract: contract_id(&signed),
            supplier: self.context.device,
            accepted_at: wall_clock(),
        };
        let acceptance = self.context.secrets.device.signing().sign(&acceptance);
        let stored = StoredContract {
            identity: from.identity,
            lane,
            bytes,
            contract: *signed,
            acceptance: acceptance.clone(),
        };
        let shards = self.context.shards.clone();
        driver.spawn(async move {
            let kept = blocking(move || shards.put_contract(stored)).await;
            match kept.and_then(|kept| kept.map_err(|error| error.code())) {
                Ok(()) => {
                    // The engine is told first: the customer may store at once.
                    let kept = |completion| TaskEvent::ContractKept {
                        completion,
                        ask,
                        lane,
                        bytes,
                    };
                    completion.bring(kept).await;
                    reply.send(Body::ContractSigned(acceptance));
                }
                Err(code) => {
                    completion.tell(Err(code)).await;
                    reply.refuse(code);
                }
            }
        });
    }

    /// A contract is recorded: what it takes is not offered to others any more.
    pub(crate) fn contract_kept(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        ask: AskId,
        lane: DeviceId,
        bytes: ByteCount,
    ) {
        self.promised.insert(lane, bytes);
        driver.tell(completion.done(Input::ContractRecorded { ask }));
    }

    /// Lets a shard come.
    pub(crate) fn accept_store(&mut self, driver: &mut Driver, completion: Completion, ask: AskId) {
        let Some(Question::Store {
            signed,
            header,
            incoming,
            ..
        }) = self.questions.remove(&ask)
        else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let context = self.context.clone();
        let turn = self.arrivals.begin(header.lane, header.shard);
        driver.start(completion, async move {
            let taken = shards::take_shard(&context, *signed, &header, *incoming, turn).await;
            taken
                .inspect_err(|code| debug!(code = code.name(), "A shard did not arrive whole"))
                .map(|()| Input::ShardKept { ask })
        });
    }

    /// Does what a customer asked.
    pub(crate) fn allow_access(&mut self, driver: &mut Driver, completion: Completion, ask: AskId) {
        let context = self.context.clone();
        match self.questions.remove(&ask) {
            Some(Question::Fetch {
                from,
                fetch,
                outgoing,
            }) => driver.start(completion, async move {
                let given = shards::give_range(&context, from, fetch, outgoing).await;
                let released = ByteCount(0);
                given
                    .inspect_err(|code| debug!(code = code.name(), "A range was not given whole"))
                    .map(|()| Input::AccessGiven { ask, released })
            }),
            Some(Question::Control {
                from, body, reply, ..
            }) => driver.spawn(async move {
                let served = control::serve(&context, from, *body).await;
                // The engine is told first: what was freed may be used at once.
                match served {
                    Ok(answer) => {
                        let released = released_by(&answer);
                        let given = Input::AccessGiven { ask, released };
                        completion.tell(Ok(given)).await;
                        reply.send(answer);
                    }
                    Err(code) => {
                        completion.tell(Err(code)).await;
                        reply.refuse(code);
                    }
                }
            }),
            Some(question @ (Question::Propose { .. } | Question::Store { .. })) => {
                refuse_question(driver, question, ErrorCode::Internal);
                driver.tell(completion.failed(ErrorCode::Internal));
            }
            None => driver.tell(completion.failed(ErrorCode::Internal)),
        }
    }

    /// Any node tells what it keeps for its customers to whoever knows the keys.
    fn locate(&self, driver: &mut Driver, keys: Vec<bitdust_model::DhtKey>, reply: Reply) {
        if keys.len() > limits::LOCATE_KEYS_MAX {
            return reply.refuse(ErrorCode::Malformed);
        }
        let context = self.context.clone();
        driver.spawn(async move {
            let located = control::locate(&context, keys).await;
            reply.send(located.unwrap_or_else(refused));
        });
    }

    /// Publishes the records kept for customers, the newer of two each.
    pub(crate) fn publish_deposits(&self, driver: &mut Driver, completion: Completion) {
        let context = self.context.clone();
        driver.start(completion, async move {
            let published = control::publish_deposits(&context).await;
            published.map(|()| Input::DepositsPublished)
        });
    }

    /// Whoever asked learns by a closed stream that there is no answer.
    pub(crate) fn shut_down(&mut self) {
        self.questions.clear();
    }
}

fn input_of(ask: AskId, question: &Question) -> Input {
    match question {
        Question::Propose {
            from,
            is_friend,
            contract,
            ..
        } => Input::ContractProposed {
            ask,
            identity: from.identity,
            lane: from.device,
            bytes: contract.bytes,
            friend: *is_friend,
        },
        Question::Store {
            from,
            header,
            is_here,
            ..
        } => {
            let new_bytes = if *is_here { 0 } else { header.shard_bytes };
            Input::StoreAsked {
                ask,
                identity: from.identity,
                lane: from.device,
                bytes: ByteCount(u64::from(new_bytes)),
            }
        }
        Question::Fetch { from, .. } => Input::AccessAsked {
            ask,
            identity: from.identity,
            device: from.device,
            access: Access::Read,
        },
        Question::Control { from, access, .. } => Input::AccessAsked {
            ask,
            identity: from.identity,
            device: from.device,
            access: *access,
        },
    }
}

/// Bytes of the asking device that an answer says are free again.
const fn released_by(answer: &Body) -> ByteCount {
    if let Body::Deleted { bytes, .. } = answer {
        *bytes
    } else {
        ByteCount(0)
    }
}

fn refuse_question(driver: &mut Driver, question: Question, code: ErrorCode) {
    debug!(code = code.name(), "Refused a peer");
    match question {
        Question::Propose { reply, .. } | Question::Control { reply, .. } => reply.refuse(code),
        Question::Store { incoming, .. } => {
            driver.spawn(async move { drop(incoming.refuse(code).await) });
        }
        Question::Fetch { outgoing, .. } => {
            driver.spawn(async move { drop(outgoing.refuse(code).await) });
        }
    }
}

const fn refused(code: ErrorCode) -> Body {
    Body::Refused(Refusal {
        code,
        retry_after_ms: None,
    })
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::LocatorKey;
    use bitdust_engine::Output;
    use bitdust_model::locator::KeyedRecord;
    use bitdust_model::{IdentityId, Sequence};

    use super::*;
    use crate::shared::testing::TestHome;

    const LANE: DeviceId = DeviceId([4; 32]);

    fn service(home: &TestHome, offer: u64, promised: u64) -> Service {
        let config = Config {
            offer: ByteCount(offer),
            ..Config::default()
        };
        let customer = CustomerFact {
            identity: IdentityId([3; 32]),
            lane: LANE,
            contract: ByteCount(promised),
            used: ByteCount(0),
        };
        Service::new(home.context.clone(), &config, &[customer])
    }

    #[test]
    fn only_a_deletion_frees_bytes() {
        let bytes = ByteCount(7);
        let packs = Vec::new();
        assert_eq!(released_by(&Body::Deleted { packs, bytes }), bytes);
        assert_eq!(released_by(&Body::SpaceFree(bytes)), ByteCount(0));
    }

    #[tokio::test]
    async fn what_is_promised_is_not_offered_again() {
        let mut home = TestHome::new().await;
        let mut service = service(&home, 100, 30);
        assert_eq!(service.free_space(), Some(ByteCount(70)));
        let ask = AskId(1);
        let output = Output::AcceptContract { ask };
        let completion =
            Completion::of(&output, &home.context.task_events).expect("it is answered");
        let other = DeviceId([5; 32]);
        service.contract_kept(&mut home.driver, completion, ask, other, ByteCount(50));
        assert_eq!(home.told(), [Input::ContractRecorded { ask }]);
        assert_eq!(service.free_space(), Some(ByteCount(20)));
        service.configure(&Config::default());
        assert_eq!(service.free_space(), None, "nothing is offered any more");
    }

    #[tokio::test]
    async fn a_question_that_is_gone_is_answered_as_failed() {
        let mut home = TestHome::new().await;
        let mut service = service(&home, 100, 0);
        let ask = AskId(9);
        type Begin = fn(&mut Service, &mut Driver, Completion, AskId);
        let effects: [(Output, Begin); 3] = [
            (Output::AcceptContract { ask }, Service::accept_contract),
            (Output::AcceptStore { ask }, Service::accept_store),
            (Output::AllowAccess { ask }, Service::allow_access),
        ];
        for (output, begin) in effects {
            let completion =
                Completion::of(&output, &home.context.task_events).expect("it is answered");
            let failure = output.failure(ErrorCode::Internal);
            begin(&mut service, &mut home.driver, completion, ask);
            assert_eq!(home.told(), failure.into_iter().collect::<Vec<_>>());
        }
        service.refuse(&mut home.driver, ask, ErrorCode::Busy);
        assert!(home.told().is_empty());
    }

    #[tokio::test]
    async fn deposits_that_nobody_takes_are_not_published() {
        let mut home = TestHome::new().await;
        let service = service(&home, 100, 0);
        let mut publish = async || {
            let output = Output::PublishDeposits;
            let completion = Completion::of(&output, &home.context.task_events);
            service.publish_deposits(&mut home.driver, completion.expect("it is answered"));
            match home.events.recv().await {
                Some(TaskEvent::Input(input)) => input,
                Some(_) | None => panic!("an answer"),
            }
        };
        assert_eq!(publish().await, Input::DepositsPublished, "there is none");
        let context = &home.context;
        let key = LocatorKey::root(&home.root, 0);
        let record = key.seal(&context.network, Sequence(1), wall_clock(), b"who I am");
        let record = KeyedRecord {
            key: key.dht_key(),
            record,
        };
        let kept = home
            .context
            .shards
            .put_deposit(IdentityId([3; 32]), &record);
        kept.expect("a customer's");
        assert!(matches!(publish().await, Input::DepositsFailed { .. }));
    }
}
