//! An identity found again from its phrase: records, heads, manifests, and the new device's own
//! entry in the root record.
//!
//! The root key lives in memory for as long as the recovery runs and signs two things: the
//! root record with this device in it, and fences for machines that are gone.

mod believe;
pub(crate) mod found;
mod rebuild;
pub(crate) mod root;
mod seek;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use bitdust_api::view::JobTask;
use bitdust_crypto::{RootSecrets, verify_by};
use bitdust_engine::{Input, JobId, SupplierFact};
use bitdust_model::locator::{Contact, LaneRecord, RootRecord};
use bitdust_model::manifest::{HeadBundle, SetRecord};
use bitdust_model::message::Body;
use bitdust_model::status::Problems;
use bitdust_model::{DeviceId, ErrorCode, Sequence};
use bitdust_store::catalogue::Introduction;

use crate::recovery::believe::believe;
use crate::recovery::found::{Found, Recovered};
use crate::recovery::rebuild::Rebuild;
use crate::recovery::seek::seek;
use crate::shared::answer::refusal;
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::error::NodeError;
use crate::shared::job::{Begun, Counters, JobEnd, JobWork};
use crate::shared::task_event::TaskEvent;
use crate::shared::words;

/// The recovery of a node, if it runs one.
pub(crate) struct Recovery {
    context: Context,
    run: Option<Run>,
}

/// What a recovery brings along.
pub(crate) struct RecoveryStart {
    /// The keys of the phrase.
    pub(crate) root: RootSecrets,
    /// Whether the old machines will never write again.
    pub(crate) old_machine_gone: bool,
    /// Who waits for the result.
    pub(crate) reply: oneshot::Sender<Result<Recovered, NodeError>>,
}

/// A recovery under way.
struct Run {
    job: JobId,
    counters: Arc<Counters>,
    root: Arc<RootSecrets>,
    old_machine_gone: bool,
    nickname: String,
    reply: oneshot::Sender<Result<Recovered, NodeError>>,
    /// The newest root record found.
    record: Option<RootRecord>,
    /// Where suppliers can be reached.
    contacts: Vec<Introduction>,
    /// Heads that were heard.
    heads: BTreeMap<(DeviceId, Sequence), HeadBundle>,
    /// What is told in the end.
    result: Option<Recovered>,
}

/// What a recovery learnt that others need.
#[derive(Default)]
pub(crate) struct Learnt {
    /// Set records, verified.
    pub(crate) sets: Vec<SetRecord>,
    /// Where suppliers may be reached.
    pub(crate) contacts: Vec<Contact>,
}

impl Recovery {
    /// No recovery runs.
    pub(crate) fn new(context: Context) -> Self {
        Self { context, run: None }
    }

    /// Begins a recovery; `nickname` is what the person is called from now on, or empty: as
    /// before.
    pub(crate) fn begin(
        &mut self,
        driver: &mut Driver,
        start: RecoveryStart,
        nickname: String,
    ) -> Begun {
        let id = JobId(driver.number());
        let counters: Arc<Counters> = Arc::default();
        self.run = Some(Run {
            job: id,
            counters: counters.clone(),
            root: Arc::new(start.root),
            old_machine_gone: start.old_machine_gone,
            nickname,
            reply: start.reply,
            record: None,
            contacts: Vec::new(),
            heads: BTreeMap::new(),
            result: None,
        });
        driver.tell(Input::RecoverAsked { job: id });
        let task = JobTask::Recovery;
        Begun { id, task, counters }
    }

    /// A job ended. Where it is the recovery whoever waits is told; gives what it did.
    pub(crate) fn end(&mut self, id: JobId, failure: Option<ErrorCode>) -> Option<JobEnd> {
        let run = self.run.take_if(|run| run.job == id)?;
        let result = match (failure, run.result) {
            (None, Some(result)) => Ok(result),
            (failure, _) => Err(recovery_error(failure.unwrap_or(ErrorCode::Internal))),
        };
        // Whoever asked may have given up.
        drop(run.reply.send(result));
        Some(JobEnd {
            counters: run.counters,
            problems: Problems::default(),
            work: JobWork::Recovery,
        })
    }

    /// Looks for root and lane records, in the DHT and at connected peers.
    pub(crate) fn seek_lanes(&self, driver: &mut Driver, completion: Completion, job: JobId) {
        let Some(run) = &self.run else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let (context, root) = (self.context.clone(), run.root.clone());
        driver.spawn(async move {
            let Some((root, lanes)) = seek(&context, &root).await else {
                return completion.tell(Ok(Input::LanesMissing { job })).await;
            };
            let root = Box::new(root);
            found(completion, Found::Lanes { job, root, lanes }).await;
        });
    }

    /// Asks a supplier for its heads.
    pub(crate) fn ask_heads(
        &self,
        driver: &mut Driver,
        completion: Completion,
        job: JobId,
        device: DeviceId,
    ) {
        let Some(record) = self.run.as_ref().and_then(|run| run.record.clone()) else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let context = self.context.clone();
        driver.spawn(async move {
            match context.net.request(device, Body::HeadsAsk).await {
                Ok(Body::Heads(bundles)) => {
                    let (heads, sets) = believe(&context, &record, bundles);
                    let heads = Found::Heads {
                        job,
                        device,
                        heads,
                        sets,
                    };
                    found(completion, heads).await;
                }
                Ok(answer) => completion.tell(Err(refusal(&answer))).await,
                Err(error) => completion.tell(Err(error.code())).await,
            }
        });
    }

    /// Loads manifests and indexes of the chosen heads.
    pub(crate) fn rebuild_catalogue(
        &self,
        driver: &mut Driver,
        completion: Completion,
        job: JobId,
        lanes: &[(DeviceId, Sequence)],
        confirmed: u32,
        of: u32,
    ) {
        let Some(run) = &self.run else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let heads = lanes
            .iter()
            .filter_map(|lane| run.heads.get(lane).cloned())
            .collect();
        let rebuild = Rebuild {
            job,
            heads,
            root: run.root.clone(),
            record: run.record.clone(),
            old_machine_gone: run.old_machine_gone,
            suppliers: run.contacts.clone(),
            nickname: run.nickname.clone(),
            confirmed,
            of,
        };
        let context = self.context.clone();
        driver.spawn(async move {
            match rebuild.run(&context).await {
                Ok((missing, result)) => {
                    let rebuilt = Found::Rebuilt {
                        job,
                        missing,
                        result: Box::new(result),
                    };
                    found(completion, rebuilt).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// Takes in what recovery found, and tells the engine; gives what others need of it.
    pub(crate) fn moved(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        found: Found,
    ) -> Learnt {
        let Some(run) = &mut self.run else {
            driver.tell(completion.failed(ErrorCode::Cancelled));
            return Learnt::default();
        };
        match found {
            Found::Lanes { job, root, lanes } => {
                let (learnt, k) = read_lanes(lanes);
                run.record = Some(*root);
                run.contacts = known_suppliers(&learnt.contacts);
                let suppliers = run.contacts.iter().map(fact_of).collect();
                driver.tell(completion.done(Input::LanesFound { job, suppliers, k }));
                learnt
            }
            Found::Heads {
                job,
                device,
                heads,
                sets,
            } => {
                let mut lanes = Vec::with_capacity(heads.len());
                for (head, bundle) in heads {
                    lanes.push((head.lane, head.sequence));
                    run.heads.insert((head.lane, head.sequence), bundle);
                }
                driver.tell(completion.done(Input::HeadsHeard { job, device, lanes }));
                Learnt {
                    sets: sets.into_iter().map(|(set, _)| set).collect(),
                    contacts: Vec::new(),
                }
            }
            Found::Rebuilt {
                job,
                missing,
                result,
            } => {
                run.result = Some(*result);
                driver.tell(completion.done(Input::CatalogueRebuilt { job, missing }));
                Learnt::default()
            }
        }
    }

    /// The program ends: the recovery stops.
    pub(crate) fn shut_down(&self) {
        if let Some(run) = &self.run {
            run.counters.interrupt();
        }
    }
}

/// What lane records say: sets and contacts, and the most shards that one of the sets needs.
fn read_lanes(lanes: Vec<LaneRecord>) -> (Learnt, u8) {
    let mut learnt = Learnt::default();
    let mut k = 1;
    for lane in lanes {
        for signed in &lane.sets {
            if let Ok(set) = verify_by(signed, &lane.lane.0) {
                k = k.max(set.k);
                learnt.sets.push(set);
            }
        }
        learnt.contacts.extend(lane.suppliers);
    }
    (learnt, k)
}

/// Each supplier once. Whoever keeps data of this identity is taken as a friend: the new device
/// asks them first.
fn known_suppliers(contacts: &[Contact]) -> Vec<Introduction> {
    let contacts = contacts.iter();
    let known: BTreeMap<DeviceId, Introduction> = contacts
        .map(|contact| {
            let introduction = Introduction {
                device: contact.device,
                identity: contact.identity,
                friend: true,
                addresses: contact.addresses.clone(),
                seen: None,
            };
            (contact.device, introduction)
        })
        .collect();
    known.into_values().collect()
}

const fn fact_of(supplier: &Introduction) -> SupplierFact {
    SupplierFact {
        device: supplier.device,
        identity: supplier.identity,
        friend: false,
        contract: None,
        proved_ago_ms: None,
        condemned: false,
    }
}

/// Brings the loop what was found.
async fn found(completion: Completion, found: Found) {
    let found = Box::new(found);
    completion
        .bring(|completion| TaskEvent::Recovery { completion, found })
        .await;
}

fn recovery_error(code: ErrorCode) -> NodeError {
    let is_lost = matches!(
        code,
        ErrorCode::NotFound | ErrorCode::Unreachable | ErrorCode::TimedOut
    );
    let is_short = matches!(code, ErrorCode::TooFewShards | ErrorCode::TooFewSuppliers);
    let message = if is_lost {
        "no trace of this identity was found; nothing was changed. Check the words, and give the address \
         of a node of the network with --bootstrap, best that of a friend who keeps your data"
    } else if is_short {
        "your suppliers are known, but too few of them can be reached to read the list of files; \
         nothing was changed; try again when more are online"
    } else {
        words::failure(code)
    };
    NodeError::new(code, message)
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::Phrase;
    use bitdust_engine::Output;

    use super::*;
    use crate::shared::testing::TestHome;

    fn begin(
        home: &mut TestHome,
        recovery: &mut Recovery,
    ) -> (Begun, oneshot::Receiver<Result<Recovered, NodeError>>) {
        let (reply, result) = oneshot::channel();
        let start = RecoveryStart {
            root: RootSecrets::from_phrase(&Phrase::generate()),
            old_machine_gone: false,
            reply,
        };
        let begun = recovery.begin(&mut home.driver, start, String::new());
        assert_eq!(home.told(), [Input::RecoverAsked { job: begun.id }]);
        (begun, result)
    }

    #[tokio::test]
    async fn whoever_waits_is_told_the_end_once() {
        let mut home = TestHome::new().await;
        let mut recovery = Recovery::new(home.context.clone());
        let (begun, result) = begin(&mut home, &mut recovery);
        let other = JobId(begun.id.0 + 1);
        assert!(recovery.end(other, None).is_none(), "another job");
        let failure = Some(ErrorCode::TooFewShards);
        assert!(recovery.end(begun.id, failure).is_some());
        let error = result.await.expect("told").expect_err("it failed");
        assert_eq!(error.code, ErrorCode::TooFewShards);
        assert!(recovery.end(begun.id, failure).is_none());
    }

    #[tokio::test]
    async fn an_end_without_a_result_is_no_success() {
        let mut home = TestHome::new().await;
        let mut recovery = Recovery::new(home.context.clone());
        let (begun, result) = begin(&mut home, &mut recovery);
        assert!(recovery.end(begun.id, None).is_some());
        let error = result.await.expect("told").expect_err("nothing was found");
        assert_eq!(error.code, ErrorCode::Internal);
    }

    #[tokio::test]
    async fn what_is_found_after_the_end_changes_nothing() {
        let mut home = TestHome::new().await;
        let mut recovery = Recovery::new(home.context.clone());
        let (job, device) = (JobId(1), DeviceId([2; 32]));
        let output = Output::AskHeads { job, device };
        let completion =
            Completion::of(&output, &home.context.task_events).expect("it is answered");
        let found = Found::Heads {
            job,
            device,
            heads: Vec::new(),
            sets: Vec::new(),
        };
        let learnt = recovery.moved(&mut home.driver, completion, found);
        assert!(learnt.sets.is_empty() && learnt.contacts.is_empty());
        assert_eq!(home.told(), [Input::HeadsFailed { job, device }]);
    }

    #[test]
    fn a_supplier_of_two_lanes_is_known_once() {
        let contact = |address: &str| Contact {
            identity: bitdust_model::IdentityId([1; 32]),
            device: DeviceId([2; 32]),
            addresses: vec![address.to_owned()],
        };
        let known = known_suppliers(&[contact("/a"), contact("/b")]);
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].addresses, ["/b"]);
        assert!(known[0].friend, "they are asked first");
    }
}
