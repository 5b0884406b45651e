//! What the engine asks for while something is fetched: ranges, decoding, giving up.

use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::debug;

use bitdust_engine::{FetchId, Input, JobId, PlaceFact};
use bitdust_model::status::Problems;
use bitdust_model::{DeviceId, ErrorCode, Position};

use crate::back::Back;
use crate::courier::Errand;
use crate::fetch::{FetchRequest, FetchState, Piece, Plain, assemble};
use crate::job::JobKind;
use crate::runtime::Node;
use crate::task::blocking;

impl Node {
    /// Starts the writing half of a restore, or a test restore, on a blocking thread.
    pub(crate) fn start_restore(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return self.tell(Input::RestoreWritten {
                job: id,
                problems: 0,
            });
        };
        let (kind, counters) = (job.kind.clone(), job.counters.clone());
        let (context, runtime) = (self.context.clone(), Handle::current());
        self.tasks.spawn(async move {
            let worker = context.clone();
            let result: Result<Problems, ErrorCode> = blocking(move || match kind {
                JobKind::Restore(request) => {
                    crate::restore::restore(&worker, id, &request, &counters, runtime)
                }
                JobKind::Verify { sample } => {
                    crate::verify::verify(&worker, id, sample, &counters, runtime)
                }
                JobKind::Backup { .. } | JobKind::Recover => Err(ErrorCode::Internal),
            })
            .await
            .and_then(|result| result);
            drop(context.back.send(Back::Restored { job: id, result }).await);
        });
    }

    /// The writing half is over.
    pub(crate) fn restored(&mut self, id: JobId, result: Result<Problems, ErrorCode>) {
        let problems = match result {
            Ok(problems) => problems,
            Err(code) => {
                self.failures.insert(id, code);
                Problems::default()
            }
        };
        let count = problems.count();
        if let Some(job) = self.jobs.get_mut(&id) {
            job.problems = problems;
        }
        self.tell(Input::RestoreWritten {
            job: id,
            problems: count,
        });
    }

    /// A job wants chunks of a pack.
    pub(crate) fn fetch_wanted(&mut self, request: FetchRequest) {
        let job = request.job;
        if !self.jobs.contains_key(&job) && !self.quiet.contains(&job) {
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
        fetch: FetchId,
        position: Position,
        device: DeviceId,
        whole: bool,
    ) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return self.tell(Input::RangeFailed {
                fetch,
                position,
                device,
                code: ErrorCode::NotFound,
            });
        };
        if whole {
            // Parts of the direct way no longer count: they would only take memory.
            state.direct.clear();
        }
        let errand = Errand::Fetch {
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
        if self.send_courier(device, errand).is_err() {
            self.tell(Input::RangeFailed {
                fetch,
                position,
                device,
                code: ErrorCode::Busy,
            });
        }
    }

    /// A supplier's part came and matches its proof.
    pub(crate) fn pieces_came(
        &mut self,
        fetch: FetchId,
        position: Position,
        whole: bool,
        pieces: Vec<Piece>,
    ) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return;
        };
        let kept = if whole {
            &mut state.whole
        } else {
            &mut state.direct
        };
        kept.insert(position, pieces);
        self.tell(Input::RangeFetched { fetch, position });
    }

    /// Puts the parts together on a blocking thread.
    pub(crate) fn decode(&mut self, fetch: FetchId, positions: &[Position]) {
        let Some(state) = self.fetches.get_mut(&fetch) else {
            return;
        };
        let pieces = state.take_pieces(positions);
        let (pack, blobs) = (state.request.pack.clone(), state.request.blobs.clone());
        let context = self.context.clone();
        self.tasks.spawn(async move {
            let worker = context.clone();
            let chunks = blocking(move || {
                let secrets = worker.epoch(pack.epoch)?;
                match assemble(secrets, &pack, &blobs, pieces, &worker.buffers) {
                    Ok(chunks) => Some(chunks),
                    Err(error) => {
                        debug!(%error, "Pieces could not be put together");
                        None
                    }
                }
            });
            let chunks = chunks.await.ok().flatten();
            drop(context.back.send(Back::Assembled { fetch, chunks }).await);
        });
    }

    /// The parts were put together, or not.
    pub(crate) fn assembled(&mut self, fetch: FetchId, chunks: Option<Plain>) {
        match chunks {
            Some(chunks) => {
                if let Some(state) = self.fetches.remove(&fetch) {
                    // A job that was stopped no longer waits for its chunks.
                    drop(state.request.reply.send(Ok(chunks)));
                }
                self.tell(Input::FetchDecoded { fetch });
            }
            None => self.tell(Input::DecodeFailed { fetch }),
        }
    }

    /// Too few suppliers have it.
    pub(crate) fn give_up_fetch(&mut self, fetch: FetchId) {
        if let Some(state) = self.fetches.remove(&fetch) {
            drop(state.request.reply.send(Err(ErrorCode::TooFewShards)));
        }
    }
}
