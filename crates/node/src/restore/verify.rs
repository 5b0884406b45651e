//! A real test restore: random files fetched through the network and compared with the disk.
//!
//! On a blocking thread. Every chunk is checked against its keyed id on the way, so a file
//! that came whole is right even where the one on the disk has changed since. What files have in
//! common comes once.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use bitdust_api::view::VerifyView;
use bitdust_engine::{JobId, Random};
use bitdust_model::manifest::{BlobRef, PackRef, SnapshotRecord};
use bitdust_model::status::Problems;
use bitdust_model::tree::{Content, Entry, Node};
use bitdust_model::{ChunkId, ErrorCode, PackId, Sequence, limits};

use crate::restore::published::PublishedVersion;
use crate::restore::reader::{ChunkPlace, Reader};
use crate::restore::versions::newest_of_each;
use crate::shared::context::Context;
use crate::shared::job::{Counters, problem};
use crate::shared::task_event::TaskEvent;

/// Sealed bytes read ahead of pages: all trees are walked.
const READ_AHEAD: u32 = 1024 * 1024;

/// A file that was drawn.
struct Drawn {
    /// The number of its source.
    source: usize,
    snapshot: SnapshotRecord,
    path: Vec<u8>,
    entry: Entry,
}

/// Places of chunks in files that are compared together; each takes less than 100 bytes of memory.
const PIECES_MAX: usize = 500_000;

/// What a recovery would be told.
const LISTS_MISSING: &str = "the lists of the newest version cannot be fetched: with your 24 words alone it could \
     not be restored now";
const PART_MISSING: &str = "a part of the lists of the newest version cannot be fetched";
const VERSION_MISSING: &str =
    "the newest version of this folder is not in what your suppliers keep";

fn untold(sequence: Sequence) -> String {
    format!(
        "no supplier that is connected names the newest version (no. {})",
        sequence.0
    )
}

/// Versions that files are drawn from, and the catalogue that says where those lie.
struct Source {
    context: Context,
    snapshots: Vec<SnapshotRecord>,
}

/// Fetches and compares `sample` random files of the newest versions. Those of this device are found as
/// somebody would find them who has nothing but the keys: from the published head, through lists that
/// come from suppliers.
pub(crate) fn verify(
    context: &Context,
    job: JobId,
    sample: u32,
    counters: &Arc<Counters>,
    runtime: Handle,
) -> Result<Problems, ErrorCode> {
    let mut problems = Problems::default();
    // What is published meanwhile is not in the lists that are fetched.
    let known = newest_of_each(context)?;
    let published = match runtime.block_on(PublishedVersion::fetch(context, job)) {
        Ok(published) => published,
        // What this machine refuses says nothing of what suppliers have.
        Err(code) if is_local(code) => return Err(code),
        Err(code) => {
            problems.push(problem(b"", code, LISTS_MISSING));
            None
        }
    };
    let sources = sources(context, known, published.as_ref(), &mut problems)?;
    let mut readers: Vec<_> = sources
        .iter()
        .map(|source| Reader::new(&source.context, runtime.clone(), job, READ_AHEAD))
        .collect();
    let drawn = draw(&sources, &mut readers, sample, counters, &mut problems)?;
    let mut view = VerifyView {
        files: 0,
        bytes: 0,
        equal: 0,
        changed_here: 0,
        failed: problems.count(),
    };
    for (number, reader) in readers.iter_mut().enumerate() {
        let drawn: Vec<_> = drawn.iter().filter(|file| file.source == number).collect();
        compare_all(reader, &drawn, counters, &mut view, &mut problems)?;
    }
    drop(
        context
            .task_events
            .blocking_send(TaskEvent::Verified { job, view }),
    );
    Ok(problems)
}

/// Whether a failure is this machine's own.
const fn is_local(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Cancelled
            | ErrorCode::DiskFull
            | ErrorCode::DiskFailed
            | ErrorCode::TooMany
            | ErrorCode::Internal
    )
}

/// Fetches and compares files that lie by the catalogue of one reader.
fn compare_all(
    reader: &mut Reader<'_>,
    drawn: &[&Drawn],
    counters: &Arc<Counters>,
    view: &mut VerifyView,
    problems: &mut Problems,
) -> Result<(), ErrorCode> {
    let mut batch = FileBatch::default();
    for (index, file) in drawn.iter().enumerate() {
        if counters.is_cancelled() {
            return Err(ErrorCode::Cancelled);
        }
        batch.add(reader, file)?;
        if batch.pieces < PIECES_MAX && index + 1 < drawn.len() {
            continue;
        }
        let files = std::mem::take(&mut batch).compare(reader, counters)?;
        for file in files {
            count(file, view, problems);
            counters.did_file(0);
        }
    }
    Ok(())
}

/// The newest version of each folder: those of this device from what suppliers have, others, which came
/// with a recovery, from the own catalogue. What suppliers do not have is a problem.
fn sources(
    context: &Context,
    known: Vec<SnapshotRecord>,
    published: Option<&PublishedVersion>,
    problems: &mut Problems,
) -> Result<Vec<Source>, ErrorCode> {
    let (own, others): (Vec<_>, Vec<_>) = known
        .into_iter()
        .partition(|snapshot| snapshot.device == context.device);
    let mut sources = vec![Source {
        context: context.clone(),
        snapshots: others,
    }];
    let Some(published) = published else {
        return Ok(sources);
    };
    if !published.is_told {
        problems.push(problem(
            b"",
            ErrorCode::NotFound,
            untold(published.sequence),
        ));
    }
    for _ in 0..published.missing {
        problems.push(problem(b"", ErrorCode::TooFewShards, PART_MISSING));
    }
    let found = published.newest_of_each()?;
    for snapshot in own {
        if found
            .iter()
            .all(|found| found.snapshot != snapshot.snapshot)
        {
            problems.push(problem(
                &snapshot.path,
                ErrorCode::NotFound,
                VERSION_MISSING,
            ));
        }
    }
    sources.push(Source {
        context: published.context.clone(),
        snapshots: found,
    });
    Ok(sources)
}

/// Draws files evenly from all newest versions, holding no listing whole.
fn draw(
    sources: &[Source],
    readers: &mut [Reader<'_>],
    sample: u32,
    counters: &Arc<Counters>,
    problems: &mut Problems,
) -> Result<Vec<Drawn>, ErrorCode> {
    let mut urn = Urn::new(sample);
    for (number, (source, reader)) in sources.iter().zip(readers).enumerate() {
        for snapshot in &source.snapshots {
            offer_files((number, snapshot), reader, counters, problems, &mut urn)?;
        }
    }
    for file in &urn.drawn {
        if let Node::File { size, .. } = file.entry.node {
            counters.saw_file(size);
        }
    }
    Ok(urn.drawn)
}

/// Offers all files of a version.
fn offer_files(
    (source, snapshot): (usize, &SnapshotRecord),
    reader: &mut Reader<'_>,
    counters: &Counters,
    problems: &mut Problems,
    urn: &mut Urn,
) -> Result<(), ErrorCode> {
    let mut waiting = vec![(Vec::new(), snapshot.pages.clone())];
    while let Some((folder, pages)) = waiting.pop() {
        for page in pages {
            if counters.is_cancelled() {
                return Err(ErrorCode::Cancelled);
            }
            let entries = match reader.page(page) {
                Ok(entries) => entries,
                Err(code) => {
                    problems.push(problem(
                        &folder,
                        code,
                        "a part of this folder's list cannot be had",
                    ));
                    continue;
                }
            };
            for entry in entries {
                let path = if folder.is_empty() {
                    entry.name.clone()
                } else {
                    [&folder[..], b"/", &entry.name].concat()
                };
                match &entry.node {
                    Node::Directory { pages } => waiting.push((path, pages.clone())),
                    Node::File { .. } => urn.offer(Drawn {
                        source,
                        snapshot: snapshot.clone(),
                        path,
                        entry,
                    }),
                    Node::Symlink { .. } | Node::Fifo | Node::Socket | Node::Device { .. } => {}
                }
            }
        }
    }
    Ok(())
}

/// What was drawn so far (reservoir sampling, algorithm R).
struct Urn {
    random: Random,
    size: usize,
    drawn: Vec<Drawn>,
    seen: u64,
}

impl Urn {
    fn new(size: u32) -> Self {
        Self {
            random: Random::from_seed(bitdust_crypto::random()),
            size: size as usize,
            drawn: Vec::new(),
            seen: 0,
        }
    }

    fn offer(&mut self, file: Drawn) {
        self.seen += 1;
        if self.drawn.len() < self.size {
            self.drawn.push(file);
            return;
        }
        let at = usize::try_from(self.random.below(self.seen));
        if let Some(slot) = at.ok().and_then(|at| self.drawn.get_mut(at)) {
            *slot = file;
        }
    }
}

/// A file and how it compares so far.
struct Compared<'a> {
    drawn: &'a Drawn,
    size: u64,
    /// The one on this machine, while it is the same.
    local: Option<std::fs::File>,
    /// Bytes that came.
    bytes: u64,
    failure: Option<ErrorCode>,
}

/// Files that are compared together, so that a chunk they share comes once.
#[derive(Default)]
struct FileBatch<'a> {
    files: Vec<Compared<'a>>,
    /// Where each chunk belongs: the number of the file, and the offset in it.
    takers: BTreeMap<ChunkId, Vec<(usize, u64)>>,
    wanted: BTreeMap<PackId, (PackRef, Vec<BlobRef>)>,
    pieces: usize,
}

impl<'a> FileBatch<'a> {
    /// Adds a file; only what ends the whole job is an error.
    fn add(&mut self, reader: &mut Reader<'_>, drawn: &'a Drawn) -> Result<(), ErrorCode> {
        let Node::File { size, content, .. } = &drawn.entry.node else {
            return Err(ErrorCode::Internal);
        };
        let failure = match self.add_pieces(reader, content) {
            Ok(()) => None,
            Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
            Err(code) => Some(code),
        };
        self.files.push(Compared {
            drawn,
            size: *size,
            local: open_local(drawn, *size),
            bytes: 0,
            failure,
        });
        Ok(())
    }

    fn add_pieces(&mut self, reader: &mut Reader<'_>, content: &Content) -> Result<(), ErrorCode> {
        let mut offset = 0_u64;
        let ids = reader.chunks_of(content)?;
        for part in ids.chunks(limits::ENTRY_CHUNKS_INLINE_MAX) {
            for (id, place) in part.iter().zip(reader.places(part)?) {
                let ChunkPlace { pack, blob } = place.ok_or(ErrorCode::NotFound)?;
                let takers = self.takers.entry(*id).or_default();
                if takers.is_empty() {
                    let wanted = self.wanted.entry(pack.pack);
                    wanted.or_insert_with(|| (pack, Vec::new())).1.push(blob);
                }
                takers.push((self.files.len(), offset));
                offset += u64::from(blob.record.raw_bytes);
                self.pieces += 1;
            }
        }
        Ok(())
    }

    /// Fetches each chunk once and holds it against every place it belongs to.
    fn compare(
        self,
        reader: &mut Reader<'_>,
        counters: &Counters,
    ) -> Result<Vec<Compared<'a>>, ErrorCode> {
        let Self {
            mut files,
            takers,
            mut wanted,
            ..
        } = self;
        for (_, blobs) in wanted.values_mut() {
            blobs.sort_unstable_by_key(|blob| blob.offset);
        }
        let mut coming = reader.begin_fetch(wanted);
        while let Some(came) = coming.next() {
            let chunks = match &came.chunks {
                Ok(chunks) => chunks.iter().collect(),
                Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
                Err(_) => Vec::new(),
            };
            let failure = came.chunks.as_ref().err().copied();
            for (number, blob) in came.blobs.iter().enumerate() {
                for (index, offset) in takers.get(&blob.record.chunk).into_iter().flatten() {
                    if let Some(chunk) = chunks.get(number) {
                        files[*index].take(*offset, chunk);
                        counters.did_bytes(chunk.len() as u64);
                    } else {
                        let code = failure.unwrap_or(ErrorCode::Corrupt);
                        files[*index].failure.get_or_insert(code);
                    }
                }
            }
        }
        if counters.is_cancelled() {
            return Err(ErrorCode::Cancelled);
        }
        Ok(files)
    }
}

impl Compared<'_> {
    fn take(&mut self, offset: u64, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        if let Some(local) = &self.local
            && !same_bytes(local, offset, chunk)
        {
            self.local = None;
        }
    }
}

/// Takes a file into the result.
fn count(file: Compared<'_>, view: &mut VerifyView, problems: &mut Problems) {
    view.files += 1;
    let failure = file
        .failure
        .or_else(|| (file.bytes != file.size).then_some(ErrorCode::Corrupt));
    if let Some(code) = failure {
        view.failed += 1;
        problems.push(problem(
            &file.drawn.path,
            code,
            format!(
                "it cannot be restored: {}",
                crate::shared::words::failure(code)
            ),
        ));
        return;
    }
    view.bytes += file.bytes;
    if file.local.is_some() {
        view.equal += 1;
    } else {
        view.changed_here += 1;
    }
}

/// The file on this machine, if there still is one of that size.
fn open_local(file: &Drawn, size: u64) -> Option<std::fs::File> {
    let folder = Path::new(std::ffi::OsStr::from_bytes(&file.snapshot.path));
    let path = folder.join(std::ffi::OsStr::from_bytes(&file.path));
    let metadata = std::fs::symlink_metadata(&path).ok()?;
    if !metadata.is_file() || metadata.len() != size {
        return None;
    }
    std::fs::File::open(path).ok()
}

fn same_bytes(file: &std::fs::File, offset: u64, expected: &[u8]) -> bool {
    let mut bytes = vec![0; expected.len()];
    file.read_exact_at(&mut bytes, offset).is_ok() && bytes == expected
}
