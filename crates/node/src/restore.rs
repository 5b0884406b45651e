//! From suppliers to files: fetches of jobs and look-ups, the writing half of a restore, test
//! restores.

mod browse;
pub(crate) mod fetch;
mod listing;
mod lookup;
mod published;
pub(crate) mod reader;
mod verify;
pub(crate) mod versions;
mod writer;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::debug;

use bitdust_api::call::Conflict;
use bitdust_api::view::{JobTask, VerifyView};
use bitdust_engine::{FetchId, Input, JobId, PlaceFact};
use bitdust_model::status::Problems;
use bitdust_model::{ErrorCode, Position, SetId};
use bitdust_store::Catalogue;

use crate::restore::fetch::{FetchState, assemble};
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::fetch_request::{FetchRequest, NO_JOB, Plain, RangeBytes, WantedPart};
use crate::shared::folder_schedule::end_waiting;
use crate::shared::job::{Begun, Counters, JobEnd, JobWork};
use crate::shared::restore_request::{RestoreRequest, Written};
use crate::shared::supplier_request::SupplierRequest;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::text::escape;

/// Restores and look-ups of a node.
pub(crate) struct Restore {
    context: Context,
    /// Whoever fetches.
    readers: BTreeMap<JobId, ReaderJob>,
    fetches: BTreeMap<FetchId, FetchState>,
    /// Restores that somebody asked for, whose versions are being found.
    finding: usize,
}

/// Somebody who fetches.
enum ReaderJob {
    /// A restore, or a test restore.
    Restore(RestoreJob),
    /// A recovery, whose lists come the same way.
    Recovery(Arc<Counters>),
    /// Somebody looks something up.
    LookUp,
}

/// A restore that runs.
struct RestoreJob {
    kind: JobKind,
    counters: Arc<Counters>,
    /// What could not be restored.
    problems: Problems,
    /// The result of a test restore.
    verified: Option<VerifyView>,
}

#[derive(Debug, Clone)]
enum JobKind {
    /// A version, or a part of it, to bring back.
    Restore(Box<RestoreRequest>),
    /// Random files to fetch and compare.
    Verify {
        /// How many.
        sample: u32,
    },
}

/// Notes that a folder which waited to be restored is here again, whole; gives its path.
fn came_back(
    catalogue: &Catalogue,
    request: &RestoreRequest,
    is_whole: bool,
) -> Result<Option<Vec<u8>>, ErrorCode> {
    if !request.brings_folder_back() || !is_whole {
        return Ok(None);
    }
    let waited = end_waiting(catalogue, request.snapshot.folder);
    let waited = waited.map_err(|error| error.code())?;
    Ok(waited.then(|| request.snapshot.path.clone()))
}

impl Restore {
    /// No restore runs.
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context,
            readers: BTreeMap::new(),
            fetches: BTreeMap::new(),
            finding: 0,
        }
    }

    fn begin(&mut self, driver: &mut Driver, kind: JobKind) -> Begun {
        let job = JobId(driver.number());
        let counters: Arc<Counters> = Arc::default();
        let begun = Begun {
            id: job,
            task: kind.task(),
            counters: counters.clone(),
        };
        let running = RestoreJob {
            kind,
            counters,
            problems: Problems::default(),
            verified: None,
        };
        self.readers.insert(job, ReaderJob::Restore(running));
        driver.tell(Input::RestoreAsked { job });
        begun
    }

    /// Begins a test restore of so many random files.
    pub(crate) fn begin_verify(&mut self, driver: &mut Driver, sample: u32) -> Begun {
        self.begin(driver, JobKind::Verify { sample })
    }

    /// A recovery fetches under its number.
    pub(crate) fn recovery_began(&mut self, begun: &Begun) {
        let reader = ReaderJob::Recovery(begun.counters.clone());
        self.readers.insert(begun.id, reader);
    }

    /// A job ended; gives what it did, where it was a restore. Whoever waits for what it wanted
    /// is told so by a reply that never comes.
    pub(crate) fn end(&mut self, id: JobId) -> Option<JobEnd> {
        self.fetches.retain(|_, state| state.request.job != id);
        let ReaderJob::Restore(job) = self.readers.remove(&id)? else {
            return None;
        };
        Some(JobEnd {
            counters: job.counters,
            problems: job.problems,
            work: match job.kind {
                JobKind::Restore(_) => JobWork::Restore,
                JobKind::Verify { .. } => JobWork::Verify {
                    result: job.verified,
                },
            },
        })
    }

    fn job(&mut self, id: JobId) -> Option<&mut RestoreJob> {
        match self.readers.get_mut(&id)? {
            ReaderJob::Restore(job) => Some(job),
            ReaderJob::Recovery(_) | ReaderJob::LookUp => None,
        }
    }

    fn counters(&self, id: JobId) -> Option<Arc<Counters>> {
        match self.readers.get(&id)? {
            ReaderJob::Restore(job) => Some(job.counters.clone()),
            ReaderJob::Recovery(counters) => Some(counters.clone()),
            ReaderJob::LookUp => None,
        }
    }

    /// A test restore has its result.
    pub(crate) fn verified(&mut self, id: JobId, view: VerifyView) {
        if let Some(job) = self.job(id) {
            job.verified = Some(view);
        }
    }

    /// Starts the writing half of a restore, or a test restore, on a blocking thread.
    pub(crate) fn start_restore(&mut self, driver: &mut Driver, completion: Completion, id: JobId) {
        let Some(job) = self.job(id) else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let (kind, counters) = (job.kind.clone(), job.counters.clone());
        let (context, runtime) = (self.context.clone(), Handle::current());
        driver.spawn(async move {
            let result: Result<Written, ErrorCode> = blocking(move || match kind {
                JobKind::Restore(request) => {
                    let left = writer::restore(&context, id, &request, &counters, runtime)?;
                    let back = came_back(&context.catalogue, &request, left.is_whole)?;
                    let problems = left.problems;
                    Ok(Written { problems, back })
                }
                JobKind::Verify { sample } => {
                    let problems = verify::verify(&context, id, sample, &counters, runtime)?;
                    let back = None;
                    Ok(Written { problems, back })
                }
            })
            .await
            .and_then(|result| result);
            let restored = |completion| TaskEvent::Restored {
                completion,
                job: id,
                result,
            };
            completion.bring(restored).await;
        });
    }

    /// The writing half is over. Gives the path of a folder that waited for it.
    pub(crate) fn restored(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        id: JobId,
        result: Result<Written, ErrorCode>,
    ) -> Option<Vec<u8>> {
        let mut folder = None;
        let input = match result {
            Ok(Written { problems, back }) => {
                folder = back;
                let count = problems.count();
                if let Some(job) = self.job(id) {
                    job.problems = problems;
                }
                completion.done(Input::RestoreWritten {
                    job: id,
                    problems: count,
                })
            }
            Err(code) => completion.failed(code),
        };
        driver.tell(input);
        folder
    }

    /// Where the fetch of a job is to look; none where nobody waits for it any more.
    pub(crate) fn set_of(&self, request: &FetchRequest) -> Option<SetId> {
        // That no reply comes tells the worker that its job has ended.
        let is_awaited = request.job == NO_JOB || self.readers.contains_key(&request.job);
        is_awaited.then_some(request.pack.set)
    }

    /// A job wants chunks of a pack, whose shards lie at places.
    pub(crate) fn fetch_wanted(
        &mut self,
        driver: &mut Driver,
        request: FetchRequest,
        mut places: Vec<PlaceFact>,
    ) {
        if let WantedPart::Sealed(confirmed) = request.wanted {
            // Others may have it too: of those whose receipt was lost nobody knows.
            places.sort_by_key(|place| !confirmed.has(place.position));
        }
        let fetch = FetchId(driver.number());
        let state = FetchState::new(request);
        let request = &state.request;
        driver.tell(Input::FetchWanted {
            fetch,
            job: request.job,
            pack: request.pack.pack,
            k: request.pack.k,
            direct: state.own.keys().copied().collect(),
            places,
        });
        self.fetches.insert(fetch, state);
    }

    /// What to ask of the supplier at a position; none where nobody waits for it any more.
    pub(crate) fn range_to_ask(
        &self,
        fetch: FetchId,
        position: Position,
        whole: bool,
    ) -> Option<SupplierRequest> {
        let state = self.fetches.get(&fetch)?;
        let (pack, ranges) = (
            Arc::new(state.request.pack.clone()),
            state.ranges(position, whole),
        );
        let job = state.request.job;
        Some(SupplierRequest::Fetch {
            fetch,
            pack,
            position,
            ranges,
            until_over: state.until_over(),
            counters: self.counters(job),
        })
    }

    /// A supplier's part came and matches its proof.
    pub(crate) fn pieces_came(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        fetch: FetchId,
        position: Position,
        pieces: Vec<RangeBytes>,
    ) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return driver.tell(completion.failed(ErrorCode::Cancelled));
        };
        state.keep(position, pieces);
        driver.tell(completion.done(Input::RangeFetched { fetch, position }));
    }

    /// Puts the parts together on a blocking thread.
    pub(crate) fn decode(
        &self,
        driver: &mut Driver,
        completion: Completion,
        fetch: FetchId,
        positions: &[Position],
    ) {
        let Some(state) = self.fetches.get(&fetch) else {
            return driver.tell(completion.failed(ErrorCode::Cancelled));
        };
        let pieces = state.pieces(positions);
        let (pack, wanted) = (state.request.pack.clone(), state.request.wanted.clone());
        let context = self.context.clone();
        driver.spawn(async move {
            let chunks = blocking(move || {
                let secrets = context.epoch(pack.epoch).ok_or(ErrorCode::Internal)?;
                assemble(secrets, &pack, &wanted, pieces, &context.buffers).map_err(|error| {
                    debug!(%error, "Pieces could not be put together");
                    ErrorCode::Corrupt
                })
            });
            let chunks = chunks.await.and_then(|chunks| chunks);
            let assembled = |completion| TaskEvent::Assembled {
                completion,
                fetch,
                chunks,
            };
            completion.bring(assembled).await;
        });
    }

    /// The parts were put together, or not.
    pub(crate) fn assembled(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        fetch: FetchId,
        chunks: Result<Plain, ErrorCode>,
    ) {
        let input = match chunks {
            Ok(chunks) => {
                if let Some(state) = self.fetches.remove(&fetch) {
                    // A job that was stopped no longer waits for its chunks.
                    drop(state.request.reply.send(Ok(chunks)));
                }
                completion.done(Input::FetchDecoded { fetch })
            }
            Err(code) => completion.failed(code),
        };
        driver.tell(input);
    }

    /// It cannot be had: whoever wants it is told why.
    pub(crate) fn give_up_fetch(&mut self, fetch: FetchId, code: ErrorCode) {
        if let Some(state) = self.fetches.remove(&fetch) {
            drop(state.request.reply.send(Err(code)));
        }
    }

    /// The program ends: jobs stop, and what they did stays.
    pub(crate) fn shut_down(&self) {
        for reader in self.readers.values() {
            if let ReaderJob::Restore(job) = reader {
                job.counters.interrupt();
            }
        }
    }
}

impl JobKind {
    fn task(&self) -> JobTask {
        match self {
            Self::Restore(request) => JobTask::Restore {
                snapshot: request.snapshot.snapshot.to_hex(),
                path: escape(&request.path),
                to: escape(request.to.as_os_str().as_bytes()),
                conflict: match request.conflict {
                    bitdust_source::Conflict::Replace => Conflict::Replace,
                    bitdust_source::Conflict::KeepBoth => Conflict::KeepBoth,
                    bitdust_source::Conflict::Skip => Conflict::Skip,
                },
            },
            Self::Verify { sample } => JobTask::Verify { sample: *sample },
        }
    }
}

#[cfg(test)]
mod tests {
    use bitdust_engine::Output;
    use bitdust_model::limits;
    use tokio::sync::oneshot;

    use super::*;
    use crate::shared::testing::{TestHome, pack_ref};

    fn request(job: JobId) -> (FetchRequest, oneshot::Receiver<Result<Plain, ErrorCode>>) {
        let (reply, answer) = oneshot::channel();
        let request = FetchRequest {
            job,
            pack: pack_ref(),
            wanted: WantedPart::Chunks(Vec::new()),
            reply,
        };
        (request, answer)
    }

    /// The number under which the engine was told of a fetch.
    fn announced(home: &mut TestHome) -> FetchId {
        match home.told()[..] {
            [Input::FetchWanted { fetch, .. }] => fetch,
            ref told => panic!("{told:?}"),
        }
    }

    #[tokio::test]
    async fn a_fetch_ends_with_its_job() {
        let mut home = TestHome::new().await;
        let mut restore = Restore::new(home.context.clone());
        let begun = restore.begin_verify(&mut home.driver, 3);
        assert_eq!(home.told(), [Input::RestoreAsked { job: begun.id }]);
        let (wanted, answer) = request(begun.id);
        assert_eq!(restore.set_of(&wanted), Some(pack_ref().set));
        restore.fetch_wanted(&mut home.driver, wanted, Vec::new());
        let fetch = announced(&mut home);
        let load = restore.range_to_ask(fetch, Position(0), true);
        assert!(matches!(
            load,
            Some(SupplierRequest::Fetch {
                counters: Some(_),
                ..
            })
        ));
        let Some(SupplierRequest::Fetch { mut until_over, .. }) = load else {
            panic!("a fetch asks for ranges");
        };
        assert!(restore.end(begun.id).is_some());
        assert!(answer.await.is_err(), "nobody answers any more");
        assert!(until_over.changed().await.is_err(), "requests end with it");
        assert!(restore.range_to_ask(fetch, Position(0), true).is_none());
        let (late, _answer) = request(begun.id);
        assert_eq!(restore.set_of(&late), None);
        assert!(restore.end(begun.id).is_none());
    }

    #[tokio::test]
    async fn bytes_of_a_recovery_are_counted() {
        let mut home = TestHome::new().await;
        let mut restore = Restore::new(home.context.clone());
        let begun = Begun {
            id: JobId(4),
            task: JobTask::Recovery,
            counters: Arc::default(),
        };
        restore.recovery_began(&begun);
        let (wanted, _answer) = request(begun.id);
        restore.fetch_wanted(&mut home.driver, wanted, Vec::new());
        let load = restore.range_to_ask(announced(&mut home), Position(0), true);
        assert!(matches!(
            load,
            Some(SupplierRequest::Fetch {
                counters: Some(_),
                ..
            })
        ));
        assert!(
            restore.end(begun.id).is_none(),
            "its report is made elsewhere"
        );
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_answered_as_failed() {
        let mut home = TestHome::new().await;
        let restore = Restore::new(home.context.clone());
        let output = Output::Decode {
            fetch: FetchId(8),
            positions: Vec::new(),
        };
        let completion =
            Completion::of(&output, &home.context.task_events).expect("it is answered");
        restore.decode(&mut home.driver, completion, FetchId(8), &[]);
        let failure = output.failure(ErrorCode::Cancelled).expect("it may fail");
        assert_eq!(home.told(), [failure]);
    }

    #[tokio::test]
    async fn a_fetch_that_is_given_up_is_answered_and_no_other() {
        let mut home = TestHome::new().await;
        let mut restore = Restore::new(home.context.clone());
        let begun = restore.begin_verify(&mut home.driver, 3);
        home.told();
        let (wanted, mut answer) = request(begun.id);
        restore.fetch_wanted(&mut home.driver, wanted, Vec::new());
        let fetch = announced(&mut home);
        let code = ErrorCode::TooFewShards;
        restore.give_up_fetch(FetchId(fetch.0 + 1), code);
        assert!(answer.try_recv().is_err(), "another one was given up");
        restore.give_up_fetch(fetch, code);
        let given = answer.try_recv().expect("answered");
        assert_eq!(given.err(), Some(code));
        assert!(
            restore.range_to_ask(fetch, Position(0), true).is_none(),
            "nobody asks for it any more"
        );
    }

    #[tokio::test]
    async fn a_restore_begins_when_its_version_is_found() {
        let mut home = TestHome::new().await;
        let mut restore = Restore::new(home.context.clone());
        let mut ask = |home: &mut TestHome| {
            let (reply, answer) = oneshot::channel();
            let target = "latest".to_owned();
            restore.ask_restore(
                &mut home.driver,
                target,
                Vec::new(),
                None,
                Conflict::Skip,
                reply,
            );
            answer
        };
        let mut answers: Vec<_> = (0..=limits::LOOKUPS_MAX).map(|_| ask(&mut home)).collect();
        let refused = answers.pop().expect("one too many").await.expect("at once");
        assert_eq!(refused.err().map(|error| error.code), Some(ErrorCode::Busy));
        for _ in 0..limits::LOOKUPS_MAX {
            let Some(TaskEvent::RestoreFound { request, .. }) = home.events.recv().await else {
                panic!("it comes to the loop");
            };
            let begun = restore.restore_found(&mut home.driver, request);
            let missing = begun.err().map(|error| error.code);
            assert_eq!(missing, Some(ErrorCode::NotFound), "there is no version");
        }
        assert!(home.told().is_empty() && restore.finding == 0);
    }

    #[tokio::test]
    async fn look_ups_are_bounded_and_end() {
        let mut home = TestHome::new().await;
        let mut restore = Restore::new(home.context.clone());
        let mut answers = Vec::new();
        for _ in 0..=limits::LOOKUPS_MAX {
            let (reply, answer) = oneshot::channel();
            restore.list(&mut home.driver, "latest".to_owned(), None, reply);
            answers.push(answer);
        }
        let refused = answers.pop().expect("one too many").await.expect("at once");
        assert_eq!(refused.err().map(|error| error.code), Some(ErrorCode::Busy));
        let found = answers
            .pop()
            .expect("one that runs")
            .await
            .expect("answered");
        let missing = found.err().map(|error| error.code);
        assert_eq!(missing, Some(ErrorCode::NotFound), "there is no version");
        let Some(TaskEvent::LookUpEnded { job }) = home.events.recv().await else {
            panic!("it ends");
        };
        restore.look_up_ended(&mut home.driver, job);
        assert_eq!(home.told(), [Input::LookUpEnded { job }]);
        assert_eq!(restore.readers.len(), limits::LOOKUPS_MAX - 1);
    }
}
