//! The own lane taken in anew from what suppliers keep of it, where this machine has forgotten a part.
//!
//! Everything that the newest head lists is read before the catalogue goes on from it, in one piece. What
//! is imported on the way changes nothing else: after a crash it is read again.

use std::collections::BTreeSet;

use bitdust_api::history::Happening;
use bitdust_crypto::{head_hash, set_hash};
use bitdust_engine::{Input, LaneTold, may_go_on};
use bitdust_model::head::Head;
use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::{FolderRecord, Manifest, PackRef, SnapshotRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, ErrorCode, Severity, SnapshotId, decode};
use bitdust_store::catalogue::{OwnHead, TakenLane, TakenSegment};
use bitdust_store::{Catalogue, CatalogueError};
use tracing::debug;

use super::Suppliers;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::fetch_request::NO_JOB;
use crate::shared::folder_schedule::put_back;
use crate::shared::head_lists::{read_manifest_of, read_page_at, read_segment_at};
use crate::shared::lane_heads::{OwnTip, own_tip};
use crate::shared::lane_taken::{LaneTaken, TakenHead};
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Suppliers {
    /// Takes in the newest head of this lane that these suppliers keep.
    pub(crate) fn catch_up(
        &self,
        driver: &mut Driver,
        completion: Completion,
        devices: Vec<DeviceId>,
        has_written: bool,
    ) {
        let context = self.context.clone();
        driver.spawn(async move {
            let mut reader = LaneReader {
                context: &context,
                moved: Vec::new(),
                folders: Vec::new(),
            };
            let result = reader.take(&devices, has_written).await;
            let taken = Box::new(LaneTaken {
                moved: reader.moved,
                folders: reader.folders,
                result,
            });
            let event = |completion| TaskEvent::LaneTaken { completion, taken };
            completion.bring(event).await;
        });
    }

    /// The catalogue goes on from what suppliers keep, or not. Gives the folders that came under protection
    /// with that.
    pub(crate) fn lane_taken(
        &self,
        driver: &mut Driver,
        completion: Completion,
        taken: LaneTaken,
    ) -> Vec<FolderRecord> {
        let LaneTaken {
            moved,
            folders,
            result,
        } = taken;
        let head = match result {
            Ok(head) => head,
            Err(code) => {
                debug!(code = code.name(), "The own lane was not taken in");
                driver.tell(completion.done(Input::StillBehind { code, moved }));
                return folders;
            }
        };
        let versions = head.versions;
        let message = format!(
            "This computer had forgotten {versions} of its versions, as after an older copy of its disk was \
             put back. Your suppliers had kept them; they are listed again"
        );
        driver.notice(Severity::Note, Happening::CaughtUp { versions }, message);
        driver.tell(completion.done(Input::CaughtUp {
            sequence: head.sequence,
            moved,
            unlisted: head.unlisted,
        }));
        folders
    }
}

/// Reads a head that suppliers keep and all that it lists.
struct LaneReader<'a> {
    context: &'a Context,
    /// How packs moved.
    moved: Vec<GroupChange>,
    /// Folders that are under protection again.
    folders: Vec<FolderRecord>,
}

impl LaneReader<'_> {
    async fn take(
        &mut self,
        devices: &[DeviceId],
        has_written: bool,
    ) -> Result<TakenHead, ErrorCode> {
        let tip = self.newest_tip(devices).await?;
        let head = &tip.head;
        let holders = self.catalogue(known_holders(head.clone())).await??;
        let manifest = read_manifest_of(self.context, NO_JOB, head).await?;
        if manifest.lane != head.lane || manifest.sequence != head.sequence {
            return Err(ErrorCode::Corrupt);
        }
        let mut packs = manifest.packs.clone();
        packs.push(head.commit.clone());
        let snapshots = self.versions_of(&manifest, &packs, head).await?;
        let (told, versions) = self.compare(head, &snapshots, has_written).await?;
        if Some(told.sequence) <= told.published {
            // It was taken in meanwhile, or told again as it was: everybody is asked anew.
            return Err(ErrorCode::Busy);
        }
        if !may_go_on(&told) {
            return Err(ErrorCode::Forked);
        }
        let segments = self.import_index(&manifest, &packs, head).await?;
        self.folders = self.take_folders(manifest.folders).await?;
        let lane = TakenLane {
            published: told.published,
            lists: packs.iter().map(|pack| pack.pack).collect(),
            head: OwnHead {
                sequence: head.sequence,
                hash: head_hash(&tip.signed),
                head: tip.signed.clone(),
                published: true,
            },
            segments,
            snapshots,
            holders: holders.clone(),
        };
        let moved = self.catalogue(move |catalogue| catalogue.take_lane(lane));
        let moved = moved.await?;
        self.moved.extend(moved);
        Ok(TakenHead {
            sequence: head.sequence,
            unlisted: holders,
            versions,
        })
    }

    /// Does something with the catalogue.
    async fn catalogue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Catalogue) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, ErrorCode> {
        let catalogue = self.context.catalogue.clone();
        blocking(move || work(&catalogue))
            .await?
            .map_err(|error| error.code())
    }

    /// The newest head of the lane that some of them tell.
    async fn newest_tip(&self, devices: &[DeviceId]) -> Result<OwnTip, ErrorCode> {
        let tips = devices.iter().map(|device| own_tip(self.context, *device));
        let (mut newest, mut failure): (Option<OwnTip>, _) = (None, None);
        for tip in futures::future::join_all(tips).await {
            let is_newer = |tip: &OwnTip| {
                let known = newest.as_ref().map(|known| known.head.sequence);
                Some(tip.head.sequence) > known
            };
            match tip {
                Ok(Some(tip)) if is_newer(&tip) => newest = Some(tip),
                Ok(_) => {}
                Err(code) => failure = Some(code),
            }
        }
        // What is said without the own signature is no word on the lane, least of all that it is forked.
        let failure = failure.filter(|code| code.is_transient());
        newest.ok_or(failure.unwrap_or(ErrorCode::Unreachable))
    }

    /// All versions that a manifest lists, oldest first.
    async fn versions_of(
        &self,
        manifest: &Manifest,
        packs: &[PackRef],
        head: &Head,
    ) -> Result<Vec<SnapshotRecord>, ErrorCode> {
        let mut snapshots = Vec::new();
        for blob in &manifest.older {
            let page = read_page_at(self.context, NO_JOB, packs, &head.commit, *blob);
            snapshots.extend(page.await?);
        }
        snapshots.extend(manifest.snapshots.iter().cloned());
        Ok(snapshots)
    }

    /// What can be told of the head beside what the catalogue has, and how many of its versions that lacks.
    async fn compare(
        &self,
        head: &Head,
        snapshots: &[SnapshotRecord],
        has_written: bool,
    ) -> Result<(LaneTold, u64), ErrorCode> {
        let listed: BTreeSet<SnapshotId> = snapshots.iter().map(|it| it.snapshot).collect();
        let (sequence, writer, lane) = (head.sequence, head.writer, head.lane);
        self.catalogue(move |catalogue| {
            let own = catalogue.snapshots(wall_clock())?;
            let own = own.into_iter().filter(|snapshot| snapshot.device == lane);
            let own: BTreeSet<SnapshotId> = own.map(|snapshot| snapshot.snapshot).collect();
            let newest = catalogue.newest_published_head()?;
            let told = LaneTold {
                published: newest.map(|head| head.sequence),
                sequence,
                is_own_writer: catalogue.writer()? == writer,
                has_written,
                lists_all: own.is_subset(&listed),
            };
            Ok((told, listed.difference(&own).count() as u64))
        })
        .await
    }

    /// Reads the index into the catalogue; gives which segment describes which packs.
    async fn import_index(
        &mut self,
        manifest: &Manifest,
        packs: &[PackRef],
        head: &Head,
    ) -> Result<Vec<TakenSegment>, ErrorCode> {
        let refs = packs.to_vec();
        let moved = self.catalogue(move |catalogue| catalogue.import_pack_refs(refs));
        let moved = moved.await?;
        self.moved.extend(moved);
        let mut segments = Vec::new();
        for blobs in &manifest.segments {
            let mut described = Vec::new();
            for blob in blobs {
                let piece = read_segment_at(self.context, NO_JOB, packs, &head.commit, *blob);
                let piece = piece.await?;
                described.extend(piece.packs.iter().map(|record| record.pack.pack));
                let imported = self.catalogue(move |catalogue| catalogue.import_segment(piece));
                let imported = imported.await?;
                self.moved.extend(imported.moved);
            }
            segments.push(TakenSegment {
                blobs: blobs.clone(),
                packs: described,
            });
        }
        Ok(segments)
    }

    /// Puts folders under protection again that were forgotten; gives those.
    async fn take_folders(
        &self,
        folders: Vec<FolderRecord>,
    ) -> Result<Vec<FolderRecord>, ErrorCode> {
        self.catalogue(move |catalogue| {
            let known = catalogue.folders()?;
            let is_known = |folder: &FolderRecord| {
                let mut known = known.iter();
                known.any(|it| it.folder == folder.folder || it.path == folder.path)
            };
            let forgotten: Vec<_> = folders.into_iter().filter(|it| !is_known(it)).collect();
            for folder in &forgotten {
                put_back(catalogue, folder, Vec::new())?;
            }
            Ok(forgotten)
        })
        .await
    }
}

/// Whoever holds positions of the sets of a head. Of a set or a version that the catalogue does not have
/// nothing can be said, and its packs could be counted for nobody.
fn known_holders(
    head: Head,
) -> impl FnOnce(&Catalogue) -> Result<Result<Vec<DeviceId>, ErrorCode>, CatalogueError> {
    move |catalogue| {
        let own = catalogue.sets()?;
        let mut holders = BTreeSet::new();
        for named in &head.sets {
            let is_it = |set: &&bitdust_store::catalogue::OwnSet| {
                set.set == named.set && set_hash(&set.record) == named.hash
            };
            let Some(set) = own.iter().find(is_it) else {
                return Ok(Err(ErrorCode::Forked));
            };
            let Ok(record) = decode::<SetRecord>(&set.record.bytes) else {
                return Ok(Err(ErrorCode::Corrupt));
            };
            let current = record.positions.iter().filter_map(|it| it.current);
            holders.extend(current.map(|holder| holder.device));
        }
        Ok(Ok(holders.into_iter().collect()))
    }
}
