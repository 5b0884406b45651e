//! An identity found again from its phrase: records, heads, manifests, and the new device's own
//! entry in the root record.
//!
//! The root key lives in memory for as long as the recovery runs and signs two things: the
//! root record with this device in it, and fences for machines that are gone.

mod believe;
mod enter;
mod failure;
mod inheritance;
pub(crate) mod lanes;
mod rebuild;
pub(crate) mod root;
mod seek;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use bitdust_api::host::RecoverAs;
use bitdust_api::view::JobTask;
use bitdust_crypto::RootSecrets;
use bitdust_engine::{HeadFact, Input, JobId, LaneFact, ListsRead, RecoveryFound, WantedHead};
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::locator::{LaneRecord, RootRecord};
use bitdust_model::status::Problems;
use bitdust_model::{DeviceId, ErrorCode, HeadRef};
use bitdust_store::HomePaths;
use bitdust_store::catalogue::Introduction;

use crate::recovery::believe::believe;
use crate::recovery::enter::Entry;
use crate::recovery::failure::{SoFar, recovery_error};
use crate::recovery::lanes::{Learnt, head_fact, known_suppliers, lane_fact};
use crate::recovery::rebuild::{Rebuilt, rebuild};
use crate::recovery::seek::{FoundRoot, devices_of, seek_lanes, seek_root};
use crate::recovery::verdict::{ToldHeads, ends, known_heads, newest_found};
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::error::NodeError;
use crate::shared::job::{Begun, Counters, JobEnd, JobWork};
use crate::shared::lane_heads::heads_of;
use crate::shared::recovery_found::{Found, Left, MissingLists, Recovered};
use crate::shared::task_event::TaskEvent;

/// The recovery of a node, if it runs one.
pub(crate) struct Recovery {
    context: Context,
    run: Option<Run>,
}

/// What a recovery brings along.
pub(crate) struct RecoveryStart {
    /// The keys of the phrase.
    pub(crate) root: RootSecrets,
    /// What this machine becomes.
    pub(crate) recover_as: RecoverAs,
    /// Of the home that is to get a machine of the identity.
    pub(crate) paths: HomePaths,
    /// Who waits for the result.
    pub(crate) reply: oneshot::Sender<Result<Recovered, NodeError>>,
}

/// A recovery under way.
struct Run {
    job: JobId,
    counters: Arc<Counters>,
    root: Arc<RootSecrets>,
    recover_as: RecoverAs,
    paths: HomePaths,
    nickname: String,
    reply: oneshot::Sender<Result<Recovered, NodeError>>,
    /// The newest root record found.
    found: Option<RootRecord>,
    /// Lane records that were found beside it.
    beside: Vec<LaneRecord>,
    /// Suppliers that lane records name, and where they can be reached.
    suppliers: BTreeMap<DeviceId, Introduction>,
    /// The newest head that each record names, and how many machines have none.
    named: BTreeMap<DeviceId, HeadRef>,
    missing: usize,
    /// Suppliers that answered, and whether they told a head.
    answered: BTreeMap<DeviceId, bool>,
    /// Heads that were heard.
    heads: ToldHeads,
    /// What could not be had of the lists that are taken over.
    lists_missing: MissingLists,
    /// What the machines before this one leave.
    left: Vec<Left>,
    /// Others are being told of this machine.
    is_entering: bool,
    /// What is told in the end.
    result: Option<Recovered>,
}

impl Run {
    /// Begins anew from a root record, and the lane records that were found beside it.
    fn take_root(&mut self, root: RootRecord, lanes: Vec<LaneRecord>) {
        self.found = Some(root);
        self.beside = lanes;
        self.suppliers.clear();
        self.named.clear();
        self.answered.clear();
        self.left.clear();
    }

    /// Notes which heads lane records name; says what the engine is told of them.
    fn take_lanes(&mut self, lanes: &[LaneRecord], missing: usize) -> Vec<LaneFact> {
        let fences = self.found.as_ref().map_or(&[][..], |root| &root.fences);
        let facts: Vec<_> = lanes.iter().map(|lane| lane_fact(lane, fences)).collect();
        let named = lanes.iter().zip(&facts).filter_map(|(lane, fact)| {
            let head = fact.named.and(lane.published)?;
            Some((lane.lane, head))
        });
        self.named.extend(named);
        self.missing = missing;
        facts
    }

    /// Notes what came with the lists of a head that are taken over.
    fn take_lists(&mut self, missing: MissingLists, left: Option<Box<Left>>) {
        self.left.extend(left.map(|left| *left));
        self.lists_missing.index += missing.index;
        self.lists_missing.older += missing.older;
    }

    /// What was found, for whoever is told that it does not suffice.
    fn so_far(&self) -> SoFar {
        let told = self.answered.values().filter(|told| **told).count();
        SoFar {
            suppliers: self.suppliers.len(),
            told,
            empty: self.answered.len() - told,
            named: self.named.values().map(|head| head.sequence).max(),
            missing: self.missing,
            is_entering: self.is_entering,
        }
    }

    /// Keeps heads that a supplier told; says which they are.
    fn keep_heads(&mut self, heads: Vec<(Head, HeadBundle)>) -> Vec<HeadFact> {
        let mut facts = Vec::with_capacity(heads.len());
        for (head, bundle) in heads {
            let fact = head_fact(&head, &bundle);
            let key = (fact.lane, fact.head.hash);
            self.heads.insert(key, (head, bundle));
            facts.push(fact);
        }
        facts
    }
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
            recover_as: start.recover_as,
            paths: start.paths,
            nickname,
            reply: start.reply,
            found: None,
            beside: Vec::new(),
            named: BTreeMap::new(),
            missing: 0,
            answered: BTreeMap::new(),
            suppliers: BTreeMap::new(),
            heads: ToldHeads::new(),
            lists_missing: MissingLists::default(),
            left: Vec::new(),
            is_entering: false,
            result: None,
        });
        driver.tell(Input::RecoverAsked { job: id });
        let task = JobTask::Recovery;
        Begun { id, task, counters }
    }

    /// A job ended. Where it is the recovery whoever waits is told; gives what it did.
    pub(crate) fn end(&mut self, id: JobId, failure: Option<ErrorCode>) -> Option<JobEnd> {
        let run = self.run.take_if(|run| run.job == id)?;
        let so_far = run.so_far();
        let result = match (failure, run.result) {
            (None, Some(result)) => Ok(result),
            (failure, _) => {
                let code = failure.unwrap_or(ErrorCode::Internal);
                Err(recovery_error(code, so_far))
            }
        };
        // Whoever asked may have given up.
        drop(run.reply.send(result));
        Some(JobEnd {
            counters: run.counters,
            problems: Problems::default(),
            work: JobWork::Recovery,
        })
    }

    /// Looks for the root record, in the DHT and at connected peers.
    pub(crate) fn seek_root(&self, driver: &mut Driver, completion: Completion, job: JobId) {
        let Some(run) = &self.run else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let (context, root) = (self.context.clone(), run.root.clone());
        driver.spawn(async move {
            match seek_root(&context, &root).await {
                Ok(Some(FoundRoot { record, lanes })) => {
                    let root = Box::new(record);
                    found(completion, Found::Root { job, root, lanes }).await;
                }
                Ok(None) => completion.tell(Ok(Input::RootMissing { job })).await,
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// Looks for lane records in the same places.
    pub(crate) fn seek_lanes(
        &self,
        driver: &mut Driver,
        completion: Completion,
        job: JobId,
        devices: Vec<DeviceId>,
    ) {
        let Some((run, root)) = self.found_root() else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let (context, newest) = (self.context.clone(), root.epoch);
        let root = run.root.clone();
        let beside = run.beside.clone();
        driver.spawn(async move {
            let is_known = |device: &DeviceId| beside.iter().any(|lane| lane.lane == *device);
            let unknown = devices.iter().filter(|device| !is_known(device)).copied();
            let (mut lanes, missing) = seek_lanes(&context, &root, newest, unknown.collect()).await;
            let wanted = beside.iter().filter(|lane| devices.contains(&lane.lane));
            lanes.extend(wanted.cloned());
            let lanes = Found::Lanes {
                job,
                lanes,
                missing,
            };
            found(completion, lanes).await;
        });
    }

    /// The recovery that runs, once it has found the root record.
    fn found_root(&self) -> Option<(&Run, &RootRecord)> {
        let run = self.run.as_ref()?;
        Some((run, run.found.as_ref()?))
    }

    /// Asks a supplier for its heads.
    pub(crate) fn ask_heads(
        &self,
        driver: &mut Driver,
        completion: Completion,
        job: JobId,
        device: DeviceId,
    ) {
        let Some((_, root)) = self.found_root() else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let record = root.clone();
        let context = self.context.clone();
        driver.spawn(async move {
            // Who knows nothing of the identity keeps nothing of it either.
            let lanes = match heads_of(&context, device).await {
                Err(ErrorCode::NoContract) => Ok(Vec::new()),
                answer => answer,
            };
            match lanes {
                Ok(lanes) => {
                    let (heads, sets) = believe(&context, &record, lanes);
                    let heads = Found::Heads {
                        job,
                        device,
                        heads,
                        sets,
                    };
                    found(completion, heads).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// Loads manifest and indexes of a head.
    pub(crate) fn rebuild_catalogue(
        &self,
        driver: &mut Driver,
        completion: Completion,
        job: JobId,
        wanted: WantedHead,
    ) {
        let key = (wanted.lane, wanted.head.hash);
        let told = self.run.as_ref().and_then(|run| run.heads.get(&key));
        let Some((_, bundle)) = told.cloned() else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let context = self.context.clone();
        driver.spawn(async move {
            match rebuild(&context, job, &bundle, wanted.partly).await {
                Ok(Rebuilt {
                    lists,
                    missing,
                    left,
                }) => {
                    let is_taken = lists == ListsRead::Whole || wanted.partly;
                    let rebuilt = Found::Rebuilt {
                        job,
                        lists,
                        missing: if is_taken {
                            missing
                        } else {
                            MissingLists::default()
                        },
                        left: left.filter(|_| is_taken),
                    };
                    found(completion, rebuilt).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// Takes over what was found, and enters this device into the root record.
    pub(crate) fn enter_device(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        job: JobId,
        taken: &RecoveryFound,
    ) {
        let Some((run, root)) = self.found_root() else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let entry = Entry {
            root: run.root.clone(),
            record: root.clone(),
            recover_as: run.recover_as,
            heads: known_heads(taken, &run.heads),
            ends: ends(taken, &run.named),
            suppliers: run.suppliers.values().cloned().collect(),
            nickname: run.nickname.clone(),
            newest: newest_found(taken, &run.heads, run.lists_missing),
            paths: run.paths.clone(),
            left: run.left.clone(),
        };
        if let Some(run) = &mut self.run {
            run.is_entering = true;
        }
        let context = self.context.clone();
        driver.spawn(async move {
            match entry.make(&context).await {
                Ok(result) => {
                    let result = Box::new(result);
                    found(completion, Found::Entered { job, result }).await;
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
        let mut learnt = Learnt::default();
        match found {
            Found::Root { job, root, lanes } => {
                let devices = devices_of(&root);
                run.take_root(*root, lanes);
                driver.tell(completion.done(Input::RootFound { job, devices }));
            }
            Found::Lanes {
                job,
                lanes,
                missing,
            } => {
                let facts = run.take_lanes(&lanes, missing.len());
                let contacts = lanes.into_iter().flat_map(|lane| lane.suppliers);
                learnt.contacts = contacts.collect();
                run.suppliers.extend(known_suppliers(&learnt.contacts));
                driver.tell(completion.done(Input::LanesSought {
                    job,
                    missing,
                    lanes: facts,
                }));
            }
            Found::Heads {
                job,
                device,
                heads,
                sets,
            } => {
                let heads = run.keep_heads(heads);
                run.answered.insert(device, !heads.is_empty());
                driver.tell(completion.done(Input::HeadsHeard { job, device, heads }));
                learnt.sets = sets.into_iter().map(|(set, _)| set).collect();
            }
            Found::Rebuilt {
                job,
                lists,
                missing,
                left,
            } => {
                run.take_lists(missing, left);
                driver.tell(completion.done(Input::CatalogueRebuilt { job, lists }));
            }
            Found::Entered { job, result } => {
                run.result = Some(*result);
                driver.tell(completion.done(Input::DeviceEntered { job }));
            }
        }
        learnt
    }

    /// The program ends: the recovery stops.
    pub(crate) fn shut_down(&self) {
        if let Some(run) = &self.run {
            run.counters.interrupt();
        }
    }
}

/// Brings the loop what was found.
async fn found(completion: Completion, found: Found) {
    let found = Box::new(found);
    completion
        .bring(|completion| TaskEvent::Recovery { completion, found })
        .await;
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
            recover_as: RecoverAs::Another,
            paths: HomePaths::new(home.home_dir()),
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
        let code = ErrorCode::Cancelled;
        assert_eq!(home.told(), [Input::HeadsFailed { job, device, code }]);
    }
}
