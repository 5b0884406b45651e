//! What the engine asks for while something is fetched: ranges, decoding, giving up.

pub(crate) mod browse;
pub(crate) mod fetch;
pub(crate) mod lookup;
pub(crate) mod reader;
pub(crate) mod verify;
pub(crate) mod writer;

use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::debug;

use bitdust_engine::{FetchId, Input, JobId, PlaceFact};
use bitdust_model::status::Problems;
use bitdust_model::{DeviceId, ErrorCode, Position};

use crate::restore::fetch::{FetchRequest, FetchState, Piece, Plain, assemble};
use crate::runtime::Node;
use crate::shared::completion::Completion;
use crate::shared::job::JobKind;
use crate::shared::task::blocking;
use crate::shared::task_event::Back;
use crate::suppliers::worker::{Errand, Load};

impl Node {
    /// Starts the writing half of a restore, or a test restore, on a blocking thread.
    pub(crate) fn start_restore(&mut self, completion: Completion, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let (kind, counters) = (job.kind.clone(), job.counters.clone());
        let (context, runtime) = (self.context.clone(), Handle::current());
        self.tasks.spawn(async move {
            let result: Result<Problems, ErrorCode> = blocking(move || match kind {
                JobKind::Restore(request) => {
                    writer::restore(&context, id, &request, &counters, runtime)
                }
                JobKind::Verify { sample } => {
                    verify::verify(&context, id, sample, &counters, runtime)
                }
                JobKind::Backup { .. } | JobKind::Recover => Err(ErrorCode::Internal),
            })
            .await
            .and_then(|result| result);
            let restored = |completion| Back::Restored {
                completion,
                job: id,
                result,
            };
            completion.bring(restored).await;
        });
    }

    /// The writing half is over.
    pub(crate) fn restored(
        &mut self,
        completion: Completion,
        id: JobId,
        result: Result<Problems, ErrorCode>,
    ) {
        let input = match result {
            Ok(problems) => {
                let count = problems.count();
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.problems = problems;
                }
                completion.done(Input::RestoreWritten {
                    job: id,
                    problems: count,
                })
            }
            Err(code) => completion.failed(code),
        };
        self.tell(input);
    }

    /// A job wants chunks of a pack.
    pub(crate) fn fetch_wanted(&mut self, request: FetchRequest) {
        let job = request.job;
        if !self.jobs.contains_key(&job) && !self.lookups.contains(&job) {
            // The job has ended; that no reply comes tells its worker so.
            return;
        }
        let places = self.places(&request);
        let state = FetchState::new(request);
        let request = &state.request;
        let input = Input::FetchWanted {
            fetch: request.fetch,
            job: request.job,
            pack: request.pack.pack,
            k: request.pack.k,
            direct: state.own.keys().copied().collect(),
            places,
        };
        self.fetches.insert(state.request.fetch, state);
        self.tell(input);
    }

    /// Who may hold the shards of a pack: holders now and before, by the set's record.
    fn places(&self, request: &FetchRequest) -> Vec<PlaceFact> {
        let Some(set) = self.sets.get(&request.pack.set) else {
            return Vec::new();
        };
        (0..)
            .map(Position)
            .zip(&set.positions)
            .map(|(position, record)| {
                let holders = [record.current, record.previous];
                PlaceFact {
                    position,
                    holders: holders
                        .into_iter()
                        .flatten()
                        .map(|holder| holder.device)
                        .collect(),
                }
            })
            .collect()
    }

    /// Asks one supplier for its part.
    pub(crate) fn fetch_range(
        &mut self,
        completion: Completion,
        fetch: FetchId,
        position: Position,
        device: DeviceId,
        whole: bool,
    ) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return self.tell(completion.failed(ErrorCode::NotFound));
        };
        if whole {
            // Parts of the direct way no longer count: they would only take memory.
            state.direct.clear();
        }
        let load = Load::Fetch {
            fetch,
            pack: Arc::new(state.request.pack.clone()),
            position,
            ranges: state.ranges(position, whole),
            whole,
            counters: self
                .jobs
                .get(&state.request.job)
                .map(|job| job.counters.clone()),
        };
        self.send_courier(device, Errand { load, completion });
    }

    /// A supplier's part came and matches its proof.
    pub(crate) fn pieces_came(
        &mut self,
        completion: Completion,
        fetch: FetchId,
        position: Position,
        whole: bool,
        pieces: Vec<Piece>,
    ) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return self.tell(completion.failed(ErrorCode::Cancelled));
        };
        let kept = if whole {
            &mut state.whole
        } else {
            &mut state.direct
        };
        kept.insert(position, pieces);
        self.tell(completion.done(Input::RangeFetched { fetch, position }));
    }

    /// Puts the parts together on a blocking thread.
    pub(crate) fn decode(
        &mut self,
        completion: Completion,
        fetch: FetchId,
        positions: &[Position],
    ) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return self.tell(completion.failed(ErrorCode::Cancelled));
        };
        let pieces = state.take_pieces(positions);
        let (pack, blobs) = (state.request.pack.clone(), state.request.blobs.clone());
        let context = self.context.clone();
        self.tasks.spawn(async move {
            let chunks = blocking(move || {
                let secrets = context.epoch(pack.epoch)?;
                match assemble(secrets, &pack, &blobs, pieces, &context.buffers) {
                    Ok(chunks) => Some(chunks),
                    Err(error) => {
                        debug!(%error, "Pieces could not be put together");
                        None
                    }
                }
            });
            let chunks = chunks.await.ok().flatten();
            let assembled = |completion| Back::Assembled {
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
        completion: Completion,
        fetch: FetchId,
        chunks: Option<Plain>,
    ) {
        let input = match chunks {
            Some(chunks) => {
                if let Some(state) = self.fetches.remove(&fetch) {
                    // A job that was stopped no longer waits for its chunks.
                    drop(state.request.reply.send(Ok(chunks)));
                }
                completion.done(Input::FetchDecoded { fetch })
            }
            None => completion.failed(ErrorCode::Corrupt),
        };
        self.tell(input);
    }

    /// Too few suppliers have it.
    pub(crate) fn give_up_fetch(&mut self, fetch: FetchId) {
        if let Some(state) = self.fetches.remove(&fetch) {
            drop(state.request.reply.send(Err(ErrorCode::TooFewShards)));
        }
    }
}
