//! A real test restore: random files fetched through the network and compared with the disk.
//!
//! On a blocking thread. Every chunk is checked against its keyed id on the way, so a file
//! that came whole is right even where the one on the disk has changed since.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use bitdust_api::view::VerifyView;
use bitdust_engine::{JobId, Random};
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::status::Problems;
use bitdust_model::tree::{Entry, Node};
use bitdust_model::{ErrorCode, FolderId};

use crate::back::Back;
use crate::context::Context;
use crate::job::{Counters, problem};
use crate::reader::{Reader, fetch};

/// Sealed bytes read ahead of pages: all trees are walked.
const READ_AHEAD: u32 = 1024 * 1024;

/// A file that was drawn.
struct Drawn {
    snapshot: SnapshotRecord,
    path: Vec<u8>,
    entry: Entry,
}

/// How a file compares.
enum Verdict {
    Equal,
    ChangedHere,
}

/// Fetches and compares `sample` random files of the newest versions.
pub(crate) fn verify(
    context: &Context,
    job: JobId,
    sample: u32,
    counters: &Arc<Counters>,
    runtime: Handle,
) -> Result<Problems, ErrorCode> {
    let mut reader = Reader::new(context, runtime.clone(), job, READ_AHEAD);
    let mut problems = Problems::default();
    let drawn = draw(context, &mut reader, sample, counters, &mut problems)?;
    let mut view = VerifyView {
        files: 0,
        bytes: 0,
        equal: 0,
        changed_here: 0,
        failed: problems.count(),
    };
    for file in &drawn {
        if counters.is_cancelled() {
            return Err(ErrorCode::Cancelled);
        }
        view.files += 1;
        match compare(context, &mut reader, job, &runtime, file, counters) {
            Ok((Verdict::Equal, bytes)) => {
                view.equal += 1;
                view.bytes += bytes;
            }
            Ok((Verdict::ChangedHere, bytes)) => {
                view.changed_here += 1;
                view.bytes += bytes;
            }
            Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
            Err(code) => {
                view.failed += 1;
                problems.push(problem(
                    &file.path,
                    code,
                    format!("it cannot be restored: {}", crate::words::failure(code)),
                ));
            }
        }
        counters.did_file(0);
    }
    drop(context.back.blocking_send(Back::Verified { job, view }));
    Ok(problems)
}

/// Draws files evenly from all newest versions (reservoir sampling, algorithm R), holding no
/// listing whole.
fn draw(
    context: &Context,
    reader: &mut Reader<'_>,
    sample: u32,
    counters: &Arc<Counters>,
    problems: &mut Problems,
) -> Result<Vec<Drawn>, ErrorCode> {
    let mut random = Random::from_seed(bitdust_crypto::random());
    let mut drawn: Vec<Drawn> = Vec::new();
    let mut seen = 0_u64;
    for snapshot in newest(context)? {
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
                        Node::File { .. } => {
                            seen += 1;
                            let file = Drawn {
                                snapshot: snapshot.clone(),
                                path,
                                entry,
                            };
                            if drawn.len() < sample as usize {
                                drawn.push(file);
                            } else if let Some(slot) = usize::try_from(random.below(seen))
                                .ok()
                                .and_then(|at| drawn.get_mut(at))
                            {
                                *slot = file;
                            }
                        }
                        Node::Symlink { .. } | Node::Fifo | Node::Socket | Node::Device { .. } => {}
                    }
                }
            }
        }
    }
    for file in &drawn {
        if let Node::File { size, .. } = file.entry.node {
            counters.saw_file(size);
        }
    }
    Ok(drawn)
}

/// The newest version of each folder.
pub(crate) fn newest(context: &Context) -> Result<Vec<SnapshotRecord>, ErrorCode> {
    let mut newest: Vec<SnapshotRecord> = Vec::new();
    for snapshot in context
        .catalogue
        .snapshots()
        .map_err(|error| error.code())?
    {
        let same = |known: &SnapshotRecord| -> (FolderId, bool) {
            (known.folder, known.taken_at <= snapshot.taken_at)
        };
        match newest
            .iter_mut()
            .find(|known| known.folder == snapshot.folder)
        {
            Some(known) if same(known).1 => *known = snapshot,
            Some(_) => {}
            None => newest.push(snapshot),
        }
    }
    Ok(newest)
}

fn compare(
    context: &Context,
    reader: &mut Reader<'_>,
    job: JobId,
    runtime: &Handle,
    file: &Drawn,
    counters: &Arc<Counters>,
) -> Result<(Verdict, u64), ErrorCode> {
    let Node::File { size, content, .. } = &file.entry.node else {
        return Err(ErrorCode::Internal);
    };
    let local = open_local(file, *size);
    let mut is_equal = local.is_some();
    let mut offset = 0_u64;
    for id in reader.chunks_of(content)? {
        let place = reader
            .places(&[id])?
            .pop()
            .flatten()
            .ok_or(ErrorCode::NotFound)?;
        let chunks = runtime.block_on(fetch(context, job, place.pack, vec![place.blob]))?;
        for chunk in chunks.iter() {
            is_equal = is_equal
                && local
                    .as_ref()
                    .is_some_and(|local| same_bytes(local, offset, chunk));
            offset += chunk.len() as u64;
            counters.did_bytes(chunk.len() as u64);
        }
    }
    if offset != *size {
        return Err(ErrorCode::Corrupt);
    }
    Ok((
        if is_equal {
            Verdict::Equal
        } else {
            Verdict::ChangedHere
        },
        offset,
    ))
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
