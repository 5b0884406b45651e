//! Folders that are backed up by themselves: their schedules, kept in the catalogue, and the
//! watches that the engine asks for.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, sync_channel};

use bitdust_api::view::Schedule;
use bitdust_engine::{FolderFact, Input};
use bitdust_model::{DeviceId, FolderId, limits};
use bitdust_source::{FolderWatch, Noticed, WatchError};
use bitdust_store::Catalogue;
use bitdust_store::CatalogueError;

use crate::shared::context::{Context, wall_clock};
use crate::shared::folder_schedule::{awaits_restore, schedule_of};
use crate::shared::task_event::TaskEvent;

/// The watches of a node, and the way their notices come in.
pub(crate) struct Watches {
    pub(super) tell: SyncSender<(FolderId, Noticed)>,
    pub(super) open: BTreeMap<FolderId, FolderWatch>,
    /// Why folders are not watched that should be.
    pub(super) problems: BTreeMap<FolderId, WatchError>,
}

impl Watches {
    /// No watches yet; notices go back into the loop.
    pub(crate) fn new(context: &Context) -> Self {
        let (tell, told) = sync_channel::<(FolderId, Noticed)>(limits::WATCH_NOTICES_MAX);
        let back = context.task_events.clone();
        // Ends when the last watch and this struct are gone, or the loop is.
        tokio::task::spawn_blocking(move || {
            while let Ok((folder, noticed)) = told.recv() {
                let input = match noticed {
                    Noticed::Changed | Noticed::Lost => Input::FolderChanged { folder },
                    Noticed::Gone => Input::FolderGone { folder },
                };
                if back.blocking_send(TaskEvent::Input(input)).is_err() {
                    return;
                }
            }
        });
        Self {
            tell,
            open: BTreeMap::new(),
            problems: BTreeMap::new(),
        }
    }

    /// Why folders are not watched that should be, in words.
    pub(super) fn problems(&self) -> BTreeMap<FolderId, String> {
        let problems = self.problems.iter();
        problems
            .map(|(folder, error)| (*folder, error.to_string()))
            .collect()
    }
}

/// The folders of a home as the engine must know them at its start.
pub(crate) fn folder_facts(
    catalogue: &Catalogue,
    device: DeviceId,
    default: Schedule,
) -> Result<Vec<FolderFact>, CatalogueError> {
    let folders = catalogue.folders()?;
    folders
        .iter()
        .map(|record| folder_fact(catalogue, device, record.folder, default))
        .collect()
}

/// Versions of other machines say nothing of when this one last looked. One that waits to be restored is backed
/// up when somebody asks.
pub(super) fn folder_fact(
    catalogue: &Catalogue,
    device: DeviceId,
    folder: FolderId,
    default: Schedule,
) -> Result<FolderFact, CatalogueError> {
    let now = wall_clock();
    let newest = catalogue
        .snapshots(now)?
        .into_iter()
        .filter(|snapshot| snapshot.folder == folder && snapshot.device == device)
        .map(|snapshot| snapshot.taken_at)
        .next_back();
    Ok(FolderFact {
        folder,
        schedule: if awaits_restore(catalogue, folder)? {
            Schedule::Manual
        } else {
            schedule_of(catalogue, folder)?.unwrap_or(default)
        },
        backed_up_ago_ms: newest.map(|at| at.ago(now)),
    })
}
