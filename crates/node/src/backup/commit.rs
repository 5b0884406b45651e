//! Seals what a backup found out into a commit: index segment, manifest, head.
//!
//! On a blocking thread. The draft is recorded before anybody hears of the head, so that a
//! crash at any moment ends in the old head or in this one.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use bitdust_crypto::{head_hash, set_hash};
use bitdust_engine::{JobId, SetFact};
use bitdust_model::head::Head;
use bitdust_model::ledger::AtHand;
use bitdust_model::manifest::{
    BlobRef, FolderRecord, FolderSchedule, FriendRecord, Manifest, OWN_PACK, PackKind, PackRecord,
    PackRef, SnapshotRecord,
};
use bitdust_model::set::SetVersion;
use bitdust_model::versions::place_new;
use bitdust_model::{
    EncodeError, ErrorCode, HeadHash, PackId, Schedule, Sequence, UnixMillis, limits, try_encode,
};
use bitdust_pipeline::PackBuilder;
use bitdust_pipeline::index::{SegmentWriter, page_snapshots, plan_segments};
use bitdust_pipeline::pack::blob_refs;
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::{NewSegment, OwnHead, OwnSet, SegmentId};

use crate::backup::commit_draft::{CommitDraft, DRAFT_KEY};
use crate::backup::packer::seal_pack;
use crate::shared::clock_doubt::believed_time;
use crate::shared::context::{Context, wall_clock};
use crate::shared::folder_schedule::schedule_of;
use crate::shared::job::Counters;
use crate::shared::task_event::{PackInFlight, TaskEvent};

/// What a commit is made of.
pub(crate) struct CommitRequest {
    pub(crate) job: JobId,
    /// New versions.
    pub(crate) snapshots: Vec<SnapshotRecord>,
    /// The set that packs go to.
    pub(crate) set: SetFact,
    /// Whose lists count as known.
    pub(crate) at_hand: AtHand,
    /// Where to count.
    pub(crate) counters: Arc<Counters>,
    /// Room for packs in flight.
    pub(crate) permits: Arc<Semaphore>,
    /// A name for this machine.
    pub(crate) label: String,
}

/// Seals a commit and announces its packs; gives the head's number. Call on a blocking thread.
pub(crate) fn seal_commit(
    context: &Context,
    request: CommitRequest,
    runtime: &Handle,
) -> Result<Sequence, ErrorCode> {
    let mut writer = CommitWriter {
        context,
        runtime,
        request,
        builder: PackBuilder::new(PackKind::Commit),
        packs: Vec::new(),
        segment: NewSegment::default(),
        older: Vec::new(),
    };
    writer.seal().map_err(|error| error.code())
}

/// Why a commit could not be sealed.
#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error("the commit was stopped: {}", .0.name())]
    Stopped(ErrorCode),
    #[error("part of a new version lies with too few suppliers by now")]
    LostMeanwhile,
    #[error("{count} versions, at most {} can be kept", limits::SNAPSHOTS_MAX)]
    TooManySnapshots { count: usize },
    #[error(transparent)]
    TooLong(#[from] EncodeError),
}

impl CommitError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Catalogue(error) => error.code(),
            Self::Stopped(code) => *code,
            Self::LostMeanwhile => ErrorCode::TooFewShards,
            Self::TooManySnapshots { .. } | Self::TooLong(_) => ErrorCode::TooMany,
        }
    }
}

struct CommitWriter<'a> {
    context: &'a Context,
    runtime: &'a Handle,
    request: CommitRequest,
    builder: PackBuilder,
    /// Commit packs sealed before the last one.
    packs: Vec<PackRef>,
    /// The new segment of the index, as far as it is written.
    segment: NewSegment,
    /// Where the pages of older versions lie.
    older: Vec<BlobRef>,
}

impl CommitWriter<'_> {
    fn seal(&mut self) -> Result<Sequence, CommitError> {
        let snapshots = self.snapshots()?;
        self.write_segment()?;
        self.resolve()?;
        let snapshots = self.write_older(snapshots)?;
        let previous = self.context.catalogue.newest_head()?;
        let sequence = previous
            .as_ref()
            .map_or(Sequence(1), |head| head.sequence.next());
        // The manifest names the pieces of its own pack: that pack must have room for it.
        self.close_full()?;
        let manifest = self.manifest(sequence, snapshots)?;
        self.push(&try_encode(&manifest)?);
        let flight = self.seal_pack()?;
        let record = flight.record.clone();
        let blobs = blob_refs(record.pack.pack, &record.chunks);
        let Some(manifest_blob) = blobs.last().copied() else {
            return Err(CommitError::Stopped(ErrorCode::Internal));
        };
        self.name_own_pack(record.pack.pack);
        let segment = std::mem::take(&mut self.segment);
        let head = self.head(sequence, previous, &record, manifest_blob)?;
        let lists = self.packs.iter().map(|pack| pack.pack);
        let draft = CommitDraft {
            lists: lists.chain([record.pack.pack]).collect(),
            sequence,
            snapshots: self.request.snapshots.clone(),
            replaced: segment.replaced.iter().map(|segment| segment.0).collect(),
            segment: segment.blobs,
            packs: segment.packs,
        };
        let draft = try_encode(&draft)?;
        let catalogue = &self.context.catalogue;
        self.write(|| catalogue.set_meta(DRAFT_KEY, &draft))?;
        self.write(|| catalogue.put_head(head.clone()))?;
        self.announce(flight)?;
        Ok(sequence)
    }

    fn head(
        &self,
        sequence: Sequence,
        previous: Option<OwnHead>,
        record: &PackRecord,
        manifest: BlobRef,
    ) -> Result<OwnHead, CommitError> {
        let sets = self.context.catalogue.sets()?;
        let head = Head {
            owner: self.context.identity,
            lane: self.context.device,
            writer: self.context.catalogue.writer()?,
            epoch: record.pack.epoch,
            sequence,
            previous: previous.map_or(HeadHash([0; 32]), |head| head.hash),
            home: self.request.set.set,
            sets: sets.iter().map(set_version).collect(),
            tombstone: None,
            commit: record.pack.clone(),
            manifest,
            written_at: wall_clock(),
        };
        let signed = self.context.secrets.device.signing().sign(&head);
        Ok(OwnHead {
            sequence,
            hash: head_hash(&signed),
            head: signed,
            published: false,
        })
    }

    /// All versions of this device, the new ones last. The catalogue takes as many as readers
    /// do, those of other devices included: one more could not be recorded after the head.
    fn snapshots(&mut self) -> Result<Vec<SnapshotRecord>, CommitError> {
        let mut snapshots = self.context.catalogue.snapshots(wall_clock())?;
        let count = snapshots.len() + self.request.snapshots.len();
        if count > limits::SNAPSHOTS_MAX {
            return Err(CommitError::TooManySnapshots { count });
        }
        place_new(
            &snapshots,
            self.last_written_at()?,
            &mut self.request.snapshots,
        );
        snapshots.retain(|snapshot| snapshot.device == self.context.device);
        snapshots.extend(self.request.snapshots.iter().cloned());
        Ok(snapshots)
    }

    /// A manifest whose new versions name what it does not describe would be one that no recovery can
    /// read. Asked of the segment that was written: what comes and goes meanwhile is not in it. Versions
    /// that are published stay, whatever became of their packs: nothing here makes them better.
    fn resolve(&self) -> Result<(), CommitError> {
        let pages = self
            .request
            .snapshots
            .iter()
            .flat_map(|snapshot| &snapshot.pages);
        let pages: Vec<_> = pages.copied().collect();
        let new = &self.segment.packs;
        let are_all = self.context.catalogue.are_described(&pages, new)?;
        are_all.then_some(()).ok_or(CommitError::LostMeanwhile)
    }

    /// When the newest head was written, as far as its time is believed.
    fn last_written_at(&self) -> Result<UnixMillis, CommitError> {
        let newest = self.context.catalogue.newest_head()?;
        let newest = newest.map(|head| believed_time(self.context, &head));
        Ok(newest.transpose()?.unwrap_or_default())
    }

    /// Writes the pages of those versions for which the manifest has no room; gives the others.
    fn write_older(
        &mut self,
        snapshots: Vec<SnapshotRecord>,
    ) -> Result<Vec<SnapshotRecord>, CommitError> {
        let paged = page_snapshots(snapshots);
        for page in &paged.pages {
            let blob = self.write_piece(page)?;
            self.older.extend(blob);
        }
        Ok(paged.inline)
    }

    fn manifest(
        &self,
        sequence: Sequence,
        snapshots: Vec<SnapshotRecord>,
    ) -> Result<Manifest, CommitError> {
        let catalogue = &self.context.catalogue;
        let segment = &self.segment;
        let mut segments: Vec<Vec<BlobRef>> = Vec::new();
        for live in catalogue.segments()? {
            if !segment.replaced.contains(&live.segment) {
                segments.push(live.blobs);
            }
        }
        if !segment.blobs.is_empty() {
            segments.push(segment.blobs.clone());
        }
        let mut packs = self.packs.clone();
        for blob in segments.iter().flatten() {
            let is_named = blob.pack == OWN_PACK || packs.iter().any(|pack| pack.pack == blob.pack);
            if !is_named {
                let pack = catalogue.pack_ref(blob.pack)?;
                let unknown = CatalogueError::UnknownPack { pack: blob.pack };
                packs.push(pack.ok_or(unknown)?);
            }
        }
        Ok(Manifest {
            lane: self.context.device,
            sequence,
            device_label: self.request.label.clone(),
            folders: self.folders()?,
            older: self.older.clone(),
            snapshots,
            segments,
            packs,
            friends: self.friends()?,
            tombstones: Vec::new(),
        })
    }

    /// Folders with the schedules that people chose for them.
    fn folders(&self) -> Result<Vec<FolderRecord>, CommitError> {
        let catalogue = &self.context.catalogue;
        let mut folders = catalogue.folders()?;
        for folder in &mut folders {
            let schedule = schedule_of(catalogue, folder.folder)?;
            folder.schedule = schedule.map(|schedule| match schedule {
                Schedule::OnChange => FolderSchedule::OnChange,
                Schedule::Every { minutes } => FolderSchedule::Every { minutes },
                Schedule::Manual => FolderSchedule::Manual,
            });
        }
        Ok(folders)
    }

    /// Friends, the newest first.
    fn friends(&self) -> Result<Vec<FriendRecord>, CommitError> {
        let mut friends = self.context.catalogue.friends()?;
        friends.sort_by_key(|friend| std::cmp::Reverse(friend.since));
        friends.truncate(limits::FRIENDS_MAX);
        let records = friends.into_iter().map(|mut friend| {
            friend.addresses.truncate(limits::FRIEND_ADDRESSES_MAX);
            FriendRecord {
                identity: friend.identity,
                device: friend.device,
                nickname: friend.nickname,
                addresses: friend.addresses,
            }
        });
        Ok(records.collect())
    }

    /// Writes all packs that no segment describes yet, and merges small segments with them.
    fn write_segment(&mut self) -> Result<(), CommitError> {
        let mut writer = SegmentWriter::new();
        let mut after = None;
        loop {
            let page = self.context.catalogue.packs_to_publish(after)?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.pack.pack);
            for record in page
                .iter()
                .filter(|record| record.pack.kind != PackKind::Commit)
            {
                self.segment.packs.push(record.pack.pack);
                if let Some(piece) = writer.push(record) {
                    self.write_segment_piece(&piece)?;
                }
            }
        }
        self.segment.replaced = self.segments_to_replace(self.segment.packs.len() as u64)?;
        for segment in self.segment.replaced.clone() {
            let mut after = None;
            loop {
                let page = self.context.catalogue.segment_packs(segment, after)?;
                let Some(last) = page.last() else {
                    break;
                };
                after = Some(last.pack.pack);
                for record in &page {
                    if let Some(piece) = writer.push(record) {
                        self.write_segment_piece(&piece)?;
                    }
                }
            }
        }
        if let Some(piece) = writer.finish() {
            self.write_segment_piece(&piece)?;
        }
        Ok(())
    }

    /// Newest live segments to be merged with what is new, so that their number stays
    /// logarithmic; and those that only somebody has who is away.
    fn segments_to_replace(&self, packs_new: u64) -> Result<Vec<SegmentId>, CommitError> {
        let live = self.context.catalogue.segments()?;
        let sizes: Vec<u64> = live.iter().map(|segment| segment.packs).collect();
        let merged = if packs_new == 0 {
            0
        } else {
            plan_segments(&sizes, packs_new)
        };
        let mut replaced = Vec::new();
        for (age, segment) in live.iter().rev().enumerate() {
            if age < merged || !self.is_at_hand(&segment.blobs)? {
                replaced.push(segment.segment);
            }
        }
        Ok(replaced)
    }

    fn is_at_hand(&self, pieces: &[BlobRef]) -> Result<bool, CommitError> {
        let (catalogue, at_hand) = (&self.context.catalogue, self.request.at_hand);
        for piece in pieces {
            if !catalogue.pack_at_hand(piece.pack, at_hand)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write_segment_piece(&mut self, piece: &[u8]) -> Result<(), CommitError> {
        let blob = self.write_piece(piece)?;
        self.segment.blobs.extend(blob);
        Ok(())
    }

    /// Adds a piece to the pack being gathered; gives where it will lie.
    fn write_piece(&mut self, piece: &[u8]) -> Result<Option<BlobRef>, CommitError> {
        self.close_full()?;
        self.push(piece);
        Ok(self.last_blob())
    }

    /// Closes the pack being gathered if nothing more fits; the pieces that lie in it get its
    /// name.
    fn close_full(&mut self) -> Result<(), CommitError> {
        if !self.builder.is_full() {
            return Ok(());
        }
        let flight = self.seal_pack()?;
        let closed = flight.record.pack.clone();
        self.name_own_pack(closed.pack);
        self.packs.push(closed);
        self.announce(flight)
    }

    /// The pieces in the pack that was just sealed get its name.
    fn name_own_pack(&mut self, pack: PackId) {
        let pieces = self.segment.blobs.iter_mut().chain(&mut self.older);
        for blob in pieces.filter(|blob| blob.pack == OWN_PACK) {
            blob.pack = pack;
        }
    }

    /// Where the chunk pushed last will lie.
    fn last_blob(&self) -> Option<BlobRef> {
        blob_refs(OWN_PACK, self.builder.records()).pop()
    }

    fn push(&mut self, raw: &[u8]) {
        let id = self.context.current().chunk_id(raw);
        self.builder.push(id, raw);
    }

    fn seal_pack(&mut self) -> Result<PackInFlight, CommitError> {
        let full = std::mem::replace(&mut self.builder, PackBuilder::new(PackKind::Commit));
        seal_pack(
            self.context,
            full,
            &self.request.set,
            &self.request.permits,
            &self.request.counters,
            self.runtime,
        )
        .map_err(CommitError::Stopped)
    }

    /// Writes to the catalogue; on a full disk, once there is room.
    fn write(
        &self,
        mut write: impl FnMut() -> Result<(), CatalogueError>,
    ) -> Result<(), CommitError> {
        let write = || write().map_err(|error| error.code());
        let space = &self.context.disk_space;
        space
            .write_for_job(&self.request.counters, self.runtime, write)
            .map_err(CommitError::Stopped)
    }

    fn announce(&self, flight: PackInFlight) -> Result<(), CommitError> {
        let sealed = TaskEvent::Sealed {
            job: self.request.job,
            flight: Box::new(flight),
        };
        self.context
            .task_events
            .blocking_send(sealed)
            .map_err(|_| CommitError::Stopped(ErrorCode::Cancelled))
    }
}

fn set_version(set: &OwnSet) -> SetVersion {
    SetVersion {
        set: set.set,
        version: set.version,
        hash: set_hash(&set.record),
    }
}

#[cfg(test)]
mod tests;
