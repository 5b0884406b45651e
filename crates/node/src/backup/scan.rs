//! The reading half of a backup, on a blocking thread: walk, cut, name; what is new goes to the
//! packer, on another.
//!
//! A file whose stamp is the one remembered, and whose chunks all lie in committed packs, is
//! not opened. A long one is read and cut on a third thread. Memory is bounded: three buffers of
//! the chunker, some megabytes crossing over, two packs being gathered, `PACKS_IN_FLIGHT_MAX`
//! being sent.

mod files;

use std::path::Path;
use std::sync::Arc;

use std::os::unix::ffi::OsStrExt;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use bitdust_engine::{JobId, SetFact};
use bitdust_model::ledger::AtHand;
use bitdust_model::manifest::{FolderRecord, PackKind, SnapshotRecord};
use bitdust_model::status::{Problem, Problems};
use bitdust_model::tree::{Entry, Meta, Node};
use bitdust_model::{ChunkId, ErrorCode, SnapshotId};
use bitdust_pipeline::tree::TreeWriter;
use bitdust_pipeline::{Chunker, Cutter};
use bitdust_source::{Accounts, Excludes, Owners, Walk, WalkEvent, WalkOptions};

use crate::backup::file_cache::FileCache;
use crate::backup::packer::{PackRequest, Packing, packer};
use crate::shared::context::{Context, wall_clock};
use crate::shared::job::{Counters, problem};

/// What a scan works with.
pub(super) struct ScanRequest {
    pub(super) job: JobId,
    /// What to walk.
    pub(super) folders: Vec<FolderRecord>,
    /// The set that packs go to.
    pub(super) set: SetFact,
    /// Whose lists count as known.
    pub(super) at_hand: AtHand,
    /// Where to count.
    pub(super) counters: Arc<Counters>,
    /// Room for packs in flight.
    pub(super) permits: Arc<Semaphore>,
    /// The home itself, which is never backed up.
    pub(super) home: Option<(u64, u64)>,
}

/// What a walk gave.
pub(super) struct Walked {
    /// One version a folder.
    pub(super) snapshots: Vec<SnapshotRecord>,
    /// What could not be protected.
    pub(super) problems: Problems,
}

/// Walks all folders of a request. Call on a blocking thread.
pub(super) fn scan(
    context: &Context,
    request: ScanRequest,
    runtime: Handle,
) -> Result<Walked, ErrorCode> {
    let ScanRequest {
        job,
        folders,
        set,
        at_hand,
        counters,
        permits,
        home,
    } = request;
    let packing = PackRequest {
        job,
        set,
        at_hand,
        counters: counters.clone(),
        permits,
    };
    let (packing, packer) = packer(context, packing, runtime);
    std::thread::scope(|threads| {
        let packer = threads.spawn(|| packer.run());
        let scanner = Scanner {
            context,
            cutter: Cutter::new(Chunker::new(context.current().gear_seed())),
            packing,
            problems: Problems::default(),
            owners: Owners::default(),
            zeros: None,
            counters,
            home,
        };
        let scanned = scanner.scan(&folders);
        // What stopped the packer is why the walk could not go on.
        packer.join().map_err(|_| ErrorCode::Internal)??;
        scanned
    })
}

/// Why a folder could not be finished.
enum Stop {
    /// This folder cannot be walked; the others go on.
    Folder(Problem),
    /// Nothing can go on.
    Job(ErrorCode),
}

impl From<ErrorCode> for Stop {
    fn from(code: ErrorCode) -> Self {
        Self::Job(code)
    }
}

struct Scanner<'a> {
    context: &'a Context,
    cutter: Cutter,
    packing: Packing<'a>,
    problems: Problems,
    /// Whom the things in the folder under way belong to.
    owners: Owners,
    /// The longest chunk of zeros, once it lies in a pack.
    zeros: Option<ChunkId>,
    counters: Arc<Counters>,
    home: Option<(u64, u64)>,
}

/// A folder on the way down.
struct OpenListing {
    meta: Meta,
    writer: TreeWriter,
    pages: Vec<ChunkId>,
}

/// What one version amounts to so far.
#[derive(Default)]
struct Tally {
    files: u64,
    bytes: u64,
    problems: u64,
}

impl Scanner<'_> {
    fn scan(mut self, folders: &[FolderRecord]) -> Result<Walked, ErrorCode> {
        let mut snapshots = Vec::with_capacity(folders.len());
        for folder in folders {
            match self.folder(folder) {
                Ok(snapshot) => snapshots.push(snapshot),
                Err(Stop::Folder(found)) => self.problems.push(found),
                // The others go on.
                Err(Stop::Job(ErrorCode::NotFound)) if !self.is_protected(folder)? => {
                    let reason = "it was taken out of protection while it was read";
                    let found = problem(&folder.path, ErrorCode::NotFound, reason);
                    self.problems.push(found);
                }
                Err(Stop::Job(code)) => return Err(code),
            }
        }
        if snapshots.is_empty() {
            return Err(ErrorCode::Unreadable);
        }
        self.packing.finish()?;
        Ok(Walked {
            snapshots,
            problems: self.problems,
        })
    }

    /// Whether a folder is under protection now. It was when the walk began.
    fn is_protected(&self, folder: &FolderRecord) -> Result<bool, ErrorCode> {
        let folders = self.context.catalogue.folders();
        let mut folders = folders.map_err(|error| error.code())?.into_iter();
        Ok(folders.any(|known| known.folder == folder.folder))
    }

    fn folder(&mut self, folder: &FolderRecord) -> Result<SnapshotRecord, Stop> {
        let taken_at = wall_clock();
        self.owners = Owners::default();
        let walk = self.walk(folder)?;
        let mut cache = FileCache::new(&self.context.catalogue, folder.folder);
        let mut tally = Tally::default();
        let mut levels: Vec<OpenListing> = Vec::new();
        let mut finished = None;
        for event in walk {
            if self.counters.is_cancelled() {
                return Err(Stop::Job(ErrorCode::Cancelled));
            }
            match event {
                WalkEvent::Enter { path, meta } => {
                    cache.enter(path.as_bytes()).map_err(Stop::Job)?;
                    levels.push(OpenListing {
                        meta,
                        writer: TreeWriter::new(),
                        pages: Vec::new(),
                    });
                }
                WalkEvent::File(seen) => {
                    let entry = self.file(&seen, folder, &mut cache, &mut tally)?;
                    self.add(&mut levels, entry)?;
                }
                WalkEvent::Other { path, meta, node } => {
                    let name = path.name().to_vec();
                    self.add(&mut levels, Some(Entry { name, meta, node }))?;
                }
                WalkEvent::Leave { path, .. } => {
                    cache.leave().map_err(Stop::Job)?;
                    finished = self.leave(&mut levels, path.name())?.or(finished);
                }
                WalkEvent::Problem(found) => {
                    tally.problems += 1;
                    self.problems.push(found);
                }
            }
        }
        cache.finish().map_err(Stop::Job)?;
        let Some((root_meta, pages)) = finished else {
            return Err(unreadable(folder, "it could not be walked to its end"));
        };
        Ok(SnapshotRecord {
            snapshot: SnapshotId(bitdust_crypto::random()),
            folder: folder.folder,
            path: folder.path.clone(),
            device: self.context.device,
            // The commit gives it its place.
            order: 0,
            taken_at,
            is_clock_suspect: false,
            root: root_meta,
            pages,
            files: tally.files,
            bytes: tally.bytes,
            problems: tally.problems,
        })
    }

    fn walk(&self, folder: &FolderRecord) -> Result<Walk, Stop> {
        let root = Path::new(std::ffi::OsStr::from_bytes(&folder.path));
        let mut excludes =
            Excludes::new(&folder.excludes).map_err(|error| unreadable(folder, error))?;
        if let Some((device, inode)) = self.home {
            excludes = excludes.without_place(device, inode);
        }
        let options = WalkOptions {
            crosses_mounts: folder.crosses_mounts,
        };
        Walk::with_options(root, &excludes, options).map_err(|error| unreadable(folder, error))
    }

    /// Ends the folder the walk is in: an entry of the one above, or, for the outermost, its
    /// metadata and pages.
    fn leave(
        &mut self,
        levels: &mut Vec<OpenListing>,
        name: &[u8],
    ) -> Result<Option<(Meta, Vec<ChunkId>)>, Stop> {
        let Some(level) = levels.pop() else {
            return Err(Stop::Job(ErrorCode::Internal));
        };
        if levels.is_empty() {
            return Ok(Some(self.outermost_page(level)?));
        }
        let (meta, pages) = self.last_page(level)?;
        let name = name.to_vec();
        let node = Node::Directory { pages };
        self.add(levels, Some(Entry { name, meta, node }))?;
        Ok(None)
    }

    /// Adds an entry to the folder the walk is in; pages that are full are stored.
    fn add(&mut self, levels: &mut [OpenListing], entry: Option<Entry>) -> Result<(), Stop> {
        let (Some(level), Some(entry)) = (levels.last_mut(), entry) else {
            return Ok(());
        };
        self.owners.add(&entry.meta);
        let Ok(page) = level.writer.push(&entry) else {
            let name = entry.name;
            self.problems.push(problem(
                &name,
                ErrorCode::Malformed,
                "it has more metadata than can be kept",
            ));
            return Ok(());
        };
        if let Some(page) = page {
            let id = self.packing.store(PackKind::Tree, &page)?;
            level.pages.push(id);
        }
        Ok(())
    }

    /// Ends the listing of the outermost folder, which names the owners of all.
    fn outermost_page(&mut self, level: OpenListing) -> Result<(Meta, Vec<ChunkId>), Stop> {
        let mut owners = std::mem::take(&mut self.owners);
        owners.add(&level.meta);
        let names = owners.names(&Accounts::of_system());
        let page = level.writer.finish_outermost(&names);
        let mut pages = level.pages;
        pages.push(self.packing.store(PackKind::Tree, &page)?);
        Ok((level.meta, pages))
    }

    /// Ends a folder's listing.
    fn last_page(&mut self, level: OpenListing) -> Result<(Meta, Vec<ChunkId>), Stop> {
        let mut pages = level.pages;
        if let Some(page) = level.writer.finish() {
            pages.push(self.packing.store(PackKind::Tree, &page)?);
        }
        Ok((level.meta, pages))
    }
}

/// A folder that cannot be walked.
fn unreadable(folder: &FolderRecord, reason: impl std::fmt::Display) -> Stop {
    Stop::Folder(problem(
        &folder.path,
        ErrorCode::Unreadable,
        reason.to_string(),
    ))
}

#[cfg(test)]
mod tests {
    use bitdust_model::manifest::Retention;
    use bitdust_model::{Code, DeviceId, FolderId, SetId, limits};

    use super::*;
    use crate::shared::testing::TestHome;

    fn folder(number: u8, path: &str) -> FolderRecord {
        FolderRecord {
            folder: FolderId([number; 32]),
            path: path.as_bytes().to_vec(),
            excludes: Vec::new(),
            crosses_mounts: false,
            schedule: None,
            retention: Retention::default(),
        }
    }

    /// What is remembered of its files has no place any more: it is a problem of that folder alone.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_that_is_taken_out_while_it_is_read_stops_no_other() {
        let home = TestHome::new().await;
        let context = home.context.clone();
        let letters = folder(1, &home.folder("letters"));
        let added = context.catalogue.add_folder(letters.clone());
        added.expect("written");
        // Old enough that its files are remembered.
        let gone = folder(2, concat!(env!("CARGO_MANIFEST_DIR"), "/src/backup"));
        let request = ScanRequest {
            job: JobId(1),
            folders: vec![gone.clone(), letters.clone()],
            set: SetFact::formed(
                SetId([1; 32]),
                Code::new(1, 2).expect("a code"),
                [DeviceId([1; 32]), DeviceId([2; 32])],
            ),
            at_hand: AtHand::nobody(),
            counters: Arc::default(),
            permits: Arc::new(Semaphore::new(limits::PACKS_IN_FLIGHT_MAX)),
            home: None,
        };
        let runtime = Handle::current();
        let scanned = tokio::task::spawn_blocking(move || scan(&context, request, runtime));
        let walked = scanned.await.expect("no defect").expect("it goes on");
        let read: Vec<_> = walked.snapshots.iter().map(|it| it.folder).collect();
        assert_eq!(read, [letters.folder]);
        let listed = walked.problems.listed;
        assert_eq!(listed.len(), 1);
        assert_eq!(
            (&listed[0].path, listed[0].code),
            (&gone.path, ErrorCode::NotFound)
        );
    }
}
